"""meter, evidence: is it this meter, of a known type, and do its own telegrams say what was signed?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from meterseal_protocol.evidence import Entry, evidence_root
from meterseal_protocol.grant import Reason
from meterseal_protocol.judge.case import Case
from meterseal_protocol.judge.history import Stand
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire import point as p
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan
from meterseal_wire.telegram import cjt188, cjt188_reading
from meterseal_wire.telegram.cjt188_errors import Cjt188Error
from meterseal_wire.telegram.errors import MBusError
from meterseal_wire.telegram.mbus_telegram import decode, electronic_address, volume

START, END = 0, 1
Leaf = tuple[int, ...]
"""(when), or (when, point, repeat)."""
TELEGRAM_BYTES = 261
LARGEST_EXPONENT = 20


def against(case: Case) -> Iterator[Reason]:
    """Reasons of this family."""
    if case.stand is None or case.stand.result is None:
        return
    seat = case.stand.seat
    if case.interval is not None and case.meter_type is None:
        grant = case.type_grant.grant
        yield "meter.unknown_type", (grant.number if grant else 0,)
    silent = case.stand.outcome is not None and case.stand.outcome.get(L.ENDED) == kinds.SILENT
    if not (silent and L.ELECTRONIC_ADDRESS not in seat):
        yield from _address(case, seat)
    yield from _parameters(case, seat)
    yield from _duplicate(case.stand.attempt, seat)
    yield from _registers(case.stands)
    found = _evidence(case, case.stand, case.stand.result)
    yield from (reason for reason in found if not (silent and reason[0] == "evidence.missing"))


def _address(case: Case, seat: Mapping[int, Any]) -> Iterator[Reason]:
    address = seat.get(L.ELECTRONIC_ADDRESS)
    if address is None:
        yield "evidence.missing", (seat[L.POSITION], START)
    elif case.meter_type is not None and address[4:] != case.meter_type.bus_identity:
        yield "meter.identity_mismatch", (seat[L.POSITION],)


def _parameters(case: Case, seat: Mapping[int, Any]) -> Iterator[Reason]:
    """The checksum over the meter's parameters is one that the type allows, and the same at every stand."""
    said = {stand.seat[L.PARAMETERS] for stand in case.stands if L.PARAMETERS in stand.seat}
    allowed = case.type_line.payload.get(L.PARAMETER_CHECKSUMS) if case.type_line.payload else None
    if allowed is not None and L.PARAMETERS not in seat:
        yield "evidence.missing", (seat[L.POSITION], START)
    if len(said) > 1 or (allowed is not None and not said <= set(allowed)):
        yield "meter.parameters_changed", (seat[L.POSITION], len(said))


def _duplicate(attempt: Entry, seat: Mapping[int, Any]) -> Iterator[Reason]:
    """One meter at one position: neither its id, its address nor its position stands twice in the attempt."""
    for other in attempt.statement.payload[L.POSITIONS]:
        if other is seat:
            continue
        same_address = (
            L.ELECTRONIC_ADDRESS in seat and other.get(L.ELECTRONIC_ADDRESS) == seat[L.ELECTRONIC_ADDRESS]
        )
        if same_address or any(other[label] == seat[label] for label in (L.METER, L.POSITION)):
            yield "meter.duplicate", (seat[L.POSITION], other[L.POSITION])


def _registers(found: list[Stand]) -> Iterator[Reason]:
    """A register only goes on, from the start of the first stand to the end of the last."""
    last: int | None = None
    for stand in found:
        for register in (stand.seat.get(L.START_REGISTER), (stand.outcome or {}).get(L.END_REGISTER)):
            if register is None:
                continue
            if last is not None and register < last:
                yield "meter.reading_back", (last, register)
            last = register


def _evidence(case: Case, stand: Stand, result: Entry) -> Iterator[Reason]:
    """The telegrams under the result's root, decoded again, against what attempt and result say."""
    position, items = stand.seat[L.POSITION], case.evidence.blobs.get(result.statement.identity, ())
    if evidence_root(tuple(items)) != result.statement.payload[L.EVIDENCE_ROOT]:
        yield ("evidence.mismatch" if items else "evidence.missing"), (position, END)
        return
    said = {
        START: stand.seat.get(L.START_REGISTER),
        END: None if stand.outcome is None else stand.outcome.get(L.END_REGISTER),
    }
    leaves, address = _leaves(items, position), stand.seat.get(L.ELECTRONIC_ADDRESS)
    for when, register in said.items():
        raw = leaves.get((when,))
        if raw is None or register is None:
            yield "evidence.missing", (position, when)
        elif not _agrees(raw, address, register, case):
            yield "evidence.mismatch", (position, when)
    for row in stand.outcome[L.POINTS] if stand.outcome else ():
        # The meter was read and not counted: its figure is the difference of two telegrams.
        if row[p.METHOD] == p.STATIC and row[p.METER_COUNTS] == 0:
            yield from _point_evidence(leaves, row, (position, address), case)


def _point_evidence(
    leaves: Mapping[Leaf, bytes], row: Sequence[int], seat: tuple[int, bytes | None], case: Case
) -> Iterator[Reason]:
    """The two telegrams of a point, decoded again, against its difference of registers."""
    raws = [leaves.get((when, row[p.POINT], row[p.REPEAT]), b"") for when in (START, END)]
    if not all(raws):
        yield "evidence.missing", (seat[0], START if not raws[START] else END)
    elif not _apart(raws, seat[1], row[p.REGISTER_DIFF], case):
        yield "evidence.mismatch", (seat[0], END)


def _leaves(items: Iterable[bytes], position: int) -> dict[Leaf, bytes]:
    """Telegrams of a position: items [position, when, telegram], at a point with its index and repeat behind them.
    Those of other positions, most of them, are not even read.
    """
    found: dict[Leaf, bytes] = {}
    start = encode(position)
    for item in items:
        if not item.startswith((b"\x83" + start, b"\x85" + start)):
            continue
        try:
            _, when, raw, *point = scan(item)
        except WireError:
            continue
        named = all(isinstance(number, int) for number in (when, *point))
        if named and isinstance(raw, bytes) and len(raw) <= TELEGRAM_BYTES:
            found[when, *point] = raw
    return found


def _apart(raws: Sequence[bytes], address: bytes | None, steps: int, case: Case) -> bool:
    """True if both telegrams are from that address and their registers so many of the type's units apart."""
    try:
        found = [told(raw) for raw in raws]
    except (MBusError, Cjt188Error):
        return False
    unit = _exponent(case, found[START][1][1])
    powers = [unit, *(power for _, (_, power) in found)]
    if any(said != address for said, _ in found) or max(map(abs, powers)) > LARGEST_EXPONENT:
        return False
    before, after = (mantissa * 10 ** (power - min(powers)) for _, (mantissa, power) in found)
    return bool(after - before == steps * 10 ** (unit - min(powers)))


def _agrees(raw: bytes, address: bytes | None, register: int, case: Case) -> bool:
    """True if a telegram is from that address and shows the register, in the type's unit where it is known."""
    try:
        said, (mantissa, power) = told(raw)
    except (MBusError, Cjt188Error):
        return False
    unit = _exponent(case, power)
    if said != address or max(abs(power), abs(unit)) > LARGEST_EXPONENT:
        return False
    least = min(power, unit)
    return bool(mantissa * 10 ** (power - least) == register * 10 ** (unit - least))


def told(raw: bytes) -> tuple[bytes, tuple[int, int]]:
    """Address and register (mantissa, power of ten in m3) of a telegram: M-Bus, or CJ/T 188, the kind of meter first.

    68 begins both; an M-Bus frame says its length twice and 68 again (EN 13757-2).
    """
    if raw[:1] == raw[3:4] == b"\x68" and raw[1:2] == raw[2:3] == bytes((len(raw) - 6 & 0xFF,)):
        telegram = decode(raw)
        return bytes(electronic_address(telegram.identity)), volume(telegram)
    frame = cjt188.parse_frame(raw)
    return bytes((frame.meter,)) + frame.address, cjt188_reading.reading(frame).current


def _exponent(case: Case, otherwise: int) -> int:
    return case.meter_type.register_exponent if case.meter_type else otherwise
