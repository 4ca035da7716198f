"""A fixture changes its key: an event of the old key, countersigned by the new one.

The event is the old key's last statement, named `key rotated`. It carries the new key and the new key's signature
over the change, in a structure of its own: deterministic CBOR of ["meterseal key rotated", old thumbprint, new
thumbprint, epoch, seq, prev]. So nobody hands a chain to a key whose owner did not agree, and no other signature of
the new key can be taken for this one. The new key's first boot cites the event; it needs a grant like any key.
"""

from typing import Any

from meterseal_protocol.errors import BadProof, Unverified
from meterseal_protocol.keys import PrivateKey, PublicKey
from meterseal_protocol.statement import Statement
from meterseal_wire import labels as L
from meterseal_wire.encode import encode

NAME = "key rotated"
CONTEXT = "meterseal key rotated"


def countersigned(old: bytes, new: PrivateKey, chain: tuple[int, int, bytes], detail: str) -> dict[int, Any]:
    """Payload of the event that stands at `chain` in the chain of the key with thumbprint `old`."""
    signature = new.suite.canonical(new.sign(_change(old, new.public, chain)))
    return {
        L.EVENT: NAME,
        L.DETAIL: detail,
        L.SUBJECT_KEY: new.public.cose,
        L.COUNTERSIGNATURE: signature,
    }


def rotated_to(event: Statement, old: bytes) -> PublicKey:
    """The new key that an event, verified under the key with thumbprint `old`, hands the chain to; BadProof, BadKey or
    Unverified where it does not.
    """
    payload = event.payload
    if event.typ != L.KIND_EVENT or payload[L.EVENT] != NAME or event.chain is None:
        raise BadProof("this is no event of a rotated key")
    if L.SUBJECT_KEY not in payload or L.COUNTERSIGNATURE not in payload:
        raise BadProof("a rotated key comes with the new key and its countersignature")
    new = PublicKey.from_cose(payload[L.SUBJECT_KEY])
    signature = payload[L.COUNTERSIGNATURE]
    if not new.suite.is_canonical(signature):
        raise Unverified("the countersignature is respelled")
    new.verify(_change(old, new, event.chain), signature)
    return new


def _change(old: bytes, new: PublicKey, chain: tuple[int, int, bytes]) -> bytes:
    return bytes(encode([CONTEXT, old, new.thumbprint, *chain]))
