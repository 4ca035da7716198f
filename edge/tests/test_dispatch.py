"""Who gets what when they come online: by their state message, their grant, and what an operator has put."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from edge.tests.conftest import Box
from edge.tests.test_granting import BOARD, FILES, PLAN, firmware, manifest, rules, tenant
from edge.tests.test_pace import Now

from meterseal_edge.clock import Clock
from meterseal_edge.dispatch import Dispatch
from meterseal_edge.grant_line import AGAIN_S
from meterseal_edge.granting import firmware_of, plan_of, tenant_of
from meterseal_edge.offers import Offers, name_of, put
from meterseal_edge.pace import AT_ONCE
from meterseal_edge.presence import Presence
from meterseal_edge.state import State
from meterseal_protocol.verify import verify
from meterseal_wire import labels as L
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import Author, build

DIGEST = bytes(31) + b"\1"
NONE: frozenset[str] = frozenset()


class Sent:
    """Stands where MQTT is: what went down, in order."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.down: list[tuple[str, list[Any]]] = []

    def send_down(self, fixture: str, items: list[Any]) -> None:
        """Take a note."""
        self.down.append((fixture, list(items)))

    def taken(self) -> list[Any]:
        """What went down since the last call, all together."""
        found = [item for _, items in self.down for item in items]
        self.down.clear()
        return found


class Desk:
    """A dispatch over a box's keys, a folder, and a clock that the test moves."""

    def __init__(self, box: Box, folder: Path) -> None:
        self.box, self.folder, self.now = box, folder, Now()
        self.date_s = 1_790_000_000
        self.sent = Sent(box.state)
        author = Author("EDGE1", "YUHANG1", box.world.keys["edge"])
        clock = Clock(author, box.keys, lambda: self.date_s)
        self.dispatch = Dispatch(self.sent, clock, Offers(folder), self.now)  # type: ignore[arg-type]

    def key(self, role: str = "W1") -> bytes:
        """Thumbprint of a role's key."""
        [key] = self.box.world.ring(role)
        return bytes(key.thumbprint)

    def comes(self, fixture: str = "W1", **told: Any) -> list[Any]:
        """A fixture comes online; what it is sent."""
        self.dispatch.online(Presence(fixture, **{"key": self.key(), **told}))
        return self.sent.taken()

    def says(self, **told: Any) -> list[Any]:
        """W1's status line; what it is sent."""
        self.dispatch.live("W1", told)
        return self.sent.taken()

    def later(self, seconds: float) -> list[Any]:
        """Time passes; what is sent."""
        self.now.s += seconds
        self.dispatch.tick()
        return self.sent.taken()

    def put_plan(self, **changes: Any) -> list[Any]:
        """A granted plan is put; the item."""
        return self.put(plan_of(self.box.world.ring("root"), rules(self.box.world, **changes), PLAN))

    def put_firmware(self, second: int = 1) -> list[Any]:
        """A granted image is put; the item."""
        world = self.box.world
        return self.put(firmware_of(world.ring("root"), firmware(world), manifest(), FILES), second)

    def put_tenant(self, *benches: str, name: str = "ALPHA") -> list[Any]:
        """A tenant of these benches is put; the item."""
        world = self.box.world
        grant = tenant(world, BENCHES=list(benches), TENANT=name)
        return self.put(tenant_of(world.ring("root"), grant, world.grants.values()))

    def put(self, item: list[Any], second: int = 1) -> list[Any]:
        """Into the folder, and seen."""
        put(self.folder, item, second)
        self.dispatch.look()
        return item

    def withdraw(self, grant: bytes, role: str = "root") -> None:
        """Somebody withdraws a grant, and the edge hears of it from the registry."""
        said = {
            L.STATEMENT: identity(grant),
            L.TAINTED_FROM_S: self.date_s,
            L.TIME_S: self.date_s,
            L.DETAIL: "x",
        }
        self.box.keys.learn([bytes(build(self.box.world.author(role), L.KIND_WITHDRAWAL, said))])
        self.dispatch.look()

    def board(self, **told: Any) -> list[Any]:
        """W1 comes online with an older firmware on the right board."""
        return self.comes(
            **{"board": BOARD, "firmware": bytes(32), "slot": "old", "staged": bytes(32), **told}
        )

    def alarms(self) -> list[str]:
        """Codes on the page."""
        return [alarm["code"] for alarm in self.box.state.snapshot()["alarms"]]


@pytest.fixture
def desk(box: Box, tmp_path: Path) -> Iterator[Desk]:
    """A dispatch whose folder is empty."""
    return Desk(box, tmp_path / "down")


def test_the_question_is_answered_first_and_with_a_bound(desk: Desk) -> None:
    """Brief: rate-bounded. A fixture that comes online a thousand times a second is answered AT_ONCE times."""
    answers = []
    for number in range(1000):
        answers += desk.comes(nonce=number.to_bytes(16, "big"))
    assert len(answers) == AT_ONCE
    found = verify(answers[0], desk.box.world.ring("edge")).statement.payload
    assert (found[L.NONCE], found[L.KEY]) == (bytes(16), desk.key())


def test_a_stranger_is_sent_nothing_whatever_it_tells(desk: Desk) -> None:
    """Its key has no grant, or another fixture's: neither time nor plans, tenants or firmware."""
    desk.put_plan()
    desk.put_firmware()
    told: dict[str, Any] = {
        "nonce": bytes(16),
        "plans": NONE,
        "tenants": NONE,
        "board": BOARD,
        "firmware": bytes(32),
    }
    assert desk.comes(**told, key=bytes(32)) == desk.comes(**told, key=desk.key("G1")) == []
    assert desk.comes("G9", **told) == desk.later(1000) == []


def test_who_lacks_a_plan_gets_it_and_who_has_it_does_not(desk: Desk) -> None:
    """granted.py: `plans` are names; None where no grants are acted on."""
    item = desk.put_plan()
    assert desk.comes(plans=NONE, tenants=NONE) == [item]
    assert desk.comes(plans=frozenset({name_of(item)}), tenants=NONE) == []
    assert desk.comes() == []


def test_what_is_put_while_a_fixture_is_online_goes_at_once_and_not_after_it_left(desk: Desk) -> None:
    """Nobody has to restart anything."""
    assert desk.comes(plans=NONE, tenants=NONE) == []
    item = desk.put_plan()
    assert desk.later(0) == [item]
    desk.dispatch.offline("W1")
    assert desk.later(AGAIN_S + 1) == desk.says(granted={"last": name_of(item)}) == []


def test_an_item_that_was_dealt_with_and_is_not_held_is_told_and_not_sent_again(desk: Desk) -> None:
    """The fixture's authority key may be another one: each connection would carry all of it again."""
    item = desk.put_plan()
    desk.comes(plans=NONE, tenants=NONE)
    desk.says(granted={"plans": 0, "tenants": 0, "last": name_of(item)})
    assert desk.alarms() == []
    assert desk.comes(plans=NONE, tenants=NONE) == []
    assert desk.alarms() == ["edge.offer"]


def test_firmware_goes_to_its_board_after_the_plans_and_to_no_other(desk: Desk) -> None:
    """Both wait in the same four places of the fixture; a board is named as its boot statement names it."""
    item = desk.put_plan()
    desk.put_firmware()
    assert desk.board(plans=NONE, tenants=NONE) == [item]
    desk.says(granted={"last": name_of(item)})
    assert desk.later(1) == [["begin", DIGEST]]
    parts = desk.says(update={"there": {}})
    assert [part[1] for part in parts] == sorted(FILES)
    last = max(FILES)
    [finish] = desk.says(update={"path": last, "bytes": len(FILES[last])})
    assert finish[:2] == ["finish", manifest()]
    desk.says(update={"staged": "0.2.0", "digest": DIGEST.hex()})
    size = sum(map(len, FILES.values()))
    [view] = desk.box.state.snapshot()["fixtures"]
    assert view["update"] == f"0.2.0 staged {size}/{size}"
    assert desk.board(board="esp32s3/front-1") == desk.board(board="") == desk.board(firmware=DIGEST) == []


def test_a_version_that_is_staged_or_was_given_up_is_not_sent_again_until_it_is_put_again(desk: Desk) -> None:
    """Issue 6 point 8 and docs/how-to/update-fixtures.md: three starts, then the old one; no endless loop."""
    desk.put_firmware()
    assert desk.board(slot="try", staged=DIGEST) == []
    assert desk.board(slot="bad", staged=DIGEST) == [] and desk.alarms() == ["edge.update"]
    desk.put_firmware(second=2)
    desk.now.s += 100
    assert desk.board(slot="bad", staged=DIGEST) == [["begin", DIGEST]]
    for told in (
        {"there": {path: len(data) for path, data in FILES.items()}},
        {"staged": "", "digest": DIGEST.hex()},
    ):
        desk.says(update=told)
    assert desk.board(slot="bad", staged=DIGEST) == []


def test_a_version_that_is_refused_is_told_with_the_fixtures_words_and_not_sent_again(desk: Desk) -> None:
    """update.rollback and its like will be refused whatever is sent."""
    desk.put_firmware()
    desk.board()
    desk.says(update={"there": {path: len(data) for path, data in FILES.items()}})
    desk.says(update={"error": "update.rollback", "detail": "7"})
    [alarm] = desk.box.state.snapshot()["alarms"]
    assert alarm["code"] == "edge.update" and "update.rollback 7" in alarm["why"]
    assert desk.board() == []


def test_a_tenant_is_sent_as_it_was_put_and_to_the_benches_of_its_grant_alone(desk: Desk) -> None:
    """["tenant", grant, [delegation]]; a grant names benches, and so does the grant of a fixture."""
    own, other = desk.put_tenant("BENCH-W1", "BENCH-X"), desk.put_tenant("BENCH-G1", name="BETA")
    assert desk.comes(plans=NONE, tenants=NONE) == [own]
    assert desk.comes("G1", key=desk.key("G1"), plans=NONE, tenants=NONE) == [other]


def test_tenants_of_other_benches_take_no_bench_its_own(desk: Desk) -> None:
    """A shelf has eight places; they are for what concerns the bench, however many are newer."""
    own = desk.put_tenant("BENCH-W1")
    for number in range(9):
        desk.put_tenant("BENCH-G1", name=f"T{number}")
    assert desk.comes(plans=NONE, tenants=NONE) == [own]


def test_what_has_ended_goes_no_more_and_is_told_once(desk: Desk) -> None:
    """grant.md: the window is from and to, both included. The edge's clock is what it has to go by."""
    item = desk.put_plan(WINDOW=[1, desk.date_s])
    assert desk.comes(plans=NONE, tenants=NONE) == [item]
    desk.date_s += 1
    desk.dispatch.look()
    desk.dispatch.look()
    assert desk.later(AGAIN_S + 1) == desk.comes(plans=NONE, tenants=NONE) == []
    [alarm] = desk.box.state.snapshot()["alarms"]
    assert (alarm["code"], alarm["count"]) == ("edge.offer", 1)
    assert alarm["why"].endswith(".plan is not sent: grant.window")


def test_what_was_withdrawn_stops_under_way(desk: Desk) -> None:
    """A firmware that turned out bad; the registry's withdrawal reaches the edge within seconds."""
    item = desk.put_firmware()
    assert desk.board() == [["begin", DIGEST]]
    desk.withdraw(item[2])
    assert desk.says(update={"there": {}}) == desk.later(1000) == desk.board() == []
    assert (
        "unix/sim-1.firmware is not sent: firmware.withdrawn" in desk.box.state.snapshot()["alarms"][0]["why"]
    )


def test_a_tenant_falls_with_the_delegation_above_it(desk: Desk) -> None:
    """Authority is a chain: whoever gave it may have lost it."""
    desk.put_tenant("BENCH-W1")
    desk.withdraw(desk.box.world.grants["delegation"])
    assert desk.comes(plans=NONE, tenants=NONE) == []


@pytest.mark.parametrize("role", ["W1", "edge", "province"])
def test_a_withdrawal_by_somebody_else_stops_nothing(desk: Desk, role: str) -> None:
    """Only who signed a grant, or stands above, takes it back: a plan's grant is the root's."""
    item = desk.put_plan()
    desk.withdraw(item[1], role)
    assert desk.comes(plans=NONE, tenants=NONE) == [item]


def test_a_damaged_file_is_an_alarm_and_stops_nothing(desk: Desk) -> None:
    """An operator's copy that broke off."""
    item = desk.put_plan()
    (desk.folder / "half.tenant").write_bytes(b"\x83")
    desk.dispatch.look()
    assert desk.alarms() == ["edge.offer"]
    assert desk.comes(plans=NONE, tenants=NONE) == [item]


def test_a_status_line_of_nobody_is_passed_over(desk: Desk) -> None:
    """The live topic is for eyes; here a name that never came online, and nonsense from one that did."""
    desk.dispatch.live("G9", {"granted": {"last": "x"}})
    desk.put_firmware()
    desk.board()
    for told in (None, 7, [], {"error": {}}):
        assert desk.says(update=told, granted=told) == []
