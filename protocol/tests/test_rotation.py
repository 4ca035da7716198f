"""A rotated key: signed by both keys, over one change at one place, and nothing else can stand for it."""

from dataclasses import replace

import pytest

from meterseal_protocol.errors import BadProof, ProtocolError, Unverified
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.rotation import NAME, countersigned, rotated_to
from meterseal_protocol.statement import Statement, read
from meterseal_wire import labels as L
from meterseal_wire.statement import Author, build
from meterseal_wire.suites import ED25519

OLD, NEW, OTHER = PrivateKey.generate(), PrivateKey.generate(), PrivateKey.generate()
PLACE = (3, 7, bytes(31) + b"\x09")


def event(payload: dict[int, object] | None = None, place: tuple[int, int, bytes] = PLACE) -> Statement:
    """The old key's last statement."""
    said = countersigned(OLD.public.thumbprint, NEW, PLACE, "worn flash") if payload is None else payload
    return read(bytes(build(Author("YUHANG1", "W1", OLD), L.KIND_EVENT, said, place)))


def test_both_keys_sign_the_change() -> None:
    """The chain goes to the new key."""
    assert rotated_to(event(), OLD.public.thumbprint) == NEW.public


def test_keys_of_other_suites_rotate_too() -> None:
    """From P-256 to Ed25519."""
    new = PrivateKey.generate(ED25519)
    assert (
        rotated_to(event(countersigned(OLD.public.thumbprint, new, PLACE, "")), OLD.public.thumbprint)
        == new.public
    )


@pytest.mark.parametrize(
    "old, place",
    [(OTHER, PLACE), (OLD, (3, 8, PLACE[2])), (OLD, (4, 7, PLACE[2])), (OLD, (3, 7, bytes(32)))],
)
def test_a_countersignature_is_for_one_change_at_one_place(
    old: PrivateKey, place: tuple[int, int, bytes]
) -> None:
    """Of another key, at another seq, in another epoch, after another statement: it does not hold."""
    said = countersigned(old.public.thumbprint, NEW, place, "")
    with pytest.raises(Unverified):
        rotated_to(event(said), OLD.public.thumbprint)


def test_nobody_hands_a_chain_to_a_key_that_did_not_sign() -> None:
    """The new key's own signature is needed: another key's, or none, gives nothing."""
    said = countersigned(OLD.public.thumbprint, OTHER, PLACE, "")
    with pytest.raises(Unverified):
        rotated_to(event({**said, L.SUBJECT_KEY: NEW.public.cose}), OLD.public.thumbprint)
    for label in (L.SUBJECT_KEY, L.COUNTERSIGNATURE):
        with pytest.raises(BadProof):
            rotated_to(
                event({key: value for key, value in said.items() if key != label}), OLD.public.thumbprint
            )


def test_a_respelled_countersignature_is_refused() -> None:
    """One spelling, as everywhere (decisions/0006)."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SEC 2
    said = countersigned(OLD.public.thumbprint, NEW, PLACE, "")
    signature = bytes(said[L.COUNTERSIGNATURE])
    s = int.from_bytes(signature[32:], "big")
    said[L.COUNTERSIGNATURE] = signature[:32] + (order - s).to_bytes(32, "big")
    with pytest.raises(Unverified, match="respelled"):
        rotated_to(event(said), OLD.public.thumbprint)


def test_only_that_event_rotates_a_key() -> None:
    """Another name, another kind."""
    said = countersigned(OLD.public.thumbprint, NEW, PLACE, "")
    with pytest.raises(BadProof):
        rotated_to(event({**said, L.EVENT: "case opened"}), OLD.public.thumbprint)
    with pytest.raises(BadProof):
        rotated_to(replace(event(said), typ=L.KIND_BOOT), OLD.public.thumbprint)
    assert said[L.EVENT] == NAME


def test_a_key_that_is_no_point_is_refused() -> None:
    """The shape of a COSE_Key does not make it one."""
    said = countersigned(OLD.public.thumbprint, NEW, PLACE, "")
    said[L.SUBJECT_KEY] = {1: 2, -1: 1, -2: bytes(32), -3: bytes(32)}
    with pytest.raises(ProtocolError):
        rotated_to(event(said), OLD.public.thumbprint)
