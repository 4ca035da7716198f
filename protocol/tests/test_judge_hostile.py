"""The judge is total: hostile evidence in the right shapes, of any kind, in any chain, with any blobs, has an answer.

Payloads are drawn from the shapes of kinds.py itself, so every kind is there; entries refer to each other's identities
and to one meter, so that the judge's joins find something.
"""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from meterseal_protocol.evidence import Entry, Evidence, select
from meterseal_protocol.grant import Grants
from meterseal_protocol.judge import Decision, decide
from meterseal_protocol.judge.sheet import sheet
from meterseal_protocol.rules import load_pack, plan_for
from meterseal_protocol.signoff import Row
from meterseal_protocol.statement import Statement
from meterseal_protocol.testing.people import correction, says
from meterseal_protocol.testing.runs import TYPE_FIELDS
from meterseal_protocol.testing.trial import Trial
from meterseal_protocol.testing.world import World
from meterseal_wire import kinds, point
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.encode import LARGEST, encode
from meterseal_wire.kinds import check_payload

METER, OTHER = "DEMO.12345678", "DEMO.87654321"
PACKS = [load_pack("jjg162"), load_pack("jjg577")]
PLAN = plan_for(PACKS[0], TYPE_FIELDS[kinds.WATER])
WORLD = World()
KEYS = [WORLD.keys[name].public for name in ("root", "province", "registry", "W1", "verifier")]
IDENTITIES = [bytes([number]) * 32 for number in range(12)]
JUDGED = [typ for typ in kinds.KINDS if typ not in (L.KIND_DECISION, L.KIND_CUSTODY, L.KIND_CHECKPOINT)]

SMALL = st.integers(0, 4)
UINTS = st.one_of(SMALL, SMALL, st.sampled_from([LARGEST, 1 << 32, 1_790_000_000]), st.integers(0, LARGEST))
INTS = st.one_of(UINTS, UINTS.map(lambda number: -number))
HASHES = st.one_of(st.sampled_from(IDENTITIES), st.just(sha256(PLAN)), st.just(PACKS[0].digest))
TEXTS = st.sampled_from(["DEMO", "YUHANG1", "W1", "33", "key rotated", "2026F101-33", "é", ""])


def values(shape: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """Anything that a shape allows, small or extreme."""
    rule = shape[0]
    if rule == "list":
        return st.lists(values(shape[1]), max_size=3)
    if rule == "row":
        return st.tuples(*(values(part) for part in shape[1:])).map(list)
    if rule == "map":
        return maps(shape[1], shape[2])
    if rule == "text":
        return (
            st.sampled_from([METER, METER, OTHER, ""])
            if shape == kinds.METER_ID
            else TEXTS.map(lambda t: t[: shape[1]])
        )
    if rule == "point":
        parts = [INTS if at in point.MAY_BE_NEGATIVE else UINTS for at in range(len(point.FIELDS))]
        return st.tuples(*parts).map(list)
    simple = {
        "uint": UINTS,
        "int": INTS,
        "blob": st.binary(max_size=4),
        "key": st.sampled_from([key.cose for key in KEYS]),
    }
    if rule in simple:
        return simple[rule]
    return HASHES if shape[1] == 32 else st.binary(min_size=shape[1], max_size=shape[1])


def maps(required: dict[int, Any], optional: dict[int, Any]) -> st.SearchStrategy[dict[int, Any]]:
    """A map with every required field and some of the optional ones."""
    return st.fixed_dictionaries(
        {label: values(shape) for label, shape in required.items()},
        optional={label: values(shape) for label, shape in optional.items()},
    )


def grants() -> st.SearchStrategy[dict[int, Any]]:
    """A grant of any kind, with its own fields."""

    def of(kind: int) -> st.SearchStrategy[dict[int, Any]]:
        shapes = {**kinds.KINDS[L.KIND_GRANT][0], **kinds.KINDS[L.KIND_GRANT][1]}
        needed = (L.GRANT, L.NUMBER, L.WINDOW, *kinds.GRANT_FIELDS[kind])
        may = (L.PARENT, L.DEMO, *kinds.GRANT_OPTIONS.get(kind, ()))
        found = maps({label: shapes[label] for label in needed}, {label: shapes[label] for label in may})
        return found.map(lambda payload: {**payload, L.GRANT: kind})

    return st.sampled_from(sorted(kinds.GRANT_FIELDS)).flatmap(of)


def payloads(typ: int) -> st.SearchStrategy[dict[int, Any]]:
    """Anything that `check_payload` lets through for a kind."""
    return grants() if typ == L.KIND_GRANT else maps(*kinds.KINDS[typ])


@st.composite
def entry(draw: st.DrawFn, number: int) -> Entry:
    """One statement of any kind at any place, under one of five keys."""
    typ = draw(st.sampled_from(JUDGED))
    payload = draw(payloads(typ))
    check_payload(typ, payload)
    chain = (draw(SMALL), draw(SMALL), draw(HASHES)) if typ in kinds.CHAINED else None
    key = draw(st.sampled_from(KEYS)).thumbprint
    found = Statement(b"", IDENTITIES[number], b"", b"", b"", b"", typ, key[:8], "X", "x", chain, payload)
    return Entry(found, key, draw(st.integers(0, 12)), draw(UINTS))


ROWS = st.builds(
    lambda *parts: Row(*parts).encoded(),
    HASHES,
    SMALL,
    st.sampled_from([METER, OTHER]),
    st.sampled_from([1, 2]),
    INTS,
)
ITEMS = st.lists(st.one_of(st.just(PLAN), st.binary(max_size=12), ROWS), max_size=3).map(tuple)


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[Entry], dict[bytes, tuple[bytes, ...]]]:
    """A handful of entries and evidence items of some of them."""
    entries = [draw(entry(number)) for number in range(draw(st.integers(0, len(IDENTITIES))))]
    return entries, {found.statement.identity: draw(ITEMS) for found in entries}


def fits(decision: Decision) -> None:
    """It can be signed, and granted means without any reason."""
    check_payload(L.KIND_DECISION, decision.payload())
    encode(decision.payload())
    assert decision.granted == (decision.reasons == ())
    assert not decision.granted or decision.result is not None


@settings(max_examples=250, deadline=None)
@given(log=logs(), at_s=UINTS, size=st.integers(0, 13))
def test_hostile_evidence_has_an_answer(
    log: tuple[list[Entry], dict[bytes, tuple[bytes, ...]]], at_s: int, size: int
) -> None:
    """Picked by the rule, or handed over as a whole, which no honest caller does."""
    entries, blobs = log
    authority = Grants(
        [e for e in entries if e.statement.typ in (L.KIND_GRANT, L.KIND_WITHDRAWAL)], WORLD.anchors
    )
    picked = select(METER, entries, size, blobs)
    whole = Evidence(METER, tuple(entries), size, blobs)
    for evidence in (picked, whole):
        fits(decide(evidence, authority, PACKS, at_s))
        sheet([evidence], authority, PACKS)


@settings(max_examples=250, deadline=None)
@given(data=st.data(), which=st.integers(0, 1 << 16), typ=st.sampled_from(JUDGED))
def test_one_hostile_statement_in_an_honest_log_has_an_answer(
    data: st.DataObject, which: int, typ: int
) -> None:
    """A good meter's log, in which one statement says anything that its kind allows, or a new one does."""
    evidence, authority, packs, at_s = honest()
    mine = [e for e in evidence.entries if e.statement.typ == typ] or list(evidence.entries)
    old = mine[which % len(mine)]
    payload = data.draw(payloads(typ))
    chain = old.statement.chain or ((1, 1, bytes(32)) if typ in kinds.CHAINED else None)
    changed = Statement(b"", old.statement.identity, b"", b"", b"", b"", typ, b"", "X", "x", chain, payload)
    entries = [e for e in evidence.entries if e is not old] + [
        Entry(changed, old.key, old.leaf, old.entered_s)
    ]
    fits(decide(Evidence(METER, tuple(entries), evidence.log_size, evidence.blobs), authority, packs, at_s))


def honest() -> tuple[Evidence, Grants, list[Any], int]:
    """A granted meter, with a sampling, a correction, a check and a second measurement around it."""
    if not HONEST:
        trial = Trial().begin().run()
        record, now_s = trial.record, trial.record.now_s
        marks = record.of_kind(L.KIND_MARKS)[0].statement.identity
        trial.enter(correction(trial.world, "approver", marks, now_s, marks))
        head = {
            L.NUMBER: 1,
            L.MAKER: "DEMO",
            L.WINDOW: [now_s, now_s],
            L.COMMITMENT: bytes(32),
            L.SHARE: [1, 2],
        }
        trial.enter(says(trial.world, "province", L.KIND_SAMPLING, head))
        trial.decide()
        HONEST.append((record.evidence(METER), record.grants(), trial.packs, now_s))
    return HONEST[0]


HONEST: list[tuple[Evidence, Grants, list[Any], int]] = []
