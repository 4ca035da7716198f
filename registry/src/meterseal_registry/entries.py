"""Station 10: statements enter, once, in order; each gets its leaf and the time it was entered.

The entry time is the registry's clock, never running backwards: it is the *not after* of every test, and stands
signed in the receipt. A statement that is here already keeps its first leaf and time.
"""

from dataclasses import dataclass

from meterseal_protocol.errors import ProtocolError, UnknownKey
from meterseal_protocol.evidence import CLOSERS, Entry
from meterseal_protocol.statement import Statement
from meterseal_protocol.verify import Verified, verify
from meterseal_registry.errors import BadEntry, UnknownSigner
from meterseal_registry.grants import Authorities
from meterseal_registry.log import Log
from meterseal_registry.store.contract import Issued, Row, Store
from meterseal_wire import labels as L
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import split

BUNDLE_BYTES = 1 << 22


@dataclass
class Entries:
    """The door of the log."""

    store: Store
    log: Log
    authorities: Authorities

    def reload(self) -> None:
        """Read every entry back from the store, once, at the start; each is verified again."""
        for row in self.store.rows():
            certificate = scan(split(row.raw)[0]).get(L.HEADER_TYP) == L.KIND_CERTIFICATE
            self._remember(row, None if certificate else verify(row.raw, self.authorities.ring))

    def submit(self, raw: bytes, evidence: tuple[bytes, ...], now_s: int) -> tuple[bytes, bool]:
        """Enter a foreign statement: (identity, True if it is new). RegistryError says why not."""
        with self.log.lock:
            found = self.verified(raw)
            self.authorities.permit(found.statement, found.key)
            name = found.statement.identity
            if name in self.log.by_identity:
                return name, False
            self.append(raw, found, evidence, now_s)
            return name, True

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
        found = self.verified(raw)
        self.append(raw, found, (), now_s)
        return found.statement

    def append(self, raw: bytes, found: Verified, evidence: tuple[bytes, ...], now_s: int) -> Row:
        """Make one statement durable and put it into the log."""
        with self.log.lock:
            row = self._row(raw, found.statement.identity, evidence, now_s)
            self.store.append([row], {row.identity: self.meters_of(found.statement, found.key.thumbprint)})
            self._remember(row, found)
            return row

    def append_certificate(self, raw: bytes, issued: Issued, now_s: int) -> Row:
        """A certificate and its place in the status list, in one transaction: never one without the other."""
        with self.log.lock:
            row = self._row(raw, issued.identity, (), now_s)
            self.store.append([row], {}, issued)
            self._remember(row, None)
            return row

    def _row(self, raw: bytes, name: bytes, evidence: tuple[bytes, ...], now_s: int) -> Row:
        last = self.log.rows[-1].entered_s if self.log.rows else 0
        return Row(self.log.size, name, raw, max(last, now_s), evidence)

    def _remember(self, row: Row, found: Verified | None) -> None:
        if found is None:
            self.log.add(row, None)
            return
        self.log.add(row, Entry(found.statement, found.key.thumbprint, row.leaf, row.entered_s))
        self.authorities.learn(found.statement)

    def meters_of(self, statement: Statement, key: bytes) -> tuple[str, ...]:
        """The meters a statement names: an attempt's own, a closing statement's through its attempt."""
        if statement.typ == L.KIND_ATTEMPT:
            return tuple(position[L.METER] for position in statement.payload[L.POSITIONS])
        if statement.typ in CLOSERS:
            epoch, seq = statement.payload[L.ATTEMPT]
            attempt = self.log.attempts.get((key, epoch, seq))
            return self.meters_of(attempt, key) if attempt else ()
        return ()


def unpack(body: bytes) -> list[tuple[bytes, tuple[bytes, ...]]]:
    """(statement, evidence items) pairs of a bundle; BadEntry with the byte where it is damaged."""
    try:
        items = scan(body, BUNDLE_BYTES)
    except WireError as error:
        raise BadEntry(f"the bundle is refused: {error}") from None
    if not isinstance(items, list) or not items or not all(_is_item(item) for item in items):
        raise BadEntry("a bundle is an array of [statement, evidence ...]")
    return [(item[0], tuple(item[1:])) for item in items]


def _is_item(item: object) -> bool:
    return isinstance(item, list) and bool(item) and all(isinstance(part, bytes) for part in item)
