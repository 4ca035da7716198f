"""Ten thousand serials in a spreadsheet: a CSV in, the same rows with answers out.

Every answer comes from the pure check over the newest certificate of each meter, with this registry's own trust.
"""

import csv
import io
from dataclasses import dataclass

from meterseal_protocol.check import check, spelled
from meterseal_protocol.trust import Trust
from meterseal_protocol.words import say
from meterseal_registry.errors import BadRequest
from meterseal_registry.record import Record
from meterseal_wire import labels as L

MOST_ROWS = 100_000
PLACE_DIGITS = 6
COLUMNS = ("meter", "表号", "serial")
ANSWER = ("meter", "answer", "codes", "install_before", "zh", "en")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Line:
    """One answer: the outcome, the codes behind it, the last day for installation, words in both languages."""

    meter: str
    answer: str
    codes: str = ""
    install_before: int = 0
    zh: str = ""
    en: str = ""


def decoded(body: bytes) -> str:
    """The text of an uploaded file; BadRequest where it is not UTF-8, as a spreadsheet saved for Excel in GBK is."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadRequest("the file is not UTF-8 text; save it as CSV UTF-8") from None


def place(text: str | None) -> str | None:
    """A GB/T 2260 code as asked for, None where none is; BadRequest where it is no code."""
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= PLACE_DIGITS):
        raise BadRequest(f"territory={text[:20]} is no GB/T 2260 code: give up to {PLACE_DIGITS} digits")
    return text


def meters_in(text: str) -> list[str]:
    """Meter ids of a CSV that has a column `meter`, or of a plain list with one id a line, as certificates spell them.

    A row whose meter cell is empty gives an empty id, so that answers keep their rows.
    """
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=None))]
    except csv.Error as error:
        raise BadRequest(f"the file cannot be read as CSV: {error}; save it as CSV UTF-8") from None
    rows = [row for row in rows if any(row)]
    if not rows:
        raise BadRequest("the file is empty; give a CSV with a column named meter")
    head = [cell.lower() for cell in rows[0]]
    column = next((head.index(name) for name in COLUMNS if name in head), None)
    body = rows if column is None else rows[1:]
    if len(body) > MOST_ROWS:
        raise BadRequest(f"the file has {len(body)} meters; split it at {MOST_ROWS}")
    at = column or 0
    return [spelled(row[at]) if len(row) > at else "" for row in body]


def answer(record: Record, meters: list[str], territory: str | None, now_s: int) -> list[Line]:
    """One line a meter, in the order asked."""
    trust = Trust.load(record.statuses.trust(now_s))
    return [_line(record, trust, meter, territory, now_s) for meter in meters]


def _line(record: Record, trust: Trust, meter: str, territory: str | None, now_s: int) -> Line:
    raw = record.certificates.newest(meter)
    if raw is None:
        return _without(record, meter)
    found = check(raw, trust, now_s, territory, meter)
    return Line(
        meter,
        found.outcome,
        " ".join(code for code, _ in found.reasons),
        found.expires_s,
        "；".join(say(code, numbers, "zh") for code, numbers in found.reasons),
        "; ".join(say(code, numbers, "en") for code, numbers in found.reasons),
    )


def _without(record: Record, meter: str) -> Line:
    decision = record.decisions.newest(meter)
    if decision is None:
        return Line(
            meter, "cannot_say", "registry.not_found", 0, "登记库没有此表的记录", "no record of this meter"
        )
    reasons = decision.payload[L.REASONS]
    return Line(
        meter,
        "not_valid",
        " ".join(code for code, _ in reasons),
        0,
        "；".join(["没有合格证书", *(say(code, numbers, "zh") for code, numbers in reasons)]),
        "; ".join(["it has no certificate", *(say(code, numbers, "en") for code, numbers in reasons)]),
    )


def to_csv(lines: list[Line]) -> str:
    """The answers as CSV, with a byte-order mark so that spreadsheets show Chinese."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(ANSWER)
    for line in lines:
        writer.writerow([safe(str(getattr(line, name))) for name in ANSWER])
    return "\ufeff" + out.getvalue()


def safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + cell if cell.startswith(FORMULA) else cell
