"""The first statements of an epoch: `boot`, then one `abandoned` for each attempt that a lost power left open.

`firmware_digest` is over the application's files as they lie on this board: for each .py or .mpy file of the two
packages, sorted by its path below the folder that holds the package, the path, a zero byte, the SHA-256 of its
content. The board's own two files are not in it. It says what was there, not what ran: that is secure boot's.

The same statements open, without a start, the epoch that follows a refusal of the edge (aside.py), and the one after
EPOCH_STATEMENTS: whoever judges a meter has to see its epoch from the boot on, so a fixture that never restarts would
be judged ever more slowly. A thousand is two days and two nights of ten runs an hour, some fifteen epochs a month;
rule packs allow sixty.
"""

import asyncio
import os
from hashlib import sha256

import meterseal_fixture
import meterseal_wire
from meterseal_fixture.result import abandoned_payload
from meterseal_fixture.station import IDLE, Station
from meterseal_fixture.vital import parting
from meterseal_fixture.whole import hash_of
from meterseal_fixture.words import SENTENCES
from meterseal_wire import kinds
from meterseal_wire import labels as L

FOLDER = 0x4000
WATCHDOG, BROWN_OUT = 3, 6  # of machine.reset_cause; ours (docs/hardware.md)
TOLD = {WATCHDOG: "board.watchdog", BROWN_OUT: "board.brown_out"}
LOOK_MS = 200
EPOCH_STATEMENTS = 1000
GROWN = 7  # reset cause: none, the epoch before had its thousand statements
PACKAGES = (meterseal_fixture.__file__, meterseal_wire.__file__)


def sign_first(station: Station, board, front_board: str, slots=None, cause=None) -> None:
    """Sign and keep boot and what must follow it; sets the station's attempt counter and firmware digest.

    `slots` know of an update; `cause` is given where the board was not reset.
    """
    chronicle = station.chronicle
    station.counter, station.firmware = chronicle.keep.attempts(), firmware_digest()
    payload: dict[int, object] = {
        L.COUNTER: station.counter,
        L.FIRMWARE_DIGEST: station.firmware,
        L.FIRMWARE_VERSION: meterseal_fixture.VERSION,
        L.BOARD: "%s/%s" % (board.name, front_board),
        L.CLOCK: station.front.clock,
        L.RESET_CAUSE: cause or board.reset_cause,
        L.FRONT_ENDS: station.front.rows,
    }
    if chronicle.last_head:
        payload[L.LAST_HEAD] = chronicle.last_head
    if chronicle.refused:
        payload[L.REFUSED] = chronicle.refused
    open_attempts = chronicle.keep.open_attempts()
    epoch, seq = chronicle.sign(L.KIND_BOOT, payload)
    station.panel.tell("boot", epoch=epoch, seq=seq)
    if board.reset_cause in TOLD and not chronicle.refused and not cause:
        station.panel.complain(TOLD[board.reset_cause])
        station.note(TOLD[board.reset_cause], "%d open" % len(open_attempts))
    tell_parting(station)
    why, said = (kinds.FAULT, "statement.refused") if chronicle.refused else (kinds.POWER, "run.power")
    for place in open_attempts:
        epoch, seq = chronicle.sign(L.KIND_ABANDONED, abandoned_payload(place, why, []), closes=place)
        station.panel.complain(said)
        reason = kinds.REASON_NAMES[why]
        station.panel.tell("abandoned", epoch=epoch, seq=seq, attempt=place, reason=reason)
        if why == kinds.POWER:
            station.note(said, "%d/%d" % place)
    tell_update(station, slots)
    if chronicle.keep.damaged:
        station.panel.complain("store.damaged", chronicle.keep.damaged)
        station.note("store.damaged", "%d" % chronicle.keep.damaged)
    station.changed()


async def begin_anew(station: Station, board, front_board: str, slots=None) -> None:
    """When the edge has refused what is offered first, or the epoch has its thousand statements, close it and open the
    next one; for ever.

    Only between two runs. Where the record before is gone, or too many stretches wait for receipts, nothing changes.
    """
    down, chronicle = station.offer.down, station.chronicle
    while True:
        await asyncio.sleep_ms(LOOK_MS)
        if station.state != IDLE or chronicle.keep.full:
            continue
        if down.refused:
            place, name = down.refused
            down.refused = None
            if chronicle.keep.set_aside(place, name):
                station.panel.complain("statement.refused")
                chronicle.begin()
                sign_first(station, board, front_board, slots)
                station.note("statement.refused", "%d/%d %s" % (place[0], place[1], name.hex()))
        elif chronicle.seq + 1 >= EPOCH_STATEMENTS:
            chronicle.begin()
            sign_first(station, board, front_board, slots, GROWN)


def tell_parting(station: Station) -> None:
    """Sign what ended the application last time, where that was no loss of power."""
    told = parting(station.chronicle.keep.folder)
    if told:
        station.panel.complain(told[0] if told[0] in SENTENCES else "station.out_of_order", told[1])
        station.note(told[0], told[1])


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
