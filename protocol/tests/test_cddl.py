"""CDDL and shapes say the same: spec/meterseal.cddl and kinds.py, held together.

pycddl, an independent CDDL tool, judges every sample; the samples are those that kinds.py accepts.
"""

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import cbor2
import pycddl
import pytest

from meterseal_protocol.certificate import Certificate, issue
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.testing.record import Record
from meterseal_protocol.testing.runs import Seat, plan_document, point
from meterseal_protocol.testing.world import WATER_BENCH, World
from meterseal_wire import kinds, labels
from meterseal_wire.errors import BadShape
from meterseal_wire.kinds import KINDS, check_payload

TESTS = Path(__file__).parent
SPEC = TESTS.parent / "spec"
CDDL = (SPEC / "meterseal.cddl").read_text("utf-8")
ROOTS = {name.replace("edge-time", "time"): name for name in re.findall(r"(?m)^([a-z-]+) = ", CDDL)}


def samples() -> ModuleType:
    """The portable samples of every kind."""
    found = importlib.util.spec_from_file_location("kinds_samples", TESTS / "portable" / "test_kinds.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


KIND_RULES = set(labels.KIND_NAMES.values())
SAMPLES: dict[int, dict[int, Any]] = samples().SAMPLES


def holds(rule: str, raw: bytes) -> bool:
    """True if pycddl takes CBOR bytes for an instance of a rule."""
    try:
        pycddl.Schema(f"start = {rule}\n{CDDL}").validate_cbor(raw)
    except pycddl.ValidationError:
        return False
    return True


def everything_signed() -> dict[str, bytes]:
    """One really signed message of every kind that the model world makes, and a certificate."""
    record = Record(World())
    record.enter_grants()
    fixture = ModelFixture(record.world.author(WATER_BENCH))
    seats = [
        Seat(1, "12082058", points=[point(0, 2_500_000, -1234)], end_litres=120),
        Seat(2, "12082059", silent=True, ended=1),
    ]
    plan = plan_document(bytes(32), [[2_500_000, 1000, 10_000_000, 5000, 1]])
    beacon = record.beacon()
    fixture.boot()
    fixture.attempt(seats, plan, beacon.statement.identity)
    fixture.result(seats)
    fixture.abandoned(kinds.OPERATOR, (1, 1), [[1, 2, 3]])
    fixture.event("case.opened", "封印 17")
    record.enter_all([fixture.boot()])
    record.scope(seats[0].meter)
    certificate = Certificate(
        "REG-CN", "DEMO.1", 1, 2, ("33",), bytes(8), bytes(16), 1, 5, -3, bytes(8), 1, 0, False
    )
    found = {f"{entry.statement.kind} {entry.leaf}": entry.statement.raw for entry in record.pool}
    found |= {f"signed {number}": item.raw for number, item in enumerate(fixture.signed)}
    return {**found, "certificate": issue(record.world.author("registry"), certificate)}


SIGNED = everything_signed()


@pytest.mark.parametrize("name", SIGNED)
def test_every_signed_message_is_one_of_the_cddl(name: str) -> None:
    """Envelope, protected header and payload, each by its rule: pycddl 0.6 does not follow .cbor into an array."""
    assert holds("#6.18([bstr, {}, bstr, bstr .size 64])", SIGNED[name])
    protected, _, payload, _ = cbor2.loads(SIGNED[name]).value
    assert holds("protected-header", protected)
    assert holds("payload", payload)
    kind = labels.KIND_NAMES[cbor2.loads(protected)[16]]
    assert holds(ROOTS[kind], payload)
    assert not any(holds(rule, payload) for other, rule in ROOTS.items() if other in KIND_RULES - {kind})


@pytest.mark.parametrize("typ", SAMPLES, ids=lambda typ: labels.KIND_NAMES[typ])
def test_every_sample_payload_is_one_of_its_kind(typ: int) -> None:
    """kinds.py and the CDDL accept the same sample."""
    check_payload(typ, SAMPLES[typ])
    assert holds(ROOTS[labels.KIND_NAMES[typ]], cbor2.dumps(SAMPLES[typ]))


# Byte strings are tried only where one stands: pycddl 0.6 takes their length for the value of a range. A text of 9000
# bytes is beyond every `.size`, which counts bytes where kinds.py counts characters.
CHANGES: list[tuple[int, int, Any]] = [
    (typ, label, wrong)
    for typ, sample in SAMPLES.items()
    for label, right in sample.items()
    for wrong in (
        None,
        True,
        "x" * 9000,
        -(2**62),
        [],
        {},
        *([b"x" * 33] if isinstance(right, bytes) else []),
    )
]


@pytest.mark.parametrize("typ", SAMPLES, ids=lambda typ: labels.KIND_NAMES[typ])
def test_what_the_shapes_refuse_the_cddl_refuses_too(typ: int) -> None:
    """Every required label of a kind set to wrong values and left out: both tools give one verdict."""
    rule = ROOTS[labels.KIND_NAMES[typ]]
    schema = pycddl.Schema(f"start = {rule}\n{CDDL}")
    differing = []
    for kind, label, wrong in CHANGES:
        if kind != typ:
            continue
        payload = {**SAMPLES[typ], label: wrong}
        if accepts(typ, payload) != validates(schema, payload):
            differing.append((label, wrong))
    for label in SAMPLES[typ]:
        payload = {name: value for name, value in SAMPLES[typ].items() if name != label}
        assert not accepts(typ, payload)
        assert not validates(schema, payload)
    assert differing == []


def accepts(typ: int, payload: Any) -> bool:
    """kinds.py's verdict."""
    try:
        check_payload(typ, payload)
    except BadShape:
        return False
    return True


def validates(schema: pycddl.Schema, payload: Any) -> bool:
    """Pycddl's verdict."""
    try:
        schema.validate_cbor(cbor2.dumps(payload))
    except pycddl.ValidationError:
        return False
    return True


def test_every_kind_has_its_rule() -> None:
    """Nothing can be sent that the CDDL does not know."""
    assert {labels.KIND_NAMES[typ] for typ in KINDS} <= set(ROOTS)


@pytest.mark.parametrize("medium", [kinds.WATER, kinds.GAS])
def test_a_plan_and_an_evidence_leaf_have_their_rules(medium: int) -> None:
    """What a statement only names by its hash has a form, too."""
    assert holds("plan", plan_document(bytes(32), [[100, 1, 2, 3, 4]], medium))
    more = {24: 3, 128: 2, 129: [100, 5000], 130: [1000, 9000, [[90, 110]]]}
    full = {**cbor2.loads(plan_document(bytes(32), [[100, 1, 2, 3, 4]], medium)), **more}
    assert holds("plan", cbor2.dumps(full, canonical=True))
    assert not holds("plan", cbor2.dumps({**full, 129: [100]}, canonical=True))
    assert all(holds("evidence-leaf", leaf) for leaf in Seat(1, "12082058", medium).leaves())
    assert holds("evidence-leaf", cbor2.dumps([1, 0, b"x", 2, 0]))
    assert not holds("evidence-leaf", cbor2.dumps([1, 0, b"x", 2]))
