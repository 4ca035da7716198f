"""An epoch that has its thousand statements is closed between two runs, and the next one says so honestly."""

import asyncio

from doubles import Folder
from test_startup import Board, Station, started

from meterseal_fixture import startup
from meterseal_fixture.startup import begin_anew, sign_first
from meterseal_wire import labels as L

MANY = 5


class Down:
    refused = None


class Offer:
    down = Down()


class Bitten(Board):
    """Its last reset was the watchdog's."""

    reset_cause = 3


class Waiting(Station):
    """A station between two runs."""

    def __init__(self, path, state="idle"):
        super().__init__(path)
        self.state, self.offer = state, Offer()


def watched(station, looks=20):
    """Let `begin_anew` look around for a while."""
    many, look = startup.EPOCH_STATEMENTS, startup.LOOK_MS
    startup.EPOCH_STATEMENTS, startup.LOOK_MS = MANY, 1

    async def for_a_while():
        task = asyncio.create_task(begin_anew(station, Bitten, "front-1"))
        await asyncio.sleep_ms(looks)
        task.cancel()

    try:
        asyncio.run(for_a_while())
    finally:
        startup.EPOCH_STATEMENTS, startup.LOOK_MS = many, look


def filled(station, statements):
    """The epoch has so many statements, boot and all."""
    sign_first(station, Bitten, "front-1")
    while station.chronicle.seq + 1 < statements:
        station.note("tick", "1")
    station.complaints.clear()


def test_a_long_epoch_is_closed_once_and_the_next_boot_cites_its_head():
    """Reset cause 7: no reset. Nothing is told of the watchdog that started the application days ago."""
    with Folder() as path:
        station = Waiting(path)
        filled(station, MANY)
        watched(station)
        kind, boot = station.payloads()[-1]
        assert (kind, boot[L.RESET_CAUSE], boot[L.LAST_HEAD]) == (L.KIND_BOOT, 7, [1, MANY - 1])
        assert (station.chronicle.epoch, station.chronicle.seq) == (2, 0)
        assert station.complaints == []


def test_a_shorter_one_goes_on_and_so_does_one_in_which_a_run_is_under_way():
    """One statement less, and every state but idle: an attempt may be open there."""
    for statements, state in (
        (MANY - 1, "idle"),
        (MANY, "preparing"),
        (MANY, "open"),
        (MANY, "running"),
        (MANY, "settling"),
    ):
        with Folder() as path:
            station = Waiting(path, state)
            filled(station, statements)
            watched(station)
            assert station.chronicle.epoch == 1, state


def test_a_full_store_closes_nothing():
    """The reserve is for the end of a run; receipts come first."""
    with Folder() as path:
        station = Waiting(path)
        filled(station, MANY)
        keep = station.chronicle.keep
        keep.reserve = keep.capacity
        watched(station)
        assert station.chronicle.epoch == 1


def test_power_that_goes_before_the_boot_is_signed_leaves_one_successor():
    """The epoch's number was taken and nothing signed in it: the next start opens a later one on the same head."""
    with Folder() as path:
        station = Waiting(path)
        filled(station, MANY)
        station.chronicle.begin()
        again = started(path)
        boots = [payload for kind, payload in again.payloads() if kind == L.KIND_BOOT]
        assert [boot.get(L.LAST_HEAD) for boot in boots] == [None, [1, MANY - 1]]
        assert again.chronicle.epoch == 3
