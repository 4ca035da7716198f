"""The first statements of an epoch, signed over a real store."""

import os
from hashlib import sha256

from doubles import Folder

import meterseal_fixture
import meterseal_wire
from meterseal_fixture.chronicle import Chronicle
from meterseal_fixture.errors import FixtureError
from meterseal_fixture.keep import Keep
from meterseal_fixture.signer.software_p256 import SoftwareSigner
from meterseal_fixture.startup import firmware_digest, sign_first
from meterseal_fixture.vital import Stuck, part
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import split
from meterseal_wire.statement import Author

AUTHOR = Author("W1", "WATER-1", SoftwareSigner(bytes(31) + b"\x05"))


class Board:
    name = "test"
    reset_cause = 1


class Station:
    """What `sign_first` needs of a station: a chronicle, the front end's clock, a panel."""

    clock = (1000, 1, 2)
    rows = [("front-1", 8, 1000, 1, 2, 10000)]

    def __init__(self, path):
        self.chronicle = Chronicle(AUTHOR, Keep(path))
        self.front = self.panel = self
        self.counter = None
        self.told, self.complaints = [], []

    def tell(self, event, **fields):
        self.told.append((event, fields["epoch"], fields["seq"]))

    def complain(self, code, detail=""):
        self.complaints.append((code, detail))

    def note(self, name, detail=""):
        self.told.append(("noted", name, detail))
        self.chronicle.sign(L.KIND_EVENT, {L.EVENT: name, L.DETAIL: detail})
        return True

    def changed(self):
        self.told.append("changed")

    def payloads(self):
        """(typ, payload) of everything in the store."""
        found, place = [], (0, -1)
        while True:
            record = self.chronicle.keep.next_after(place)
            if record is None:
                return found
            protected, _, payload, _ = split(record.statement)
            found.append((scan(protected)[L.HEADER_TYP], scan(payload)))
            place = (record.epoch, record.seq)


def started(path):
    station = Station(path)
    sign_first(station, Board, "front-1")
    return station


def attempt(counter):
    payload = {L.MODE: 1, L.COUNTER: counter, L.PLAN: bytes(32), L.OPERATOR: b"", L.BEACON: bytes(32)}
    payload.update({L.CLOCK: (1, 1, 1), L.POSITIONS: [], L.BENCH_CHECKS: (0, 0, 0, 0)})
    return payload


def test_the_very_first_boot_has_no_head_and_counted_no_attempt():
    """Design section 5, kind boot."""
    with Folder() as path:
        station = started(path)
        [(typ, boot)] = station.payloads()
        assert typ == L.KIND_BOOT and L.LAST_HEAD not in boot
        assert (boot[L.COUNTER], boot[L.RESET_CAUSE], boot[L.CLOCK]) == (0, 1, [1000, 1, 2])
        assert boot[L.FRONT_ENDS] == [["front-1", 8, 1000, 1, 2, 10000]]
        assert (boot[L.BOARD], boot[L.FIRMWARE_VERSION]) == ("test/front-1", meterseal_fixture.VERSION)
        assert station.told == [("boot", 1, 0), "changed"]


def test_every_attempt_left_open_is_abandoned_for_power_after_boot():
    """Two attempts that nothing closed: boot cites the last head, then one abandonment each, reason POWER (5), no
    counts, and an event that names it; the next boot abandons nothing. A brown-out is no other case: the chips tell
    it as power on.
    """
    with Folder() as path:
        first = started(path)
        for counter in (1, 2):
            first.chronicle.sign(L.KIND_ATTEMPT, attempt(counter), [b"plan"])
        second = started(path)
        boot, one, first_event, two, second_event = [payload for _, payload in second.payloads()[3:]]
        assert (boot[L.LAST_HEAD], boot[L.COUNTER], second.counter) == ([1, 2], 2, 2)
        assert one == {L.ATTEMPT: [1, 1], L.REASON: kinds.POWER, L.RAW_COUNTS: []}
        assert two == {L.ATTEMPT: [1, 2], L.REASON: kinds.POWER, L.RAW_COUNTS: []}
        assert [event[L.DETAIL] for event in (first_event, second_event)] == ["1/1", "1/2"]
        assert {event[L.EVENT] for event in (first_event, second_event)} == {"run.power"}
        ends = [told for told in second.told if told[0] in ("boot", "abandoned")]
        assert ends == [("boot", 2, 0), ("abandoned", 2, 1), ("abandoned", 2, 3)]
        assert second.complaints == [("run.power", "")] * 2
        assert len(started(path).payloads()) == 9


def test_a_watchdogs_restart_and_a_brown_out_are_told_and_stand_in_the_boot_statement():
    """machine.reset_cause() is 3 then; 6 is the boards' own number. After power on (1) nothing is said."""
    for cause, code in ((3, "board.watchdog"), (6, "board.brown_out")):

        class Bitten(Board):
            reset_cause = cause

        with Folder() as path:
            assert started(path).complaints == []
            station = Station(path)
            sign_first(station, Bitten, "front-1")
            assert station.complaints == [(code, "")]
            (_, boot), (_, event) = station.payloads()[-2:]
            assert boot[L.RESET_CAUSE] == cause
            assert event == {L.EVENT: code, L.DETAIL: "0 open"}


def test_what_ended_the_application_is_an_event_of_the_next_start_and_of_no_other():
    """The line that `part` left: its code is the event's name, its sentence is shown; then it is gone. A line that is
    no code of ours still is an event, and shown as a fault of the program.
    """
    with Folder() as path:
        part(path, Stuck("task.stuck", "running"))
        station = started(path)
        assert station.complaints == [("task.stuck", "running")]
        assert station.payloads()[-1][1] == {L.EVENT: "task.stuck", L.DETAIL: "running"}
        assert len(started(path).payloads()) == 3
        part(path, FixtureError("some.thing"))
        strange = started(path)
        assert strange.complaints == [("station.out_of_order", "")]
        assert strange.payloads()[-1][1] == {L.EVENT: "some.thing", L.DETAIL: ""}


def test_the_digest_is_the_recipes():
    """startup.py's head: sorted paths, each with a zero byte and the SHA-256 of the file; followed here by hand."""
    expected = sha256()
    for package in (meterseal_fixture, meterseal_wire):
        top = package.__file__.rsplit("/", 1)[0]
        names = []
        for below in ("", "/signer", "/telegram"):
            folder = top + below
            if below and below[1:] not in os.listdir(top):
                continue
            prefix = top.rsplit("/", 1)[-1] + below + "/"
            names += [prefix + name for name in os.listdir(folder) if ".py" in name or ".mpy" in name]
        for name in sorted(names):
            with open(top.rsplit("/", 1)[0] + "/" + name, "rb") as file:
                expected.update(name.encode() + b"\x00" + sha256(file.read()).digest())
    assert firmware_digest() == expected.digest()
