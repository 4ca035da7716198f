"""What people sign about a run, taken in: checked against what the edge itself computes, kept, and sent on.

A sign-off is a statement over the Merkle root of rows, made in the person's browser by a key that never leaves it. The
edge computes the rows from the signed counts again and takes the statement only if its root is theirs: what was signed
is then exactly what `meterseal inspect` shows of the rows beside it. The same with a notice of a failed meter.

The registry judges all of it again, with everybody's grants. What it would not count should not be collected here.
"""

import threading
from dataclasses import dataclass, field
from typing import Any

from meterseal_edge.errors import NotTaken
from meterseal_edge.people.roll import Account
from meterseal_edge.people.sheet import Sheet, signers
from meterseal_edge.people.trail import Trail
from meterseal_edge.runs.figures import Judge
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_protocol.statement import Statement, read
from meterseal_protocol.verify import verify
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan
from meterseal_wire.tree import tree_hash

ROLE_OF = {
    "verifier": kinds.VERIFIER,
    "checker": kinds.CHECKER,
    "approver": kinds.APPROVER,
    "supervisor": kinds.SUPERVISING,
}
WHOLE_RUN, NO_ROLE = 0, 0
CLOCK_S = 600
ITEMS_BYTES = 1 << 22
NEW = """
INSERT OR IGNORE INTO said (identity, run, result, typ, role, position, account, key, raw, items, at_s, replaces)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
OF_RUN = """
SELECT said.identity, said.typ, said.role, said.position, said.account, said.key, said.at_s, said.receipt IS NOT NULL,
account.name, EXISTS (SELECT 1 FROM said AS other WHERE other.replaces = said.identity), said.raw
FROM said LEFT JOIN account ON account.id = said.account WHERE said.run = ? ORDER BY said.number
"""
STANDS = "NOT EXISTS (SELECT 1 FROM said AS other WHERE other.replaces = said.identity)"
ROLES_OF = f"SELECT DISTINCT role FROM said WHERE result = ? AND typ = ? AND {STANDS} ORDER BY role"  # noqa: S608 (our own words)


@dataclass(frozen=True, slots=True)
class Said:
    """One sign-off (role), notice or marks (position), or correction of a run; `entered` is 1 once a receipt covers
    it, `who` None once the person was removed, `taken_back` 1 once a correction took it back.
    """

    identity: bytes
    typ: int
    role: int
    position: int
    account: int
    key: bytes
    at_s: int
    entered: int
    who: str | None
    taken_back: int
    raw: bytes

    @property
    def text(self) -> str:
        """The seal numbers of marks, the reason of a correction; empty else."""
        said = read(self.raw).payload
        return ", ".join(said.get(L.SEALS, ())) or str(said.get(L.DETAIL, ""))


@dataclass(frozen=True)
class Sayings:
    """What was signed, in the people's file, and who may sign it. `fresh` is set when something waits to be sent on."""

    trail: Trail
    judge: Judge
    fresh: threading.Event = field(default_factory=threading.Event)

    def of(self, run: bytes) -> list[Said]:
        """Everything that people signed about a run (identity of its attempt), oldest first."""
        rows = self.trail.roll.all(OF_RUN, run)
        return [Said(*row) for row in rows]

    def shown(self, run: bytes) -> list[dict[str, Any]]:
        """The same for everybody who may see the run: no name, no key."""
        return [
            {
                "kind": L.KIND_NAMES[item.typ],
                "role": kinds.ROLE_NAMES.get(item.role, ""),
                "position": item.position,
                "at_s": item.at_s,
                "text": item.text,
                "entered": bool(item.entered),
                "taken_back": bool(item.taken_back),
            }
            for item in self.of(run)
        ]

    def bundle(self, identity: bytes) -> tuple[bytes, bytes]:
        """(run, what travels to the registry: CBOR array of the statement and its rows), as `inspect` reads it."""
        row = self.trail.roll.one("SELECT run, raw, items FROM said WHERE identity = ?", identity)
        if row is None:
            raise NotTaken("edge.run", "nothing that was signed here has this identity")
        return row[0], bytes(encode([row[1], *scan(row[2], ITEMS_BYTES)]))

    def signed(self, result: bytes) -> list[int]:
        """The roles in which a result (identity) is signed off."""
        return [role for (role,) in self.trail.roll.all(ROLES_OF, result, L.KIND_SIGNOFF)]

    def signers(self, sheet: Sheet) -> dict[int, set[bytes]]:
        """The people who signed in each role."""
        return signers(self._signed(sheet))

    def _signed(self, sheet: Sheet) -> list[tuple[int, tuple[int, bytes]]]:
        found = self.of(sheet.run.listed.identity)
        signed = (item for item in found if item.typ == L.KIND_SIGNOFF and not item.taken_back)
        return [(item.role, (item.account, item.key)) for item in signed]

    def against(self, account: Account, sheet: Sheet, role: int) -> NotTaken | None:
        """What speaks against a person who signs a run in a role; None where nothing does."""
        if role not in {ROLE_OF[name] for name in account.roles if name in ROLE_OF}:
            what = kinds.ROLE_NAMES.get(role, role)
            return NotTaken("edge.role", f"{account.name} has not the role {what} at this edge")
        if not sheet.is_for_signing:
            why = "there is nothing to sign: only a signed verification with all its errors is signed off"
            return NotTaken("edge.sheet", why)
        if account.key is None:
            return NotTaken("edge.key", "make a signing key in this browser first")
        if not self.judge.may_sign(account.key, role, sheet.pack, self.trail.roll.now_s()):
            return NotTaken("edge.grant", "no person grant names this key, role and kind of meter yet")
        return self._too_few(account, account.key, sheet, role)

    def _too_few(self, account: Account, key: bytes, sheet: Sheet, role: int) -> NotTaken | None:
        """The same person twice in a role, or in so many roles that too few people would be left."""
        before = self._signed(sheet)
        after = signers([*before, (role, (account.id, key))])
        if len(after[role]) <= len(signers(before).get(role, ())):
            return NotTaken("edge.twice", "you have signed in this role already")
        if role in sheet.roles and sheet.people_missing(after):
            why = "one person in all roles is not enough: somebody else must sign this"
            return NotTaken("edge.same", why)
        return None

    def take_signoff(self, account: Account, sheet: Sheet, raw: bytes) -> None:
        """Keep a sign-off; NotTaken says why not."""
        statement = self.verified(account, raw, L.KIND_SIGNOFF)
        payload, items = statement.payload, [row.encoded() for row in sheet.rows]
        role: int = payload[L.ROLE]
        with self.trail.roll.together():  # nobody signs between the look and the writing
            doubt = self.against(account, sheet, role)
            if doubt is not None:
                raise doubt
            if payload[L.ROWS] != tree_hash(items):
                why = "what was signed is not what the edge computes from the signed counts"
                raise NotTaken("edge.rows", why)
            if payload.get(L.TENANT, "") != sheet.run.listed.tenant:
                raise NotTaken("edge.rows", "the sign-off names another tenant than the run")
            self.keep(account, sheet, statement, items)

    def may_notify(self, account: Account, sheet: Sheet) -> bool:
        """True if a person can give notice of a failed meter: granted in a role that they have."""
        roles = {ROLE_OF[name] for name in account.roles if name in ROLE_OF} - {kinds.SUPERVISING}
        now_s = self.trail.roll.now_s()
        return any(self.judge.may_sign(account.key, role, sheet.pack, now_s) for role in roles)

    def take_notice(self, account: Account, sheet: Sheet, raw: bytes) -> None:
        """Keep a notice (检定结果通知书) of a meter that failed; NotTaken says why not."""
        statement = self.verified(account, raw, L.KIND_NOTICE)
        payload = statement.payload
        if not self.may_notify(account, sheet):
            why = "no person grant names this key, a role of yours and this kind of meter"
            raise NotTaken("edge.grant", why)
        mine = [(row, codes) for row, codes in sheet.failed if row.position == payload[L.POSITION]]
        if not mine:
            raise NotTaken("edge.notice", "a notice is for a meter that failed in a signed verification")
        [(row, codes)] = mine
        if (payload[L.RESULT], payload[L.METER], payload[L.CODES]) != (row.result, row.meter, codes):
            raise NotTaken("edge.rows", "the notice says something else than the edge computes")
        with self.trail.roll.together():
            found = self.of(sheet.run.listed.identity)
            own = [item for item in found if item.key == account.key and not item.taken_back]
            if (L.KIND_NOTICE, row.position) in [(item.typ, item.position) for item in own]:
                raise NotTaken("edge.twice", "this key has signed this already")
            self.keep(account, sheet, statement, [])

    def verified(self, account: Account, raw: bytes, typ: int) -> Statement:
        """A statement of this kind that the person's own key signed, now."""
        if account.cose is None:
            raise NotTaken("edge.key", "make a signing key in this browser first")
        ring = KeyRing()
        ring.add(PublicKey.from_cose(scan(account.cose)))
        try:
            statement = verify(raw, ring).statement
        except (ProtocolError, WireError) as error:
            raise NotTaken("edge.signature", f"the signature is not taken: {error}") from None
        if statement.typ != typ:
            why = f"a {statement.kind} was signed and something else was asked for"
            raise NotTaken("edge.signature", why)
        if abs(statement.payload[L.TIME_S] - self.trail.roll.now_s()) > CLOCK_S:
            raise NotTaken("edge.signature", "it was signed too long ago; load the page again and sign")
        return statement

    def keep(self, account: Account, sheet: Sheet, statement: Statement, items: list[bytes]) -> None:
        """On disk, in the trail, and soon on its way to the registry."""
        run, payload = sheet.run.listed.identity, statement.payload
        role, position = payload.get(L.ROLE, NO_ROLE), payload.get(L.POSITION, WHOLE_RUN)
        result, replaces = sheet.rows[0].result, payload.get(L.REPLACES)
        values = (statement.identity, run, result, statement.typ, role, position, account.id, account.key)
        with self.trail.roll.together():
            now_s = self.trail.roll.now_s()
            if not self.trail.roll.change(NEW, *values, statement.raw, encode(items), now_s, replaces):
                raise NotTaken("edge.twice", "this key has signed this already")
            told = {
                "run": run.hex(),
                "statement": statement.identity.hex(),
                "role": role,
                "position": position,
            }
            self.trail.write(account.id, statement.kind, told)
        self.fresh.set()
