"""What is known of one position while a run lasts. Nothing in here survives a power cut, and nothing needs to."""

from meterseal_wire import kinds

WAITING, READING, COUNTING, DONE = "waiting", "reading", "counting", "done"


class Reading:
    """What a meter said: its address as transmitted (8 bytes), the telegram's raw bytes, and its register in
    register units, None where the telegram has no usable volume.
    """

    def __init__(self, address: bytes, register: int | None, telegram: bytes) -> None:
        self.address = address
        self.register = register
        self.telegram = telegram


class Position:
    """One place on the bench and the meter in it.

    `points` are rows of `meterseal_wire.point`, `leaves` what evidence there is of single points; `ended` is why it
    ended early (a reason of kinds), else None, and `why` that reason's sentence in words; `read_by` is how the
    operator's side named the meter: typed, or by its mark.
    """

    def __init__(self, number: int, meter: str, type_number: str, bus: bytes) -> None:
        self.number = number
        self.meter = meter
        self.type_number = type_number
        self.bus = bus
        self.read_by = kinds.BY_HAND
        self.state = WAITING
        self.start: Reading | None = None
        self.end: Reading | None = None
        self.points: list[tuple[int, ...]] = []
        self.leaves: list[bytes] = []
        self.ended: int | None = None
        self.why = ""

    def end_early(self, reason: int, why: str = "meter.no_flow") -> None:
        """Left out from here on; what was counted before stays."""
        self.ended, self.why = reason, why
        self.state = kinds.REASON_NAMES[reason]

    def live(self) -> bool:
        """True while it takes part."""
        return self.ended is None


def live(positions: list[Position]) -> list[Position]:
    """Those that still take part."""
    return [position for position in positions if position.live()]
