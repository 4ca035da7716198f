"""What the demo found: every meter beside the answer it had to get, and the count of statements."""

from dataclasses import dataclass
from typing import Any

import httpx
from rich.table import Table

from meterseal_tools.scenario import SEATS, Seat
from meterseal_tools.world import TYPES

COLOURS = {"granted": "green", "refused": "red", "undecided": "yellow"}


@dataclass(frozen=True)
class Row:
    """One meter: what had to come out and what came out."""

    seat: Seat
    outcome: str
    codes: tuple[str, ...]
    words: str
    tries: int

    @property
    def as_expected(self) -> bool:
        """Outcome, tries and every expected reason."""
        right = self.outcome == self.seat.expected and self.tries == self.seat.tries
        return right and set(self.seat.because) <= set(self.codes)


@dataclass(frozen=True)
class Counts:
    """Statements: made by the fixtures, stored at the edge, entered in the registry, kept in quarantine."""

    made: int
    stored: int
    entered: int
    quarantined: int

    @property
    def lost(self) -> int:
        """Made and not entered."""
        return self.made - self.entered


def rows(registry_url: str) -> list[Row]:
    """Every meter of the scenario with the registry's newest decision."""
    return [_row(seat, httpx.get(f"{registry_url}/records/{seat.meter_id}")) for seat in SEATS]


def _row(seat: Seat, answer: httpx.Response) -> Row:
    if answer.status_code != httpx.codes.OK:
        return Row(seat, "no decision", (), "", 0)
    found: dict[str, Any] = answer.json()
    codes = tuple(dict.fromkeys(reason["code"] for reason in found["reasons"]))
    words = "; ".join(dict.fromkeys(reason["en"] for reason in found["reasons"]))
    return Row(seat, found["outcome"], codes, words, found["tries"])


def table(found: list[Row]) -> Table:
    """The meters as a table for a terminal."""
    result = Table(title="every meter, its answer and the reasons", title_justify="left", expand=True)
    for name in ("", "meter", "type", "answer", "tries", "reasons, or what happened"):
        result.add_column(name, overflow="fold")
    for row in found:
        colour = COLOURS.get(row.outcome, "yellow")
        result.add_row(
            "✓" if row.as_expected else "[red]✗[/red]",
            f"{row.seat.fixture}/{row.seat.position} {row.seat.meter_id}",
            TYPES[row.seat.kind].number,
            f"[{colour}]{row.outcome}[/{colour}]",
            str(row.tries),
            "\n".join(part for part in (row.seat.note, row.words, " ".join(row.codes)) if part),
        )
    return result


def counts_line(counts: Counts) -> str:
    """The four numbers and the one that must be 0."""
    return (
        f"statements: {counts.made} made, {counts.stored} stored at the edge, {counts.entered} in the registry, "
        f"{counts.quarantined} quarantined, {counts.lost} lost"
    )
