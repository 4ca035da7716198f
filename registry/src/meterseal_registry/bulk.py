"""Ten thousand serials in a spreadsheet: a CSV in, the same rows with answers out.

Every answer comes from the pure check over the newest certificate of each meter, with this registry's own trust.
"""

import csv
import io
from dataclasses import dataclass

from meterseal_protocol.check import check
from meterseal_protocol.trust import Trust
from meterseal_protocol.words import say
from meterseal_registry.errors import BadEntry
from meterseal_registry.record import Record
from meterseal_wire import labels as L

MOST_ROWS = 100_000
COLUMNS = ("meter", "表号", "serial")
ANSWER = ("meter", "answer", "codes", "install_before", "zh", "en")


@dataclass(frozen=True)
class Line:
    """One answer: the outcome, the codes behind it, the last day for installation, words in both languages."""

    meter: str
    answer: str
    codes: str = ""
    install_before: int = 0
    zh: str = ""
    en: str = ""


def meters_in(text: str) -> list[str]:
    """Meter ids of a CSV that has a column `meter`, or of a plain list with one id a line."""
    rows = list(csv.reader(io.StringIO(text)))
    rows = [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise BadEntry("the file is empty; give a CSV with a column named meter")
    if len(rows) > MOST_ROWS:
        raise BadEntry(f"the file has {len(rows)} rows; split it at {MOST_ROWS}")
    head = [cell.lower().lstrip("\ufeff") for cell in rows[0]]
    column = next((head.index(name) for name in COLUMNS if name in head), None)
    body = rows if column is None else rows[1:]
    return [row[column or 0].upper() if len(row) > (column or 0) else "" for row in body]


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
    codes = " ".join(code for code, _ in decision.payload[L.REASONS])
    return Line(meter, "not_valid", codes, 0, "没有合格证书", "no certificate: see the codes")


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
    return "'" + cell if cell[:1] in "=+-@\t" and cell[:1] else cell
