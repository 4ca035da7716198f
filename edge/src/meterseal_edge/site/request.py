"""What a fixture asks for: requests that it signed itself (PKCS#10), and how its TLS key is bound to its signing key.

A fixture has two keys (docs: keys on the device). The signing key's fingerprint is on its label. Its TLS request comes
with a proof: the signing key's signature over BINDING and that request. BINDING begins with a letter, where everything
else that the key signs begins with the head of an ASN.1 sequence or a CBOR array, so no signature means two things.
A request without a proof is taken for one of the signing key itself: then its own key is what a person compares.
"""

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from meterseal_edge.errors import BadSite
from meterseal_edge.site.authority import common_name
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import PublicKey

BINDING = b"MeterSeal TLS request\0"
NAME_CHARACTERS = 16
FORBIDDEN = set('/+#"\\ ')
PEM_START = b"-----BEGIN"
REQUEST_BYTES = 8192


@dataclass(frozen=True)
class Asked:
    """A request that holds: the fixture's name, site and bench, the key to be certified, and the signing key."""

    name: str
    site: str
    bench: str
    public: EllipticCurvePublicKey
    key: PublicKey


def read(tls: bytes, signing: bytes | None = None, proof: bytes | None = None) -> Asked:
    """The request, with that of the signing key and its proof where they are; BadSite where something does not hold."""
    asked = holds(tls)
    if signing is None or proof is None:
        return asked
    signer = holds(signing)
    if (signer.name, signer.site) != (asked.name, asked.site):
        raise BadSite(
            f"the requests name two fixtures: {signer.name} of {signer.site}, {asked.name} of {asked.site}"
        )
    try:
        signer.key.verify(BINDING + tls, proof)
    except ProtocolError:
        raise BadSite(
            "the proof does not bind this TLS request to that signing key; bring the board's files again"
        ) from None
    return Asked(asked.name, asked.site, asked.bench, asked.public, signer.key)


def holds(raw: bytes) -> Asked:
    """One request whose own key signed it, of P-256, with a name that may stand in a topic; BadSite else."""
    try:
        found = x509.load_pem_x509_csr(raw) if PEM_START in raw[:64] else x509.load_der_x509_csr(raw)
        public = found.public_key()
        proved = found.is_signature_valid
    except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm):
        raise BadSite("this is no certificate request (PKCS#10, DER or PEM)") from None
    if not isinstance(public, EllipticCurvePublicKey) or public.curve.name != "secp256r1":
        raise BadSite("the request is for a key that is not of P-256")
    if not proved:
        raise BadSite("the request is not signed by its own key; whoever sent it may not have that key")
    fixture = common_name(found.subject)
    if not is_name(fixture):
        raise BadSite(
            f"the request's name {fixture!r} cannot stand in a topic: 1 to 16 characters, none of / + # or blanks"
        )
    site, bench = (
        _text(found.subject, oid) for oid in (NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME)
    )
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return Asked(fixture, site, bench, public, PublicKey(point[1:]))


def is_name(text: str) -> bool:
    """True for a fixture's name that topics, access lists and file names can bear."""
    return (
        0 < len(text) <= NAME_CHARACTERS
        and text.isprintable()
        and not FORBIDDEN & set(text)
        and text[0] not in ".$%"
    )


def _text(subject: x509.Name, oid: x509.ObjectIdentifier) -> str:
    found = subject.get_attributes_for_oid(oid)
    return str(found[0].value) if len(found) == 1 else ""
