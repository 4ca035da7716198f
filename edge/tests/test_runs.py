"""The list of runs follows the log; figures are the judge's, in fractions, and only of what is signed."""

from collections.abc import Iterator
from fractions import Fraction

import pytest
from edge.tests.batch import BAD_PPM, FLOWS, GOOD_PPM, PACK, Bench, seat
from edge.tests.conftest import Box

from meterseal_edge.runs import catalogue
from meterseal_edge.runs.catalogue import Catalogue, Wanted
from meterseal_edge.runs.figures import Figures, Judge
from meterseal_edge.runs.run import load
from meterseal_protocol.signoff import Row
from meterseal_wire import kinds


@pytest.fixture
def runs(box: Box) -> Iterator[Catalogue]:
    """The index beside the box's store."""
    found = listed_from(box)
    yield found
    found.close()


def listed_from(box: Box) -> Catalogue:
    """A catalogue over the box's store, in the box's folder."""

    def name_of(key: bytes) -> str:
        holder = box.keys.fixture(key)
        return holder.name if holder else key.hex()[:16]

    return Catalogue(box.folder / catalogue.FILE, box.store, name_of)


def figures(box: Box, runs: Catalogue, identity: bytes) -> list[Figures]:
    """Of one run, by the shipped pack."""
    runs.follow()
    listed = runs.find(identity)
    assert listed is not None
    return Judge(box.keys, [PACK]).figures(load(box.store, listed))


def test_runs_are_listed_newest_first_with_how_they_ended(box: Box, runs: Catalogue) -> None:
    """Glossary: an attempt ends as result or abandoned; one that a boot finds open counts as failed: broken."""
    bench = Bench(box)
    bench.run(GOOD_PPM, GOOD_PPM)
    cut = bench.attempt([seat(1)])
    bench.offer(bench.fixture.abandoned(kinds.OPERATOR, (1, 3)))
    lost = bench.attempt([seat(1)])
    bench.offer(bench.fixture.boot())
    still = bench.attempt([seat(1)], mode=kinds.TRAINING)
    assert runs.follow() == 0
    found = runs.page(Wanted())
    assert [run.state for run in found] == ["open", "broken", "abandoned", "signed"]
    assert [run.identity for run in found[:3]] == [still.identity, lost.identity, cut.identity]
    assert (found[0].mode, found[0].fixture, found[3].meters) == (kinds.TRAINING, "W1", 2)
    assert found[0].leaf > found[1].leaf > found[2].leaf > found[3].leaf


def test_an_abandonment_that_comes_after_the_boot_still_closes_its_run(box: Box, runs: Catalogue) -> None:
    """Style part C, station 2: after a power cut the next boot signs `abandoned` for what it finds open."""
    bench = Bench(box)
    bench.attempt([seat(1)])
    bench.offer(bench.fixture.boot())
    bench.offer(bench.fixture.abandoned(kinds.POWER, (1, 1)))
    runs.follow()
    assert [run.state for run in runs.page(Wanted())] == ["abandoned"]


def test_a_list_is_narrowed_to_fixture_tenant_or_meter_and_paged_by_leaf(
    box: Box, runs: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page holds at most PAGE runs older than the last one seen; here two."""
    bench = Bench(box)
    for tenant in ("T1", "T2", "T1"):
        bench.run(GOOD_PPM, tenant=tenant)
    gas = Bench(box, "G1")
    gas.run(GOOD_PPM)
    runs.follow()
    assert [run.tenant for run in runs.page(Wanted(tenant="T1"))] == ["T1", "T1"]
    assert [run.fixture for run in runs.page(Wanted(fixture="G1"))] == ["G1"]
    assert len(runs.page(Wanted(meter="DEMO.12345671"))) == 4
    assert runs.page(Wanted(meter="DEMO.99999999")) == []
    monkeypatch.setattr(catalogue, "PAGE", 2)
    first = runs.page(Wanted())
    second = runs.page(Wanted(before=first[-1].leaf))
    assert [run.fixture for run in (*first, *second)] == ["G1", "W1", "W1", "W1"]


def test_the_index_is_read_in_bounded_steps_and_says_what_is_left(
    box: Box, runs: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A box that nobody looked at for a month must answer the first look at once."""
    bench = Bench(box)
    for _ in range(3):
        bench.run(GOOD_PPM)
    monkeypatch.setattr(catalogue, "AT_ONCE", 2)
    monkeypatch.setattr(catalogue, "MOST_AT_ONCE", 3)
    assert [runs.follow() for _ in range(4)] == [4, 1, 0, 0]  # a boot and three pairs are seven leaves
    assert len(runs.page(Wanted())) == 3


def test_a_deleted_index_and_one_of_another_log_are_read_again(box: Box, runs: Catalogue) -> None:
    """The index is made from the store and never the other way round: after a restore it must not show what is gone."""
    Bench(box).run(GOOD_PPM)
    runs.follow()
    runs._db.execute("UPDATE followed SET last = x'00'")
    runs._db.execute("UPDATE run SET fixture = 'ghost'")
    assert runs.follow() == 0
    assert [run.fixture for run in runs.page(Wanted())] == ["W1"]
    runs._db.execute("UPDATE followed SET size = 99")
    assert runs.follow() == 0
    assert len(runs.page(Wanted())) == 1


def test_errors_are_the_exact_fractions_of_the_counts(box: Box, runs: Catalogue) -> None:
    """testing/runs.py: ticks are chosen so that E = ref_ticks / meter_ticks - 1 exactly; class 2 of JJG 162-2019,
    4.1: 5 % below Q2 and 2 % from Q2 on; Q1 = Q3 / R = 25 L/h, Q2 = 1.6 Q1, Q4 = 1.25 Q3.
    """
    attempt, result = Bench(box).run(GOOD_PPM, BAD_PPM)
    good, bad = figures(box, runs, attempt.identity)
    assert [item.error for item in good.measured] == [Fraction(ppm, 1_000_000) for ppm in GOOD_PPM]
    assert [item.limit for item in good.measured] == [Fraction(2, 100), Fraction(2, 100), Fraction(5, 100)]
    assert good.band == [(25_000, 40_000, Fraction(5, 100)), (40_000, 3_125_000, Fraction(2, 100))]
    assert good.row == Row(result.identity, 1, "DEMO.12345671", kinds.PASSED, -8_000)
    assert bad.row == Row(result.identity, 2, "DEMO.12345672", kinds.FAILED, 25_000)
    assert [code for code, _ in bad.reasons] == ["error.limit"]
    assert [flow for flow, _ in good.curve] == sorted(FLOWS)
    assert good.lacks == []


def test_a_run_that_is_not_signed_has_no_figures_at_all(box: Box, runs: Catalogue) -> None:
    """Design section 1, idea 2: until a point is signed nobody is shown its error."""
    bench = Bench(box)
    attempt = bench.attempt([seat(1)])
    assert figures(box, runs, attempt.identity) == []
    bench.offer(bench.fixture.abandoned(kinds.OPERATOR, (1, 1), [[1, 10, 100]]))
    assert figures(box, runs, attempt.identity) == []


def test_what_is_not_known_here_is_named_and_nothing_is_guessed(box: Box, runs: Catalogue) -> None:
    """Without the pack or the type there is neither limit nor row; the page says which is missing."""
    attempt, _ = Bench(box).run(GOOD_PPM)
    runs.follow()
    listed = runs.find(attempt.identity)
    assert listed is not None
    [found] = Judge(box.keys, []).figures(load(box.store, listed))
    assert (found.row, found.band, found.lacks) == (None, [], ["rules"])


def test_telegrams_of_a_position_are_those_that_the_result_covers(box: Box, runs: Catalogue) -> None:
    """testing/runs.py: one telegram at the start and one at the end of each meter, EN 13757 long frames (68 ... 16)."""
    attempt, _ = Bench(box).run(GOOD_PPM, GOOD_PPM)
    runs.follow()
    listed = runs.find(attempt.identity)
    assert listed is not None
    telegrams = load(box.store, listed).telegrams(2)
    assert [when for when, _ in telegrams] == [0, 1]
    assert all(frame[0] == 0x68 and frame[-1] == 0x16 for _, frame in telegrams)


def test_tenants_are_named_once_in_order_and_counted_by_state(box: Box, runs: Catalogue) -> None:
    """runs/views.py asks who has runs at all at each look; the empty name stands for runs of nobody."""
    assert runs.tenants() == []
    bench = Bench(box)
    for tenant in ("T2", "T1", "T2"):
        bench.run(GOOD_PPM, tenant=tenant)
    bench.attempt([seat(1)], tenant="T2")
    Bench(box, "G1").run(GOOD_PPM)
    runs.follow()
    assert runs.tenants() == ["", "T1", "T2"]
    assert runs.states(("T2",)) == {"signed": 2, "open": 1}
    assert runs.states(("", "T1")) == {"signed": 2}
    assert runs.states(()) == {}
    assert [run.tenant for run in runs.page(Wanted(tenants=("T1", "")))] == ["", "T1"]
    assert runs.page(Wanted(tenants=())) == []
