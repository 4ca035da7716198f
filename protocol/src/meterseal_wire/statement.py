"""From a payload map to signed bytes: what a fixture, an edge, an authority and a registry all do alike.

The payload is checked against its kind first, so nobody ever signs a statement that the other side must refuse.
"""

from meterseal_wire.digest import kid
from meterseal_wire.encode import encode
from meterseal_wire.kinds import check_payload
from meterseal_wire.sign1 import join, protected_header, sig_structure
from meterseal_wire.suites import DEFAULT, Suite

NAME_CHARACTERS = 16


class Author:
    """Who signs: a name for the issuer, one for the subject, and a signer.

    `signer` has `public_xy` (the public key's coordinates) and `sign(message)` (64 bytes); it may have `suite`, else
    it is of the first suite.
    """

    def __init__(self, issuer, subject, signer):
        for name in (issuer, subject):
            if not 0 < len(name) <= NAME_CHARACTERS:
                raise ValueError("a name has 1 to 16 characters: %r" % name)
        self.issuer = issuer
        self.subject = subject
        self.signer = signer
        self.suite: Suite = getattr(signer, "suite", DEFAULT)
        self.thumbprint = self.suite.thumbprint(signer.public_xy)
        self.kid = kid(self.thumbprint)

    def sign(self, message: bytes) -> bytes:
        """Signature over `message`, in the one spelling that is accepted."""
        return self.suite.canonical(self.signer.sign(message))


def build(
    author: Author, typ: int, payload: dict[int, object], chain: tuple[int, int, bytes] | None = None
) -> bytes:
    """Signed statement bytes. `chain` is (epoch, seq, prev) for a fixture's kinds, else None.

    Raises BadShape when the payload is not of its kind.
    """
    check_payload(typ, payload)
    return seal(author, protected_header(typ, author, chain), encode(payload))


def seal(author: Author, protected: bytes, payload: bytes) -> bytes:
    """COSE_Sign1 bytes over a protected header and a payload that are already encoded."""
    return join(protected, payload, author.sign(sig_structure(protected, payload)))
