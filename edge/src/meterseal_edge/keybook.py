"""Whose key is whose: fixtures' and registries' keys from grants that reach an anchor.

The edge asks only *who is this*; whether a grant covers a test is the judge's business. Grants come from a folder
at the start and from the registry while it can be reached.
"""

import threading
from collections.abc import Iterable
from pathlib import Path

from meterseal_protocol.holders import Holder, Holders
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_wire import kinds
from meterseal_wire.scan import scan

LARGE = 1 << 22


class Keybook:
    """Holders of keys, safe to use from several threads: a new set replaces the old one whole."""

    def __init__(self, anchors: bytes) -> None:
        self._lock = threading.Lock()
        self._grants: dict[bytes, None] = {}
        self._anchors = [PublicKey.from_cose(key) for key in scan(anchors, LARGE)]
        self._holders = Holders(self._anchors)

    def learn(self, grants: Iterable[bytes]) -> int:
        """Add grants; those that nobody believed vouches for wait. The number of keys held afterwards."""
        with self._lock:
            before = len(self._grants)
            self._grants.update(dict.fromkeys(grants))
            if len(self._grants) != before:
                found = Holders(self._anchors)
                found.learn(self._grants)
                self._holders = found
            return len(self._holders)

    def learn_folder(self, folder: Path) -> int:
        """Add every *.cose of a folder."""
        return self.learn(path.read_bytes() for path in sorted(folder.glob("*.cose")))

    @property
    def ring(self) -> KeyRing:
        """Every key that is known."""
        return self._holders.ring

    @property
    def registries(self) -> KeyRing:
        """Keys of registries: only these make receipts and beacons."""
        return self._holders.of_kind(kinds.REGISTRY)

    def fixture(self, thumbprint: bytes) -> Holder | None:
        """The fixture that holds a key, None where no fixture does."""
        return self._holders.of(thumbprint, kinds.FIXTURE)
