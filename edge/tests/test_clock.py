"""The edge's signed clock: whom it answers, and what the answer says."""

from edge.tests.conftest import Box

from meterseal_edge.clock import Clock
from meterseal_edge.presence import Presence
from meterseal_protocol.verify import verify
from meterseal_wire import labels as L
from meterseal_wire.statement import Author

NONCE = bytes(range(16))


def clock(box: Box) -> Clock:
    """One that always says the same second."""
    author = Author("EDGE1", "YUHANG1", box.world.keys["edge"])
    return Clock(author, box.keys, lambda: 1_790_000_123.9)


def thumbprint(box: Box, role: str) -> bytes:
    """Of a role's key."""
    [key] = box.world.ring(role)
    return bytes(key.thumbprint)


def test_the_answer_names_nonce_second_and_key_and_is_signed_by_the_edge(box: Box) -> None:
    """protocol/spec/time.md: the edge signs its clock, that nonce (42) and the thumbprint of the fixture's key (44)."""
    key = thumbprint(box, "W1")
    raw = clock(box).answer(Presence("W1", key=key, nonce=NONCE))
    assert raw is not None
    statement = verify(raw, box.world.ring("edge")).statement
    assert statement.typ == L.KIND_TIME == 65011
    assert statement.payload == {42: NONCE, 43: 1_790_000_123, 44: key}


def test_nobody_else_is_answered(box: Box) -> None:
    """A key on another fixture's topic, a key that no grant gives to a fixture, no key, no question."""
    own, other, person = (thumbprint(box, role) for role in ("W1", "G1", "verifier"))
    found = clock(box)
    assert found.answer(Presence("W1", key=other, nonce=NONCE)) is None
    assert found.answer(Presence("W1", key=person, nonce=NONCE)) is None
    assert found.answer(Presence("W1", key=bytes(32), nonce=NONCE)) is None
    assert found.answer(Presence("W1", key=b"", nonce=NONCE)) is None
    assert found.answer(Presence("W1", key=own)) is None
