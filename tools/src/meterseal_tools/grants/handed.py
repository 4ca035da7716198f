"""A grant as it is signed, and whose receipts for it count."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import KeyRing, PrivateKey, PublicKey
from meterseal_protocol.verify import verify
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.errors import WireError
from meterseal_wire.statement import Author, build

SUBJECT = 16


def sign(payload: Mapping[int, Any], issuer: str, key: PrivateKey) -> bytes:
    """The grant that a payload says; ValueError where the issuer's name is none."""
    subject = kinds.GRANT_NAMES[payload[L.GRANT]][:SUBJECT]
    return bytes(build(Author(issuer, subject, key), L.KIND_GRANT, dict(payload)))


def registries(raws: Iterable[bytes], anchors: Sequence[PublicKey]) -> KeyRing:
    """Keys of the registries that these anchors grant among some grants; others are passed over."""
    trusted, found = KeyRing(), KeyRing()
    for anchor in anchors:
        trusted.add(anchor)
    for raw in raws:
        try:
            grant = verify(raw, trusted).statement
        except (ProtocolError, WireError):
            continue
        if grant.typ == L.KIND_GRANT and grant.payload[L.GRANT] == kinds.REGISTRY:
            found.add(PublicKey.from_cose(grant.payload[L.SUBJECT_KEY]))
    return found
