"""Each fault of a run on a whole fixture: how it ends, what is signed, the event behind it, and its sentence."""

import asyncio

from doubles import CaptureEnd
from whole_bench import Fixture, order, plan_of, seat

from meterseal_fixture import bench as benches
from meterseal_fixture.words import SENTENCES
from meterseal_wire import kinds, point
from meterseal_wire import labels as L

benches.POLL_MS = 0
METER = seat(1, "DEMO.1", "0100000077041416")
LONG = plan_of([[3600, 100000, 100000, 0, 1]])


def run_on(end, plan=LONG, until="abandoned"):
    """(what was signed as its end, the events, the codes that the panel showed) of a run on a front end."""
    with Fixture(end=end) as fixture:

        async def script():
            fixture.say(**order([METER], plan=plan))
            await fixture.wait(event=until)
            while fixture.station.state != "idle" or not fixture.payloads(L.KIND_EVENT):
                await asyncio.sleep_ms(1)

        fixture.run(script())
        ends = fixture.payloads(L.KIND_ABANDONED) + fixture.payloads(L.KIND_RESULT)
        events = [(one[L.EVENT], one[L.DETAIL]) for one in fixture.payloads(L.KIND_EVENT)]
        shown = [line["error"] for line in fixture.said() if "error" in line]
    assert len(ends) == 1 and end.flow == 0
    for code in shown:
        assert all(SENTENCES[code])
    return ends[0], events, shown


def unplugged(end, channel, after):
    """From that tick on the channel gives no edge."""
    usual = end.say_r

    def figures():
        period = end.periods[channel]
        if end.ticks - end.armed > after:
            # Frozen where it was: as many edges as until then.
            end.periods[channel] = 0
            found = list(usual())
            end.periods[channel] = period
            edges = after // period
            found[2 + 3 * channel : 5 + 3 * channel] = [edges - 1, period, edges * period]
            return tuple(found)
        return usual()

    end.say_r = figures


def test_a_reference_unplugged_in_the_middle_of_a_point_abandons_the_run():
    """Both count for 50 000 ticks, then the meter alone: FAULT (7) with what was counted, `reference.silent` told and
    noted, the valve closed.
    """
    end = CaptureEnd([100, 500], 10000)
    unplugged(end, 0, 50000)
    abandoned, events, shown = run_on(end)
    assert abandoned[L.REASON] == kinds.FAULT
    [(number, meter, reference)] = abandoned[L.RAW_COUNTS]
    assert (number, reference) == (1, 499) and meter > 300
    assert events == [("reference.silent", "")] and shown == ["reference.silent"]


def test_a_supply_that_fails_abandons_the_run_as_no_flow():
    """Nothing counts any more: NO_FLOW (2), told and noted as `bench.no_flow`."""
    end = CaptureEnd([100, 500], 10000)
    end.dry_after = 50000
    abandoned, events, shown = run_on(end)
    assert abandoned[L.REASON] == kinds.NO_FLOW
    assert events == [("bench.no_flow", "")] and shown == ["bench.no_flow"]


def test_a_count_beyond_32_bits_abandons_the_run():
    """The channel's figure is 2^32: FAULT, `counter.overflow`; one less is signed."""
    for count, code in ((1 << 32, "counter.overflow"), ((1 << 32) - 1, None)):
        end = CaptureEnd([100, 500])
        usual = end.say_r

        def figures(usual=usual, count=count):
            found = list(usual())
            found[5] = count
            return tuple(found)

        end.say_r = figures
        bounced = 0 if code else 1
        end.say_d = lambda _mask, end=end, bounced=bounced: ("D", end.ticks, 0, bounced, 0)
        ended, events, shown = run_on(end, until="abandoned" if code else "result_signed")
        if code:
            assert (ended[L.REASON], events, shown) == (kinds.FAULT, [(code, "")], [code])
        else:
            assert ended[L.POSITIONS][0][L.POINTS][0][point.METER_COUNTS] == count


def test_gates_that_stand_open_for_longer_than_32_bits_can_tell_abandon_the_run():
    """At 1000 ticks a second after 2^32 of them, before an edge without a number could be counted."""
    end = CaptureEnd([100, 500], 1 << 28)
    end.periods[1] = 1 << 27  # slow, and never quiet
    abandoned, events, _ = run_on(end)
    assert abandoned[L.REASON] == kinds.FAULT and events == [("counter.overflow", "")]
    assert end.ticks - end.armed < (1 << 32) + (1 << 30)


def test_contacts_that_bounce_are_noted_and_the_run_stands():
    """The front end took 3 edges of channel 1 for bounce at each of two points: one result, one event "1:6"."""
    end = CaptureEnd([100, 500])
    closed = end.say_d
    end.say_d = lambda mask: closed(mask) + (0, 3)
    result, events, shown = run_on(end, plan_of([[3600, 10, 100000, 0, 1]] * 2), until="result_signed")
    assert L.ENDED not in result[L.POSITIONS][0]
    assert events == [("pulse.bounce", "1:6")] and shown == ["pulse.bounce"]


def test_a_front_end_that_falls_silent_abandons_the_run_with_what_was_read_before():
    """Unplugged while gates are open: FAULT, no counts, since nobody can ask any more."""

    class Gone(CaptureEnd):
        def __call__(self, data):
            return b"" if self.ticks - self.armed > 20000 and self.armed else super().__call__(data)

    end = Gone([100, 500])
    with Fixture(end=end) as fixture:
        fixture.front.answer_ms = 5

        async def script():
            fixture.say(**order([METER], plan=LONG))
            await fixture.wait(event="abandoned")
            await fixture.wait(event="noted", name="front_end.silent")

        fixture.run(script())
        [abandoned] = fixture.payloads(L.KIND_ABANDONED)
        assert (abandoned[L.REASON], abandoned[L.RAW_COUNTS]) == (kinds.FAULT, [])
        assert not fixture.station.bench.counting


def test_a_run_that_cites_an_old_beacon_goes_on_and_says_so():
    """Offline for days: a beacon kept over a restart, and one that nobody could replace for a day and a second. Older
    than the rules allow is the judge's affair; the operator hears of it before water flows. A fresh one: no word.
    """
    for heard, away_ms, told in (
        (True, 0, []),
        (False, 0, ["beacon.old"]),
        (True, 86_401_000, ["beacon.old"]),
    ):
        with Fixture() as fixture:
            fixture.offer.down.beacon_number = 1 if heard else None
            fixture.offer.absence.code, fixture.offer.absence._before = (
                "link.lost" if away_ms else "",
                away_ms,
            )

            async def script():
                fixture.say(**order([METER]))
                await fixture.wait(event="result_signed")

            fixture.run(script())
            assert [line["error"] for line in fixture.said() if "error" in line] == told
            assert len(fixture.payloads(L.KIND_RESULT)) == 1
