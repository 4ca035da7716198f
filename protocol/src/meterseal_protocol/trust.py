"""A trust file: what an installer's phone or an inspector's laptop needs to answer offline.

A CBOR map {"anchors": [COSE_Key], "grants": [statements], "status": [status lists], "made_s": seconds}. The file
itself is trusted because its owner chose it; within it, a registry's key is believed only through a grant that an
anchor signed, and a status list only under such a key.
"""

from collections.abc import Sequence
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
        if not isinstance(value, dict) or set(value) != FIELDS or not isinstance(value["made_s"], int):
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

    def registry_keys(self) -> KeyRing:
        """Keys that an anchor's registry grant names; a grant that does not hold gives none."""
        roots, found = KeyRing(), KeyRing()
        for anchor in self.anchors:
            roots.add(anchor)
        for raw in self.grants:
            try:
                payload = verify(raw, roots).statement.payload
                if payload.get(L.GRANT) == kinds.REGISTRY:
                    found.add(PublicKey.from_cose(payload[L.SUBJECT_KEY]))
            except (ProtocolError, WireError):
                continue
        return found

    def status_lists(self, keys: KeyRing) -> dict[int, StatusList]:
        """Verified lists by number, the newest of each number; what does not hold is left out."""
        found: dict[int, StatusList] = {}
        for raw in self.status:
            try:
                status = read_status(raw, keys)
            except (ProtocolError, WireError):
                continue
            number = _number(status.uri)
            known = found.get(number)
            if known is None or known.issued_s < status.issued_s:
                found[number] = status
        return found


def _number(uri: str) -> int:
    tail = uri.rpartition("/")[2]
    return int(tail) if tail.isdecimal() else -1
