"""From a pack and a type grant to the plan document that a fixture obeys and whose hash it signs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import Any

from meterseal_protocol import methods
from meterseal_protocol.errors import BadPack
from meterseal_protocol.ratio import ratio
from meterseal_protocol.rules.meter_type import MeterType
from meterseal_protocol.rules.pack import Pack
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.point import REFERENCE_METER, STATIC

ML_MS_PER_H = 3_600_000
UL_PER_ML = 1000
STATIC_SHARE = ratio(
    11, 10
)  # a bench sees its own flow, and so the volume that it lets through, to within a tenth


@dataclass(frozen=True)
class Wanted:
    """What one point of a pack wants of a meter type: flow band and target in mL/h, least counts, volume, time."""

    index: int
    least_flow: Fraction
    most_flow: Fraction
    target_flow: int
    least_counts: int
    least_duration_ms: int
    repeats: int


@lru_cache(maxsize=256)
def wanted(pack: Pack, meter: MeterType) -> tuple[Wanted, ...]:
    """Every point in the order in which it runs."""
    counts = max(
        pack.number("least_counts"), ceil(pack.number("least_cycles") * meter.cycle_ul / meter.pulse_ul)
    )
    found = []
    for index, point in enumerate(pack.points):
        flow = pack.flow(point.at, meter)
        band = (flow * point.least, flow * point.most, floor(flow * point.target))
        found.append(Wanted(index, *band, counts, pack.number("least_duration_ms"), pack.number("repeats")))
    return tuple(found)


def plan_for(pack: Pack, type_payload: Mapping[int, Any], method: int = REFERENCE_METER) -> bytes:
    """The plan document (CBOR) for meters of one type grant, by reference meter or static start and stop.

    BadPack where pack and type don't go together, or a fixture has no such method.
    """
    meter = MeterType.read(type_payload)
    if meter is None or meter.medium != pack.medium or not pack.zones(meter.accuracy_class):
        raise BadPack(f"pack {pack.name} has no rules for this type's medium or class; choose another pack")
    if method not in (REFERENCE_METER, STATIC):
        raise BadPack(f"no fixture runs method {method}; choose {REFERENCE_METER} or {STATIC}")
    points = wanted(pack, meter)
    make = _row if method == REFERENCE_METER else _static_row
    fields: dict[int, Any] = {L.MEDIUM: pack.medium, L.RULES: pack.digest}
    fields[L.PLAN_POINTS] = [make(pack, meter, item) for item in points]
    if method != REFERENCE_METER:
        fields[L.METHOD] = method
    if pack.number("run_in_ms"):
        fields[L.RUN_IN] = [max(item.target_flow for item in points), pack.number("run_in_ms")]
    if pack.number("stable_ms"):
        fields[L.STABILITY] = _stability(pack, points)
    return bytes(encode(fields))


def _stability(pack: Pack, points: Sequence[Wanted]) -> list[Any]:
    bands = [[ceil(item.least_flow), floor(item.most_flow)] for item in points]
    return [pack.number("stable_ms"), pack.number("stable_within_ms"), bands]


def _row(pack: Pack, meter: MeterType, item: Wanted) -> list[int]:
    # One count more than the time asks for: the gates open and close between two edges.
    counts = max(item.least_counts, ceil(_in_time_ul(item) / meter.pulse_ul) + 1)
    volume_ul = floor(counts * meter.pulse_ul)
    return [item.target_flow, counts, volume_ul, pack.number("settle_ms"), item.repeats]


def _static_row(pack: Pack, meter: MeterType, item: Wanted) -> list[int]:
    """A volume of which one step of the register, and one count of the reference, is a small enough share."""
    zones = [
        zone for zone in pack.zones(meter.accuracy_class) if pack.flow(zone.low, meter) <= item.least_flow
    ]
    share = zones[-1].limit * pack.fraction("resolution_share")
    least_ul = max(item.least_counts * meter.pulse_ul, _in_time_ul(item), methods.unit_ul(meter) / share)
    volume_ul = ceil(least_ul * STATIC_SHARE)
    return [item.target_flow, ceil(1 / share), volume_ul, pack.number("settle_ms"), item.repeats]


def _in_time_ul(item: Wanted) -> Fraction:
    return ratio(item.target_flow * item.least_duration_ms * UL_PER_ML, ML_MS_PER_H)
