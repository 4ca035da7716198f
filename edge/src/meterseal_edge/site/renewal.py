"""Certificates are renewed before they end: same name, same key, new dates. What has time left stays as it is.

Broker and edge have theirs at once (SIGHUP; the edge reads its own at its next connection). A fixture's is laid ready
for the edge, which sends it down (certificates.py); its old one is good until it ends. The edge takes both.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from meterseal_edge.errors import BadSite
from meterseal_edge.site import broker_file, identities
from meterseal_edge.site.authority import PEM, Authority, Wish, common_name, now
from meterseal_edge.site.layout import Layout, private_folder, put
from meterseal_edge.site.revocation import tell_broker


def renew(layout: Layout, within: timedelta) -> list[Path]:
    """Renew every certificate that ends within this time; gives the new files. A revoked fixture's is left to end."""
    authority = Authority.opened(layout)
    known = identities.load(layout.identities)
    renewed = []
    for path in certificates(layout):
        old = read(path)
        fixture = path.parent == layout.issued
        live = known.live(path.stem) if fixture else []
        if old.not_valid_after_utc - now() > within or (fixture and not live):
            continue
        new = authority.issue(same(old))
        put(path, new.public_bytes(PEM))
        if fixture:
            holder = next(row for row in live if old.serial_number in row.serials)
            known = known.issued(path.stem, holder.key, new.serial_number)
            identities.save(layout.identities, known)
            private_folder(layout.renewed)
            put(layout.renewed / f"{path.stem}.der", new.public_bytes(Encoding.DER))
        renewed.append(path)
    if renewed:
        tell_broker(layout)
    return renewed


def certificates(layout: Layout) -> Iterator[Path]:
    """Files of every certificate that the authority issued and that is in use."""
    yield layout.broker / broker_file.CERTIFICATE
    yield layout.edge / "tls.pem"
    yield from sorted(layout.issued.glob("*.pem"))


def read(path: Path) -> x509.Certificate:
    """A certificate file, PEM; BadSite where it is none."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadSite(f"{path} is no certificate: {error}") from None


def same(old: x509.Certificate) -> Wish:
    """The wish for one like this."""
    key, usage = old.public_key(), old.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    if not isinstance(key, EllipticCurvePublicKey):
        raise BadSite(
            f"the certificate of {common_name(old.subject)} is of a key that this authority never certifies"
        )
    try:
        names = old.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = tuple(str(one.value) for one in names)
    except x509.ExtensionNotFound:
        hosts = ()
    return Wish(old.subject, key, next(iter(usage)), hosts)
