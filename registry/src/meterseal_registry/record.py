"""The record as the HTTP side and `main` see it: one object, one clock argument per call.

A bundle is entered item by item; then each meter that is due is decided once. What is due is read from the log
itself, so a power cut between a result and its decision, or a decision and its certificate, is made good at the
next start.
"""

from dataclasses import dataclass

from meterseal_protocol.evidence import CLOSERS
from meterseal_protocol.keys import PrivateKey, PublicKey
from meterseal_protocol.rules import Pack, load_pack
from meterseal_protocol.statement import Statement
from meterseal_registry.beacons import beacon, newest
from meterseal_registry.certificates import Certificates
from meterseal_registry.decisions import Decisions
from meterseal_registry.entries import Entries
from meterseal_registry.errors import RegistryError
from meterseal_registry.grants import Authorities
from meterseal_registry.log import Log
from meterseal_registry.settings import Settings
from meterseal_registry.status import Statuses
from meterseal_registry.store.sqlite import SqliteStore
from meterseal_wire import labels as L
from meterseal_wire.scan import scan
from meterseal_wire.statement import Author

ANCHOR_BYTES = 1 << 16
Answer = bytes | list[str]


@dataclass
class Record:
    """Everything of one registry, wired."""

    settings: Settings
    author: Author
    packs: list[Pack]
    log: Log
    entries: Entries
    decisions: Decisions
    certificates: Certificates
    statuses: Statuses

    def submit(self, raw: bytes, now_s: int) -> tuple[bytes, bool]:
        """One statement: (its receipt, True if it is new)."""
        identity, fresh = self.entries.submit(raw, (), now_s)
        return self.log.receipt(self.author, identity), fresh

    def bundle(self, items: list[tuple[bytes, tuple[bytes, ...]]], now_s: int) -> list[Answer]:
        """Enter a bundle and decide what it closed; per item a receipt or [code, why]."""
        with self.log.lock:
            before = self.log.size
            names = [self._enter(raw, evidence, now_s) for raw, evidence in items]
            if self.log.size > before:
                self.catch_up(now_s)
            return [
                self.log.receipt(self.author, name) if isinstance(name, bytes) else name for name in names
            ]

    def catch_up(self, now_s: int) -> list[str]:
        """Decide every meter that is due: a run was closed, or the power went, since it was decided. The meters."""
        with self.log.lock:
            due = self.due()
            for meter in due:
                self.settle(meter, now_s)
        return due

    def due(self) -> list[str]:
        """Meters with a closing statement younger than their newest decision, or granted without a certificate."""
        closed: dict[str, int] = {}
        decided: dict[str, Statement] = {}
        for entry in self.log.pool:
            if entry.statement.typ in CLOSERS:
                closed.update(dict.fromkeys(self.entries.meters_of(entry.statement, entry.key), entry.leaf))
            elif entry.statement.typ == L.KIND_DECISION:
                decided[entry.statement.payload[L.METER]] = entry.statement
        return [meter for meter, leaf in closed.items() if self._is_due(decided.get(meter), leaf)]

    def _is_due(self, decision: Statement | None, leaf: int) -> bool:
        if decision is None or decision.payload[L.LOG_SIZE] <= leaf:
            return True
        return self.certificates.lacking(decision)

    def _enter(self, raw: bytes, evidence: tuple[bytes, ...], now_s: int) -> Answer:
        try:
            return self.entries.submit(raw, evidence, now_s)[0]
        except RegistryError as error:
            return [error.code, str(error)]

    def settle(self, meter: str, now_s: int) -> None:
        """Decide a meter and bring its certificates in line."""
        self.certificates.settle(self.decisions.decide(meter, now_s), now_s)

    def beacon(self, now_s: int) -> bytes:
        """The newest beacon; a new one is logged when the last is older than `beacon_s`."""
        with self.log.lock:
            last = newest(self.log)
            if last is not None and now_s - last.statement.payload[L.TIME_S] < self.settings.beacon_s:
                return last.statement.raw
            raw = beacon(self.author, self.log, now_s)
            self.entries.record(raw, now_s)
            return raw


def open_record(settings: Settings) -> Record:
    """Open the store, read everything back, wire the stations."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    anchors = [PublicKey.from_cose(key) for key in scan(settings.anchors.read_bytes(), ANCHOR_BYTES)]
    own = PrivateKey.load(settings.key)
    author = Author(settings.registry, "record", own)
    store = SqliteStore(settings.folder / "registry.sqlite")
    log = Log()
    entries = Entries(store, log, Authorities(anchors))
    entries.reload()
    packs = [load_pack(name) for name in settings.rules]
    return Record(
        settings,
        author,
        packs,
        log,
        entries,
        Decisions(entries, author, packs),
        Certificates(entries, store, author, settings),
        Statuses(settings, store, log, entries.authorities, author),
    )
