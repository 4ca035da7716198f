"""A meter type as the rules see it: read from a type grant, with the flows that its class and limits hang on."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from meterseal_protocol.ratio import ratio
from meterseal_wire import kinds
from meterseal_wire import labels as L

LARGEST_EXPONENT = 20


@dataclass(frozen=True)
class MeterType:
    """Numbers of a type grant: class in tenths, flows as granted in mL/h, pulse and cycle volume in uL.

    `flows` are Q3 and the ratio R for water, qmax and qmin for gas. One register unit is 10 to the power of
    `register_exponent` of a cubic metre.
    """

    medium: int
    nominal: int
    accuracy_class: int
    flows: tuple[int, int]
    pulse_ul: Fraction
    cycle_ul: int
    update_ms: int
    register_exponent: int
    bus_identity: bytes

    @classmethod
    def read(cls, payload: Mapping[int, Any]) -> "MeterType | None":
        """From a type grant's payload; None where its numbers make no meter: a flow, ratio or pulse of 0, a register
        in units that no meter has.
        """
        flows, pulse = payload[L.FLOWS_ML_PER_H], payload[L.METER_PULSE_UL]
        if not all(flows) or not all(pulse):
            return None
        if payload[L.MEDIUM] not in (kinds.WATER, kinds.GAS):
            return None
        if abs(payload[L.REGISTER_EXPONENT]) > LARGEST_EXPONENT:
            return None
        return cls(
            payload[L.MEDIUM],
            payload[L.NOMINAL],
            payload[L.ACCURACY_CLASS],
            (flows[0], flows[1]),
            ratio(pulse[0], pulse[1]),
            payload[L.CYCLE_VOLUME_UL],
            payload[L.UPDATE_INTERVAL_MS],
            payload[L.REGISTER_EXPONENT],
            payload[L.BUS_IDENTITY],
        )
