"""Whose key is whose: fixtures' and registries' keys from grants that reach an anchor.

The edge asks only *who is this*; whether a grant covers a test is the judge's business. Grants come from the
registry while it can be reached, and lie in a folder for the starts at which it can't: an edge that comes back
during a week without a registry still knows its fixtures.
"""

import threading
from collections.abc import Iterable
from pathlib import Path

from meterseal_edge.errors import BadSettings
from meterseal_edge.examine import Directory
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.holders import Holder, Holders
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_protocol.verify import verify
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

LARGE = 1 << 22


class Keybook:
    """Holders of keys at `site`, safe to use from several threads: a new set replaces the old one whole."""

    def __init__(self, anchors: bytes, folder: Path, site: str) -> None:
        self.site = site
        self._folder = folder
        self._lock = threading.Lock()
        self._grants: dict[bytes, None] = {}
        self._anchors = keys_in(anchors)
        self._holders = Holders(self._anchors)
        self._directory: Directory | None = None
        self._names: frozenset[str] = frozenset()
        folder.mkdir(parents=True, exist_ok=True)
        self.learn_folder(folder)

    def learn(self, grants: Iterable[bytes]) -> int:
        """Add grants; those that nobody believed vouches for wait. The number of keys held afterwards."""
        with self._lock:
            fresh = [raw for raw in grants if raw not in self._grants]
            if fresh:
                self._grants.update(dict.fromkeys(fresh))
                found = Holders(self._anchors)
                waiting = set(found.learn(self._grants))
                self._holders, self._directory = found, None
                self._keep(raw for raw in fresh if raw not in waiting or withdraws(raw, found.authorities))
            return len(self._holders)

    def _keep(self, believed: Iterable[bytes]) -> None:
        for raw in believed:
            path = self._folder / f"{sha256(raw).hex()}.cose"
            if not path.exists() or path.read_bytes() != raw:
                part = path.with_suffix(".part")
                part.write_bytes(raw)
                part.replace(path)

    def learn_folder(self, folder: Path) -> int:
        """Add every *.cose of a folder."""
        return self.learn(path.read_bytes() for path in sorted(folder.glob("*.cose")))

    @property
    def anchors(self) -> list[PublicKey]:
        """Keys that are trusted from outside."""
        return self._anchors

    def grants(self) -> list[bytes]:
        """Every grant and withdrawal that was learnt, believed or not."""
        with self._lock:
            return list(self._grants)

    @property
    def ring(self) -> KeyRing:
        """Every key that is known."""
        return self._holders.ring

    @property
    def registries(self) -> KeyRing:
        """Keys of registries: only these make receipts and beacons."""
        return self._holders.of_kind(kinds.REGISTRY)

    def edges(self, name: str) -> KeyRing:
        """Keys of the edge of that name."""
        found = KeyRing()
        for key in self._holders.of_kind(kinds.EDGE):
            holder = self._holders.of(key.thumbprint, kinds.EDGE)
            if holder is not None and holder.name == name:
                found.add(key)
        return found

    def directory(self) -> Directory:
        """All keys, and which of them are of this site's fixtures: the same object until a grant is learnt."""
        with self._lock:
            if self._directory is None:
                holders = ((key.thumbprint, self.fixture(key.thumbprint)) for key in self.ring)
                names = {thumbprint: holder.name for thumbprint, holder in holders if holder is not None}
                self._directory, self._names = Directory(self.ring, names), frozenset(names.values())
            return self._directory

    def names(self) -> frozenset[str]:
        """Names of the fixtures of this site."""
        self.directory()
        return self._names

    def fixture(self, thumbprint: bytes) -> Holder | None:
        """The fixture of this site that holds a key, None where none does."""
        holder = self._holders.of(thumbprint, kinds.FIXTURE)
        return holder if holder is not None and holder.site == self.site else None

    def name_of(self, thumbprint: bytes) -> str:
        """How a run's fixture is shown: its name, or the beginning of a key that is not known here."""
        holder = self.fixture(thumbprint)
        return holder.name if holder else thumbprint.hex()[:16]

    def keys_of(self, name: str) -> list[bytes]:
        """Thumbprints of the keys that a fixture of this site holds or held."""
        return [thumbprint for thumbprint, held in self.directory().names.items() if held == name]


def withdraws(raw: bytes, authorities: KeyRing) -> bool:
    """True for a withdrawal that somebody signed who may sign grants; whose grant it ends is asked of the chain."""
    try:
        return verify(raw, authorities).statement.typ == L.KIND_WITHDRAWAL
    except (ProtocolError, WireError):
        return False


def keys_in(anchors: bytes) -> list[PublicKey]:
    """The keys of an anchors file; BadSettings or BadKey where it is none."""
    try:
        found = scan(anchors, LARGE)
    except WireError as error:
        raise BadSettings(f"the anchors file is damaged: {error}") from None
    if not isinstance(found, list) or not found:
        raise BadSettings("the anchors file is a CBOR array of one COSE_Key or more")
    return [PublicKey.from_cose(key) for key in found]
