"""A trust file: what an installer's phone or an inspector's laptop needs to answer offline.

A CBOR map {"anchors": [COSE_Key], "grants": [statements], "status": [status lists], "made_s": seconds}. The file
itself is trusted because its owner chose it; within it, a registry's key is believed only through a grant that an
anchor signed, and a status list only under such a key. A list speaks for the registry that signed it and no other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_protocol.status import StatusList
from meterseal_protocol.status import read as read_status
from meterseal_protocol.verify import verify
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.errors import BadShape, WireError
from meterseal_wire.scan import scan

FILE_BYTES = 1 << 23
FIELDS = {"anchors", "grants", "status", "made_s"}


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry's key, its name, and the windows [from, to] in Unix seconds that its grants give it."""

    key: PublicKey
    name: str
    windows: tuple[tuple[int, int], ...]

    def held_at(self, moment_s: int) -> bool:
        """True if a grant covers the moment: what was signed outside every window counts for nothing."""
        return any(start_s <= moment_s <= end_s for start_s, end_s in self.windows)


@dataclass(frozen=True)
class Trust:
    """Anchors, grants of registries, status lists, and when the file was made."""

    anchors: Sequence[PublicKey]
    grants: Sequence[bytes]
    status: Sequence[bytes]
    made_s: int

    @classmethod
    def load(cls, raw: bytes) -> "Trust":
        """From a file's bytes; WireError or ProtocolError says why it is none."""
        value = scan(raw, FILE_BYTES)
        if not isinstance(value, dict) or set(value) != FIELDS or not _is_time(value["made_s"]):
            raise BadShape(0, "a trust file has anchors, grants, status and made_s")
        lists = [value["anchors"], value["grants"], value["status"]]
        if not all(isinstance(item, list) for item in lists):
            raise BadShape(0, "a trust file's anchors, grants and status are arrays")
        if not all(isinstance(item, bytes) for item in value["grants"] + value["status"]):
            raise BadShape(0, "a trust file's grants and status lists are byte strings")
        anchors = [PublicKey.from_cose(key) for key in value["anchors"]]
        return cls(anchors, value["grants"], value["status"], value["made_s"])

    def dump(self) -> bytes:
        """The file's bytes."""
        return bytes(
            encode(
                {
                    "anchors": [anchor.cose for anchor in self.anchors],
                    "grants": list(self.grants),
                    "status": list(self.status),
                    "made_s": self.made_s,
                }
            )
        )

    def registries(self) -> dict[bytes, Registry]:
        """Registries by the thumbprint of their key, as anchors' grants name them; what does not hold gives none."""
        roots, found = KeyRing(), dict[bytes, Registry]()
        for anchor in self.anchors:
            roots.add(anchor)
        for raw in self.grants:
            try:
                payload = verify(raw, roots).statement.payload
                if payload.get(L.GRANT) != kinds.REGISTRY or L.PARENT in payload:
                    continue
                key = PublicKey.from_cose(payload[L.SUBJECT_KEY])
            except (ProtocolError, WireError):
                continue
            start_s, end_s = payload[L.WINDOW]
            known = found.get(key.thumbprint, Registry(key, payload[L.REGISTRY], ()))
            if known.name == payload[L.REGISTRY]:
                found[key.thumbprint] = Registry(key, known.name, (*known.windows, (start_s, end_s)))
        return found

    def status_lists(self, registries: Mapping[bytes, Registry]) -> dict[tuple[str, int], StatusList]:
        """Verified lists by registry's name and number, the newest of each; what does not hold is left out."""
        keys, found = key_ring(registries), dict[tuple[str, int], StatusList]()
        for raw in self.status:
            try:
                status = read_status(raw, keys)
            except (ProtocolError, WireError):
                continue
            signer = registries[status.key]
            place = signer.name, _number(status.uri)
            known = found.get(place)
            if signer.held_at(status.issued_s) and (known is None or known.issued_s < status.issued_s):
                found[place] = status
        return found


def key_ring(registries: Mapping[bytes, Registry]) -> KeyRing:
    """The registries' keys, to verify with."""
    ring = KeyRing()
    for registry in registries.values():
        ring.add(registry.key)
    return ring


def _is_time(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _number(uri: str) -> int:
    tail = uri.rpartition("/")[2]
    return int(tail) if tail.isdecimal() else -1
