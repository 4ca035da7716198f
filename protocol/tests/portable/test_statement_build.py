"""Signed bytes from a payload, on both interpreters. The signer stands outside: anything with two members will do."""

from meterseal_wire import labels as L
from meterseal_wire.digest import kid, sha256, thumbprint
from meterseal_wire.errors import BadShape
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import sig_structure, split
from meterseal_wire.statement import Author, build, seal

EVENT = {L.EVENT: "case.opened", L.DETAIL: "seal 17 broken"}


class Signer:
    """Signs with a hash: enough to see what was signed."""

    public_xy = bytes(range(64))

    def sign(self, message):
        """64 bytes that depend on every byte of the message."""
        return sha256(message) + sha256(message + b"2")


def raised(kind, call, *args):
    """True if `call` raises `kind`."""
    try:
        call(*args)
    except kind:
        return True
    return False


AUTHOR = Author("YUHANG1", "W1", Signer())


def test_a_statement_carries_header_payload_and_signature():
    """What comes apart is what went in, and the signature is over the Sig_structure of those very bytes."""
    raw = build(AUTHOR, L.KIND_EVENT, EVENT, (1, 4, bytes(32)))
    protected, unprotected, payload, signature = split(raw)
    assert unprotected == {}
    assert scan(payload) == EVENT
    assert scan(protected)[L.HEADER_CHAIN] == [1, 4, bytes(32)]
    assert signature == Signer().sign(sig_structure(protected, payload))


def test_the_kid_comes_from_the_signers_key():
    """RFC 9679 thumbprint of its public key, first 8 bytes."""
    protected = split(build(AUTHOR, L.KIND_EVENT, EVENT, (1, 4, bytes(32))))[0]
    assert scan(protected)[L.HEADER_KID] == kid(thumbprint(bytes(range(64))))
    assert AUTHOR.thumbprint == thumbprint(bytes(range(64)))


def test_nobody_signs_what_the_other_side_must_refuse():
    """The payload is checked against its kind before a signature is spent."""
    assert raised(BadShape, build, AUTHOR, L.KIND_EVENT, {L.EVENT: "x"}, (1, 4, bytes(32)))
    assert raised(BadShape, build, AUTHOR, 65000, EVENT)


def test_a_name_has_one_to_sixteen_characters():
    """Design section 5: short registry names."""
    assert Author("A" * 16, "B", Signer()).issuer == "A" * 16
    assert raised(ValueError, Author, "", "W1", Signer())
    assert raised(ValueError, Author, "A" * 17, "W1", Signer())


def test_seal_signs_what_is_encoded_already():
    """A certificate has its own header and claims."""
    raw = seal(AUTHOR, b"\xa0", b"\xa1\x01\x02")
    assert split(raw)[:3] == (b"\xa0", {}, b"\xa1\x01\x02")
