"""The edge is killed, at drawn moments and at the worst ones; a checker says what was lost; planted bugs show that
the checker sees.
"""

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from edge.tests.site import Site, wait_until

from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.verify import verify
from meterseal_tools.broker import start_broker
from meterseal_tools.services import Service
from meterseal_wire import labels as L

SEED, KILLS, EACH = 20261123, 8, 200
END_S = 20


@dataclass(frozen=True)
class Verdict:
    """What the checker found: `lost` stands nowhere, `forgotten` was promised and is not stored, `twice` is twice."""

    lost: int
    forgotten: int
    twice: int
    whole: bool


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site with a mosquitto; the edge is not started yet."""
    with start_broker(tmp_path / "broker") as broker:
        found = Site(tmp_path, broker)
        yield found
        found.close()


def fixtures(site: Site, count: int) -> dict[str, ModelFixture]:
    """Two fixtures that have signed so many statements each."""
    found = {name: ModelFixture(site.world.author(name)) for name in ("W1", "G1")}
    for fixture in found.values():
        fixture.boot()
        for number in range(count - 1):
            fixture.event("tick", str(number))
    return found


def promised(site: Site, name: str) -> int:
    """How many statements of a fixture custody covers, by custody that verifies under the edge's key."""
    payloads = [verify(raw, site.world.ring("edge")).statement.payload for raw in tuple(site.down[name])]
    return max((payload[L.SEQ] + 1 for payload in payloads), default=0)


def rows(site: Site) -> list[tuple[int, bytes, bytes, int]]:
    """Leaf, identity, key and seq as they lie in the file, read without the edge."""
    database = sqlite3.connect(site.folder / "edge" / "edge.sqlite")
    found = database.execute(
        "SELECT leaf, identity, key, statement.seq FROM statement JOIN chain ON chain = id ORDER BY leaf"
    ).fetchall()
    database.close()
    return found


def check(site: Site, made: dict[str, ModelFixture]) -> Verdict:
    """Compare what fixtures signed and were promised with what lies in the edge's file."""
    stored = rows(site)
    there = [row[1] for row in stored]
    lost = forgotten = 0
    whole = [row[0] for row in stored] == list(range(len(stored)))
    for name, fixture in made.items():
        names = [item.identity for item in fixture.signed]
        lost += len(set(names) - set(there))
        forgotten += len(set(names[: promised(site, name)]) - set(there))
        whole &= [row[3] for row in stored if row[2] == fixture.author.thumbprint] == list(range(len(names)))
    return Verdict(lost, forgotten, len(there) - len(set(there)), whole)


def test_killed_eight_times_under_load_nothing_is_lost_though_nobody_offers_twice(site: Site) -> None:
    """Design section 6: PUBACK after the commit. Every statement is published once; what the edge had not committed
    the broker still holds, since it was not acknowledged.
    """
    made = fixtures(site, EACH)
    site.edge.start()
    kills = set(random.Random(SEED).sample(range(10, EACH), KILLS))
    for number in range(EACH):
        for name, fixture in made.items():
            site.offer(name, fixture.signed[number])
        if number in kills:
            site.edge.kill()
            site.edge.start()
    for name in made:
        wait_until(lambda name=name: promised(site, name) == EACH, f"custody to the end for {name}")  # type: ignore[misc]
    assert check(site, made) == Verdict(lost=0, forgotten=0, twice=0, whole=True)
    assert site.summary()["quarantined"] == 0


def cut(site: Site, module: str) -> tuple[Verdict, dict[str, ModelFixture]]:
    """One planted edge dies at its third commit; the honest one takes over on the same files."""
    made = fixtures(site, 6)
    planted = Service(f"edge.tests.planted.{module}", site.edge.settings, site.edge.health).start()
    process = planted._process
    assert process is not None
    for number in range(6):
        for name, fixture in made.items():
            site.offer(name, fixture.signed[number])
            if process.poll() is None:
                wait_until(
                    lambda name=name, number=number: (
                        process.poll() is not None or promised(site, name) > number
                    ),  # type: ignore[misc]
                    "custody or death",
                )
    assert process.wait(END_S) == -9
    site.edge.start()
    marker = made["W1"].event("marker", "the broker delivers in order: whatever it holds came before this")
    site.offer("W1", marker)
    wait_until(lambda: seen(site, marker.identity, marker.raw), "the marker")
    return check(site, made), made


def seen(site: Site, name: bytes, raw: bytes) -> bool:
    """True if the edge has the statement in its log or in quarantine."""
    database = sqlite3.connect(site.folder / "edge" / "edge.sqlite")
    kept = database.execute("SELECT 1 FROM quarantine WHERE raw = ?", (raw,)).fetchall()
    database.close()
    return bool(kept) or name in [row[1] for row in rows(site)]


@pytest.mark.parametrize("module", ["dies_before_commit", "dies_after_commit"])
def test_at_the_worst_moment_an_honest_edge_loses_nothing(site: Site, module: str) -> None:
    """Station 6, *if the power fails here*: no custody, offered again; station 8: either all or nothing."""
    verdict, _ = cut(site, module)
    assert verdict == Verdict(lost=0, forgotten=0, twice=0, whole=True)


def test_the_checker_finds_an_edge_that_acknowledges_before_it_commits(site: Site) -> None:
    """Planted bug, design section 1 item 11: every experiment has one that it must find."""
    verdict, _ = cut(site, "acknowledges_before_commit")
    assert verdict.lost > 0
    assert not verdict.whole


def test_the_checker_finds_an_edge_that_promises_before_it_commits(site: Site) -> None:
    """Planted bug: custody for what is not durable. The fixture would have freed it."""
    made = fixtures(site, 6)
    planted = Service(
        "edge.tests.planted.promises_before_commit", site.edge.settings, site.edge.health
    ).start()
    process = planted._process
    assert process is not None
    for number in range(6):
        if process.poll() is None:
            site.offer("W1", made["W1"].signed[number])
            wait_until(
                lambda number=number: process.poll() is not None or promised(site, "W1") > number,  # type: ignore[misc]
                "custody or death",
            )
    assert process.wait(END_S) == -9
    assert check(site, made).forgotten == 1
