"""A device under test as the tests see it: power, an operator's panel, water with meters in it, a network.

Nothing else of a fixture may be touched by a test. A back end (driver/) gives all of it for one kind of device.
"""

from collections.abc import Callable
from typing import Any, Protocol

from meterseal_tools.sim.meter import Meter

Message = dict[str, Any]


class Power(Protocol):
    """The mains switch."""

    def on(self) -> Message:
        """Power up, wait for the boot event, return it."""

    def cut(self) -> None:
        """Take the power away, without a warning."""


class PanelLine(Protocol):
    """The operator's serial line: JSON lines both ways."""

    transcript: list[tuple[str, Message]]

    def send(self, message: Message) -> None:
        """Say one line."""

    def wait(self, fits: Callable[[Message], bool], timeout_s: float = 30) -> Message:
        """The next line for which `fits` is true."""

    def wait_event(self, event: str, timeout_s: float = 30) -> Message:
        """The next event of that name."""

    def status(self, timeout_s: float = 10) -> Message:
        """Ask how things stand."""

    def stop(self) -> None:
        """The stop button."""


class World(Protocol):
    """Water or gas, meters in it and on the bus, and what may go wrong with them."""

    def mount(self, position: int, meter: Meter) -> None:
        """Put a meter into the pipe and on the bus."""

    def flow_now(self) -> int:
        """The valve's flow in mL/h."""

    def damage_lines(self, count: int) -> None:
        """The next `count` lines of the counting front end arrive damaged."""

    def damage_telegrams(self, position: int, count: int) -> None:
        """The next `count` telegrams of a meter have a bad checksum."""

    def silence(self, position: int) -> None:
        """A meter stops answering on the bus."""

    def lose_flow(self) -> None:
        """The supply fails."""


class Dut(Protocol):
    """One device on one rig."""

    power: Power
    panel: PanelLine
    world: World
    positions: int

    def order(self, plan: bytes) -> None:
        """The operator orders a run of every mounted meter."""

    def close(self) -> None:
        """Power off and give everything back."""
