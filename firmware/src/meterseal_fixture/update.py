"""A new version of the application, staged in the slot that does not run, verified there, and started on trial.

Promise: nothing in the running slot is ever written. The other slot may start only after `finish` has read it back
whole: the authority's grant holds, manifest and grant name the same digest, version and board, every file has its size
and hash, there is no file more, and the rollback counter does not go back. A power cut before that leaves a slot that
does not start; one after it leaves a whole one (slots.py).

A grant names the digest of the two packages (startup.py) and of nothing else. So the files beside them, `board` and
`start`, must be the very ones of the running slot: whatever else came with a granted digest would run under its name.

Nothing is written, hashed or verified while `may_write()` is false: gates count then (design section 6).

Not covered: a grant that was withdrawn or has ended (a fixture has no clock and no log); code that hears the edge
and is wrong all the same; whoever can write the flash by other means.
"""

import asyncio
import os
from hashlib import sha256

from meterseal_fixture.belief import believe
from meterseal_fixture.errors import FixtureError, NotKept, Refused
from meterseal_fixture.slots import FILLING, Slots
from meterseal_fixture.whole import MANIFEST, hash_of, walk
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

VERSION, BOARD, COUNTER, FILES, DIGEST = 1, 2, 3, 4, 5
PACKAGES = ("meterseal_fixture", "meterseal_wire")
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"
SLOT_BYTES = 262144
DEPTH = 4
FOLDER = 0x4000
COUNTER_MOST = 0xFFFFFFFF
LOOK_MS = 1000


class Manifest:
    """What an image says of itself: version, board, counter, files as {path: (size, SHA-256)}, digest (32 bytes).

    The bytes are a CBOR map {1: version, 2: board, 3: counter, 4: [[path, size, SHA-256], ...] sorted, 5: digest}.
    Refused "update.manifest" for anything else.
    """

    def __init__(self, raw: bytes) -> None:
        try:
            fields = scan(raw)
            self.version, self.board = _text(fields[VERSION]), _text(fields[BOARD])
            self.counter, self.digest = _number(fields[COUNTER]), _hash(fields[DIGEST])
            self.files = {}
            last = ""
            for path, size, digest in fields[FILES]:
                if len(fields) != DIGEST or not allowed(path) or path <= last:
                    raise ValueError(path)
                self.files[path], last = (_number(size), _hash(digest)), path
        except (WireError, ValueError, TypeError, KeyError, IndexError) as wrong:
            raise Refused("update.manifest", str(wrong)[:40])


class Staging:
    """Fills the other one of `slots`. `board` is the boot statement's text ("unix/sim-1"), `authority` a pair
    (public key x || y, verify(public_xy, message, signature)), `may_write()` True while no gate counts.

    Refused "update.no_slots" where the application does not run from a slot.
    """

    def __init__(self, slots: Slots | None, board: str, authority, may_write) -> None:
        if slots is None or not slots.running:
            raise Refused("update.no_slots")
        self.slots, self.board, self.authority, self.may_write = slots, board, authority, may_write
        self._bytes = -1

    def begin(self, digest: bytes) -> dict[str, int]:
        """Make room for the image of that digest; what lies there of it already, as {path: bytes}, after a cut. The
        first call after every boot: `take` and `finish` want it.
        """
        self._ready()
        if len(digest) != 32:
            raise Refused("update.manifest", "digest")
        try:
            if self.slots.state != FILLING or self.slots.digest != digest:
                self.slots.stage(bytes(32))
                _clear(self._folder())
                self.slots.stage(digest)
            found = {path: os.stat(self._place(path))[6] for path in walk(self._folder())}
        except OSError as wrong:
            raise NotKept("update.flash", wrong)
        found.pop(MANIFEST, None)
        self._bytes = sum(found.values())
        return found

    def take(self, path: str, offset: int, data: bytes) -> int:
        """Append a chunk to a file of the other slot; bytes of it that are there now. One that is there already does
        nothing; Refused "update.offset" for a gap, or for other bytes than those that are there.
        """
        self._ready()
        self._begun()
        if not allowed(path):
            raise Refused("update.path", str(path)[:40])
        try:
            return self._take(path, offset, data)
        except OSError as wrong:
            raise NotKept("update.flash", "%s: %s" % (path, wrong))

    def finish(self, manifest: bytes, grant: bytes) -> Manifest:
        """Verify all that was staged, and let the slot start on trial at the next boot; what it is. Refused says why
        not, and changes nothing.
        """
        self._ready()
        self._begun()
        image = Manifest(manifest)
        self._check_grant(image, grant)
        try:
            self._check_files(image)
            with open(self._place(MANIFEST), "wb") as file:
                file.write(manifest)
            if hash_of(self._place(MANIFEST)) != sha256(manifest).digest():
                raise NotKept("update.flash", MANIFEST)
        except OSError as wrong:
            raise NotKept("update.flash", wrong)
        self.slots.mark(image.counter)
        return image

    def _ready(self) -> None:
        if self.slots.running != self.slots.good:
            raise Refused("update.on_trial")
        if not self.may_write():
            raise Refused("update.counting")

    def _begun(self) -> None:
        if self._bytes < 0 or self.slots.state != FILLING:
            raise Refused("update.not_begun")

    def _take(self, path: str, offset: int, data: bytes) -> int:
        place = self._place(path)
        size = _size(place)
        if offset < size:
            with open(place, "rb") as file:
                file.seek(offset)
                if file.read(len(data)) == data:
                    return size
        if offset != size:
            raise Refused("update.offset", "%s %d" % (path, size))
        if self._bytes + len(data) > SLOT_BYTES:
            raise Refused("update.large", SLOT_BYTES)
        _make_folders(place, len(self.slots.root))
        with open(place, "ab") as file:
            file.write(data)
        self._bytes += len(data)
        return size + len(data)

    def _check_grant(self, image: Manifest, grant: bytes) -> None:
        key, verify = self.authority
        try:
            fields = believe(grant, {L.KIND_GRANT: key}, verify)[1]
        except FixtureError as wrong:
            raise Refused("update.grant", wrong.detail)
        if fields[L.GRANT] != kinds.FIRMWARE:
            raise Refused("update.grant", "grant %d" % fields[L.GRANT])
        if fields[L.FIRMWARE_VERSION] != image.version:
            raise Refused("update.grant", "version")
        if fields[L.BOARD] != self.board or self.board.split("/")[0] != image.board:
            raise Refused("update.board", image.board)
        if not fields[L.FIRMWARE_DIGEST] == image.digest == self.slots.digest:
            raise Refused("update.digest")
        least = max(self.slots.counter, fields[L.FIRMWARE_FLOOR])
        if image.counter < least:
            raise Refused("update.rollback", least)

    def _check_files(self, image: Manifest) -> None:
        found = walk(self._folder())
        for path in found:
            if path not in image.files and path != MANIFEST:
                raise Refused("update.file", path)
        digest = sha256()
        for path in sorted(image.files):
            size, wanted = image.files[path]
            if path not in found or _size(self._place(path)) != size or hash_of(self._place(path)) != wanted:
                raise Refused("update.file", path)
            if path.split("/", 1)[0] in PACKAGES:
                digest.update(path.encode() + b"\x00" + wanted)
        if digest.digest() != image.digest:
            raise Refused("update.digest")
        self._check_beside(image)

    def _check_beside(self, image: Manifest) -> None:
        running = self.slots.folder(self.slots.running)
        beside = sorted(path for path in walk(running) if _beside(path))
        if beside != sorted(path for path in image.files if _beside(path)):
            raise Refused("update.beside", "board, start")
        for path in beside:
            if hash_of("%s/%s" % (running, path)) != image.files[path][1]:
                raise Refused("update.beside", path)

    def _folder(self) -> str:
        return self.slots.folder(self.slots.other)

    def _place(self, path: str) -> str:
        return "%s/%s" % (self._folder(), path)


async def confirm_when_healthy(slots: Slots | None, link, answered, idle, trial_s: int) -> bool:
    """Call it once the store is open; True if what runs on trial was confirmed now.

    It is confirmed only while the link is up and `answered()`, that is: the edge was heard through it, by a beacon or
    custody that this version believed. After that it waits until the bench is `idle()`. A version that breaks the link
    hears nobody: after `trial_s` seconds, and once the bench is idle, FixtureError "update.unheard" ends the
    application, so the board restarts and uses up a start. When none is left, the version before comes back (slots.py).
    """
    if slots is None or not slots.on_trial():
        return False
    looks = 0
    while not (link.state == "up" and answered()):
        if looks >= trial_s and idle():
            raise FixtureError("update.unheard", trial_s)
        await asyncio.sleep_ms(LOOK_MS)
        looks += 1
    while not idle():
        await asyncio.sleep_ms(LOOK_MS)
    slots.confirm()
    return True


def allowed(path) -> bool:
    """True for a path inside a slot: compiled modules in at most three folders, small letters, digits, underscore."""
    parts = path.split("/") if isinstance(path, str) else []
    if not 0 < len(parts) <= DEPTH or not parts[-1].endswith(".mpy"):
        return False
    names = parts[:-1] + [parts[-1][:-4]]
    if any(not name or name.strip(LETTERS) for name in names):
        return False
    # The digest does not see folders that begin with an underscore.
    return not any(name[0] == "_" for name in parts[:-1])


def _beside(path: str) -> bool:
    return path.split("/", 1)[0] not in PACKAGES and path != MANIFEST


def _clear(folder: str) -> None:
    try:
        entries = list(os.ilistdir(folder))
    except OSError:
        return
    for entry in entries:
        path = "%s/%s" % (folder, entry[0])
        if entry[1] == FOLDER:
            _clear(path)
        else:
            os.remove(path)
    os.rmdir(folder)


def _make_folders(place: str, root: int) -> None:
    at = place.find("/", root + 1)
    while at > 0:
        try:
            os.stat(place[:at])
        except OSError:
            os.mkdir(place[:at])
        at = place.find("/", at + 1)


def _size(place: str) -> int:
    try:
        size: int = os.stat(place)[6]
    except OSError:
        size = 0
    return size


def _text(value) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 32:
        raise ValueError("text")
    return value


def _number(value) -> int:
    if not isinstance(value, int) or value is True or value is False or not 0 <= value <= COUNTER_MOST:
        raise ValueError("number")
    return value


def _hash(value) -> bytes:
    if not isinstance(value, bytes) or len(value) != 32:
        raise ValueError("hash")
    return value
