"""The first statements of an epoch: `boot`, then one `abandoned` for each attempt that a lost power left open.

`firmware_digest` is over the application's files as they lie on this board: for each .py or .mpy file of the two
packages, sorted by its path below the folder that holds the package, the path, a zero byte, the SHA-256 of its
content. The board's own two files are not in it. It says what was there, not what ran: that is secure boot's.
"""

import os
from hashlib import sha256

import meterseal_fixture
import meterseal_wire
from meterseal_fixture.result import abandoned_payload
from meterseal_fixture.station import Station
from meterseal_fixture.whole import hash_of
from meterseal_wire import kinds
from meterseal_wire import labels as L

FOLDER = 0x4000
WATCHDOG = 3  # of machine.reset_cause
PACKAGES = (meterseal_fixture.__file__, meterseal_wire.__file__)


def sign_first(station: Station, board, front_board: str, slots=None) -> None:
    """Sign and keep boot and what must follow it; sets the station's attempt counter and firmware digest.

    `slots` know of an update.
    """
    chronicle = station.chronicle
    station.counter, station.firmware = chronicle.keep.attempts(), firmware_digest()
    payload: dict[int, object] = {
        L.COUNTER: station.counter,
        L.FIRMWARE_DIGEST: station.firmware,
        L.FIRMWARE_VERSION: meterseal_fixture.VERSION,
        L.BOARD: "%s/%s" % (board.name, front_board),
        L.CLOCK: station.front.clock,
        L.RESET_CAUSE: board.reset_cause,
        L.FRONT_ENDS: station.front.rows,
    }
    if chronicle.last_head:
        payload[L.LAST_HEAD] = chronicle.last_head
    open_attempts = chronicle.keep.open_attempts()
    epoch, seq = chronicle.sign(L.KIND_BOOT, payload)
    station.panel.tell("boot", epoch=epoch, seq=seq)
    if board.reset_cause == WATCHDOG:
        station.panel.complain("board.watchdog")
    for place in open_attempts:
        epoch, seq = chronicle.sign(L.KIND_ABANDONED, abandoned_payload(place, kinds.POWER, []), closes=place)
        station.panel.complain("run.power")
        reason = kinds.REASON_NAMES[kinds.POWER]
        station.panel.tell("abandoned", epoch=epoch, seq=seq, attempt=place, reason=reason)
    tell_update(station, slots)
    if chronicle.keep.damaged:
        station.panel.complain("store.damaged", chronicle.keep.damaged)
        station.note("store.damaged", "%d" % chronicle.keep.damaged)
    station.changed()


def tell_update(station: Station, slots) -> None:
    """Sign what became of an update, once; where nothing can be signed now, at the next boot."""
    told = slots.event() if slots else None
    if told and station.note(told[0], told[1]):
        slots.told()


def firmware_digest() -> bytes:
    """32 bytes over every .py and .mpy file of the packages, as the head of this file says."""
    digest = sha256()
    for package in PACKAGES:
        folder = str(package).rsplit("/", 1)[0]
        name = folder.rsplit("/", 1)[-1]
        for path in sorted(_files(folder, name)):
            digest.update(path.encode() + b"\x00")
            digest.update(hash_of(folder + path[len(name) :]))
    found: bytes = digest.digest()
    return found


def _files(folder: str, name: str) -> list[str]:
    found = []
    for entry in os.ilistdir(folder):
        path = "%s/%s" % (name, entry[0])
        if entry[1] == FOLDER:
            if entry[0][:1] not in (".", "_"):
                found += _files("%s/%s" % (folder, entry[0]), path)
        elif path.endswith((".py", ".mpy")):
            found.append(path)
    return found
