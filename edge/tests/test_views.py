"""A tenant's people see their own runs and nothing of anybody else's, at every address; everybody else sees all."""

from dataclasses import dataclass
from typing import Any

import pytest
from edge.tests.batch import BAD_PPM, GOOD_PPM, Bench, seat
from edge.tests.conftest import Box
from edge.tests.planted import shows_other_tenants
from edge.tests.screen import Screen, answer, second_water_bench
from starlette.requests import Request

from meterseal_edge.pages import run_pages
from meterseal_edge.runs import catalogue, owed
from meterseal_edge.runs.views import Viewer, Views
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.testing.runs import Seat
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.sign1 import identity

SECRET = "76543210"  # the serial of a meter of T2


@dataclass(frozen=True)
class Tenant:
    """A viewer who belongs to a tenant, as an account does."""

    name: str

    def sees(self, tenant: str) -> bool:
        """Its own."""
        return tenant == self.name


class Visits:
    """Two benches that work for two tenants, looked at by whoever `who` is; by everybody while it is None."""

    def __init__(self, box: Box) -> None:
        self.who: Viewer | None = Tenant("T1")
        self.everybody = Screen(box)
        self.screen = Screen(box, viewer=self.ask)
        second_water_bench(box)
        self.bench = Bench(box, "W1")
        self.mine = self.bench.run(GOOD_PPM, tenant="T1")[0].identity.hex()
        theirs = Bench(box, "W2")
        seats = [Seat(1, SECRET, points=seat(1, BAD_PPM).points)]
        self.theirs = theirs.attempt(seats, tenant="T2").identity.hex()
        theirs.offer(theirs.fixture.result(seats))
        for name in ("W1", "W2"):
            box.state.presence(name, True)
            box.state.live(name, {"now": "running", "point": 2, "of": 3, "pending": 4})
        box.state.alarm("W1", "chain.gap", "1/2 is missing")
        box.state.alarm("W2", "chain.fork", "of W2 alone")
        box.state.alarm("", "edge.registry", "of everybody's")

    def ask(self, _request: Request) -> Viewer:
        """Who looks, asked anew at each request."""
        assert self.who is not None
        return self.who

    def get(self, path: str) -> Any:
        """What the tenant is answered."""
        return answer(self.screen, path).json()


@pytest.fixture
def visits(box: Box) -> Visits:
    """Two tenants' benches, seen by T1."""
    return Visits(box)


def test_another_tenants_run_is_nowhere(visits: Visits) -> None:
    """Grants of kind tenant: who runs whose meters on a shared bench. A run that is not theirs does not exist: 404,
    the same as for one that nobody made.
    """
    assert [run["identity"] for run in visits.get("/api/runs")["runs"]] == [visits.mine]
    for path in ("", "/curves"):
        found = answer(visits.screen, f"/api/run/{visits.theirs}{path}")
        none = answer(visits.screen, f"/api/run/{'0' * 64}{path}")
        assert (found.status_code, found.content) == (none.status_code, none.content)
        assert answer(visits.screen, f"/api/run/{visits.mine}{path}").status_code == 200


def leaks(visits: Visits) -> list[str]:
    """Addresses at which T1 reads a word about T2: its name, its meter, its run."""
    run = f"/api/run/{visits.theirs}"
    paths = ["/api/runs", "/api/runs?tenant=T2", "/api/runs?fixture=W2", "/api/summary", run, f"{run}/curves"]
    about = (SECRET, visits.theirs, "T2")
    return [path for path in paths if any(word in answer(visits.screen, path).text for word in about)]


def test_no_word_about_it_stands_in_any_answer(visits: Visits) -> None:
    """Neither meter nor tenant nor identity, whatever is asked for."""
    assert leaks(visits) == []


@pytest.mark.parametrize("name", sorted(shows_other_tenants.BUGS))
def test_a_page_that_forgets_who_looks_is_found(
    visits: Visits, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted bugs: each must turn the test above red."""
    shows_other_tenants.apply(name, monkeypatch)
    assert leaks(visits) != []


def test_asking_for_a_meter_of_somebody_elses_finds_nothing(visits: Visits) -> None:
    """A search may not tell that the meter was here: not by a row, and not by a count."""
    asked = visits.get(f"/api/runs?meter=DEMO.{SECRET}")
    assert (asked["runs"], asked["tenants"]) == ([], ["T1"])


def test_the_runs_of_one_meter_are_only_those_that_may_be_seen(visits: Visits) -> None:
    """A meter that was on two tenants' benches: each sees its own runs of it."""
    shared = Bench(visits.screen.box, "G1").run(GOOD_PPM, tenant="T2")[0].identity.hex()
    [meter] = visits.get(f"/api/run/{visits.mine}")["seats"]
    assert [one["identity"] for one in meter["attempts"]] == [visits.mine]
    visits.who = Tenant("T2")
    [meter] = visits.get(f"/api/run/{shared}")["seats"]
    assert [one["identity"] for one in meter["attempts"]] == [shared]


def test_a_bench_that_works_for_somebody_else_shows_that_it_is_busy_and_no_more(visits: Visits) -> None:
    """pages/live.py: its name, whether it is online, and that it is busy."""
    found = {bench["fixture"]: bench for bench in visits.get("/api/summary")["fixtures"]}
    assert found["W2"] == {"fixture": "W2", "online": True, "busy_elsewhere": True, "waits_since_s": None}
    assert found["W1"]["run"]["identity"] == visits.mine
    assert found["W1"]["meters"] == {"1": "DEMO.12345671"}


def test_counts_and_alarms_are_those_of_what_they_see(visits: Visits) -> None:
    """Counts of the whole edge tell how much others test; alarms of it are not theirs to act on, nor their reasons."""
    found = visits.get("/api/summary")
    assert (found["durable"], found["entered"], found["quarantined"], found["waits_since_s"]) == (None,) * 4
    assert found["runs"] == {"signed": 1}
    assert [(alarm["fixture"], alarm["code"], alarm["why"]) for alarm in found["alarms"]] == [
        ("W1", "chain.gap", "")
    ]


def test_a_run_without_a_tenant_is_no_tenants(visits: Visits) -> None:
    """runs/views.py: the empty name stands for what belongs to no tenant."""
    bench = Bench(visits.screen.box, "G1")
    own = bench.run(GOOD_PPM)[0].identity.hex()
    assert answer(visits.screen, f"/api/run/{own}").status_code == 404
    assert answer(visits.everybody, f"/api/run/{own}").status_code == 200


def test_everybody_sees_all_where_nobody_logs_in(visits: Visits) -> None:
    """A screen on a wall in the factory, and the supervisor: all runs, all counts, the tenants by name."""
    found = answer(visits.everybody, "/api/runs").json()
    assert [run["identity"] for run in found["runs"]] == [visits.theirs, visits.mine]
    assert (found["tenants"], found["whole"]) == (["T1", "T2"], True)
    assert answer(visits.everybody, "/api/summary").json()["durable"] == 6
    one = answer(visits.everybody, "/api/runs?tenant=T2").json()
    assert [run["identity"] for run in one["runs"]] == [visits.theirs]


def test_the_view_follows_the_attempt_that_is_stored_and_not_an_older_one(visits: Visits) -> None:
    """Who was shown a bench a moment ago must not see the next tenant's meters on it: state and run change together."""
    bench = visits.bench
    assert visits.get("/api/summary")["fixtures"][0]["meters"]
    bench.attempt([Seat(1, SECRET, points=seat(1).points)], tenant="T2")
    found = answer(visits.screen, "/api/summary")
    assert SECRET not in found.text
    assert found.json()["fixtures"][0]["busy_elsewhere"]


def signed_roles(views: Views, roles: list[int] | None) -> None:
    """As if these roles had signed every result."""
    views.signed = lambda _result: roles


@pytest.mark.parametrize(
    "roles, missing",
    [
        (None, None),
        ([], ["verifier", "checker", "approver"]),
        ([kinds.CHECKER], ["verifier", "approver"]),
        ([kinds.VERIFIER, kinds.CHECKER, kinds.APPROVER], []),
    ],
)
def test_what_is_missing_of_sign_offs_stands_beside_each_run(
    visits: Visits, roles: list[int] | None, missing: list[str] | None
) -> None:
    """Design section 2: verifier, checker, approver; where this edge can't know, it says so and guesses nothing."""
    signed_roles(visits.everybody.views, roles)
    rows = answer(visits.everybody, "/api/runs").json()["runs"]
    assert [run["missing"] for run in rows] == [missing, missing]
    assert answer(visits.everybody, f"/api/run/{visits.mine}").json()["missing"] == missing


def supervised(box: Box, share: list[int]) -> None:
    """A supervisor of the maker with this share."""
    world = box.world
    world.keys["outside"] = PrivateKey.generate()
    parent = {L.PARENT: identity(world.grants["delegation"])}
    fields = {L.SUBJECT_KEY: world.cose("outside"), L.SUPERVISOR: "INST-9", L.MAKER: "DEMO", L.SHARE: share}
    box.keys.learn([world.grant("province", kinds.SUPERVISOR, {**parent, **fields})])


@pytest.mark.parametrize("share, named", [([1, 1], ["INST-9"]), ([0, 1], [])])
def test_a_supervisor_whose_share_draws_a_run_is_named_until_the_signature_is_known(
    visits: Visits, share: list[int], named: list[str]
) -> None:
    """Design section 7, supervisor: an outside institution must co-sign a share of attempts, or measure again."""
    supervised(visits.screen.box, share)
    run = f"/api/run/{visits.mine}"
    assert answer(visits.everybody, run).json()["supervisors"] == named
    assert [one["supervisors"] for one in answer(visits.everybody, "/api/runs").json()["runs"]] == [named] * 2
    signed_roles(visits.everybody.views, [kinds.SUPERVISING])
    assert answer(visits.everybody, run).json()["supervisors"] == []


def test_nobody_has_to_sign_what_is_open_or_training(visits: Visits) -> None:
    """A training attempt is never admitted; an open one has nothing to sign."""
    box = visits.screen.box
    lesson = Bench(box, "G1")
    lesson.run(GOOD_PPM, mode=kinds.TRAINING)
    lesson.attempt([seat(1)])
    signed_roles(visits.everybody.views, [])
    rows = answer(visits.everybody, "/api/runs").json()["runs"]
    assert [run["missing"] for run in rows[:2]] == [None, None]


def found(visits: Visits, query: str = "") -> list[str]:
    """Identities of the runs of which a signature is missing, through all pages of the answer."""
    runs: list[str] = []
    before: int | None = 1 << 40
    while before is not None:
        told = answer(visits.everybody, f"/api/runs?lacks=signoff{query}&before={before}").json()
        runs, before = runs + [run["identity"] for run in told["runs"]], told["next"]
    return runs


def test_runs_that_lack_a_signature_can_be_listed_alone(
    visits: Visits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 6, point 7: whoever signs looks for what waits. Open and training runs wait for nobody; a page of two
    here, and looks that end before they have found one.
    """
    box, views = visits.screen.box, visits.everybody.views
    lesson = Bench(box, "G1")
    lesson.run(GOOD_PPM, mode=kinds.TRAINING)
    lesson.attempt([seat(1)])
    more = [visits.bench.run(GOOD_PPM) for _ in range(4)]
    done = {result.identity for _, result in more[:3]}
    views.signed = lambda result: [1, 2, 3] if result in done else [1, 2]
    waiting = [more[3][0].identity.hex(), visits.theirs, visits.mine]
    assert found(visits) == waiting
    assert found(visits, "&tenant=T1") == [visits.mine]
    for module in (catalogue, owed, run_pages):
        monkeypatch.setattr(module, "PAGE", 2)
    monkeypatch.setattr(owed, "PAGES", 1)
    assert found(visits) == waiting
    views.signed = lambda _result: None
    assert found(visits) == []
