"""What goes down, end to end: the edge's process, a real broker, and the fixture's own application on MicroPython.

A fixture acts only on what a grant covers (design section 7; issue 6, points 4 and 8).
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from edge.tests.bench_line import BOARD, RULES, WAIT_S, Line, image_of, line, plan_document

from meterseal_edge import offers
from meterseal_protocol.testing.world import World
from meterseal_tools.boards.image import Image
from meterseal_tools.broker import start_broker
from meterseal_wire import kinds
from meterseal_wire.digest import sha256

DEAF = (
    "firmware/src/meterseal_fixture/link.py",
    'self._go("tried")',
    'self._go("tried")\n        raise OSError(5)',
)


@pytest.fixture
def found(tmp_path: Path) -> Iterator[Line]:
    """A line whose fixture has no power yet."""
    with line(tmp_path) as made:
        yield made


def test_a_fixture_that_asks_is_told_the_time_and_one_without_a_grant_is_not(found: Line) -> None:
    """spec/time.md: signed by the edge, for this fixture's nonce and key; a key that no grant names gets none."""
    before = int(time.time())
    found.power()
    told = found.panel.wait(lambda message: "time_s" in message, WAIT_S)
    assert before <= told["time_s"] <= time.time()
    found.rig.cut_power()
    World().keys["G1"].save(found.folder / "other")
    (found.state / "key").write_bytes((found.folder / "other").read_bytes())
    found.power()
    assert "time_s" not in found.panel.status()


def rules_grant(line: Line, *plans: bytes, role: str = "root", name: str = "rules") -> Path:
    """A rules grant that names these plans."""
    digests = [sha256(plan) for plan in plans]
    return line.grant(name, role, kinds.RULES, RULES=RULES, RULES_NAME="test", PLANS=digests)


def test_a_plan_with_a_grant_comes_down_and_runs_and_one_without_does_neither(found: Line) -> None:
    """Design section 7: plans and rules by the authority's grant alone. The command refuses in one sentence; what gets
    into the folder past it, the fixture does not believe, and the edge says so and stops sending it.
    """
    plan, other = plan_document(10), plan_document(11)
    found.power()
    found.order(plan)
    assert found.refusal() == "plan.ungranted"
    document = found.file("plan.cbor", plan)
    code, said = found.cli("plan", "put", rules_grant(found, other), document)
    assert (code, said.count("\n")) == (1, 1) and "does not name this plan" in said
    code, said = found.cli("plan", "put", rules_grant(found, plan, role="province"), document)
    assert (code, said.count("\n")) == (1, 1) and "under an anchor" in said
    code, said = found.cli("plan", "put", rules_grant(found, plan), document)
    assert code == 0, said
    found.told("plans", 1)
    found.panel.send({"do": "run", "plan": sha256(plan).hex(), "mode": 1, "operator": "", "tenant": "",
                      "positions": [found.rig.position(1, "2026F101-33")]})  # fmt: skip
    found.panel.wait_event("result_signed", WAIT_S)
    forged = rules_grant(found, other, role="province", name="forged").read_bytes()
    offers.put(found.folder / "edge" / "down", ["plan", forged, other], 0)
    found.told("last", offers.name_of(["plan", forged, other]))
    assert found.panel.status()["granted"]["plans"] == 1
    found.order(other)
    assert found.refusal() == "plan.ungranted"
    # The live line goes out twice a second: after three beacons, a second apart, the edge has heard it.
    beacon = found.panel.status()["beacon"]
    found.panel.wait(lambda message: message.get("beacon", 0) >= beacon + 3, WAIT_S)
    found.rig.cut_power()
    found.power()
    found.panel.wait(lambda _: "edge.offer" in found.alarms(), WAIT_S)
    assert found.panel.status()["granted"] == {"plans": 1, "tenants": 0, "last": ""}


def test_a_tenant_comes_down_with_its_delegation_and_may_use_the_bench_it_names(found: Line) -> None:
    """Design section 7, `tenant`: under a delegation with the seventh measure; on this bench and no other,
    so the other bench's is not even sent.
    """
    plan = plan_document()
    parent = found.world.grants["delegation"]
    fields: dict[str, Any] = {"PARENT": sha256(parent), "MAKER": "DEMO"}
    found.cli("plan", "put", rules_grant(found, plan), found.file("plan.cbor", plan))
    here = found.grant("here", "province", kinds.TENANT, TENANT="ALPHA", BENCHES=["BENCH-W1"], **fields)
    there = found.grant("there", "province", kinds.TENANT, TENANT="BETA", BENCHES=["BENCH-G1"], **fields)
    found.power()
    found.told("plans", 1)
    found.order(plan, tenant="ALPHA")
    assert found.refusal() == "tenant.ungranted"
    assert found.cli("tenant", "put", here)[0] == found.cli("tenant", "put", there)[0] == 0
    found.told("tenants", 1)
    found.order(plan, tenant="BETA")
    assert found.refusal() == "tenant.ungranted"
    found.order(plan, tenant="ALPHA")
    found.panel.wait_event("result_signed", WAIT_S)
    code, listed = found.cli("tenant", "list")
    assert code == 0 and "ALPHA  BENCH-W1" in listed and "BETA  BENCH-G1" in listed


def firmware_grant(line: Line, image: Image, board: str = BOARD) -> Path:
    """A grant for an image, by the root."""
    fields = {"FIRMWARE_DIGEST": image.digest, "FIRMWARE_VERSION": image.version, "FIRMWARE_FLOOR": 0}
    return line.grant(f"firmware-{image.version}", "root", kinds.FIRMWARE, BOARD=board, **fields)


def put(line: Line, image: Image) -> None:
    """Offer it."""
    code, said = line.cli("firmware", "put", firmware_grant(line, image), image.folder)
    assert code == 0, said


def staged(line: Line, image: Image) -> None:
    """Return when the fixture has it."""
    digest = image.digest.hex()
    line.panel.wait(lambda message: message.get("update", {}).get("digest") == digest, WAIT_S)


def test_an_update_travels_survives_a_power_cut_and_is_confirmed_and_a_deaf_one_returns(found: Line) -> None:
    """Issue 6 point 8, docs/how-to/update-fixtures.md: what is there is not sent again; a version that hears the edge
    is confirmed and signs it; one that does not has three starts, and the one before comes back. It is not sent again.
    """
    first, second = image_of(found.folder, "0.1.1", 1), image_of(found.folder, "0.1.2", 2)
    deaf = image_of(found.folder, "0.1.3", 3, DEAF)
    board = found.board(first)
    found.state.rename(board / "state")
    found.state = board / "state"
    found.settings = found.write_settings(found.state)
    found.power(board)
    put(found, second)
    found.panel.wait(lambda message: message.get("update", {}).get("bytes", 0) > 0, WAIT_S)
    found.rig.cut_power()
    found.power(board)
    resumed = found.panel.wait(lambda message: "there" in message.get("update", {}), WAIT_S)
    assert sum(resumed["update"]["there"].values()) > 0
    staged(found, second)
    found.rig.cut_power()
    found.power(board)
    found.panel.wait(lambda message: message.get("name") == "update installed", WAIT_S)
    found.rig.cut_power()
    put(found, deaf)
    found.power(board)
    staged(found, deaf)
    for _ in range(3):
        found.rig.cut_power()
        found.rig.start_fixture()
        found.panel.wait_event("boot", WAIT_S)
    found.rig.cut_power()
    found.rig.start_fixture()
    found.panel.wait(lambda message: message.get("name") == "update given up", WAIT_S)
    found.panel.wait(lambda message: message.get("link") == "up", WAIT_S)
    found.panel.wait(lambda _: "edge.update" in found.alarms(), WAIT_S)
    assert "given up" in found.alarms()["edge.update"]
    assert "update" not in found.panel.status()


def rot(state: Path, opened: int) -> None:
    """Flip a bit in the body of the record of that number in the fixture's queue; the head's CRC stays whole."""
    [path] = sorted(state.glob("seg-*"))
    raw, at = bytearray(path.read_bytes()), 0
    for _ in range(opened):
        at += 64 + int.from_bytes(raw[at + 56 : at + 60], "big")
    raw[at + 64 + 9] ^= 1
    path.write_bytes(raw)


def test_one_rotten_record_does_not_block_the_queue_for_ever(found: Line) -> None:
    """Design section 13 and issue 6 point 4: a bit of the fixture's flash turns while it has no network. The edge
    refuses what it then gets, signed; the fixture opens an epoch before it, and everything after that is covered.
    """
    plan = plan_document()
    found.cli("plan", "put", rules_grant(found, plan), found.file("plan.cbor", plan))
    found.power()
    found.told("plans", 1)
    found.panel.wait(lambda message: message.get("pending") == 0, WAIT_S)
    broker = found.site.broker
    broker.stop()
    found.order(plan)
    found.panel.wait_event("result_signed", WAIT_S)
    found.rig.cut_power()
    rot(found.state, 1)
    with start_broker(found.folder / "broker", broker.port):
        found.rig.start_fixture()
        found.panel.wait_event("boot", WAIT_S)
        boot = found.panel.wait_event("boot", WAIT_S)
        assert (boot["epoch"], boot["seq"]) == (3, 0)
        found.panel.wait(lambda message: message.get("pending") == 0 and message.get("epoch") == 3, WAIT_S)
        found.order(plan)
        found.panel.wait_event("result_signed", WAIT_S)
        found.panel.wait(lambda message: message.get("pending") == 0, WAIT_S)
        found.rig.cut_power()
    said = [message["error"] for _, message in found.panel.transcript if "error" in message]
    assert "statement.refused" in said
