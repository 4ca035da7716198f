"""Subjects chain and custody (chain.md, custody.md): an honest fixture's days, and what a dishonest one does."""

from collections.abc import Iterator, Sequence
from typing import Any

from maker.case import FixedKey, accept, refuse
from meterseal_protocol.testing.fixture import ModelFixture, Signed
from meterseal_wire import labels as L
from meterseal_wire.statement import Author, build

FIXTURE, EDGE, STRANGER = FixedKey("fixture"), FixedKey("edge"), FixedKey("a stranger")


def fixture() -> ModelFixture:
    """A fixture that has said nothing yet."""
    return ModelFixture(Author("YUHANG1", "W1", FIXTURE))


def two_days() -> list[Signed]:
    """Boot, two events; boot again, one event."""
    found = fixture()
    return [found.boot(), found.event("a", "1"), found.event("b", "2"), found.boot(), found.event("c", "3")]


def _chain(name: str, rule: int, why: str, messages: Sequence[Signed], links: list[str]) -> dict[str, Any]:
    given = {"messages": [item.raw.hex() for item in messages]}
    return accept(name, f"chain.md, rule {rule}", why, given, links=links)


def chain_cases() -> Iterator[dict[str, Any]]:
    """Every case of the subject chain."""
    a, b, c, d, e = two_days()
    yield _chain("two epochs", 1, "each cites the one before", [a, b, c, d, e], ["linked"] * 5)
    yield _chain(
        "sent twice", 2, "the same bytes again", [a, b, b, c], ["linked", "linked", "duplicate", "linked"]
    )
    yield _chain("one lost", 3, "the third before the second", [a, c, b], ["linked", "gap", "linked"])
    yield _chain("begun in the middle", 4, "the first that is ever seen is a boot", [b, a], ["gap", "linked"])
    copy = fixture()
    copy.boot()
    other = copy.event("a", "something else")
    yield _chain(
        "one place twice", 5, "another statement at (1, 1)", [a, b, other], ["linked", "linked", "fork"]
    )
    cut = fixture()
    cut.boot()
    again = cut.boot()
    yield _chain(
        "a head disowned",
        6,
        "the second boot cites the first, though more was signed",
        [a, b, again],
        ["linked", "linked", "fork"],
    )
    late = fixture()
    late.boot()
    late.boot()
    late.epoch, late.seq, late.head = 1, 0, a.identity
    beyond = late.event("a", "after the next boot")
    yield _chain(
        "behind a closed epoch",
        6,
        "epoch 1 goes on after epoch 2 was opened",
        [a, again, beyond],
        ["linked", "linked", "fork"],
    )


def custody_cases() -> Iterator[dict[str, Any]]:
    """Every case of the subject custody."""
    chain = two_days()
    head = chain[2]
    payload = {
        L.KEY: FIXTURE.thumbprint,
        L.EPOCH: 1,
        L.SEQ: 2,
        L.HEAD: head.identity,
        L.LOG_SIZE: 3,
        L.LOG_ROOT: bytes(32),
    }
    raw = bytes(build(Author("EDGE1", "YUHANG1", EDGE), L.KIND_CUSTODY, payload))
    rows = (
        ("covered at the head", 1, 2, FIXTURE, True, "the place that it names"),
        ("covered below", 1, 0, FIXTURE, True, "everything before it"),
        ("not yet covered", 2, 0, FIXTURE, False, "a later epoch"),
        ("not covered above", 1, 3, FIXTURE, False, "one beyond the place"),
        ("another fixture's", 1, 0, STRANGER, False, "custody is for one key"),
    )
    for name, epoch, seq, key, covered, why in rows:
        given = {
            "custody": raw.hex(),
            "keys": [EDGE.cose_hex],
            "stored": {"key": key.thumbprint.hex(), "epoch": epoch, "seq": seq},
        }
        yield accept(name, "custody.md, rule 2", why, given, may_drop=covered)
    given = {
        "custody": raw.hex(),
        "keys": [STRANGER.cose_hex],
        "stored": {"key": FIXTURE.thumbprint.hex(), "epoch": 1, "seq": 0},
    }
    yield refuse(
        "signed by nobody we know",
        "custody.md, rule 1",
        "only the edge's key counts",
        given,
        "verify.unknown_key",
    )
