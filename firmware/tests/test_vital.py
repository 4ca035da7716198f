"""A run that takes no step any more ends the application; what ended it is there at the next start."""

import asyncio

from doubles import Folder
from whole_bench import Fixture, order, seat

from meterseal_fixture.errors import FixtureError
from meterseal_fixture.vital import Stuck, part, parting, watch
from meterseal_wire import labels as L


def watched(fixture, hang_at, longest_ms=60):
    """The error of `watch` beside a run whose meter never answers its reading number `hang_at`; else "went on"."""
    fixture.station.settings.closed_bench_s = 0
    fixture.station.front.answer_ms = 5
    answers, count = fixture.meters.read, []

    async def read(address):
        count.append(address)
        if len(count) == hang_at:
            await asyncio.sleep(3600)
        return await answers(address)

    fixture.meters.read = read
    found = []

    async def look():
        try:
            await watch(fixture.station, longest_ms, 5)
        except Stuck as stuck:
            found.append((stuck.code, stuck.detail))

    async def script():
        looking = asyncio.create_task(look())
        fixture.say(**order([seat(1, "DEMO.1", "0100000077041416")]))
        while not found and not fixture.payloads(L.KIND_RESULT):
            await asyncio.sleep_ms(5)
        looking.cancel()

    fixture.run(script())
    return found[0] if found else "went on"


def test_a_run_that_hangs_is_found_in_whichever_state_it_hangs():
    """At the first reading the station prepares, at the second it reads the end, after all counting."""
    for hang_at, state in ((1, "preparing"), (2, "settling")):
        with Fixture((100, 500)) as fixture:
            assert watched(fixture, hang_at) == ("task.stuck", state)


def test_a_run_that_takes_its_steps_goes_on_however_long_it_is():
    """The run takes some 200 ms here, no step of it 60."""
    with Fixture((100, 500)) as fixture:
        assert watched(fixture, 99) == "went on"


def test_an_idle_station_is_not_stuck():
    """Nobody orders anything for several times the limit."""
    with Fixture((100, 500)) as fixture:
        fixture.station.settings.closed_bench_s = 0
        fixture.station.front.answer_ms = 1

        async def script():
            looking = asyncio.create_task(watch(fixture.station, 5, 5))
            await asyncio.sleep_ms(60)
            assert not looking.done()
            looking.cancel()

        fixture.run(script())


def test_the_closed_bench_may_take_its_own_time():
    """60 s asked four times, each with a second's grace: 244 s more than a step may take otherwise."""
    with Fixture((100, 500)) as fixture:
        fixture.front.answer_ms = 1000
        assert fixture.front.longest_ms(60) == 244000


def test_a_parting_line_is_read_once():
    """Code and detail, as the error says them; then it is gone. No line, an empty line: nothing."""
    with Folder() as path:
        assert parting(path) is None
        part(path, FixtureError("line.lost", "/dev/pts/3 x"))
        assert parting(path) == ("line.lost", "/dev/pts/3 x")
        assert parting(path) is None
        part(path, FixtureError("", ""))
        assert parting(path) == ("fixture", "")
        open(path + "/parting", "w").close()
        assert parting(path) is None


def test_a_folder_that_takes_no_line_does_not_hide_the_cause():
    """Flash is broken: `part` gives up in silence, whoever called raises the cause."""
    part("/no/such/folder", FixtureError("line.lost"))
    assert parting("/no/such/folder") is None
