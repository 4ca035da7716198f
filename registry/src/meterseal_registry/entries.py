"""Station 10: statements enter, once, in order; each gets its leaf and the time it was entered.

A bundle is one transaction: all that is good of it is durable together, or nothing. The entry time is the registry's
clock, never running backwards: it is the *not after* of every test, and stands signed in the receipt. A statement
that is here already keeps its first leaf and time.

Evidence counts only where the statement covers it: an attempt its plan's digest, a result its evidence root, a
sign-off the root over its rows. What is
not covered is left out and the statement entered all the same, since a failed test must not hide behind damaged
evidence. Covered evidence that comes later is added, once, and the meters are decided again.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from meterseal_protocol.errors import ProtocolError, UnknownKey
from meterseal_protocol.evidence import Entry
from meterseal_protocol.statement import Statement
from meterseal_protocol.verify import Verified, verify
from meterseal_registry.errors import (
    BadEntry,
    NotPermitted,
    RegistryError,
    StoreFailed,
    TooLarge,
    UnknownSigner,
)
from meterseal_registry.grants import Authorities
from meterseal_registry.log import Log
from meterseal_registry.store.contract import Issued, Row, Store
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity, split
from meterseal_wire.tree import tree_hash

BUNDLE_BYTES = 1 << 22
BUNDLE_ITEMS = 1000
Item = tuple[bytes, tuple[bytes, ...]]
logger = logging.getLogger("meterseal.registry.entries")


@dataclass
class Batch:
    """Statements on their way into one transaction (`found` is None for a certificate), and late evidence."""

    rows: list[tuple[Row, Verified | None]] = field(default_factory=list)
    names: set[bytes] = field(default_factory=set)
    late: list[tuple[Verified, tuple[bytes, ...]]] = field(default_factory=list)


@dataclass
class Entries:
    """The door of the log."""

    store: Store
    log: Log
    authorities: Authorities

    def reload(self) -> None:
        """Read every entry back from the store, once, at the start; each is verified again."""
        late = list[tuple[Verified, Row]]()
        for row in self.store.rows():
            if row.leaf != self.log.size or identity(row.raw) != row.identity:
                raise StoreFailed(f"the store is damaged at leaf {self.log.size}: restore a backup")
            certificate = scan(split(row.raw)[0]).get(L.HEADER_TYP) == L.KIND_CERTIFICATE
            found = None if certificate else verify(row.raw, self.authorities.ring)
            self._remember(row, found)
            if row.since and found is not None:
                late.append((found, row))
        for found, row in late:
            self.log.catalogue.evidence_came(found.statement, found.key.thumbprint, row.since, row.evidence)

    def submit(self, items: Iterable[Item], now_s: int) -> list[bytes | RegistryError]:
        """Enter foreign statements: per item its identity, or why it is refused. StoreFailed: send all again."""
        with self.log.lock:
            batch = Batch()
            answers = [self._answer(batch, item, now_s) for item in items]
            self._commit(batch)
            for found, evidence in batch.late:
                self._add_evidence(found, evidence)
        return answers

    def verified(self, raw: bytes) -> Verified:
        """The statement if its signer is known here."""
        try:
            return verify(raw, self.authorities.ring)
        except UnknownKey as error:
            raise UnknownSigner(f"{error}. Submit the grant that names this key first") from None
        except (ProtocolError, WireError) as error:
            raise BadEntry(str(error)) from None

    def record(self, raw: bytes, now_s: int) -> Statement:
        """Enter a statement that this registry signed itself."""
        with self.log.lock:
            found = self.verified(raw)
            self._commit(Batch([(self._row(0, raw, (), now_s), found)]))
        return found.statement

    def record_certificate(self, raw: bytes, issued: Issued, now_s: int) -> None:
        """A certificate and its place in the status list, in one transaction: never one without the other."""
        with self.log.lock:
            self._commit(Batch([(self._row(0, raw, (), now_s), None)]), issued)

    def _answer(self, batch: Batch, item: Item, now_s: int) -> bytes | RegistryError:
        try:
            return self._admit(batch, item, now_s)
        except (BadEntry, UnknownSigner, NotPermitted) as error:
            return error

    def _admit(self, batch: Batch, item: Item, now_s: int) -> bytes:
        found = self.verified(item[0])
        statement = found.statement
        self.authorities.permit(statement, found.key)
        evidence = covered(statement, item[1])
        if statement.identity in self.log.by_identity or statement.identity in batch.names:
            if evidence:
                batch.late.append((found, evidence))
            return statement.identity
        batch.rows.append((self._row(len(batch.rows), statement.raw, evidence, now_s), found))
        batch.names.add(statement.identity)
        if statement.typ == L.KIND_GRANT:
            # Durable before anybody uses the key it names: what follows in this bundle may be signed with it.
            self._commit(batch)
        return statement.identity

    def _row(self, ahead: int, raw: bytes, evidence: tuple[bytes, ...], now_s: int) -> Row:
        return Row(self.log.size + ahead, identity(raw), raw, max(self.log.latest_s, now_s), evidence)

    def _commit(self, batch: Batch, issued: Issued | None = None) -> None:
        """One transaction; what the log holds in memory follows it."""
        if batch.rows:
            self.store.append([row for row, _ in batch.rows], issued)
        for row, found in batch.rows:
            self._remember(row, found)
        batch.rows.clear()

    def _remember(self, row: Row, found: Verified | None) -> None:
        if found is None:
            self.log.add(row, None)
            return
        self.log.add(row, Entry(found.statement, found.key.thumbprint, row.leaf, row.entered_s))
        self.authorities.learn(found.statement)

    def _add_evidence(self, found: Verified, evidence: tuple[bytes, ...]) -> None:
        row = self.log.find(found.statement.identity)
        if row.evidence:
            return
        since = self.log.size
        self.store.add_evidence(row.leaf, evidence, since)
        self.log.add_evidence(row.identity, evidence, since)
        self.log.catalogue.evidence_came(found.statement, found.key.thumbprint, since, evidence)


def covered(statement: Statement, evidence: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """`evidence` if it is what the statement's plan digest or evidence root covers, else nothing."""
    holds = False
    if statement.typ == L.KIND_ATTEMPT:
        holds = len(evidence) == 1 and sha256(evidence[0]) == statement.payload[L.PLAN]
    elif statement.typ == L.KIND_RESULT:
        holds = tree_hash(list(evidence)) == statement.payload[L.EVIDENCE_ROOT]
    elif statement.typ == L.KIND_SIGNOFF:
        holds = tree_hash(list(evidence)) == statement.payload[L.ROWS]
    if evidence and not holds:
        logger.warning(
            "%s %s: evidence that it does not cover is left out", statement.kind, statement.identity.hex()
        )
    return evidence if holds else ()


def unpack(body: bytes) -> list[Item]:
    """(statement, evidence items) pairs of a bundle; BadEntry with the byte where it is damaged, or TooLarge."""
    try:
        items = scan(body, BUNDLE_BYTES)
    except WireError as error:
        raise BadEntry(f"the bundle is refused: {error}") from None
    if not isinstance(items, list) or not items or not all(_is_item(item) for item in items):
        raise BadEntry("a bundle is an array of [statement, evidence ...]")
    if len(items) > BUNDLE_ITEMS:
        raise TooLarge(f"the bundle has {len(items)} items; send at most {BUNDLE_ITEMS} at a time")
    return [(item[0], tuple(item[1:])) for item in items]


def _is_item(item: object) -> bool:
    return isinstance(item, list) and bool(item) and all(isinstance(part, bytes) for part in item)
