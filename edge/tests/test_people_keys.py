"""A signing key is bound to the account whose browser shows that it has it."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from edge.tests.conftest import Box
from edge.tests.office import Office, Person

from meterseal_edge.errors import NotTaken
from meterseal_edge.people.keys import PROOF, enrol
from meterseal_protocol.keys import PrivateKey
from meterseal_wire.encode import encode
from meterseal_wire.suites import ED25519, P256_ORDER


@pytest.fixture
def office(box: Box) -> Iterator[Office]:
    """A fresh office."""
    with closing(Office(box)) as found:
        yield found


@pytest.fixture
def li(office: Office) -> Person:
    """A verifier without a key."""
    return office.hire("Li", "verifier")


def refused(li: Person, cose: bytes, proof: bytes) -> bool:
    """True if the key is refused and none is bound."""
    try:
        enrol(li.office.desk.trail, li.account, cose, proof)
    except NotTaken as error:
        return error.code == "edge.key" and li.account.key is None
    return False


def test_a_proved_key_is_bound_and_stands_in_the_trail(office: Office, li: Person) -> None:
    """RFC 9679: the thumbprint names it."""
    cose = bytes(encode(li.key.public.cose))
    assert enrol(office.desk.trail, li.account, cose, li.proof(cose)).thumbprint == li.key.thumbprint
    assert (li.account.key, li.account.cose) == (li.key.thumbprint, cose)
    [act] = office.desk.trail.page()
    assert (act.what, act.about) == ("signing key", {"thumbprint": li.key.thumbprint.hex()})


def test_a_proof_by_another_key_or_over_another_name_is_none(office: Office, li: Person) -> None:
    """PROOF, the account's name and the key, all three."""
    cose, wang = bytes(encode(li.key.public.cose)), office.hire("Wang", "verifier")
    assert refused(li, cose, wang.proof(cose))
    wang.key = li.key
    assert refused(li, cose, wang.proof(cose))
    assert refused(li, cose, li.author().sign(PROOF + cose))
    assert refused(li, cose, li.author().sign(b"Li\n" + cose))
    assert refused(li, cose, b"")


def test_a_key_of_another_suite_with_more_in_it_or_out_of_shape_is_none(li: Person) -> None:
    """A browser makes ESP256; other labels in a COSE_Key would be kept and never looked at."""
    key = PrivateKey.generate(ED25519)
    cose = bytes(encode(key.public.cose))
    assert refused(li, cose, key.sign(PROOF + b"Li\n" + cose))
    more = bytes(encode({**li.key.public.cose, 2: b"name"}))
    assert refused(li, more, li.proof(more))
    for cose in (b"", b"\xa0", b"\xff", b"\x80", bytes(encode(li.key.public.cose)) + b"\x00", bytes(300)):
        assert refused(li, cose, li.proof(cose))


def test_both_spellings_of_a_proof_are_looked_at_alike(li: Person) -> None:
    """A proof names nothing and is kept nowhere: the one spelling of decisions/0006 is a statement's business."""
    cose = bytes(encode(li.key.public.cose))
    proof = li.proof(cose)
    other = proof[:32] + (P256_ORDER - int.from_bytes(proof[32:], "big")).to_bytes(32, "big")
    assert enrol(li.office.desk.trail, li.account, cose, other).thumbprint == li.key.thumbprint
