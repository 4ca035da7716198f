"""The edge's side of mutual TLS to its broker: whom it believes, and what it shows.

The name is always checked (RFC 6125): another's certificate of the same authority does not speak for this host. The
edge's own certificate is read again at each connection, so one that was renewed needs no restart.
"""

import contextlib
import ssl

from cryptography import x509

from meterseal_edge.errors import BadSettings
from meterseal_edge.settings import Settings


def context(settings: Settings) -> ssl.SSLContext | None:
    """For the broker's connection; None where the settings name no TLS. BadSettings where its files can't be used."""
    if settings.tls_certificate is None:
        return None
    try:
        found = ssl.create_default_context(cafile=settings.tls_authority)
        found.minimum_version = ssl.TLSVersion.TLSv1_2
        show(found, settings)
    except (OSError, ssl.SSLError) as error:
        raise BadSettings(f"the files of TLS cannot be used: {error}. Run `meterseal edge doctor`") from None
    return found


def ends(settings: Settings) -> dict[str, int]:
    """Until when the certificates in force are valid, Unix seconds: `edge` and `authority`; none that can't be read."""
    files = {"edge": settings.tls_certificate, "authority": settings.tls_authority}
    found = {}
    for which, path in files.items():
        with contextlib.suppress(OSError, ValueError):
            if path is not None:
                end = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
                found[which] = int(end.timestamp())
    return found


def show(found: ssl.SSLContext, settings: Settings) -> None:
    """Read certificate and key again, for the next connection."""
    if settings.tls_certificate is not None:
        found.load_cert_chain(settings.tls_certificate, settings.tls_key)
