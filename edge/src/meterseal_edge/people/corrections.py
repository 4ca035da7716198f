"""Taking back what one signed: `correction`, which is added and overwrites nothing (judge/said.py).

Here everybody takes back what they signed themselves, under whichever key of theirs. The judge lets an approver do it
for others too; that is done with `meterseal people`. Afterwards the role is open again, to them as to others.
"""

from meterseal_edge.errors import NotTaken
from meterseal_edge.people.roll import Account
from meterseal_edge.people.said import Sayings
from meterseal_edge.people.sheet import Sheet
from meterseal_wire import labels as L

WHY_CHARACTERS = 200


def take_correction(sayings: Sayings, account: Account, sheet: Sheet, raw: bytes) -> None:
    """Keep a correction of something that this person signed of this run; NotTaken says why not."""
    statement = sayings.verified(account, raw, L.KIND_CORRECTION)
    said = statement.payload
    if not sayings.may_notify(account, sheet):
        raise NotTaken("edge.grant", "no person grant names this key, a role of yours and this kind of meter")
    if not 0 < len(said[L.DETAIL].strip()) <= WHY_CHARACTERS or L.REPLACEMENT in said:
        raise NotTaken("edge.correction", f"say why, in 1 to {WHY_CHARACTERS} characters")
    with sayings.trail.roll.together():
        own = {
            item.identity: item
            for item in sayings.of(sheet.run.listed.identity)
            if item.account == account.id and item.typ != L.KIND_CORRECTION
        }
        replaced = own.get(said[L.REPLACES])
        if replaced is None:
            raise NotTaken("edge.correction", "this is nothing that you signed of this run")
        if replaced.taken_back:
            raise NotTaken("edge.twice", "it was taken back already")
        sayings.keep(account, sheet, statement, [])
