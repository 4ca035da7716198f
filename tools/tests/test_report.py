"""The demo's table and its counts: what came out beside what had to."""

import httpx
import pytest
from rich.console import Console

from meterseal_tools.report import Counts, Row, _row, counts_line, table
from meterseal_tools.scenario import SEATS, Seat

PASSES = Seat("W1", 1, "itron_bm", "11490378", "good", "granted")
FAILS = Seat("W1", 3, "ram", "00025776", "past_limit", "refused", ("error.limit",), 1, "past its limit at Q2")


@pytest.mark.parametrize(
    "row, right",
    [
        (Row(PASSES, "granted", (), "", 1), True),
        (Row(PASSES, "refused", (), "", 1), False),
        (Row(PASSES, "granted", (), "", 2), False),
        (Row(PASSES, "no decision", (), "", 0), False),
        (Row(FAILS, "refused", ("error.limit",), "", 1), True),
        (Row(FAILS, "refused", ("error.limit", "error.same_sign"), "", 1), True),
        (Row(FAILS, "refused", ("error.same_sign",), "", 1), False),
        (Row(FAILS, "refused", (), "", 1), False),
    ],
)
def test_a_row_is_as_expected_by_outcome_tries_and_every_reason(row: Row, right: bool) -> None:
    """More reasons than expected may be given; a missing one means that the meter failed for something else."""
    assert row.as_expected is right


def test_a_record_becomes_a_row_with_each_code_once() -> None:
    """The registry's JSON record: two points beyond the limit are one code, and one sentence where they read alike."""
    reasons = [
        {"code": "error.limit", "en": "beyond the limit", "zh": "超差"},
        {"code": "error.limit", "en": "beyond the limit", "zh": "超差"},
        {"code": "error.same_sign", "en": "all of one sign", "zh": "同号"},
    ]
    row = _row(FAILS, httpx.Response(200, json={"outcome": "refused", "tries": 1, "reasons": reasons}))
    assert row == Row(
        FAILS, "refused", ("error.limit", "error.same_sign"), "beyond the limit; all of one sign", 1
    )


@pytest.mark.parametrize("status", [404, 500, 503])
def test_a_registry_without_an_answer_is_no_decision(status: int) -> None:
    """Silence is never a yes."""
    row = _row(PASSES, httpx.Response(status, text="gone"))
    assert row.outcome == "no decision" and not row.as_expected


def test_lost_is_what_was_made_and_did_not_arrive() -> None:
    """Made 41, entered 39: 2 lost, whatever the edge stored."""
    counts = Counts(made=41, stored=41, entered=39, quarantined=1)
    assert counts.lost == 2
    assert counts_line(counts) == (
        "statements: 41 made, 41 stored at the edge, 39 in the registry, 1 quarantined, 2 lost"
    )


def test_the_table_shows_every_meter_with_its_type_and_marks_what_is_wrong() -> None:
    """One line a meter in the scenario's order; a meter that came out wrong has a cross."""
    rows = [Row(seat, seat.expected, seat.because, "", seat.tries) for seat in SEATS]
    rows[1] = Row(SEATS[1], "refused", ("error.limit",), "beyond the limit", 1)
    console = Console(width=200, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(table(rows))
    text = captured.get()
    places = [text.index(seat.meter_id) for seat in SEATS]
    assert places == sorted(places)
    assert text.count("✓") == 15 and text.count("✗") == 1
    wrong = next(line for line in text.splitlines() if SEATS[1].meter_id in line)
    assert "✗" in wrong and "2026F102-33" in wrong and "refused" in wrong
    assert "past its limit at Q2" in text and "NONE-33" in text
