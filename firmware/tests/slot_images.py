"""Small images of the application for tests of updates: built in memory, granted by an authority's real key."""

import os
from hashlib import sha256

from meterseal_fixture.signer.software_p256 import SoftwareSigner, verify
from meterseal_fixture.slots import Slots
from meterseal_fixture.update import PACKAGES, Staging, _make_folders
from meterseal_fixture.whole import MANIFEST, whole_slot
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.statement import Author, build

BOARD = "unix/sim-1"
SIGNER = SoftwareSigner(bytes(31) + b"\x09")
AUTHORITY = (SIGNER.public_xy, verify)
BESIDE = {"board.mpy": b"board", "start.mpy": b"start"}
CHUNK = 450


def digest_of(files):
    """The recipe at the head of startup.py, over contents."""
    digest = sha256()
    for path in sorted(files):
        if path.split("/")[0] in PACKAGES:
            digest.update(path.encode() + b"\x00" + sha256(files[path]).digest())
    return digest.digest()


class Image:
    """A version of three modules, the first so large that it takes several blocks, and its manifest and grant."""

    def __init__(self, version, counter=0, floor=0, files=None, signer=SIGNER, **changes):
        self.files = {
            "meterseal_fixture/__init__.mpy": ("fixture %s " % version).encode() * 90,
            "meterseal_fixture/signer/pen.mpy": ("pen " + version).encode(),
            "meterseal_wire/__init__.mpy": ("wire " + version).encode(),
        }
        self.files.update(BESIDE)
        self.files.update(files or {})
        self.digest = digest_of(self.files)
        rows = [
            [path, len(self.files[path]), sha256(self.files[path]).digest()] for path in sorted(self.files)
        ]
        self.fields = {1: version, 2: "unix", 3: counter, 4: rows, 5: self.digest}
        self.manifest = encode(self.fields)
        fields = {L.GRANT: kinds.FIRMWARE, L.NUMBER: 1, L.WINDOW: [0, 1], L.FIRMWARE_DIGEST: self.digest}
        fields.update({L.FIRMWARE_VERSION: version, L.BOARD: BOARD, L.FIRMWARE_FLOOR: floor})
        for name, value in changes.items():
            fields[getattr(L, name)] = value
        self.grant = build(Author("SAMR", "firmware", signer), L.KIND_GRANT, fields)

    def install(self, folder):
        """Lay it into a slot, as a cable would."""
        for path in sorted(self.files):
            place = folder + "/" + path
            _make_folders(place, len(folder) - 2)
            with open(place, "wb") as file:
                file.write(self.files[path])
        with open(folder + "/" + MANIFEST, "wb") as file:
            file.write(self.manifest)

    def stage(self, staging, without=()):
        """Send what is not there yet, in chunks."""
        found = staging.begin(self.digest)
        for path in sorted(self.files):
            data = self.files[path]
            for at in range(found.get(path, 0), len(data), CHUNK):
                if path not in without:
                    staging.take(path, at, data[at : at + CHUNK])

    def lies_in(self, folder):
        """True if the slot has exactly these files, with these bytes."""
        found = contents(folder)
        found.pop(MANIFEST, None)
        return found == self.files


def contents(folder, inside=""):
    """{path: bytes} of a slot."""
    found = {}
    for entry in os.ilistdir(folder):
        path = folder + "/" + entry[0]
        if entry[1] == 0x4000:
            found.update(contents(path, inside + entry[0] + "/"))
        else:
            with open(path, "rb") as file:
                found[inside + entry[0]] = file.read()
    return found


def started(root):
    """The slots as the application sees them after the loader chose."""
    return Slots(root, whole_slot(Slots(root)))


def staging(slots, may_write=lambda: True, kind=Staging):
    return kind(slots, BOARD, AUTHORITY, may_write)
