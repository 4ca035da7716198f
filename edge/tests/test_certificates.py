"""Who is sent a renewed certificate, and how often: by what a fixture shows and what `edge renew` has laid down."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from edge.tests.conftest import Box
from edge.tests.test_dispatch import NONE, Desk

from meterseal_edge.certificates import AGAIN_S
from meterseal_edge.grant_line import AGAIN_S as PLAN_AGAIN_S
from meterseal_edge.offers import name_of
from meterseal_edge.site.layout import put

OLD, NEW = b"0 old", b"0 new"


def shown(raw: bytes) -> bytes:
    """As a fixture tells it."""
    return hashlib.sha256(raw).digest()


@pytest.fixture
def desk(box: Box, tmp_path: Path) -> Iterator[Desk]:
    """A dispatch whose folder has nothing yet."""
    (tmp_path / "certificates").mkdir()
    found = Desk(box, tmp_path / "down")
    found.dispatch.look()
    return found


def lay(desk: Desk, raw: bytes, name: str = "W1") -> None:
    """As `edge renew` does, seen at the next look."""
    put(desk.folder.parent / "certificates" / f"{name}.der", raw)
    desk.dispatch.look()


def test_who_shows_an_older_one_is_sent_the_newest_and_nobody_else(desk: Desk) -> None:
    """W1 has the old one; G1's is W1's affair never; one without TLS shows none."""
    lay(desk, NEW)
    assert desk.comes(certificate=shown(OLD)) == [["certificate", NEW]]
    assert desk.comes(certificate=shown(NEW)) == []
    assert desk.comes() == []
    assert desk.comes("G1", key=desk.key("G1"), certificate=shown(OLD)) == []
    assert desk.alarms() == []


def test_one_that_is_online_while_it_is_renewed_gets_it_at_once(desk: Desk) -> None:
    """Nobody waits for the next connection: that may be after the end."""
    assert desk.comes(certificate=shown(OLD)) == []
    lay(desk, NEW)
    assert desk.later(0) == [["certificate", NEW]]
    assert desk.later(1) == []


def test_one_that_comes_back_with_the_old_one_is_told_of_and_left_alone_for_a_day(desk: Desk) -> None:
    """Its broker did not take the new one: sent again at once, the two would go round in a circle."""
    lay(desk, NEW)
    desk.comes(certificate=shown(OLD))
    assert desk.comes(certificate=shown(OLD)) == []
    assert desk.alarms() == ["edge.certificate"]
    desk.later(AGAIN_S)
    assert desk.comes(certificate=shown(OLD)) == [["certificate", NEW]]
    newer = NEW + b"er"
    lay(desk, newer)
    assert desk.later(0) == [["certificate", newer]]


def test_it_goes_after_the_plans_which_would_fill_the_same_place(desk: Desk) -> None:
    """delivery.py of the fixture keeps four items waiting."""
    item = desk.put_plan()
    lay(desk, NEW)
    assert desk.comes(certificate=shown(OLD), plans=NONE, tenants=NONE) == [item]
    assert desk.later(PLAN_AGAIN_S + 1) == [item]


def test_a_stranger_is_sent_no_certificate(desk: Desk) -> None:
    """The signing key has no grant here."""
    lay(desk, NEW)
    assert desk.comes(key=bytes(32), certificate=shown(OLD)) == []


def test_one_that_waits_behind_plans_is_not_forgotten_when_something_is_put_meanwhile(desk: Desk) -> None:
    """What is on its way is made anew then; a certificate counts as sent once it was."""
    first = desk.put_plan()
    lay(desk, NEW)
    assert desk.comes(certificate=shown(OLD), plans=NONE, tenants=NONE) == [first]
    lay(desk, NEW, "G1")
    desk.later(0)
    desk.says(granted={"last": name_of(first)})
    assert desk.later(0) == [["certificate", NEW]]
    assert desk.alarms() == []
