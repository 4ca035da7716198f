"""The strict scanner against the public examples of CBOR: accepted with the right value, or refused by name.

Rows: data/cbor (appendix A of RFC 7049, whose examples RFC 8949 kept except simple(24)). What is expected is derived
from the first bytes of a row by RFC 8949 section 3 and the limits of design section 5, written out in `expected`.
"""

import json
from pathlib import Path
from typing import Any

import cbor2
import pytest

from meterseal_wire import errors
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan

FOLDER = Path(__file__).parent / "data" / "cbor"
ROWS: list[dict[str, Any]] = [
    row for path in sorted(FOLDER.glob("*.json")) for row in json.loads(path.read_text())
]
INTEGER_LIMIT = 2**63 - 1


def expected(raw: bytes) -> type[errors.WireError] | None:
    """The refusal that RFC 8949 and our limits demand for a well-formed row, by a walk of its own; None to accept."""
    found: list[type[errors.WireError]] = []
    walk(raw, 0, found)
    return found[0] if found else None


def walk(raw: bytes, at: int, found: list[type[errors.WireError]]) -> int:
    """Note the first refusal at or below the item at `at`; the offset behind it (RFC 8949 section 3)."""
    major, short = raw[at] >> 5, raw[at] & 0x1F
    if major == 7 and short not in (
        20,
        21,
        22,
    ):  # false, true, null; else floats, undefined, other simple values
        found.append(errors.NotAllowed)
        return len(raw)
    if short == 31:  # indefinite length
        found.append(errors.NotAllowed)
        return len(raw)
    width = {24: 1, 25: 2, 26: 4, 27: 8}.get(short, 0)
    argument = int.from_bytes(raw[at + 1 : at + 1 + width], "big") if width else short
    at += 1 + width
    if major <= 1 and argument > INTEGER_LIMIT - major:
        found.append(errors.OverLimit)
    if major == 6 and argument != 18:
        found.append(errors.NotAllowed)
    if major in (2, 3):
        return at + argument
    for step in range({4: argument, 5: 2 * argument, 6: 1}.get(major, 0)):
        if found or at >= len(raw):
            break
        if major == 5 and step % 2 == 0 and raw[at] >> 5 not in (0, 1, 3):  # our keys are integers or text
            found.append(errors.NotAllowed)
            break
        at = walk(raw, at, found)
    return at


def test_the_rows_are_there() -> None:
    """A loader that finds nothing would pass everything."""
    assert len(ROWS) >= 42


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["hex"][:24])
def test_a_row_is_accepted_with_its_value_or_refused_by_name(row: dict[str, Any]) -> None:
    """Every row: the printed value where it is inside the profile, the one right error where it is not."""
    raw = bytes.fromhex(row["hex"])
    refusal = expected(raw)
    if refusal is None:
        value = scan(raw)
        assert value == row.get("decoded", cbor2.loads(raw))
        assert encode(value) == raw
        return
    with pytest.raises(refusal) as caught:
        scan(raw)
    assert type(caught.value) is refusal


@pytest.mark.parametrize(
    "text, kind",
    [
        ("f818", errors.NotAllowed),
        ("f97e00", errors.NotAllowed),
        ("1bffffffffffffffff", errors.OverLimit),
        ("3bffffffffffffffff", errors.OverLimit),
        ("c249010000000000000000", errors.NotAllowed),
        ("f7", errors.NotAllowed),
        ("7f657374726561646d696e67ff", errors.NotAllowed),
        ("a201020304", None),
        ("8301820203820405", None),
    ],
)
def test_what_the_walk_above_expects_is_what_was_reckoned_by_hand(
    text: str, kind: type[errors.WireError] | None
) -> None:
    """Nine rows of the appendix, judged here by eye, so that the walk itself is checked."""
    assert expected(bytes.fromhex(text)) is kind


@pytest.mark.parametrize(
    "text", ["1800", "1817", "190017", "1a00000000", "1b0000000000000000", "3800", "5800", "7800"]
)
def test_a_general_decoder_takes_what_the_strict_scanner_refuses(text: str) -> None:
    """Why cbor2 is no gate: it reads non-preferred arguments (RFC 8949 section 4.1) as if nothing were wrong."""
    raw = bytes.fromhex(text)
    cbor2.loads(raw)
    with pytest.raises(errors.NotShortest):
        scan(raw)
