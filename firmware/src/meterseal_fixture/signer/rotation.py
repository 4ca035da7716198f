"""A fixture's change of key: the payload of the old key's last event, countersigned by the new key.

protocol/spec/proof.md, "A rotated key": what the new key signs names both keys and the very place in the old chain.
"""

from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.suites import DEFAULT

NAME, CONTEXT = "key rotated", "meterseal key rotated"


def rotated(old_xy: bytes, new, chain: tuple[int, int, bytes], detail: str = "") -> dict[int, object]:
    """Payload of the event at `chain` (epoch, seq, prev) that hands over to the signer `new`."""
    thumbprints = [DEFAULT.thumbprint(old_xy), DEFAULT.thumbprint(new.public_xy)]
    change = encode([CONTEXT] + thumbprints + list(chain))
    return {
        L.EVENT: NAME,
        L.DETAIL: detail,
        L.SUBJECT_KEY: DEFAULT.cose_key(new.public_xy),
        L.COUNTERSIGNATURE: DEFAULT.canonical(new.sign(change)),
    }
