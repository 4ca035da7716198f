"""One board over its serial port, through mpremote's own transport: ask, list, hash, put.

A file is written under another name, hashed on the board, and only then renamed: a name holds its old content or its
whole new one. What fails is one BoardError; the port may be opened again at once.
"""

import ast
import errno
import os
import struct
import termios
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from mpremote.transport import TransportError  # type: ignore[import-untyped]
from mpremote.transport_serial import SerialTransport  # type: ignore[import-untyped]

from meterseal_tools.boards import onboard
from meterseal_tools.boards.words import BoardError

BANNER = b"raw REPL; CTRL-B to exit\r\n"
INTERRUPT, RAW, FRIENDLY, RESET = b"\r\x03\x03", b"\r\x01", b"\r\x02", b"\x04"
CHUNK = 768
TRIES = 3
PART = ".part"
PATIENCE_S = 10.0
ONE_READ_S = 1.0
LOST = (OSError, struct.error, termios.error)
FULL = (f"OSError: {errno.ENOSPC}", "ENOSPC")


class BoardLink:
    """A board in its raw REPL after a soft reset, so no program of its own runs. Use it in `with`."""

    def __init__(self, port: str, patience_s: float = PATIENCE_S) -> None:
        self.port, self._patience_s = port, patience_s
        self._transport: Any = None

    def __enter__(self) -> "BoardLink":
        if not Path(self.port).exists():
            raise BoardError("no_port", self.port)
        if not os.access(self.port, os.R_OK | os.W_OK):
            raise BoardError("no_right", self.port)
        try:
            self._transport = SerialTransport(self.port, timeout=min(ONE_READ_S, self._patience_s))
        except TransportError:
            raise BoardError("busy" if Path(self.port).exists() else "gone", self.port) from None
        try:
            self._enter()
            self.ask(onboard.OWN_MODULES)
        except BoardError:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the port, whatever state it is in."""
        try:
            self._transport.close()
        except LOST:
            return

    def _enter(self) -> None:
        # Transport.enter_raw_repl does the same, but prints what it read when it fails.
        for sent, answer in ((INTERRUPT + RAW, BANNER + b">"), (RESET, b"soft reboot\r\n"), (b"", BANNER)):
            try:
                self._transport.serial.write(sent)
                found = self._transport.read_until(1, answer, timeout=self._patience_s)
            except LOST:
                raise BoardError("gone", self.port) from None
            if not found.endswith(answer):
                raise BoardError("not_micropython", self.port)

    def ask(self, program: str, **values: object) -> Any:
        """Run a program of `onboard` and give the literal it printed, None where it printed nothing."""
        text = self._run(program.format(**values) if values else program)
        try:
            return ast.literal_eval(text) if text else None
        except (SyntaxError, ValueError):
            raise BoardError("refused", self.port, "an answer that is none") from None

    def _run(self, program: str) -> str:
        try:
            answer, error = self._transport.exec_raw(program, self._patience_s)
        except TransportError:
            raise BoardError("silent" if Path(self.port).exists() else "gone", self.port) from None
        except LOST:
            raise BoardError("gone", self.port) from None
        if error:
            why = error.decode(errors="replace").strip().splitlines()[-1]
            raise BoardError("full" if why.endswith(FULL) else "refused", self.port, why)
        return str(answer.decode(errors="replace").strip())

    def unique_id(self) -> str:
        """The chip's own number, in hex."""
        return str(self.ask(onboard.IDENTITY))

    def sizes(self) -> dict[str, int]:
        """Bytes of every file on the board, by path without a leading slash."""
        return dict(self.ask(onboard.LIST))

    def hash(self, path: str) -> bytes:
        """SHA-256 of a file, computed on the board."""
        return bytes(self.ask(onboard.HASH, path=f"/{path}"))

    def read(self, path: str) -> bytes:
        """A small file's content."""
        return bytes(self.ask(onboard.READ, path=f"/{path}"))

    def make_folders(self, paths: Iterable[str]) -> None:
        """The folders in which these files will lie, outermost first; those that exist stay."""
        parents = {f"/{parent}" for path in paths for parent in Path(path).parents if str(parent) != "."}
        self.ask(onboard.FOLDERS, folders=sorted(parents))

    def put(self, path: str, data: bytes) -> None:
        """Write a file whole or not at all; BoardError `damaged` when it arrived wrong three times."""
        wanted = sha256(data).digest()
        for _ in range(TRIES):
            self._write(path + PART, data)
            if self.hash(path + PART) == wanted:
                self.ask(onboard.RENAME, old=f"/{path}{PART}", new=f"/{path}")
                return
        self.remove(path + PART)
        raise BoardError("damaged", self.port, path)

    def _write(self, path: str, data: bytes) -> None:
        self.ask(onboard.OPEN, path=f"/{path}")
        try:
            for at in range(0, len(data), CHUNK):
                self.ask(onboard.WRITE, text=b64encode(data[at : at + CHUNK]))
        except BoardError as error:
            if error.code == "full":
                self.ask(onboard.CLOSE)
                self.remove(path)
            raise
        self.ask(onboard.CLOSE)

    def remove(self, path: str) -> None:
        """Delete a file."""
        self.ask(onboard.REMOVE, path=f"/{path}")

    def remove_tree(self, folder: str) -> None:
        """Delete a folder of the root with all that is in it, if it is there."""
        self.ask(onboard.REMOVE_TREE, folder=folder)

    def start(self) -> None:
        """Leave the raw REPL and reset, so that the board's own main.py starts."""
        try:
            self._transport.serial.write(FRIENDLY + RESET)
        except LOST:
            raise BoardError("gone", self.port) from None
