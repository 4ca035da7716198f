"""What a meter said of itself on its bus, as a page shows it: every byte, and what those bytes mean where they can
be read.
"""

from typing import Any

from meterseal_protocol.judge.identity import told
from meterseal_wire.telegram.cjt188_errors import Cjt188Error
from meterseal_wire.telegram.errors import MBusError
from meterseal_wire.telegram.mbus_value import decimal_text

WHEN = {0: "start", 1: "end"}
LITRES = 3  # a cubic metre is 10^3 of them


def shown(when: int, raw: bytes) -> dict[str, Any]:
    """One telegram: `when` start or end, its bytes, address and register in litres; `fault` where it can't be read."""
    found: dict[str, Any] = {"when": WHEN.get(when, str(when)), "hex": raw.hex(" ")}
    try:
        address, (mantissa, power) = told(raw)
    except (MBusError, Cjt188Error) as fault:
        return {**found, "fault": str(fault)}
    return {**found, "address": address.hex(" "), "litres": decimal_text(mantissa, power + LITRES)}
