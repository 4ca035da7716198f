"""The published grammar and the code refuse the same: every example broken at every place, in every way of `WRONG`.

`spec/meterseal.cddl` (RFC 8610) is for other implementations; `kinds.py` and the readers are ours; pycddl judges for
the grammar. What the code accepts the grammar must accept, except as `STRICTER` states. What the code refuses the
grammar must refuse, wherever pycddl's yes counts (`dependable`); rules inside rules stand as `PARTS` for that.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cbor2
import pycddl
import pytest

from meterseal_protocol.certificate import take_apart
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.statement import read
from meterseal_protocol.testing.runs import point
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError
from meterseal_wire.sign1 import join

TEXT = (Path(__file__).parents[1] / "spec" / "meterseal.cddl").read_text("utf-8")
HASH, BLOB = bytes(32), bytes(8)
KEY = PrivateKey(bytes(31) + b"\x07").public.cose
SPREAD, LARGEST = [-1, 0, 1], 2**63 - 1
METER = "DEMO.12082058"
ONE_METER = {L.METER: METER, L.RESULT: HASH, L.POSITION: 1}
HEAD = {L.NUMBER: 1, L.PARENT: HASH, L.WINDOW: [0, 1], L.DEMO: 1}

SEAT = {L.POSITION: 1, L.METER: METER, L.READ_BY: 1, L.TYPE: "2026F101-33"}
SEAT |= {L.ELECTRONIC_ADDRESS: BLOB, L.START_REGISTER: -1, L.PARAMETERS: BLOB}
MEASURED = {L.POSITION: 1, L.POINTS: [point(0, 2_500_000, 0)], L.END_REGISTER: 5, L.ENDED: kinds.NO_FLOW}
MEASURED |= {L.TIGHTNESS: [15_000, 15_000, 60]}
CLOCK, TREE = [1_000_000, 1, 0], {L.LOG_SIZE: 1, L.LOG_ROOT: HASH}
BOOT = {L.COUNTER: 4, L.CLOCK: CLOCK, L.LAST_HEAD: [1, 9], L.FIRMWARE_DIGEST: HASH, L.FIRMWARE_VERSION: "0.1"}
ATTEMPT = {L.POSITIONS: [SEAT], L.MODE: 1, L.COUNTER: 5, L.PLAN: HASH, L.OPERATOR: BLOB, L.TENANT: "T"}
DECISION = {
    L.POSITION: 1,
    L.END_REGISTER: -1,
    L.METER: METER,
    L.LOG_SIZE: 1,
    L.WINDOW: [0, 1],
    L.TERRITORY: ["33"],
}
DECISION |= {L.RULES: HASH, L.DEMO: 1, L.OUTCOME: 2, L.REASONS: [["error.limit", [1, -2]]], L.RESULT: HASH}
DECISION |= {
    L.BUDGET: [[0, 0, "standard", -5]],
    L.INPUTS_DIGEST: HASH,
    L.JUDGE: "judge/1",
    L.AT_S: 1,
    L.TRIES: 1,
}
TYPE = {L.TYPE: "2026F101-33", L.MAKER: "DEMO", L.ACCURACY_CLASS: 20, L.FLOWS_ML_PER_H: [2_500_000, 100]}
TYPE |= {
    L.METER_PULSE_UL: [10_000, 1],
    L.REGISTER_EXPONENT: -3,
    L.BUS_IDENTITY: bytes(4),
    L.UPDATE_INTERVAL_MS: 0,
}
TYPE |= {L.CYCLE_VOLUME_UL: 10_000, L.MEDIUM: 1, L.NOMINAL: 20, L.PARAMETER_CHECKSUMS: [BLOB]}

FRONT_ENDS: dict[int, Any] = {L.REFUSED: HASH, L.FRONT_ENDS: [["pio", 8, 1_000_000, 1, 1, 10_000]]}

# One payload of every rule, with every field that may be left out.
PAYLOADS: dict[str, tuple[int, dict[int, Any]]] = {
    "boot": (L.KIND_BOOT, {**BOOT, L.BOARD: "unix", L.RESET_CAUSE: 1, L.PACKS: [HASH], **FRONT_ENDS}),
    "attempt": (
        L.KIND_ATTEMPT,
        {**ATTEMPT, L.BEACON: HASH, L.BENCH_CHECKS: [15_000, 15_000, 60, 0], L.CLOCK: CLOCK},
    ),
    "result": (
        L.KIND_RESULT,
        {
            L.ATTEMPT: [1, 1],
            L.POSITIONS: [MEASURED],
            L.EVIDENCE_ROOT: HASH,
            L.CONDITIONS: [SPREAD, SPREAD, SPREAD],
        },
    ),
    "abandoned": (L.KIND_ABANDONED, {L.ATTEMPT: [1, 1], L.REASON: 5, L.RAW_COUNTS: [[1, 2, 3]]}),
    "event": (
        L.KIND_EVENT,
        {
            L.ATTEMPT: [1, 1],
            L.POSITION: 1,
            L.EVENT: "key rotated",
            L.DETAIL: "封印 17",
            L.SUBJECT_KEY: KEY,
            L.COUNTERSIGNATURE: bytes(64),
        },
    ),
    "edge-time": (L.KIND_TIME, {L.NONCE: BLOB, L.TIME_S: 1, L.KEY: HASH}),
    "custody": (L.KIND_CUSTODY, {L.KEY: HASH, L.EPOCH: 1, L.SEQ: 0, L.HEAD: HASH, **TREE}),
    "refused": (L.KIND_REFUSED, {L.KEY: HASH, L.EPOCH: 1, L.SEQ: 0, L.STATEMENT: HASH, L.CODE: "wire.text"}),
    "signoff": (L.KIND_SIGNOFF, {L.ROLE: 2, L.ROWS: HASH, L.TIME_S: 1, L.TENANT: "T"}),
    "marks": (L.KIND_MARKS, {**ONE_METER, L.SEALS: ["A17"], L.TIME_S: 1}),
    "correction": (L.KIND_CORRECTION, {L.REPLACES: HASH, L.REPLACEMENT: HASH, L.TIME_S: 1, L.DETAIL: "d"}),
    "notice": (L.KIND_NOTICE, {**ONE_METER, L.CODES: ["error.limit"], L.TIME_S: 1}),
    "withdrawal": (
        L.KIND_WITHDRAWAL,
        {L.STATEMENT: HASH, L.TAINTED_FROM_S: 1, L.TIME_S: 2, L.DETAIL: "d"},
    ),
    "sampling": (
        L.KIND_SAMPLING,
        {
            L.NUMBER: 1,
            L.MAKER: "DEMO",
            L.WINDOW: [1, 2],
            L.COMMITMENT: HASH,
            L.SHARE: [1, 50],
            L.SEED: HASH,
        },
    ),
    "remeasurement": (
        L.KIND_REMEASUREMENT,
        {**ONE_METER, L.OUTCOME: 1, L.TIME_S: 1, L.INSTITUTION: "ZJIM", L.NUMBER: 1, L.DETAIL: "d"},
    ),
    "claim": (L.KIND_CLAIM, {L.STATEMENT: HASH, L.TIME_S: 1, L.PLACE: "330110"}),
    "checkpoint": (L.KIND_CHECKPOINT, {L.TIME_S: 1, **TREE, L.ORIGIN: "edge/EDGE1"}),
    "sighting": (L.KIND_SIGHTING, {L.STATEMENT: HASH, L.NOTE: BLOB, L.INCLUSION: [2, 1, [HASH]]}),
    "beacon": (L.KIND_BEACON, {L.TIME_S: 1, **TREE, L.NUMBER: 1}),
    "scope": (L.KIND_SCOPE, {L.METER: METER, L.TIME_S: 1, L.LOG_SIZE: 1, L.ENTRIES: [HASH]}),
    "decision": (L.KIND_DECISION, DECISION),
}
MANUFACTURER = {L.GRANT: 2, L.TERRITORY: ["33"], L.MAKER: "DEMO", L.MEDIA: [1], L.NOMINAL_RANGE: [15, 60]}
STANDARD = {L.GRANT: 4, L.STANDARD: "REF-W1", L.CALIBRATION: [[20_000, [1_000, 1], 1500]], L.MANAGEMENT: 1}
FIXTURE = {L.GRANT: 5, L.SUBJECT_KEY: KEY, L.FIXTURE: "W1", L.BENCH: "B", L.POSITION_COUNT: 8, L.ASSURANCE: 0}
DELEGATION = {L.GRANT: 1, L.TERRITORY: ["33"], L.SUBJECT_KEY: KEY, L.MEASURES: [5], L.DEPTH: 1}
PERSON = {L.GRANT: 9, L.SUBJECT_KEY: KEY, L.ROLES: [1, 2]}
SUPERVISOR = {L.GRANT: 11, L.SUBJECT_KEY: KEY, L.SUPERVISOR: "ZJIM", L.MAKER: "DEMO"}
FIRMWARE = {L.GRANT: 13, L.FIRMWARE_DIGEST: HASH, L.FIRMWARE_VERSION: "0.1", L.BOARD: "unix"}
GRANTS: dict[str, dict[int, Any]] = {
    "delegation": {**DELEGATION, L.MAKER: "DEMO", L.MEDIA: [1], L.NOMINAL_RANGE: [15, 60], L.SITES: ["Y"]},
    "manufacturer": {**MANUFACTURER, L.SITES: ["Y"]},
    "type": {L.GRANT: 3, **TYPE, L.APPROVAL: "R49/2013-A-CN1-2026.01"},
    "variant": {L.GRANT: 3, **TYPE, L.APPROVAL: "A", L.VARIANT_OF: HASH, L.CLAUSES: ["5.3"]},
    "standard": {**STANDARD, L.TRACEABILITY: ["DEMO"]},
    "fixture": {
        **FIXTURE,
        L.STANDARDS: ["REF-W1"],
        L.SITE: "Y",
        L.SEALS: ["A17"],
        L.CHECK_METER: "CM1",
    },
    "edge": {L.GRANT: 6, L.SUBJECT_KEY: KEY, L.EDGE: "EDGE1", L.SITE: "Y", L.LOG_KEY: KEY, L.QUORUM: 2},
    "registry": {L.GRANT: 7, L.SUBJECT_KEY: KEY, L.REGISTRY: "REG-CN", L.LOG_KEY: KEY},
    "log-witness": {L.GRANT: 8, L.SUBJECT_KEY: KEY, L.WITNESS: "W"},
    "person": {**PERSON, L.QUALIFICATION: [1, 2], L.INSTITUTION: "ZJIM"},
    "tenant": {L.GRANT: 10, L.TENANT: "T", L.MAKER: "DEMO", L.BENCHES: ["B"]},
    "supervisor": {**SUPERVISOR, L.SHARE: [1, 20]},
    "firmware": {**FIRMWARE, L.FIRMWARE_FLOOR: 3},
    "reference-material": {L.GRANT: 14, L.REFERENCE_MATERIAL: "GBW(E) 1", L.MAKER: "DEMO"},
    "rules": {L.GRANT: 12, L.RULES: HASH, L.RULES_NAME: "jjg162", L.PLANS: [HASH]},
}
EXAMPLES = {**PAYLOADS, **{rule: (L.KIND_GRANT, {**HEAD, **fields}) for rule, fields in GRANTS.items()}}

# A rule inside others: one value of it, and the example and path where it stands.
PARTS: dict[str, tuple[Any, str, tuple[Any, ...]]] = {
    "attempt-position": (SEAT, "attempt", (L.POSITIONS, 0)),
    "result-position": (MEASURED, "result", (L.POSITIONS, 0)),
    "point": (MEASURED[L.POINTS][0], "result", (L.POSITIONS, 0, L.POINTS, 0)),
    "spread": (SPREAD, "result", (L.CONDITIONS, 1)),
    "place": ([1, 1], "event", (L.ATTEMPT,)),
    "clock": (CLOCK, "boot", (L.CLOCK,)),
    "window": ([0, 1], "rules", (L.WINDOW,)),
    "fraction": ([10_000, 1], "type", (L.METER_PULSE_UL,)),
    "p256-key": (KEY, "edge", (L.SUBJECT_KEY,)),
    "sm2-key": ({1: 2, -1: -70202, -2: HASH, -3: HASH}, "edge", (L.SUBJECT_KEY,)),
    "ed25519-key": ({1: 1, -1: 6, -2: HASH}, "edge", (L.SUBJECT_KEY,)),
}

FIXTURE_HEADER = {1: -9, 4: BLOB, 15: {1: "YUHANG1", 2: "W1"}, 16: L.KIND_EVENT, -70001: [1, 1, HASH]}
OTHER_HEADER = {1: -9, 4: BLOB, 15: {1: "REG-CN", 2: "beacon"}, 16: L.KIND_BEACON}
CERTIFICATE_HEADER = {1: -9, 4: BLOB, 16: L.KIND_CERTIFICATE}
CERTIFICATE = {
    1: "REG-CN",
    2: METER,
    4: 2,
    6: 1,
    -70002: [["33"], BLOB, bytes(16), 1, -5, -3, BLOB, 1, 77, 0],
}

# Values of every type and around every bound. Texts are empty or longer than any limit in either measure: the grammar
# counts bytes, four for each of the code's characters, because RFC 8610 has no count of characters.
WRONG: tuple[Any, ...] = (
    *(None, True, False, 0, -1, LARGEST, -LARGEST, "", "x" * 8193, b"", bytes(31), bytes(33), bytes(300)),
    *([], [0], [0, 0, 0, 0, 0], {}, {1: 2}),
)
# Where the grammar refuses more than the code's shapes do, and why.
STRICTER = {
    ("decision", (L.OUTCOME,)): "1 to 3: the code leaves an outcome's meaning to whoever reads the decision",
    ("decision", (L.REASONS, 0, 0)): "a code has a character at least: an empty one merely finds no words",
}


def by_grammar(grammar: pycddl.Schema, value: Any) -> bool:
    """True if the grammar accepts; cbor2 encodes, and as a stranger it keeps the order it is given."""
    try:
        grammar.validate_cbor(cbor2.dumps(value))
    except pycddl.ValidationError:
        return False
    return True


def by_code(check: Callable[[Any], object], value: Any) -> bool:
    """True if our reader accepts."""
    try:
        check(value)
    except (WireError, ProtocolError):
        return False
    return True


def schema(rule: str) -> pycddl.Schema:
    """The grammar, starting at one rule."""
    return pycddl.Schema(f"start = {rule}\n{TEXT}")


def dependable(path: tuple[Any, ...], item: Any, wrong: Any) -> bool:
    """True where pycddl's yes means something: at the first level of a rule, and for types that it tells apart."""
    if len(path) > 1 or isinstance(item, (dict, list)):
        return False
    if isinstance(item, (str, bytes)):
        return type(wrong) is not int and (type(wrong) is type(item) or not isinstance(wrong, (str, bytes)))
    return not isinstance(wrong, (bytes, dict))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Path and value of every item inside a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*path, key), item
        yield from places(item, (*path, key))


def broken(value: Any, path: tuple[Any, ...], change: Callable[[Any, Any], object]) -> Any:
    """A copy with a change made in the container of the item at `path`."""
    copy = cbor2.loads(cbor2.dumps(value))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    change(inner, path[-1])
    return copy


def variants(value: Any) -> Iterator[tuple[tuple[Any, ...], bool, Any]]:
    """Every single change (an item removed or exchanged, one too many): its path, and whether a yes counts."""
    yield (9999,), True, [*value, 0] if isinstance(value, list) else {**value, 9999: 0}
    for path, item in places(value):
        yield path, len(path) == 1, broken(value, path, lambda inner, key: inner.pop(key))
        for wrong in WRONG:
            changed = broken(value, path, lambda inner, key, wrong=wrong: inner.__setitem__(key, wrong))
            yield path, dependable(path, item, wrong), changed
        if isinstance(item, dict):
            yield path, False, broken(value, path, lambda inner, key: inner[key].__setitem__(9999, 0))
        if isinstance(item, list):
            yield path, False, broken(value, path, lambda inner, key: inner[key].append({}))


def differences(rule: str, value: Any, check: Callable[[Any], object]) -> list[Any]:
    """(path, who accepts alone, variant) of each variant on which the two differ."""
    grammar, found, tried = schema(rule), [], 0
    assert by_grammar(grammar, value)
    assert by_code(check, value)
    for path, counts, variant in variants(value):
        tried += 1
        grammars, ours = by_grammar(grammar, variant), by_code(check, variant)
        if ours and not grammars and (rule, path) not in STRICTER:
            found.append((path, "code", variant))
        if grammars and not ours and counts:
            found.append((path, "grammar", variant))
    assert tried > 19 * len(value)
    return found


def test_the_examples_have_every_field_there_is() -> None:
    """kinds.py's table has no field that the examples, read off the grammar by hand, leave out."""
    assert {typ for typ, _ in EXAMPLES.values()} == set(kinds.KINDS)
    assert {payload[L.GRANT] for payload in GRANTS.values()} == set(kinds.GRANT_FIELDS)
    for typ, payload in PAYLOADS.values():
        assert set(payload) == set(kinds.KINDS[typ][0]) | set(kinds.KINDS[typ][1])


@pytest.mark.parametrize("rule", EXAMPLES)
def test_grammar_and_code_agree_on_every_broken_payload(rule: str) -> None:
    """A field missing, of another type, out of bounds, or one too many; expected: the same verdict twice."""
    typ, payload = EXAMPLES[rule]
    assert differences(rule, payload, lambda value: kinds.check_payload(typ, value)) == []


@pytest.mark.parametrize("rule", PARTS)
def test_grammar_and_code_agree_on_every_broken_part(rule: str) -> None:
    """The rules that stand inside others, each on its own, put into an example for the code to see."""
    inner, outer, path = PARTS[rule]
    typ, payload = EXAMPLES[outer]

    def check(value: Any) -> None:
        put = broken(payload, path, lambda container, key: container.__setitem__(key, value))
        kinds.check_payload(typ, put)

    assert differences(rule, inner, check) == []


@pytest.mark.parametrize("rule", GRANTS)
def test_a_grant_carries_no_field_of_another_kind_of_grant(rule: str) -> None:
    """The grammar's eight maps are closed: what a grant does not mean must not stand in it."""
    payload = EXAMPLES[rule][1]
    everything = {label: value for fields in GRANTS.values() for label, value in fields.items()}
    for label, value in everything.items():
        if label in payload:
            continue
        wider = {**payload, label: value}
        assert not by_grammar(schema(rule), wider)
        assert not by_code(lambda value: kinds.check_payload(L.KIND_GRANT, value), wider), (rule, label)


@pytest.mark.parametrize(
    "rule, header, payload",
    [("fixture-header", FIXTURE_HEADER, "event"), ("other-header", OTHER_HEADER, "beacon")],
)
def test_grammar_and_code_agree_on_every_broken_header(rule: str, header: Any, payload: str) -> None:
    """Design section 5's header, under a payload that is right."""
    body = encode(EXAMPLES[payload][1])
    assert differences(rule, header, lambda value: read(join(encode(value), body, bytes(64)))) == []


def test_grammar_and_code_agree_on_every_broken_certificate() -> None:
    """RFC 8392's claims and our ten items, and the header above them."""

    def opened(header: Any, claims: Any) -> object:
        return take_apart(join(encode(header), encode(claims), bytes(64)))

    assert (
        differences("certificate-header", CERTIFICATE_HEADER, lambda header: opened(header, CERTIFICATE))
        == []
    )
    assert differences("certificate", CERTIFICATE, lambda claims: opened(CERTIFICATE_HEADER, claims)) == []


@pytest.mark.parametrize(
    "rule, value",
    [
        ("bstr .size 8", 0),
        ("tstr .size (0..8)", b""),
        ("0..9", b""),
        ("int", {1: 2}),
        ("[* [uint, uint]]", [0]),
        ("[* tstr .size (0..6)]", [0]),
    ],
)
def test_where_pycddl_slips(rule: str, value: Any) -> None:
    """RFC 8610 refuses all six and pycddl 0.6 takes them; once it does not, `dependable` can widen."""
    assert by_grammar(pycddl.Schema(f"start = {rule}"), value)
