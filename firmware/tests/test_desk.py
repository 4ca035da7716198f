"""Tray, prepared order and cards on a whole fixture: which meters an attempt names, and which tray is left."""

import asyncio

from whole_bench import Fixture, order, seat

from meterseal_fixture.errors import MeterFault
from meterseal_fixture.scanner import COMMAND, METER, POSITION
from meterseal_wire import kinds
from meterseal_wire import labels as L

FIRST, SECOND = "DEMO.10000001", "DEMO.10000002"


def scan(fixture, *meters):
    for meter in meters:
        fixture.desk.scanned(METER, meter)


def named(attempt):
    return [(one[L.POSITION], one[L.METER], one[L.READ_BY]) for one in attempt[L.POSITIONS]]


def test_an_order_takes_from_the_tray_what_it_leaves_out_and_says_how_each_was_read():
    """Position 1 scanned (BY_MARK 2), 2 typed and answering (BY_BUS 1); the scanned serial is in the address that was
    asked (EN 13757-3: lowest digits first). After the attempt the tray is empty.
    """
    with Fixture() as fixture:

        async def script():
            scan(fixture, FIRST)
            fixture.say(**order([seat(1), seat(2, "DEMO.2", "02000010ffffffff")]))
            await fixture.wait(event="result_signed")

        fixture.run(script())
        [attempt] = fixture.payloads(L.KIND_ATTEMPT)
        assert named(attempt) == [(1, FIRST, kinds.BY_MARK), (2, "DEMO.2", kinds.BY_BUS)]
        assert bytes((0x01, 0x00, 0x00, 0x10, 0x77, 0x04, 0x14, 0x16)) in fixture.meters.asked
        assert fixture.desk.tray.rows() == []


def test_a_position_without_a_scan_refuses_the_order_and_the_tray_stays():
    """Two positions from the tray, one scan: order.meter names the position; nothing is signed."""
    with Fixture() as fixture:

        async def script():
            scan(fixture, FIRST)
            fixture.say(**order([seat(1), seat(2)]))
            refused = await fixture.wait(error="order.meter")
            assert "'2'" in refused["en"]

        fixture.run(script())
        assert fixture.payloads(L.KIND_ATTEMPT) == [] and fixture.desk.tray.rows() == [[1, FIRST]]


def test_a_prepared_order_is_started_by_a_card_as_often_as_there_are_trays():
    """Nothing prepared: refused. Then twice MS:START, each with its own tray, two attempts of one plan."""
    with Fixture((100, 500)) as fixture:

        async def script():
            fixture.desk.pressed("START")
            await fixture.wait(error="start.nothing")
            fixture.say(**order([seat(1)], do="prepare"))
            await fixture.wait(now="idle", mode="verify")
            for meter in (FIRST, SECOND):
                scan(fixture, meter)
                fixture.desk.scanned(COMMAND, "START")
                while fixture.station.state != "idle":
                    await asyncio.sleep_ms(2)

        fixture.run(script())
        attempts = fixture.payloads(L.KIND_ATTEMPT)
        assert [named(one) for one in attempts] == [[(1, FIRST, 2)], [(1, SECOND, 2)]]
        assert attempts[0][L.PLAN] == attempts[1][L.PLAN] and len(fixture.payloads(L.KIND_RESULT)) == 2


def test_a_prepared_order_is_checked_when_it_is_prepared():
    """A position that the bench does not have, a mode that is none; nothing is prepared then."""
    with Fixture((100, 500)) as fixture:

        async def script():
            fixture.say(**order([seat(2)], do="prepare"))
            await fixture.wait(error="order.position")
            fixture.say(**order([seat(1)], do="prepare", mode=9))
            await fixture.wait(error="order.field")
            fixture.say(do="start")
            await fixture.wait(error="start.nothing")

        fixture.run(script())


def scans_during(fixture, moment, then):
    """Order a run of FIRST from the tray, scan SECOND at `moment`, go on with the coroutine of `then`."""

    async def script():
        scan(fixture, FIRST)
        fixture.say(**order([seat(1)]))
        while fixture.station.state != moment:
            await asyncio.sleep_ms(0)
        scan(fixture, SECOND)
        await then()

    fixture.run(script())


def test_a_scan_during_a_run_goes_to_the_next_tray():
    """While meters are read before the attempt, and while it runs: the attempt names the first meter alone, the tray
    afterwards has the second in position 1.
    """
    for moment in ("preparing", "running"):
        with Fixture((100, 500)) as fixture:
            scans_during(fixture, moment, lambda: fixture.wait(event="result_signed"))
            [attempt] = fixture.payloads(L.KIND_ATTEMPT)
            assert named(attempt) == [(1, FIRST, kinds.BY_MARK)]
            assert fixture.desk.tray.rows() == [[1, SECOND]], moment


def test_a_run_that_is_given_up_leaves_its_tray_and_keeps_what_was_scanned_meanwhile():
    """No meter answers, so nothing is begun: the first tray stands; the next order takes it, then the other one."""
    with Fixture((100, 500)) as fixture:
        answers, fixture.meters.read = fixture.meters.read, None

        async def silent(_address):
            await asyncio.sleep_ms(5)
            raise MeterFault("meter.silent", kinds.SILENT)

        fixture.meters.read = silent

        async def then():
            await fixture.wait(error="meters.none")
            assert fixture.desk.tray.rows() == [[1, FIRST]]
            fixture.meters.read = answers
            fixture.say(**order([seat(1)]))
            await fixture.wait(event="result_signed")

        scans_during(fixture, "preparing", then)
        assert named(fixture.payloads(L.KIND_ATTEMPT)[0]) == [(1, FIRST, kinds.BY_MARK)]
        assert fixture.desk.tray.rows() == [[1, SECOND]]


def test_an_order_of_typed_meters_leaves_the_tray_alone():
    """Somebody scans for later while a typed run goes on."""
    with Fixture((100, 500)) as fixture:

        async def script():
            scan(fixture, FIRST)
            fixture.say(**order([seat(1, "DEMO.9", "0900001077041416")]))
            await fixture.wait(event="result_signed")

        fixture.run(script())
        assert fixture.desk.tray.rows() == [[1, FIRST]]


def test_cards_clear_step_back_and_choose_a_position():
    """MS:POS:2, a scan, MS:BACK, MS:CLEAR; a position beyond the bench is refused to whoever hands it over."""
    with Fixture() as fixture:
        desk = fixture.desk
        desk.scanned(POSITION, 2)
        scan(fixture, FIRST)
        assert desk.tray.rows() == [[2, FIRST]]
        desk.scanned(COMMAND, "BACK")
        assert desk.tray.rows() == []
        scan(fixture, FIRST)
        desk.scanned(COMMAND, "CLEAR")
        assert desk.tray.rows() == []


def test_the_stop_card_ends_a_run_as_the_panels_stop_does():
    """Abandoned with reason OPERATOR (4); while nothing runs it is refused."""
    with Fixture((100, 0)) as fixture:

        async def script():
            fixture.desk.pressed("STOP")
            await fixture.wait(error="order.idle")
            scan(fixture, FIRST)
            fixture.say(**order([seat(1)]))
            await fixture.wait(event="flow_started")
            fixture.desk.scanned(COMMAND, "STOP")
            await fixture.wait(event="abandoned")

        fixture.run(script())
        [abandoned] = fixture.payloads(L.KIND_ABANDONED)
        assert abandoned[L.REASON] == kinds.OPERATOR


def test_training_cannot_be_overlooked_on_the_panel():
    """In both languages, in every status from the preparation to the end of the run, and signed as mode 2."""
    with Fixture((100, 500)) as fixture:

        async def script():
            fixture.say(**order([seat(1)], mode=kinds.TRAINING, do="prepare"))
            await fixture.wait(mode="TRAINING 培训")
            scan(fixture, FIRST)
            fixture.desk.pressed("START")
            await fixture.wait(event="result_signed")

        fixture.run(script())
        modes = [one.get("mode") for one in fixture.said() if "now" in one]
        assert "running" in [one.get("now") for one in fixture.said()]
        assert set(modes[modes.index("TRAINING 培训") :]) == {"TRAINING 培训"}
        assert fixture.payloads(L.KIND_ATTEMPT)[0][L.MODE] == kinds.TRAINING
