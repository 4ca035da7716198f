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
from meterseal_wire.statement import Author

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
        self.sent = Sent(box.state)
        author = Author("EDGE1", "YUHANG1", box.world.keys["edge"])
        clock = Clock(author, box.keys, lambda: 1_790_000_000)
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

    def put_plan(self) -> list[Any]:
        """A granted plan is put; the item."""
        item = plan_of(self.box.world.ring("root"), rules(self.box.world), PLAN)
        put(self.folder, item, 1)
        self.dispatch.look()
        return item

    def put_firmware(self, second: int = 1) -> None:
        """A granted image is put."""
        item = firmware_of(self.box.world.ring("root"), firmware(self.box.world), manifest(), FILES)
        put(self.folder, item, second)
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


def test_a_tenant_is_sent_as_it_was_put(desk: Desk) -> None:
    """["tenant", grant, [delegation]]."""
    world = desk.box.world
    item = tenant_of(world.ring("root"), tenant(world), world.grants.values())
    put(desk.folder, item, 1)
    desk.dispatch.look()
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
