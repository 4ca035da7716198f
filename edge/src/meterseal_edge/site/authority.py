"""A site's own certificate authority: X.509 (RFC 5280) over P-256, for this site's broker, edge and fixtures alone.

A certificate says in its extended key usage whether it is a broker's or a client's, so no fixture can stand in the
broker's place. The list of revoked certificates (CRL) ends with the authority: it lies beside the broker, and one that
ran out would lock everybody out.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from meterseal_edge.errors import BadSite
from meterseal_edge.site.layout import Layout, put

BROKER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
AUTHORITY_DAYS, DAYS = 20 * 365, 730
SKEW = timedelta(hours=1)  # a clock beside this one may be slow
PEM = Encoding.PEM
USAGE = (
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True)
class Wish:
    """What a certificate shall say: common name and more, whose key, for what, host names, how long."""

    subject: x509.Name
    key: ec.EllipticCurvePublicKey
    use: x509.ObjectIdentifier
    hosts: tuple[str, ...] = ()
    days: int = DAYS


class Authority:
    """The authority with its key: `certificate`, and what it signs."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.certificate = certificate
        self._key = key

    @classmethod
    def made(cls, site: str) -> "Authority":
        """A new one."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = name(f"MeterSeal {site} CA", site)
        end = now() + timedelta(days=AUTHORITY_DAYS)
        built = _built(subject, subject, key.public_key(), end)
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        built = built.add_extension(_usage(authority=True), critical=True)
        return cls(built.sign(key, SHA256()), key)

    @classmethod
    def opened(cls, layout: Layout) -> "Authority":
        """That of a site; BadSite where its files are not there or not its own."""
        try:
            key = load_pem_private_key(layout.authority_key.read_bytes(), None)
            certificate = x509.load_pem_x509_certificate(layout.authority_certificate.read_bytes())
        except (OSError, ValueError, TypeError) as error:
            raise BadSite(
                f"the site's authority cannot be opened: {error}. Run this where {layout.authority} is"
            ) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise BadSite(f"{layout.authority_key} is not the key of {layout.authority_certificate}")
        return cls(certificate, key)

    def save(self, layout: Layout) -> None:
        """Key and certificate in their places."""
        put(layout.authority_key, key_pem(self._key))
        put(layout.authority_certificate, self.certificate.public_bytes(PEM), 0o644)
        put(
            layout.authority_certificate.with_suffix(".der"),
            self.certificate.public_bytes(Encoding.DER),
            0o644,
        )

    def issue(self, wish: Wish) -> x509.Certificate:
        """A certificate; it ends before the authority does."""
        end = min(now() + timedelta(days=wish.days), self.certificate.not_valid_after_utc)
        built = _built(wish.subject, self.certificate.subject, wish.key, end)
        built = built.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        built = built.add_extension(_usage(authority=False), critical=True)
        built = built.add_extension(x509.ExtendedKeyUsage([wish.use]), critical=True)
        public = self._key.public_key()
        built = built.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False
        )
        if wish.hosts:
            hosts = x509.SubjectAlternativeName([host_name(host) for host in wish.hosts])
            built = built.add_extension(hosts, critical=False)
        return built.sign(self._key, SHA256())

    def crl(self, serials: Iterable[int], before: datetime | None = None) -> x509.CertificateRevocationList:
        """The list of these serial numbers, in time after the list `before`: a broker that holds both takes the later.

        Its time is an hour old, so that two lists in one second are not of the future.
        """
        at = max(now() - SKEW, (before or now() - 2 * SKEW) + timedelta(seconds=1))
        built = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        built = built.last_update(at).next_update(self.certificate.not_valid_after_utc)
        for serial in sorted(set(serials)):
            row = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
            built = built.add_revoked_certificate(row)
        return built.sign(self._key, SHA256())


def now() -> datetime:
    """This moment, to the second, as certificates have it."""
    return datetime.now(UTC).replace(microsecond=0)


def name(common: str, site: str, bench: str = "") -> x509.Name:
    """A subject: O site, OU bench, CN the name that is pinned."""
    parts = [
        (NameOID.ORGANIZATION_NAME, site),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, bench),
        (NameOID.COMMON_NAME, common),
    ]
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts if text])


def host_name(host: str) -> x509.GeneralName:
    """A name or address as a certificate names it (RFC 5280 section 4.2.1.6); BadSite where it is neither."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    if not host.isascii() or not host.replace("-", "").replace(".", "").isalnum():
        raise BadSite(f"{host!r} is no host name and no address")
    return x509.DNSName(host)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as PKCS#8, PEM, for a 0600 file."""
    return key.private_bytes(PEM, PrivateFormat.PKCS8, NoEncryption())


def common_name(subject: x509.Name) -> str:
    """The one common name of a subject, "" where there is none or more than one."""
    found = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if len(found) == 1 else ""


def _built(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, end: datetime
) -> x509.CertificateBuilder:
    built = x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
    built = built.not_valid_before(now() - SKEW).not_valid_after(end)
    return built.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _usage(*, authority: bool) -> x509.KeyUsage:
    others = dict.fromkeys(USAGE, False)
    return x509.KeyUsage(
        digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **others
    )
