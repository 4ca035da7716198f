"""The gate says yes only where the strict reader does, and to the same statement; and each of its checks is needed.

The strict reader (`scan`, `check_payload`, NFC) is the other side here: it has vectors and tests of its own and knows
nothing of patterns. Messages come from the table of kinds: right ones, and ones with a single defect at every place.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterseal_protocol import gate
from meterseal_protocol.errors import BadHeader
from meterseal_protocol.gate import Gate
from meterseal_protocol.statement import Statement, read, read_strictly
from meterseal_protocol.testing.defects import longer, spoilt
from meterseal_protocol.testing.trial import Trial
from meterseal_wire import labels as L
from meterseal_wire.encode import BYTES, TEXT, encode, head
from meterseal_wire.errors import WireError
from meterseal_wire.kinds import CHAINED, KINDS
from meterseal_wire.point import FIELDS
from meterseal_wire.sign1 import join, sig_structure
from meterseal_wire.suites import ED25519, ESP256, SM2

GATE = Gate()
KEY = {1: 2, -1: 1, -2: bytes(32), -3: bytes(32)}
EDGES = [0, 1, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1]
ORDINARY = sorted(set(KINDS) - {L.KIND_GRANT})


def header(typ: int, **changes: Any) -> dict[int, Any]:
    """A protected header of the kind; `changes` are labels by name, such as ALG=-8, None to leave one out."""
    found = {
        L.HEADER_ALG: ESP256.alg,
        L.HEADER_KID: b"kid kid ",
        L.HEADER_CWT_CLAIMS: {L.CLAIM_ISS: "YUHANG1", L.CLAIM_SUB: "W1"},
        L.HEADER_TYP: typ,
    }
    if typ in CHAINED:
        found[L.HEADER_CHAIN] = [3, 300, b"p" * 32]
    found |= {getattr(L, f"HEADER_{name}"): value for name, value in changes.items()}
    return {label: value for label, value in found.items() if value is not None}


def sample(shape: Any, items: int = 2) -> Any:
    """A value of a shape, with so many items a list; with none, optional fields are left out too."""
    rule, *rest = shape
    if rule == "list":
        return [sample(rest[0], items)] * items
    if rule == "row":
        return [sample(part, items) for part in rest]
    if rule == "map":
        fields = {**rest[0], **(rest[1] if items else {})}
        return {label: sample(part, items) for label, part in fields.items()}
    if rule in ("bytes", "blob"):
        return bytes(rest[0])
    return {"uint": 300, "int": -70_000, "point": list(range(len(FIELDS))), "key": KEY, "text": "text"}[rule]


def message(protected: bytes, payload: bytes) -> bytes:
    """Both in their envelope, with 64 bytes where a signature would be."""
    return bytes(join(protected, payload, b"s" * 64))


def plain(typ: int, items: int = 2) -> dict[int, Any]:
    """A payload with all that the gate knows of a kind, so no field with a key; with 0, the required fields."""
    required, optional = KINDS[typ]
    known = {label: shape for label, shape in optional.items() if shape[0] != "key"} if items else {}
    return {label: sample(shape, items) for label, shape in {**required, **known}.items()}


def accepted(raw: bytes) -> Statement | None:
    """What the strict reader makes of it."""
    try:
        return read_strictly(raw)
    except (WireError, BadHeader):
        return None


def defective() -> Iterator[bytes]:
    """Every kind's message with one defect in payload, header or envelope; some may be right all the same."""
    for typ in ORDINARY:
        protected, payload = encode(header(typ)), encode(plain(typ))
        for items in (1, 2):
            yield from (message(protected, bad) for bad in spoilt(plain(typ, items)))
        yield from (message(bad, payload) for bad in spoilt(header(typ)))
        for changes in (
            {"ALG": -7},
            {"CRIT": [1]},
            {"CONTENT_TYPE": 60},
            {"CWT_CLAIMS": {1: "A"}},
            {"CWT_CLAIMS": {1: "", 2: "W1"}},
            {"CWT_CLAIMS": {1: "A" * 17, 2: "W1"}},
            {"CHAIN": None if typ in CHAINED else [1, 0, bytes(32)]},
            {"CHAIN": [0, 1, bytes(32)]},
            *({"TYP": other} for other in (0, 65000, L.KIND_GRANT, *KINDS) if other != typ),
        ):
            yield message(encode(header(typ, **changes)), payload)
        yield from envelopes(protected, payload)
    no_delegation = {L.GRANT: 1, L.NUMBER: 1, L.WINDOW: [1, 2], L.PARENT: bytes(32)}
    yield message(encode(header(L.KIND_GRANT)), encode(no_delegation))
    # 255 bytes: 17 around the rows, 13 of 16 bytes and 3 of 10. The longest payload with a head of two bytes.
    rows = [[70_000] * 3] * 13 + [[300] * 3] * 3
    yield from envelopes(encode(header(L.KIND_ABANDONED)), encode(plain(L.KIND_ABANDONED, 0)))
    yield from envelopes(
        encode(header(L.KIND_ABANDONED)), encode({**plain(L.KIND_ABANDONED), L.RAW_COUNTS: rows})
    )


def envelopes(protected: bytes, payload: bytes) -> Iterator[bytes]:
    """The message with another outside."""
    good = message(protected, payload)
    yield from (good[:end] for end in range(len(good)))
    yield from (good[1:], good + b"\x00", b"\xd1" + good[1:], b"\xd2\x83" + good[2:])
    yield good.replace(protected + b"\xa0", protected + b"\xa1\x01\x01")
    yield good[:-66] + b"\x58\x41" + good[-64:] + b"s"
    yield from (
        good[:-66] + other + good[-64:] for other in (b"\x59\x40", b"\x78\x40", b"\x58\x3f", b"\x00\x40")
    )
    yield good[:-66] + b"\x58\x3f" + good[-63:]
    for part in (protected, payload):
        fit = head(BYTES, len(part))
        others = (*longer(BYTES, len(part)), head(TEXT, len(part)))
        yield from (good.replace(fit + part, other + part) for other in others)
        yield from (good.replace(fit + part, head(BYTES, len(part) + more) + part) for more in (-1, 1))


DEFECTIVE = list(defective())
REFUSED = [raw for raw in DEFECTIVE if accepted(raw) is None]


def test_most_single_defects_are_real_ones() -> None:
    """Some, such as a longer text, still fit: those are read; the rest is what the gate must not let through."""
    assert len(REFUSED) > 5_000
    assert len(REFUSED) > 0.9 * len(DEFECTIVE)


def test_no_defect_passes_the_gate() -> None:
    """What the strict reader refuses, at whatever place, the gate does not know."""
    assert [raw.hex() for raw in REFUSED if GATE.look(raw)] == []


def test_what_passes_the_gate_is_the_statement_that_the_strict_reader_reads() -> None:
    """Every field of it, also those that are made later: identity, names, chain, payload."""
    passed = [raw for raw in DEFECTIVE if GATE.look(raw)]
    assert len(passed) > 100
    for raw in passed:
        assert read(raw) == read_strictly(raw)


# Right messages, of the whole range of shapes.

TEXTS = st.text(st.characters(codec="ascii"), max_size=70) | st.text("封印é\u0301a", max_size=8)
NUMBERS = st.sampled_from(EDGES) | st.integers(0, 2**63 - 1)


def values(shape: Any) -> st.SearchStrategy[Any]:
    """Values that a shape allows, and texts and lists that are sometimes too long."""
    rule, *rest = shape
    if rule == "list":
        return st.lists(values(rest[0]), max_size=3) | st.integers(20, 26).flatmap(
            lambda count: values(rest[0]).map(lambda item: [item] * count)
        )
    if rule == "row":
        return st.tuples(*map(values, rest)).map(list)
    if rule == "map":
        return maps(rest[0], rest[1])
    if rule == "point":
        return st.lists(NUMBERS, min_size=len(FIELDS), max_size=len(FIELDS))
    if rule in ("bytes", "blob"):
        return st.binary(min_size=rest[0] if rule == "bytes" else 0, max_size=rest[0])
    simple = {
        "uint": NUMBERS,
        "int": NUMBERS.flatmap(lambda n: st.sampled_from([n, -n])),
        "key": st.just(KEY),
    }
    return simple.get(rule, TEXTS)


def maps(required: dict[int, Any], optional: dict[int, Any]) -> st.SearchStrategy[dict[int, Any]]:
    """Maps with the required fields and some of the optional ones."""
    return st.fixed_dictionaries(
        {label: values(shape) for label, shape in required.items()},
        optional={label: values(shape) for label, shape in optional.items()},
    )


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A message of any kind, most of them right, now and then with a byte changed, taken out or put in."""
    typ = draw(st.sampled_from(sorted(KINDS)))
    suite = draw(st.sampled_from([ESP256, SM2, ED25519]))
    names = {
        1: draw(st.text("ABé1", min_size=1, max_size=16)),
        2: draw(st.text("xyz", min_size=1, max_size=16)),
    }
    changes = {"ALG": suite.alg, "CWT_CLAIMS": names}
    if typ in CHAINED:
        changes["CHAIN"] = [draw(NUMBERS), draw(NUMBERS), draw(st.binary(min_size=32, max_size=32))]
    raw = message(encode(header(typ, **changes)), encode(draw(maps(*KINDS[typ]))))
    at, byte = draw(st.integers(0, len(raw) - 1)), draw(st.binary(min_size=1, max_size=1))
    edit = draw(st.sampled_from(["none", "none", "change", "drop", "insert"]))
    after = {
        "none": raw[at:],
        "change": byte + raw[at + 1 :],
        "drop": raw[at + 1 :],
        "insert": byte + raw[at:],
    }
    return raw[:at] + after[edit]


@settings(max_examples=1500, deadline=None)
@given(messages())
def test_yes_of_the_gate_is_a_yes_of_the_strict_reader(raw: bytes) -> None:
    """And the two read the same; where the gate says nothing, the strict reader decides."""
    strict = accepted(raw)
    if GATE.look(raw):
        assert strict is not None
    if strict is not None:
        assert read(raw) == strict


@pytest.mark.parametrize("typ", ORDINARY)
def test_an_ordinary_statement_passes(typ: int) -> None:
    """Else the gate would be safe and of no use. A field with a key, or a very short payload, goes the strict way."""
    for items in range(3):
        payload = encode(plain(typ, items))
        assert len(payload) < 24 or GATE.look(message(encode(header(typ)), payload))


def test_everything_about_a_meter_passes() -> None:
    """The model world's statements, from boot to marks; grants do not."""
    trial = Trial().begin().run()
    trial.decide()
    statements = [entry.statement for entry in trial.record.pool]
    passed = {statement.typ for statement in statements if GATE.look(statement.raw)}
    assert passed == {statement.typ for statement in statements} - {L.KIND_GRANT}
    assert {L.KIND_BOOT, L.KIND_ATTEMPT, L.KIND_RESULT, L.KIND_BEACON, L.KIND_SCOPE} <= passed


@pytest.mark.parametrize("count", [0, 1, 2, 20, 23])
def test_so_does_a_result_of_many_positions(count: int) -> None:
    """CBOR counts up to 23 in the head itself; 24 go the strict way, and are read."""
    seat = KINDS[L.KIND_RESULT][0][L.POSITIONS][1]
    seats = [sample(seat, at % 3) for at in range(count)]
    raw = message(encode(header(L.KIND_RESULT)), encode({**plain(L.KIND_RESULT), L.POSITIONS: seats}))
    assert GATE.look(raw)
    more = [sample(seat, 0)] * 24
    raw = message(encode(header(L.KIND_RESULT)), encode({**plain(L.KIND_RESULT), L.POSITIONS: more}))
    assert GATE.look(raw) is None
    assert read(raw).payload[L.POSITIONS] == more


@pytest.mark.parametrize("typ", [L.KIND_RESULT, L.KIND_CUSTODY])
@pytest.mark.parametrize("issuer", ["A", "A" * 16, "é" * 16, "\U0001f4a7" * 16])
@pytest.mark.parametrize("suite", [ESP256, SM2, ED25519])
def test_the_signed_bytes_are_those_of_rfc_9052(typ: int, issuer: str, suite: Any) -> None:
    """Put together from the message as it lies there, they equal a Sig_structure made from the parts."""
    changes = {"ALG": suite.alg, "CWT_CLAIMS": {1: issuer, 2: issuer}}
    statement = read(message(encode(header(typ, **changes)), encode(plain(typ))))
    assert statement.signed == sig_structure(statement.protected, statement.body)


@pytest.mark.parametrize(
    "rule, typ", [("point", L.KIND_RESULT), ("text", L.KIND_EVENT), ("list", L.KIND_SCOPE)]
)
def test_a_rule_without_a_pattern_leaves_its_kinds_to_the_strict_reader(rule: str, typ: int) -> None:
    """Whoever adds a rule to the table of kinds need not know of the gate: no yes, and no error either."""
    found = Gate({name: made for name, made in gate.RULES.items() if name != rule})
    raw = message(encode(header(typ)), encode(plain(typ)))
    assert GATE.look(raw)
    assert found.look(raw) is None


def test_bytes_that_may_still_change_go_the_strict_way() -> None:
    """A bytearray is read, and its statement does not hang on it."""
    raw = message(encode(header(L.KIND_CUSTODY)), encode(plain(L.KIND_CUSTODY)))
    assert read(bytearray(raw)).payload == read(raw).payload  # type: ignore[arg-type]


def test_hostile_length_does_not_make_the_gate_search() -> None:
    """Nothing repeats an open number of times, so a match that fails at the last byte of 16 KiB has no other way."""
    GATE.look(message(encode(header(L.KIND_RESULT)), encode(plain(L.KIND_RESULT))))
    fields = [found[2].__self__ for found in GATE.payloads.values()]
    inner = [item.inner for item in fields if item.inner]
    patterns = [GATE.envelope.__self__.pattern, *(item.pattern for item in (*fields, *inner))]
    assert len(patterns) > 2
    for pattern in patterns:
        assert re.findall(rb"\*|\{\d*,\d*\}|(?<![})?])\+|[^(]\?[^+]", pattern) == []
    seat = sample(KINDS[L.KIND_RESULT][0][L.POSITIONS][1], 20)
    payload = encode({**plain(L.KIND_RESULT), L.POSITIONS: [seat] * 23})
    assert 8_000 < len(payload) < 16_000
    assert GATE.look(message(encode(header(L.KIND_RESULT)), payload))
    assert GATE.look(message(encode(header(L.KIND_RESULT)), payload[:-1])) is None


# Each check is needed.

SOURCE = Path(gate.__file__).read_text("utf-8")
PLANTED = [
    ("an integer of two bytes that fits in one", r"|\x18[\x18-\xff]|", r"|\x18.|"),
    ("an integer of three bytes that fits in two", r"|\x19[^\0].|[\0", r"|\x19..|[\0"),
    ("an integer of five bytes that fits in three", r"|\x1a\0[^\0]..|", r"|\x1a\0...|"),
    ("an integer of nine bytes that fits in five", r"\x1b(?!\0\0\0\0)[\0-\x7f]", r"\x1b[\0-\x7f]"),
    ("an integer beyond 2^63 - 1", r"\x1b(?!\0\0\0\0)[\0-\x7f]", r"\x1b(?!\0\0\0\0)."),
    ("an integer of -2^63", r"[\0-\x7e]", r"[\0-\x7f]"),
    ("a negative number too long", r"|\x38[\x18-\xff]|", r"|\x38.|"),
    ("a negative one where none may be", '"uint": lambda _: UINT', '"uint": lambda _: INT'),
    ("text that is not UTF-8", r'ASCII = rb"[\0-\x7f]"', 'ASCII = rb"."'),
    ("a longer text", "range(min(most, MOST_TEXT) + 1)", "range(min(most, MOST_TEXT) + 2)"),
    ("a longer name", "range(1, NAME + 1)", "range(1, NAME + 2)"),
    ("an empty name", "range(1, NAME + 1)", "range(NAME + 1)"),
    ("fewer or more bytes", "range(exactly, exactly + 1)", "range(exactly - 1, exactly + 2)"),
    ("a longer blob", "range(most + 1), b", "range(most + 2), b"),
    ("a list with an item too few", '"(?:%s){%d}+"', '"(?:%s){,%d}+"'),
    ("a point with fewer numbers", "range(len(point.FIELDS))", "range(len(point.FIELDS) - 1)"),
    ("optional fields not counted", "found.end() if raw[at] + missing == self.most else -1", "found.end()"),
    ("those of one item not counted", "found.groups().count(None) == inner.most", "1"),
    ("a payload shorter than it says", "payload_end(raw, start) != end", "payload_end(raw, start) < 0"),
    ("another head of the signature", " or not raw.startswith(SIGNATURE, end)", ""),
    ("a header of another length", " or raw[HEADER_START - 1] != at - HEADER_START - 1", ""),
    ("a payload of another length", "24 <= size == raw[at + 1]", "24 <= size"),
    ("a payload below 24 bytes with a long head", "24 <= size ==", "0 <= size =="),
    ("a payload with another head", "raw[at] == BYTES + 24", "raw[at] & 24"),
    ("a long payload of another length", "256 <= size == (raw[at + 1] << 8) + raw[at + 2]", "256 <= size"),
    ("a long payload with another head", "raw[at] == BYTES + 25", "raw[at] & 25"),
    ("a payload of 255 bytes with a long head", "256 <= size ==", "size =="),
    ("a chain of epoch 0", r"\x83(?!\0)", r"\x83"),
    ("no chain, or one too many", "raw[HEADER_START] != fields or ", ""),
    ("a grant without its fields", "shapes is None or typ == L.KIND_GRANT or", "shapes is None or"),
]


def loosened(old: str, new: str) -> Gate:
    """A gate made from the source with one check less."""
    assert old in SOURCE
    module = ModuleType("loosened")
    exec(compile(SOURCE.replace(old, new, 1), "loosened", "exec"), vars(module))
    found: Gate = module.Gate()
    return found


@pytest.mark.parametrize("old, new", [row[1:] for row in PLANTED], ids=[row[0] for row in PLANTED])
def test_a_gate_with_one_check_less_is_caught(old: str, new: str) -> None:
    """There is a message that it lets through and the strict reader refuses, so the tests above would see it."""
    found = loosened(old, new)
    assert any(found.look(raw) for raw in REFUSED)
