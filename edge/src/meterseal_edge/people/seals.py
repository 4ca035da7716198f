"""Seal numbers that were fitted to a meter after it passed: `marks`, signed in the browser like a sign-off.

A certificate binds them, so the rules can ask for them before one is given. Of several marks for one meter the newest
counts at the judge; a number that was mistyped is simply entered again, and both stay.
"""

from meterseal_edge.errors import NotTaken
from meterseal_edge.people.roll import Account
from meterseal_edge.people.said import Sayings
from meterseal_edge.people.sheet import Sheet
from meterseal_wire import kinds
from meterseal_wire import labels as L

MOST_SEALS, SEAL_CHARACTERS = 8, 32


def take_marks(sayings: Sayings, account: Account, sheet: Sheet, raw: bytes) -> None:
    """Keep seal numbers of a meter of the sheet that passed; NotTaken says why not."""
    statement = sayings.verified(account, raw, L.KIND_MARKS)
    said = statement.payload
    if not sheet.is_for_signing or not sayings.may_notify(account, sheet):
        raise NotTaken("edge.grant", "no person grant names this key, a role of yours and this kind of meter")
    passed = {row.position: row for row in sheet.rows if row.outcome == kinds.PASSED}
    row = passed.get(said[L.POSITION])
    if row is None or (said[L.RESULT], said[L.METER]) != (row.result, row.meter):
        raise NotTaken("edge.seals", "seals are fitted to a meter that passed in this run")
    seals = said[L.SEALS]
    if not 0 < len(seals) <= MOST_SEALS or not all(map(_is_number, seals)):
        raise NotTaken(
            "edge.seals", f"give 1 to {MOST_SEALS} seal numbers of 1 to {SEAL_CHARACTERS} characters"
        )
    sayings.keep(account, sheet, statement, [])


def newest(sayings: Sayings, run: bytes) -> dict[int, str]:
    """The seal numbers of each position of a run (identity of its attempt) that stand now."""
    found = (item for item in sayings.of(run) if item.typ == L.KIND_MARKS and not item.taken_back)
    return {item.position: item.text for item in found}


def _is_number(seal: str) -> bool:
    """The length has its limit in the statement's own shape."""
    return seal == seal.strip() and bool(seal) and seal.isprintable()
