"""Several front ends on one UART: a two-bit switch (74HC4052) leads its TX and RX to one of up to four.

The fixture asks one front end after the other and waits for each (`meterseal_fixture.joined`), so one UART does. A line
that is not chosen rests at its pull-up. What a switch in the middle of a byte may make of it fails the line's check.

One place may lead to the flow controller's RS-485 transceiver instead, where a board has no UART left for it. It is
spoken to at its own rate: the UART is set up anew each time the switch turns from one rate to the other, which happens
only between two questions, since one task asks them all and waits for every answer.
"""

from meterseal_fixture.errors import BadSettings

PLACES = 4
FLOW_BAUD = 9600


class Choice:
    """Lines like `uart1:2`: the line that `open_line("uart1")` gives, behind place 2 of the switch. `pins` are the
    switch's two, lowest bit first, each called with 0 or 1. `flow_line` is the one of these lines at FLOW_BAUD, if any.
    """

    def __init__(self, pins, open_line, flow_line: str = "") -> None:
        self._pins, self._open, self._flow_line = pins, open_line, flow_line
        self._lines: dict[str, object] = {}
        self._baud = 0

    def line(self, name: str) -> "Chosen":
        """The line of that name; BadSettings where the switch has no such place."""
        base, _, place = name.partition(":")
        if not place.isdigit() or int(place) >= PLACES:
            raise BadSettings("settings", "'%s': the switch has places 0 to %d" % (name, PLACES - 1))
        if base not in self._lines:
            self._lines[base] = self._open(base)
        baud = FLOW_BAUD if name == self._flow_line else 0
        return Chosen(self, self._lines[base], (int(place), baud))

    def turn(self, line, place: int, baud: int) -> None:
        """Lead the line to that place, at that rate; 0 is its usual one."""
        if baud != self._baud:
            self._baud = baud
            line.rate(baud)
        for bit, pin in enumerate(self._pins):
            pin(place >> bit & 1)


class Chosen:
    """One place of a switched line: async read() and write(), drop()."""

    def __init__(self, choice: Choice, line, place: tuple[int, int]) -> None:
        self._choice, self._line = choice, line
        self._place, self._baud = place

    async def read(self) -> bytes:
        """What has come since it was chosen."""
        found: bytes = await self._line.read()
        return found

    async def write(self, data: bytes) -> None:
        """Choose it and send all of `data`."""
        self._choice.turn(self._line, self._place, self._baud)
        await self._line.write(data)

    def drop(self) -> None:
        """Choose it and forget what has come; an earlier one's late bytes too."""
        self._choice.turn(self._line, self._place, self._baud)
        self._line.drop()
