"""A board on a USB cable: real MicroPython in its REPL, a folder or a littlefs image as its root, behind a pty.

The unix port on a plain pty cannot be driven as a board is: Ctrl-D in the raw REPL ends the process. So two raw ptys
are bridged here; when the interpreter ends, `MPY: soft reboot` is said and a new one is started in the same mode.
The host opens `port`, a link that leads to another pty after each replugging, as /dev/ttyACM0 does.

Faults count bytes and never time: `unplug_after` so many bytes from the host, `damage` one byte behind a pattern.

Not modelled: boot.py and main.py are not run, and there is no watchdog.
"""

import os
import select
import subprocess
import sys
import threading
import tty
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from meterseal_tools.sim.errors import FixtureDied
from meterseal_tools.sim.fixture import DIE_WITH_PARENT, interpreter
from meterseal_tools.sim.repl_chip import Chip

READ_SIZE, BLOCK = 4096, 4096
LOOK_S = 1  # how often a caller looks whether the board is still there
RAW, FRIENDLY = b"\x01", b"\x02"
PROMPT = b">>> "
PRIVATE = 0o077
# VfsPosix with a root of its own cannot rename (1.29: both paths share one buffer), so the root is put before here.
IN_FOLDER = """
class Folder:
    def __init__(self, root):
        self.root, self.all = root, vfs.VfsPosix()
    def place(self, path):
        return self.root + "/" + path.lstrip("/")
    def mount(self, readonly, mkfs):
        self.umount()
    def umount(self):
        return None
    def chdir(self, path):
        self.stat(path)
    def getcwd(self):
        return "/"
    def open(self, path, mode):
        return self.all.open(self.place(path), mode)
    def ilistdir(self, path):
        return self.all.ilistdir(self.place(path))
    def stat(self, path):
        return self.all.stat(self.place(path))
    def mkdir(self, path):
        self.all.mkdir(self.place(path))
    def remove(self, path):
        self.all.remove(self.place(path))
    def rmdir(self, path):
        self.all.rmdir(self.place(path))
    def rename(self, old, new):
        self.all.rename(self.place(old), self.place(new))
vfs.umount("/")
vfs.mount(Folder(%r), "/")
del Folder
"""
IN_FLASH = """
class Flash:
    def __init__(self, path):
        self.file = open(path, "r+b")
    def readblocks(self, block, buffer, offset=0):
        self.file.seek(block * 4096 + offset)
        self.file.readinto(buffer)
    def writeblocks(self, block, buffer, offset=0):
        self.file.seek(block * 4096 + offset)
        self.file.write(buffer)
        self.file.flush()
    def ioctl(self, op, argument):
        return {4: %d, 5: 4096, 6: 0}.get(op, 0)
flash = Flash(%r)
try:
    root = vfs.VfsLfs2(flash)
except OSError:
    vfs.VfsLfs2.mkfs(flash)
    root = vfs.VfsLfs2(flash)
vfs.umount("/")
vfs.mount(root, "/")
del Flash, flash, root
"""


@dataclass
class Faults:
    """What goes wrong next. `sent` counts the host's bytes since the last plugging in."""

    unplug_after: int | None = None
    damage: bytes = b""
    instead: bytes = b"A"
    sent: int = 0
    tail: bytes = b""

    def pass_on(self, data: bytes) -> bytes:
        """The host's bytes as they reach the board; the last byte of the pattern is replaced, once."""
        found = bytearray(data)
        for at, byte in enumerate(data):
            self.tail = (self.tail + bytes([byte]))[-len(self.damage) :] if self.damage else b""
            if self.damage and self.tail == self.damage:
                found[at : at + 1] = self.instead
                self.damage = b""
        self.sent += len(data)
        return bytes(found)

    @property
    def cable_pulled(self) -> bool:
        """True when the host has sent all that it may."""
        return self.unplug_after is not None and self.sent >= self.unplug_after


@dataclass(frozen=True)
class Store:
    """Where the board's files lie: in a folder, or in an image of `blocks` littlefs blocks of 4096 bytes."""

    path: Path
    blocks: int = 0

    def setup(self) -> str:
        """What the interpreter runs to have it as its root."""
        if not self.blocks:
            self.path.mkdir(exist_ok=True)
            return IN_FOLDER % str(self.path)
        if not self.path.exists():
            self.path.write_bytes(b"\xff" * BLOCK * self.blocks)
        return IN_FLASH % (self.blocks, str(self.path))


class ReplBoard(threading.Thread):
    """Plugged in from `with` to its end. `port` is what the host opens; `faults` may be set at any time."""

    def __init__(self, port: Path, store: Store, chip: Chip | None = None) -> None:
        super().__init__(name="meterseal-repl-board", daemon=True)
        self.port, self.store, self.chip = port, store, chip or Chip()
        self.faults = Faults()
        self.starts = 0
        self.unplugged = threading.Event()
        self._mode = FRIENDLY
        self._process: subprocess.Popen[bytes] | None = None
        self._jobs: list[Callable[[], None]] = []
        self._wake_read, self._wake_write = os.pipe()
        self._ended = False
        self._inner: tuple[int, int] | None = None
        self._outer: tuple[int, int] | None = None

    def __enter__(self) -> "ReplBoard":
        self.start()
        self.plug()
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._unplug)
        self._call(self._end)
        self.join()
        os.close(self._wake_read)
        os.close(self._wake_write)

    @property
    def unique_id(self) -> str:
        """The chip's number, in hex."""
        return self.chip.unique_id

    def plug(self) -> None:
        """Put the cable in: a new pty, power, and a fresh interpreter. Faults are over."""
        self._call(self._plug)

    def unplug(self) -> None:
        """Pull the cable: no power, and the host sees its port hang up."""
        self._call(self._unplug)

    def plug_again(self) -> None:
        """Out and in."""
        self._call(self._unplug)
        self._call(self._plug)

    def run(self) -> None:
        """Carry bytes both ways until the end."""
        while not self._ended:
            watched = [self._wake_read]
            if self._inner and self._outer:
                watched += [self._inner[0], self._outer[0]]
            self._serve(select.select(watched, [], [])[0])

    def _call(self, job: Callable[[], None]) -> None:
        done = threading.Event()

        def work() -> None:
            job()
            done.set()

        self._jobs.append(work)
        os.write(self._wake_write, b"w")
        while not done.wait(LOOK_S):
            if not self.is_alive():
                raise FixtureDied("the simulated board has ended by itself; its thread has said why")

    def _serve(self, ready: list[int]) -> None:
        if self._outer and self._outer[0] in ready:
            self._from_host()
        if self._inner and self._inner[0] in ready:
            self._from_board()
        if self._wake_read in ready:
            os.read(self._wake_read, 1)
            self._jobs.pop(0)()

    def _from_host(self) -> None:
        assert self._outer and self._inner
        data = os.read(self._outer[0], READ_SIZE)
        if self.faults.unplug_after is not None:
            data = data[: max(self.faults.unplug_after - self.faults.sent, 0)]
        for byte in (RAW, FRIENDLY):
            self._mode = byte if data.endswith(byte) else self._mode
        os.write(self._inner[0], self.faults.pass_on(data))
        if self.faults.cable_pulled:
            self._unplug()

    def _from_board(self) -> None:
        assert self._outer and self._inner and self._process
        try:
            data = os.read(self._inner[0], READ_SIZE)
        except OSError:  # its last end is closed: the interpreter ended
            data = b""
        if data:
            os.write(self._outer[0], data)
            return
        self._power_off()
        os.write(self._outer[0], b"MPY: soft reboot\r\n")
        self._power_on()

    def _plug(self) -> None:
        self.faults = Faults()
        self.unplugged.clear()
        self._mode = FRIENDLY
        self._outer = os.openpty()
        tty.setraw(self._outer[1])
        self.port.unlink(missing_ok=True)
        self.port.symlink_to(os.ttyname(self._outer[1]))
        self._power_on()

    def _power_on(self) -> None:
        self._inner = os.openpty()
        tty.setraw(self._inner[1])
        code = self.chip.setup() + self.store.setup()
        command = [str(interpreter()), "-X", "heapsize=512k", "-i", "-c", code]
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", DIE_WITH_PARENT, str(os.getpid()), *command],
            stdin=self._inner[1],
            stdout=self._inner[1],
            stderr=self._inner[1],
            process_group=0,
            cwd=self.store.path.parent,
            umask=PRIVATE,
        )
        os.close(self._inner[1])
        self.starts += 1
        self._await_prompt()

    def _await_prompt(self) -> None:
        # What the host sends before the prompt would be lost with the terminal's change of mode.
        assert self._inner and self._outer
        seen = b""
        while not seen.endswith(PROMPT):
            seen += os.read(self._inner[0], 1)
        os.write(*((self._inner[0], RAW) if self._mode == RAW else (self._outer[0], seen)))

    def _power_off(self) -> None:
        if self._process and self._inner:
            self._process.kill()
            self._process.wait()
            os.close(self._inner[0])
        self._process, self._inner = None, None

    def _unplug(self) -> None:
        self._power_off()
        if self._outer:
            self.port.unlink(missing_ok=True)
            os.close(self._outer[0])
            os.close(self._outer[1])
            self._outer = None
        self.unplugged.set()

    def _end(self) -> None:
        self._ended = True
