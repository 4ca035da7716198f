"""What a run consists of, in plain values: seats, points with a chosen error, telegrams, plan documents.

A point's error is chosen through its ticks: the reference volume is nominal when the ticks of meter and reference
agree, and V_ref = nominal * meter_ticks / ref_ticks, so E = ref_ticks / meter_ticks - 1 exactly. With 10^8 meter
ticks, 100 reference ticks are one ppm.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from meterseal_protocol.testing.world import (
    GAS_PULSE_UL,
    GAS_TYPE,
    MAKER,
    METER_PULSE_UL,
    WATER_PULSE_UL,
    WATER_TYPE,
    gas_type_fields,
    water_type_fields,
)
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire import point as p
from meterseal_wire.encode import encode
from meterseal_wire.telegram.mbus import long_frame
from meterseal_wire.telegram.mbus_slave import packed_bcd

METER_TICKS = 100_000_000
UL_PER_LITRE = 1_000_000
TICKS_A_PPM = METER_TICKS // 1_000_000
REFERENCE_PULSE_UL = {kinds.WATER: WATER_PULSE_UL, kinds.GAS: GAS_PULSE_UL}
TYPE_FIELDS = {kinds.WATER: water_type_fields(), kinds.GAS: gas_type_fields()}
TWENTY_CELSIUS_MK = 20_000
PRESSURE_10PA = {kinds.WATER: 40_000, kinds.GAS: 10_330}  # absolute: 4 bar in the pipe, 2 kPa over the room
RSP_UD, VARIABLE = 0x08, 0x72
VOLUME_LITRES = b"\x0c\x13"  # EN 13757-3: eight BCD digits, volume in 10^-3 m3
START, END = 0, 1


@dataclass
class Seat:
    """One position of a run: which meter, its registers in litres, its points, or why it ended early.

    The end register is what its points make of the start, unless it is said.
    """

    position: int
    serial: str
    medium: int = kinds.WATER
    start_litres: int = 100
    end_litres: int | None = None
    points: Sequence[Sequence[int]] = ()
    ended: int | None = None
    silent: bool = False
    extra: dict[int, Any] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The end register in litres."""
        if self.end_litres is not None:
            return self.end_litres
        counts = sum(row[p.METER_COUNTS] for row in self.points)
        return self.start_litres + counts * METER_PULSE_UL[self.medium] // UL_PER_LITRE

    @property
    def meter(self) -> str:
        """Meter id: maker code and serial."""
        return f"{MAKER}.{self.serial}"

    @property
    def address(self) -> bytes:
        """Secondary address: the serial as BCD, then what the type grant names."""
        identity: bytes = TYPE_FIELDS[self.medium][L.BUS_IDENTITY]
        return bytes(packed_bcd(int(self.serial), 4)) + identity

    def in_attempt(self) -> dict[int, Any]:
        """The position's entry in an attempt."""
        number = WATER_TYPE if self.medium == kinds.WATER else GAS_TYPE
        found: dict[int, Any] = {L.POSITION: self.position, L.METER: self.meter, L.TYPE: number}
        if self.silent:
            return {**found, L.READ_BY: kinds.BY_HAND, **self.extra}
        read = {
            L.READ_BY: kinds.BY_BUS,
            L.ELECTRONIC_ADDRESS: self.address,
            L.START_REGISTER: self.start_litres,
        }
        return {**found, **read, **self.extra}

    def in_result(self) -> dict[int, Any]:
        """The position's entry in a result."""
        found: dict[int, Any] = {L.POSITION: self.position, L.POINTS: [list(point) for point in self.points]}
        if not self.silent:
            found[L.END_REGISTER] = self.end
        if self.ended is not None:
            found[L.ENDED] = self.ended
        return found

    def leaves(self) -> list[bytes]:
        """Evidence leaves: the telegrams at start and end, and at those of each point that was read."""
        if self.silent:
            return []
        ends: list[tuple[int, int, tuple[int, ...]]] = [(START, self.start_litres, ()), (END, self.end, ())]
        readings = ends + self._read_at_points()
        return [
            bytes(encode([self.position, when, telegram(self.address, n), *point]))
            for when, n, point in readings
        ]

    def _read_at_points(self) -> list[tuple[int, int, tuple[int, ...]]]:
        litres = self.start_litres
        found: list[tuple[int, int, tuple[int, ...]]] = []
        for row in self.points:
            if row[p.METHOD] == p.STATIC and not row[p.METER_COUNTS]:
                place = row[p.POINT], row[p.REPEAT]
                found += [(START, litres, place), (END, litres + row[p.REGISTER_DIFF], place)]
                litres += row[p.REGISTER_DIFF]
        return found


def telegram(address: bytes, litres: int) -> bytes:
    """A meter's answer with one volume register (EN 13757-3, variable data structure)."""
    status = bytes(4)  # access number, status, signature
    return bytes(long_frame(RSP_UD, 1, VARIABLE, address + status + VOLUME_LITRES + packed_bcd(litres, 4)))


def point(
    index: int, flow_ml_per_h: int, error_ppm: int, medium: int = kinds.WATER, counts: int = 1000
) -> list[int]:
    """A measured point at one steady flow with the error asked for; meter and reference equally warm and pressed."""
    volume_ul = counts * METER_PULSE_UL[medium]
    row = [0] * len(p.FIELDS)
    row[p.POINT] = index
    row[p.METHOD] = p.REFERENCE_METER
    row[p.METER_COUNTS], row[p.METER_TICKS] = counts, METER_TICKS
    row[p.REF_COUNTS] = volume_ul // REFERENCE_PULSE_UL[medium]
    row[p.REF_TICKS] = METER_TICKS + error_ppm * TICKS_A_PPM
    row[p.METER_TEMP_MK] = row[p.REF_TEMP_MK] = TWENTY_CELSIUS_MK
    row[p.METER_PRESSURE_10PA] = row[p.REF_PRESSURE_10PA] = PRESSURE_10PA[medium]
    row[p.DURATION_MS] = volume_ul * 3_600_000 // (flow_ml_per_h * 1000)
    row[p.FLOW_MIN_ML_PER_H] = row[p.FLOW_MAX_ML_PER_H] = flow_ml_per_h
    return row


def plan_document(rules: bytes, rows: Sequence[Sequence[int]], medium: int = kinds.WATER) -> bytes:
    """A plan: rows of [flow, least counts, least volume, settling, repeats] in the order in which they run."""
    return bytes(encode({L.RULES: rules, L.MEDIUM: medium, L.PLAN_POINTS: [list(row) for row in rows]}))
