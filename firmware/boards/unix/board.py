"""The unix board: serial lines are ptys that the rig has set raw, flash is a folder, and the reset is exit.

What a board gives the application: `serial(path)` with async read() and write() and drop(); `folder`; `secret()`;
`entropy(n)`; `reset_cause`; `log(word, text)`. Another board has the same names and nothing above it changes.
"""

import asyncio
import os
import select
import sys

from meterseal_fixture.errors import BadSettings, LineLost
from meterseal_fixture.settings import Settings

POWER_ON = 1
AT_ONCE = 512
CHUNK = 128
ROOM_MS = 5
OTHERS_MAY = 0o077


class Serial:
    """A raw byte line. A write waits for room, so a peer that does not read never holds the loop."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._file = open(path, "r+b")  # noqa: SIM115 - open as long as the board runs
        except OSError:
            raise BadSettings("settings", "cannot open the serial line %s; is the rig running?" % path)
        self._stream = asyncio.StreamReader(self._file)
        self._waiting, self._room = select.poll(), select.poll()
        self._waiting.register(self._file, select.POLLIN)
        self._room.register(self._file, select.POLLOUT)

    async def read(self) -> bytes:
        """What has come, at least one byte; LineLost when the other end is gone."""
        first = await self._stream.read(1)
        if not first:
            raise LineLost("line.lost", self.path)
        return first + self._take(AT_ONCE)

    async def write(self, data: bytes) -> None:
        """Send all of `data`."""
        for at in range(0, len(data), CHUNK):
            while not self._room.poll(0):
                await asyncio.sleep_ms(ROOM_MS)
            self._file.write(data[at : at + CHUNK])

    def drop(self) -> None:
        """Forget what has come and was not read."""
        while self._take(AT_ONCE):
            continue

    def _take(self, most: int) -> bytes:
        # read(n) of a file waits for all n bytes: ask before each.
        found = bytearray()
        while len(found) < most and self._waiting.poll(0):
            byte = self._file.read(1)
            if not byte:
                break
            found += byte
        return bytes(found)


class Board:
    """One unix process as a board. Its state lies in `settings.folder`, its key in the file `key` there."""

    name = "unix"
    reset_cause = POWER_ON

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.folder

    def serial(self, path: str) -> Serial:
        """The line at `path`; BadSettings when there is none."""
        return Serial(path)

    def secret(self) -> bytes:
        """The signing key's 32 bytes. BadSettings unless the file is there, whole, and closed to others."""
        path = self.folder + "/key"
        try:
            mode = os.stat(path)[0]
        except OSError:
            raise BadSettings("settings", "there is no key at %s; make one with the tools" % path)
        if mode & OTHERS_MAY:
            raise BadSettings("settings", "%s can be read by others; set its mode to 0600" % path)
        with open(path, "rb") as file:
            secret: bytes = file.read()
        if len(secret) != 32:
            raise BadSettings("settings", "%s must hold exactly 32 bytes" % path)
        return secret

    def entropy(self, count: int) -> bytes:
        """Random bytes."""
        return os.urandom(count)

    def log(self, word: str, text: str = "") -> None:
        """One line for whoever watches the process; never a key, never an error of a meter."""
        sys.stdout.write("%s %s\n" % (word, text))
