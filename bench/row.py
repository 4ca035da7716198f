"""One row of the table and of build/bench.json."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """A figure and, where there is one, the limit taken in the same run and the goal.

    `goal` bounds the ratio where a limit was measured, else the value. `met` is None where there is no goal.
    """

    name: str
    value: float
    unit: str
    limit: float | None = None
    goal: float | None = None
    at_most: bool = True
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Value over limit."""
        return self.value / self.limit if self.limit else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached."""
        if self.goal is None:
            return None
        figure = self.value if self.ratio is None else self.ratio
        return figure <= self.goal if self.at_most else figure >= self.goal

    def as_json(self) -> dict[str, Any]:
        """The names of design section 14."""
        fields = asdict(self) | {"ratio": self.ratio, "met": self.met}
        del fields["at_most"]
        return fields
