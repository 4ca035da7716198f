"""A change of key as the fixture writes it; that the protocol accepts it is tested in cpython/test_csr_across.py."""

from hashlib import sha256

from test_atecc608 import part
from test_atecc608 import signer as element_signer

from meterseal_fixture.signer.rotation import rotated
from meterseal_fixture.signer.software_p256 import SoftwareSigner, verify
from meterseal_wire import labels as L
from meterseal_wire.kinds import check_payload
from meterseal_wire.suites import DEFAULT

OLD = SoftwareSigner(bytes(31) + b"\x08")
PREV = b"\x05" * 32
CHAIN = (3, 9, PREV)


def thumbprint(public_xy):
    """RFC 9679 section 4, by hand: SHA-256 of the COSE_Key {1: 2, -1: 1, -2: x, -3: y}."""
    key = b"\xa4\x01\x02\x20\x01\x21\x58\x20" + public_xy[:32] + b"\x22\x58\x20" + public_xy[32:]
    return sha256(key).digest()


def change(old_xy, new_xy):
    """What proof.md says is signed, by hand: an array of six, a text of 21, two hashes, 3, 9 and a hash."""
    return (
        b"\x86\x75meterseal key rotated\x58\x20"
        + thumbprint(old_xy)
        + b"\x58\x20"
        + thumbprint(new_xy)
        + b"\x03\x09\x58\x20"
        + PREV
    )


def test_the_new_key_signs_both_keys_and_the_place():
    """protocol/spec/proof.md, "A rotated key", byte by byte, for both signers; the payload is of its kind."""
    for new in (SoftwareSigner(bytes(31) + b"\x07"), element_signer(part())):
        payload = rotated(OLD.public_xy, new, CHAIN, "yearly")
        check_payload(L.KIND_EVENT, payload)
        assert (payload[40], payload[41], len(payload)) == ("key rotated", "yearly", 4)
        assert payload[56] == {1: 2, -1: 1, -2: new.public_xy[:32], -3: new.public_xy[32:]}
        assert verify(new.public_xy, change(OLD.public_xy, new.public_xy), payload[99])


def test_the_signature_holds_at_no_other_place_and_for_no_other_key():
    """Another epoch, seq or prev, and another old key, are other bytes: the countersignature says nothing of them."""
    new = SoftwareSigner(bytes(31) + b"\x07")
    other = SoftwareSigner(bytes(31) + b"\x06")
    said = change(OLD.public_xy, new.public_xy)
    for old, chain in (
        (OLD, (4, 9, PREV)),
        (OLD, (3, 10, PREV)),
        (OLD, (3, 9, b"\x06" * 32)),
        (other, CHAIN),
    ):
        assert not verify(new.public_xy, said, rotated(old.public_xy, new, chain)[99])
    assert not verify(new.public_xy, said, rotated(OLD.public_xy, other, CHAIN)[99])


def test_the_countersignature_is_in_the_one_spelling():
    """Decision 0006: s in the lower half; about half of sixteen signatures would not be without it."""
    raw = 0
    for turn in range(1, 17):
        new = SoftwareSigner(bytes(31) + bytes((turn,)))
        raw += not DEFAULT.is_canonical(new.sign(change(OLD.public_xy, new.public_xy)))
        assert DEFAULT.is_canonical(rotated(OLD.public_xy, new, CHAIN)[99])
    assert 0 < raw < 16
