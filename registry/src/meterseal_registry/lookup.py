"""What the page shows of a meter besides its certificate: the newest decision, in words."""

from typing import Any

from meterseal_protocol.words import say
from meterseal_registry.errors import NotFound
from meterseal_registry.record import Record
from meterseal_wire import kinds
from meterseal_wire import labels as L

OUTCOMES = {kinds.GRANTED: "granted", kinds.REFUSED: "refused", kinds.UNDECIDED: "undecided"}


def record_of(record: Record, meter: str) -> dict[str, Any]:
    """JSON of a meter's public record: outcome, reasons in words, tries. NotFound where nothing was decided."""
    decision = record.decisions.newest(meter)
    if decision is None:
        raise NotFound(f"no decision about {meter} is on record")
    payload = decision.payload
    return {
        "meter": meter,
        "outcome": OUTCOMES[payload[L.OUTCOME]],
        "decision": decision.identity.hex(),
        "at_s": payload[L.AT_S],
        "tries": payload[L.TRIES],
        "demo": bool(payload.get(L.DEMO)),
        "reasons": [
            {"code": code, "numbers": numbers, "zh": say(code, numbers, "zh"), "en": say(code, numbers, "en")}
            for code, numbers in payload[L.REASONS]
        ],
    }
