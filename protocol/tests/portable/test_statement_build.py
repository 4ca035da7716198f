"""Signed bytes from a payload, on both interpreters. The signer stands outside: anything with two members will do."""

from meterseal_wire import labels as L
from meterseal_wire.digest import kid, sha256, thumbprint
from meterseal_wire.errors import BadShape
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import sig_structure, split
from meterseal_wire.statement import Author, build, seal
from meterseal_wire.suites import ED25519, ESP256

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


class OtherSigner(Signer):
    """A signer of the third suite: its public key is 32 bytes long, and a large second half is no respelling."""

    suite = ED25519
    public_xy = bytes(range(32))

    def sign(self, message):
        """64 bytes whose second half is larger than half the order of P-256."""
        return sha256(message) + b"\xff" * 32


def test_a_signer_says_its_suite_or_is_of_the_first():
    """A fixture's signers, which say nothing, stay what they are: ESP256."""
    assert AUTHOR.suite is ESP256
    other = Author("YUHANG1", "W1", OtherSigner())
    assert other.suite is ED25519
    # RFC 9679 section 4.4: kty, crv and x of an OKP key, in deterministic order.
    assert other.thumbprint == sha256(b"\xa3\x01\x01\x20\x06\x21\x58\x20" + bytes(range(32)))
    protected = split(build(other, L.KIND_EVENT, EVENT, (1, 4, bytes(32))))[0]
    assert scan(protected)[L.HEADER_ALG] == -19
    assert scan(protected)[L.HEADER_KID] == other.thumbprint[:8]


def test_an_author_signs_in_the_one_accepted_spelling_of_its_suite():
    """SEC 1 section 4.1.4: with (r, s) also (r, n - s) holds; n of P-256. Ed25519's S is left as it is."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

    class High(Signer):
        def sign(self, message):
            return sha256(message) + (order - 5).to_bytes(32, "big")

    assert Author("YUHANG1", "W1", High()).sign(b"m") == sha256(b"m") + bytes(31) + b"\x05"
    assert Author("YUHANG1", "W1", OtherSigner()).sign(b"m") == sha256(b"m") + b"\xff" * 32
