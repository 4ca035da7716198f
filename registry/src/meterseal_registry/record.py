"""The record as the HTTP side and `main` see it: one object, one clock argument per call.

A bundle is entered in one transaction; then each meter that is owed a decision is decided once. What is owed follows
from the log itself, so a power cut between a result and its decision, or a decision and its certificate, is made
good at the next start.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import PrivateKey, PublicKey
from meterseal_protocol.rules import Pack, load_pack, shipped
from meterseal_registry.beacons import beacon
from meterseal_registry.certificates import Certificates
from meterseal_registry.decisions import Decisions
from meterseal_registry.entries import Entries, Item
from meterseal_registry.errors import BadEntry, BadSettings, RegistryError
from meterseal_registry.grants import Authorities
from meterseal_registry.log import Log
from meterseal_registry.settings import Settings
from meterseal_registry.status import Statuses
from meterseal_registry.store.sqlite import SqliteStore
from meterseal_wire import labels as L
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan
from meterseal_wire.statement import Author

logger = logging.getLogger("meterseal.registry.record")
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
        with self.log.lock:
            before = self.log.size
            [answer] = self.entries.submit([(raw, ())], now_s)
            if isinstance(answer, RegistryError):
                raise answer
            fresh = self.log.size > before
            self.catch_up(now_s)
            return self.log.receipt(self.author, answer), fresh

    def bundle(self, items: list[Item], now_s: int) -> list[Answer]:
        """Enter a bundle and decide what it closed; per item a receipt or [code, why]."""
        with self.log.lock:
            answers = self.entries.submit(items, now_s)
            self.catch_up(now_s)
            return [self._said(answer) for answer in answers]

    def catch_up(self, now_s: int) -> list[str]:
        """Decide every meter about which something new is known: the meters, in the order they came up."""
        if self.entries.authorities.ring.by_thumbprint(self.author.thumbprint) is None:
            return []  # the grant that names this registry is not here yet: nobody would believe what it decides
        with self.log.lock:
            owed = self.log.catalogue.owed
            due = list(owed)
            for meter in due:
                try:
                    self.settle(meter, now_s)
                except (BadEntry, WireError) as error:
                    # One meter's decision that no statement can carry must not keep all the others waiting.
                    logger.warning("%s is not decided: %s", meter, error)
                del owed[meter]
        return due

    def resume(self) -> None:
        """After a start: nothing is owed to a meter whose newest decision read it all and whose certificates agree."""
        catalogue = self.log.catalogue
        for meter, leaf in list(catalogue.owed.items()):
            decision = catalogue.newest.get((L.KIND_DECISION, meter))
            if decision is None or decision.statement.payload[L.LOG_SIZE] <= leaf:
                continue
            if self.certificates.agree(decision):
                del catalogue.owed[meter]

    def _said(self, answer: bytes | RegistryError) -> Answer:
        if isinstance(answer, RegistryError):
            return [answer.code, str(answer)]
        return self.log.receipt(self.author, answer)

    def settle(self, meter: str, now_s: int) -> None:
        """Decide a meter and bring its certificates in line."""
        self.certificates.settle(self.decisions.decide(meter, now_s), now_s)

    def beacon(self, now_s: int) -> bytes:
        """The newest beacon; a new one is logged when the last is older than `beacon_s`."""
        with self.log.lock:
            last = self.log.catalogue.beacon
            if last is not None and now_s - last.statement.payload[L.TIME_S] < self.settings.beacon_s:
                return last.statement.raw
            raw = beacon(self.author, self.log, now_s)
            self.entries.record(raw, now_s)
            return raw

    @property
    def granted(self) -> bool:
        """True once a logged grant names this registry's key: until then it can sign nothing that anybody believes."""
        names = [registry.key.thumbprint for registry in self.statuses.registries()]
        return self.author.thumbprint in names


def read_anchors(path: Path) -> list[PublicKey]:
    """The keys trusted from outside, from a CBOR array of COSE_Key; BadSettings where the file is none."""
    try:
        keys = scan(path.read_bytes(), ANCHOR_BYTES)
        if isinstance(keys, list) and keys:
            return [PublicKey.from_cose(key) for key in keys]
    except (WireError, ProtocolError) as error:
        raise BadSettings(f"{path} is no list of anchor keys: {error}") from None
    raise BadSettings(f"{path} names no anchor: give a CBOR array of COSE_Key")


def read_pack(name: str) -> Pack:
    """A shipped pack by its name, or the pack in a file; BadSettings where it is neither."""
    try:
        return load_pack(name) if name in shipped() else Pack.load(Path(name).read_bytes())
    except (OSError, ProtocolError) as error:
        names = ", ".join(shipped())
        raise BadSettings(f"{name} is no rule pack ({error}): name a file, or one of {names}") from None


def open_record(settings: Settings) -> Record:
    """Open the store, read everything back, wire the stations."""
    anchors = read_anchors(settings.anchors)
    author = Author(settings.registry, "record", PrivateKey.load(settings.key))
    packs = [read_pack(name) for name in settings.rules]
    settings.folder.mkdir(parents=True, exist_ok=True)
    store = SqliteStore(settings.folder / "registry.sqlite")
    log = Log()
    entries = Entries(store, log, Authorities(anchors))
    entries.reload()
    record = Record(
        settings,
        author,
        packs,
        log,
        entries,
        Decisions(entries, author, packs),
        Certificates(entries, store, author, settings),
        Statuses(settings, store, log, entries.authorities, author),
    )
    record.resume()
    return record
