"""From a pack and a type grant to the plan document that a fixture obeys and whose hash it signs."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import Any

from meterseal_protocol.errors import BadPack
from meterseal_protocol.ratio import ratio
from meterseal_protocol.rules.meter_type import MeterType
from meterseal_protocol.rules.pack import Pack
from meterseal_wire import labels as L
from meterseal_wire.encode import encode

ML_MS_PER_H = 3_600_000
UL_PER_ML = 1000


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


def plan_for(pack: Pack, type_payload: Mapping[int, Any]) -> bytes:
    """The plan document (CBOR) for meters of one type grant; BadPack where pack and type don't go together."""
    meter = MeterType.read(type_payload)
    if meter is None or meter.medium != pack.medium or not pack.zones(meter.accuracy_class):
        raise BadPack(f"pack {pack.name} has no rules for this type's medium or class; choose another pack")
    rows = [_row(pack, meter, item) for item in wanted(pack, meter)]
    return bytes(encode({L.MEDIUM: pack.medium, L.RULES: pack.digest, L.PLAN_POINTS: rows}))


def _row(pack: Pack, meter: MeterType, item: Wanted) -> list[int]:
    in_time_ul = ratio(item.target_flow * item.least_duration_ms * UL_PER_ML, ML_MS_PER_H)
    # One count more than the time asks for: the gates open and close between two edges.
    counts = max(item.least_counts, ceil(in_time_ul / meter.pulse_ul) + 1)
    volume_ul = floor(counts * meter.pulse_ul)
    return [item.target_flow, counts, volume_ul, pack.number("settle_ms"), item.repeats]
