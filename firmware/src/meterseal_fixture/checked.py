"""How long ago the bench was checked with its check meter. A fixture has no clock, so: in runs and in boots.

A check run is an ordinary run in mode `check`; what its numbers say is the judge's affair, who knows the check meter's
calibration and how old a check may be. Here it only counts whether one was signed with every point of every position.
After a power cut between the result and this mark the age is greater than it is: never smaller.
"""

from meterseal_fixture.cell import Cell

NUMBER = 4


class LastCheck:
    """The newest whole check run of the fixture whose state lies in `folder`."""

    def __init__(self, folder: str) -> None:
        self._cell = Cell(folder + "/checked", 2 * NUMBER)

    def done(self, epoch: int, counter: int) -> None:
        """The attempt of that number, in that epoch, was a whole check run; NotKept where flash does not take it."""
        self._cell.write(epoch.to_bytes(NUMBER, "big") + counter.to_bytes(NUMBER, "big"))

    def age(self, epoch: int, counter: int) -> tuple[int, int] | None:
        """(runs, boots) since then, `counter` being the newest attempt's number; None before any."""
        raw = self._cell.read()
        if not raw:
            return None
        runs = counter - int.from_bytes(raw[NUMBER:], "big")
        return runs, epoch - int.from_bytes(raw[:NUMBER], "big")
