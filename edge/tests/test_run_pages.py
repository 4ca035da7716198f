"""What a run's addresses answer: all that is held of it, exact until the end, and one sentence where nothing is."""

import json
from pathlib import Path
from typing import Any

import pytest
from edge.tests.batch import BAD_PPM, FLOWS, GOOD_PPM, PACK, Bench, seat
from edge.tests.conftest import Box
from edge.tests.screen import ERRORS, Screen, answer, views_of
from starlette.routing import Route

from meterseal_edge.errors import BadSettings, StoreFailed
from meterseal_edge.pages.statics import HEADERS, NAMES, page
from meterseal_edge.runs import catalogue
from meterseal_edge.runs.catalogue import open_catalogue
from meterseal_edge.runs.packs import known_packs
from meterseal_edge.runs.views import Everybody
from meterseal_protocol.rules.pack import shipped
from meterseal_protocol.testing.runs import Seat
from meterseal_wire import kinds


@pytest.fixture
def screen(box: Box) -> Screen:
    """Pages that nobody serves yet."""
    return Screen(box)


def asked(screen: Screen, path: str) -> Any:
    """What an address answers, as JSON values; it must answer well."""
    found = answer(screen, path)
    assert found.status_code == 200
    return found.json()


def test_a_signed_run_shows_each_error_in_ppm_beside_its_limit_and_whether_it_holds(screen: Screen) -> None:
    """testing/runs.py chooses E exactly; class 2 of JJG 162-2019: 2 % from Q2 up, 5 % below; 25 000 ppm is outside."""
    run = asked(screen, f"/api/run/{screen.signed_run(errors=[GOOD_PPM, BAD_PPM])}")
    good, bad = run["seats"]
    assert [point["error_ppm"] for point in good["points"]] == list(GOOD_PPM)
    assert [point["limit_ppm"] for point in bad["points"]] == [20_000, 20_000, 50_000]
    assert [point["within"] for point in bad["points"]] == [False, True, True]
    assert [point["order"] for point in bad["points"]] == [1, 2, 3]
    assert (good["outcome"], good["largest_ppm"], good["reasons"]) == ("passed", -8_000, [])
    assert (bad["outcome"], bad["largest_ppm"]) == ("failed", 25_000)
    assert good["band"] == [[25_000, 40_000, 50_000], [40_000, 3_125_000, 20_000]]
    assert [flow for flow, _ in good["curve"]] == sorted(FLOWS)


def test_a_limit_that_is_met_exactly_holds_and_one_ppm_more_does_not(screen: Screen) -> None:
    """Design section 5: limits are compared as exact fractions, limit included."""
    run = asked(
        screen, f"/api/run/{screen.signed_run(errors=[(20_000, 4_000, -8_000), (20_001, 4_000, -8_000)])}"
    )
    assert [seat["points"][0]["within"] for seat in run["seats"]] == [True, False]
    assert [seat["outcome"] for seat in run["seats"]] == ["passed", "failed"]


def test_a_failed_meter_has_its_reasons_and_what_to_do_in_both_languages(screen: Screen) -> None:
    """reasons.toml, error.limit; house rule: Chinese and English for what people read."""
    run = asked(screen, f"/api/run/{screen.signed_run(errors=[BAD_PPM])}")
    [reason] = run["seats"][0]["reasons"]
    assert reason["code"] == "error.limit"
    assert "25000" in reason["zh"] and "25000" in reason["en"]
    assert reason["do_zh"] and reason["do_en"] and reason["zh"] != reason["en"]


def test_the_whole_evidence_of_a_meter_is_there(screen: Screen) -> None:
    """Issue 6, point 7: points, repeats, order, chain, telegrams, attempts. The register is 100 L at the start and,
    with 3 000 pulses of 10 mL, 130 L at the end (testing/runs.py).
    """
    identity = screen.signed_run(errors=[GOOD_PPM])
    run = asked(screen, f"/api/run/{identity}")
    [meter] = run["seats"]
    assert [(one["when"], one["litres"]) for one in meter["telegrams"]] == [("start", "100"), ("end", "130")]
    assert all(one["address"] == meter["address"] for one in meter["telegrams"])
    assert all(one["hex"].startswith("68 ") for one in meter["telegrams"])
    assert (meter["start"], meter["end"], meter["read_by"]) == (100, 130, "bus")
    assert [one["identity"] for one in meter["attempts"]] == [identity]
    assert [(one["what"], one["seq"], one["holds"]) for one in run["chain"]] == [
        ("attempt", 1, True),
        ("closer", 2, True),
    ]
    assert run["chain"][1]["cites"] == run["chain"][0]["identity"] == identity
    assert (run["between"], run["result"]) == (0, run["chain"][1]["identity"])
    assert [row["flow_ml_per_h"] for row in run["plan"]] == FLOWS
    assert run["conditions"] == [[20_000] * 3, [10_130] * 3, [600] * 3]


def test_a_chain_whose_stored_identity_differs_is_shown_as_broken(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """runs/chain_links.py: each link is looked at once more; a place that is not held here is said to be unknown."""
    identity = screen.signed_run(errors=[GOOD_PPM])
    monkeypatch.setattr(screen.box.store, "identity_at", lambda _key, _epoch, _seq: bytes(32))
    assert [one["holds"] for one in asked(screen, f"/api/run/{identity}")["chain"]] == [False, False]
    monkeypatch.setattr(screen.box.store, "identity_at", lambda _key, _epoch, _seq: None)
    assert [one["holds"] for one in asked(screen, f"/api/run/{identity}")["chain"]] == [None, None]


def test_a_run_says_what_came_between_its_two_statements(screen: Screen) -> None:
    """A fixture may sign an event within a run; it stands in the chain between attempt and result."""
    bench = Bench(screen.box)
    seats = [seat(1)]
    attempt = bench.attempt(seats)
    bench.offer(bench.fixture.event("tick", "1"))
    bench.offer(bench.fixture.result(seats, attempt=(1, 1)))
    run = asked(screen, f"/api/run/{attempt.identity.hex()}")
    assert (run["state"], run["between"]) == ("signed", 1)


def test_an_abandoned_run_says_why_and_keeps_its_counts_to_itself(screen: Screen) -> None:
    """Design section 1, idea 2: of a try without a result nobody is shown what an error follows from."""
    bench = Bench(screen.box)
    attempt = bench.attempt([seat(1)])
    bench.offer(bench.fixture.abandoned(kinds.NO_FLOW, (1, 1), [[1, 73_911, 73_912]]))
    text = answer(screen, f"/api/run/{attempt.identity.hex()}").text
    assert json.loads(text)["reason"] == "no_flow"
    assert "7391" not in text


def test_a_training_run_has_no_limit_no_outcome_and_no_reason(screen: Screen) -> None:
    """Design section 5: a training attempt can never be admitted; so nothing on its page may look like a verdict."""
    identity = screen.signed_run(errors=[BAD_PPM], mode=kinds.TRAINING)
    run = asked(screen, f"/api/run/{identity}")
    [meter] = run["seats"]
    assert run["mode"] == "training"
    assert [point["error_ppm"] for point in meter["points"]] == list(BAD_PPM)
    assert {point["limit_ppm"] for point in meter["points"]} == {point["within"] for point in meter["points"]}
    assert (meter["outcome"], meter["largest_ppm"], meter["band"], meter["reasons"]) == (None, None, [], [])
    assert asked(screen, f"/api/run/{identity}/curves")["positions"] == []


def test_curves_alone_are_those_of_the_run(screen: Screen) -> None:
    """The live page asks for these and no more: one curve a position, with the meter that it belongs to."""
    identity = screen.signed_run(errors=ERRORS)
    run, alone = asked(screen, f"/api/run/{identity}"), asked(screen, f"/api/run/{identity}/curves")
    for one, meter in zip(alone["positions"], run["seats"], strict=True):
        assert one == {name: meter[name] for name in ("position", "meter", "outcome", "curve", "band")}


def test_bytes_that_retention_let_go_leave_the_line_and_say_so(screen: Screen) -> None:
    """Point 2 of the issue: what a receipt covers may go. The page says that the registry has it."""
    identity = screen.signed_run(errors=[GOOD_PPM])
    assert asked(screen, "/api/runs")["runs"]
    screen.box.store._db.execute("UPDATE statement SET raw = NULL")
    run = asked(screen, f"/api/run/{identity}")
    assert (run["bytes_kept"], run["seats"], run["chain"], run["plan"]) == (False, [], [], [])


def test_the_list_is_paged_narrowed_and_follows_the_log(screen: Screen) -> None:
    """runs/catalogue.py: pages by leaf, newest first; a serial is found however it is typed."""
    first, second = screen.signed_run("W1", [GOOD_PPM]), screen.signed_run("G1", [GOOD_PPM])
    assert [run["identity"] for run in asked(screen, "/api/runs")["runs"]] == [second, first]
    assert [run["identity"] for run in asked(screen, "/api/runs?fixture=W1")["runs"]] == [first]
    assert len(asked(screen, "/api/runs?meter=%20demo.12345671%20")["runs"]) == 2
    assert asked(screen, "/api/runs?meter=DEMO.9")["runs"] == []
    leaf = asked(screen, "/api/runs")["runs"][0]["leaf"]
    assert [run["identity"] for run in asked(screen, f"/api/runs?before={leaf}")["runs"]] == [first]
    assert len(asked(screen, "/api/runs?before=%EF%BC%91x")["runs"]) == 2


@pytest.mark.parametrize("name", ["0" * 64, "xyz", "0" * 63, "A" * 64, "%00"])
def test_a_run_that_is_not_here_is_a_sentence_and_404(screen: Screen, name: str) -> None:
    """Design section 13: wrong file: one sentence; never a traceback to a peer."""
    for path in (f"/api/run/{name}", f"/api/run/{name}/curves"):
        found = answer(screen, path)
        assert (found.status_code, found.json()["code"]) == (404, "edge.run")


def test_a_store_that_fails_is_a_sentence_and_503(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Design section 13: store damaged: says so."""

    def damaged(*_: object) -> Any:
        raise StoreFailed("the store cannot be read")

    identity = screen.signed_run(errors=[GOOD_PPM])
    asked(screen, "/api/runs")
    monkeypatch.setattr(screen.box.store, "kept", damaged)
    found = answer(screen, f"/api/run/{identity}")
    assert (found.status_code, found.json()) == (
        503,
        {"code": "edge.store", "why": "the store cannot be read"},
    )


def test_the_page_of_a_run_loads_the_sign_panel_only_where_the_server_has_one(box: Box) -> None:
    """The panel is somebody else's: a place for it, and its script where a route serves one."""
    without = answer(Screen(box), "/run/" + "0" * 64).text
    assert '<section id="sign"></section>' in without
    assert "/sign.js" not in without
    panel = Screen(box, more=[Route("/sign.js", page("words.js"))])
    assert '<script src="/sign.js" defer></script>' in answer(panel, "/run/" + "0" * 64).text


@pytest.mark.parametrize("path", sorted(NAMES))
def test_every_file_of_the_pages_is_served_as_it_lies(screen: Screen, path: str) -> None:
    """No build step: the bytes in the repository are the bytes in the browser, under the policy's headers."""
    found = answer(screen, path)
    lies = Path(catalogue.__file__).parent.parent / "pages" / NAMES[path]
    assert found.text == lies.read_text("utf-8")
    assert found.headers.items() >= HEADERS.items()


def test_packs_are_a_folders_or_those_that_ship(tmp_path: Path) -> None:
    """Settings: `packs`. A folder with something else in it is named, and so is an empty one."""
    assert [pack.name for pack in known_packs(None)] == shipped()
    with pytest.raises(BadSettings, match="no rule pack"):
        known_packs(tmp_path)
    (tmp_path / "a.cbor").write_bytes(PACK.raw)
    assert [pack.digest for pack in known_packs(tmp_path)] == [PACK.digest]
    (tmp_path / "b.cbor").write_bytes(b"\xa0")
    with pytest.raises(BadSettings, match=r"b\.cbor is no rule pack"):
        known_packs(tmp_path)


def test_a_damaged_index_is_thrown_away_and_read_again(box: Box) -> None:
    """No list of runs may keep an edge from its work: the index is made from the store."""
    Bench(box).run(GOOD_PPM)
    (box.folder / catalogue.FILE).write_bytes(b"no database at all" * 100)
    found = open_catalogue(box.folder / catalogue.FILE, box.store, lambda _key: "W1")
    assert found.follow() == 0
    assert found.states(("",)) == {"signed": 1}
    found.close()


def test_figures_are_reckoned_once_and_again_when_a_grant_is_learnt(box: Box) -> None:
    """A signed run does not change, the grants that are known do: an edge that lacked the type learns it later."""
    views = views_of(box)
    attempt, _ = Bench(box).run(GOOD_PPM)
    views.follow()
    run = views.find(attempt.identity, Everybody())
    assert run is not None
    first = views.figures(run)
    assert views.figures(run) is first
    box.keys.learn([b"a grant that nobody believes"])
    assert views.figures(run) is not first


def test_a_meter_without_a_point_has_no_largest_error(box: Box) -> None:
    """The row that people sign says 0 there, since it must say a number; on a screen 0 % looks like a good meter."""
    bench, seats = Bench(box), [Seat(1, "1", silent=True, ended=kinds.SILENT)]
    attempt = bench.attempt(seats)
    bench.offer(bench.fixture.result(seats))
    [meter] = asked(Screen(box), f"/api/run/{attempt.identity.hex()}")["seats"]
    assert (meter["outcome"], meter["largest_ppm"], meter["ended"]) == ("failed", None, "silent")
