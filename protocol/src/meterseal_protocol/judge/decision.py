"""What the judge says about one meter, and how it is signed."""

from dataclasses import dataclass
from typing import Any

from meterseal_protocol.grant import Reason
from meterseal_wire import kinds
from meterseal_wire import labels as L

JUDGE = "judge/1"


@dataclass(frozen=True)
class Decision:
    """Outcome (kinds.GRANTED, REFUSED, UNDECIDED), every reason sorted, and what a certificate is made from.

    None or empty where it is not known; when granted, everything is. `end_register` is in register units of
    10^`register_exponent` m3. `budget` has rows (point, repeat, line, square in ppm^2).
    """

    meter: str
    outcome: int
    reasons: tuple[Reason, ...]
    inputs_digest: bytes
    log_size: int
    at_s: int
    tries: int
    result: bytes | None
    position: int | None
    window: tuple[int, int] | None
    territory: tuple[str, ...] | None
    rules: bytes | None
    budget: tuple[tuple[int, int, str, int], ...]
    end_register: int | None
    register_exponent: int
    electronic_address: bytes
    seals: tuple[str, ...]
    demo: bool
    judge: str = JUDGE

    @property
    def granted(self) -> bool:
        """True if the meter may be installed without another test, within window and territory."""
        return self.outcome == kinds.GRANTED

    def payload(self) -> dict[int, Any]:
        """Payload of the decision statement (kinds.KIND_DECISION)."""
        found: dict[int, Any] = {
            L.METER: self.meter,
            L.OUTCOME: self.outcome,
            L.REASONS: [[code, list(numbers)] for code, numbers in self.reasons],
            L.INPUTS_DIGEST: self.inputs_digest,
            L.JUDGE: self.judge,
            L.LOG_SIZE: self.log_size,
            L.AT_S: self.at_s,
            L.TRIES: self.tries,
        }
        optional = {
            L.RESULT: self.result,
            L.POSITION: self.position,
            L.WINDOW: None if self.window is None else list(self.window),
            L.TERRITORY: None if self.territory is None else list(self.territory),
            L.RULES: self.rules,
            L.END_REGISTER: self.end_register,
            L.BUDGET: [list(row) for row in self.budget] or None,
            L.DEMO: 1 if self.demo else None,
        }
        return {**found, **{label: value for label, value in optional.items() if value is not None}}
