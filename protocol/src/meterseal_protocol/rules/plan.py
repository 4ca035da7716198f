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


@dataclass(frozen=True)
class House:
    """What a maker wants beyond the rules: never less than the pack's own value, 0 where it wants nothing.

    `run_in_ms` before the first point, `settle_ms` after a flow was set, `stable_ms` and `stable_within_ms` of steady
    flow, `volume` times what the rules let through, and the only `mode` in which the plan may be run. No judge reads
    any of it.
    """

    run_in_ms: int = 0
    settle_ms: int = 0
    stable_ms: int = 0
    stable_within_ms: int = 0
    volume: Fraction = Fraction(1)
    mode: int | None = None

    def ms(self, pack: Pack, name: str) -> int:
        """The house's value of that name, else the pack's; BadPack where the house's is less."""
        own, least = getattr(self, name), pack.number(name)
        if own and own < least:
            raise BadPack(f"{name} {own} is less than the rules' {least}; a house value may only be more")
        return int(own or least)


RULES_ALONE = House()


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


def plan_for(
    pack: Pack, type_payload: Mapping[int, Any], method: int = REFERENCE_METER, house: House = RULES_ALONE
) -> bytes:
    """The plan document (CBOR) for meters of one type grant, by reference meter or static start and stop.

    Points, their order, bands and repeats are the pack's. BadPack where pack and type don't go together, a fixture has
    no such method, or a house value is less than the rules'.
    """
    meter = MeterType.read(type_payload)
    if meter is None or meter.medium != pack.medium or not pack.zones(meter.accuracy_class):
        raise BadPack(f"pack {pack.name} has no rules for this type's medium or class; choose another pack")
    if method not in (REFERENCE_METER, STATIC):
        raise BadPack(f"no fixture runs method {method}; choose {REFERENCE_METER} or {STATIC}")
    if house.volume < 1:
        raise BadPack(f"{house.volume} of the rules' volume is less than the rules ask for; give 1 or more")
    points, make = wanted(pack, meter), _row if method == REFERENCE_METER else _static_row
    settle_ms = house.ms(pack, "settle_ms")
    rows = [(item, make(pack, meter, item, house.volume)) for item in points]
    fields: dict[int, Any] = {
        L.MEDIUM: pack.medium,
        L.RULES: pack.digest,
        L.PLAN_POINTS: [
            [item.target_flow, counts, volume_ul, settle_ms, item.repeats]
            for item, (counts, volume_ul) in rows
        ],
    }
    if method != REFERENCE_METER:
        fields[L.METHOD] = method
    if house.mode is not None:
        fields[L.MODE] = house.mode
    return bytes(encode({**fields, **_before(pack, points, house)}))


def _before(pack: Pack, points: Sequence[Wanted], house: House) -> dict[int, Any]:
    """Run-in and window of steady flow, where there are any."""
    found: dict[int, Any] = {}
    run_in_ms, stable_ms = house.ms(pack, "run_in_ms"), house.ms(pack, "stable_ms")
    if run_in_ms:
        found[L.RUN_IN] = [max(item.target_flow for item in points), run_in_ms]
    if stable_ms:
        within_ms = house.ms(pack, "stable_within_ms")
        if within_ms < stable_ms:
            raise BadPack(f"a flow cannot be steady for {stable_ms} ms within {within_ms}; give more time")
        bands = [[ceil(item.least_flow), floor(item.most_flow)] for item in points]
        found[L.STABILITY] = [stable_ms, within_ms, bands]
    return found


def _row(_pack: Pack, meter: MeterType, item: Wanted, times: Fraction) -> tuple[int, int]:
    """(least counts of the meter, volume in microlitres)."""
    # One count more than the time asks for: the gates open and close between two edges.
    counts = max(item.least_counts, ceil(_in_time_ul(item) / meter.pulse_ul) + 1)
    counts = ceil(counts * times)
    return counts, floor(counts * meter.pulse_ul)


def _static_row(pack: Pack, meter: MeterType, item: Wanted, times: Fraction) -> tuple[int, int]:
    """(least counts of the reference, volume): one step of the register, and one count, is a small enough share."""
    zones = [
        zone for zone in pack.zones(meter.accuracy_class) if pack.flow(zone.low, meter) <= item.least_flow
    ]
    share = zones[-1].limit * pack.fraction("resolution_share")
    least_ul = max(item.least_counts * meter.pulse_ul, _in_time_ul(item), methods.unit_ul(meter) / share)
    return ceil(1 / share), ceil(least_ul * STATIC_SHARE * times)


def _in_time_ul(item: Wanted) -> Fraction:
    return ratio(item.target_flow * item.least_duration_ms * UL_PER_ML, ML_MS_PER_H)
