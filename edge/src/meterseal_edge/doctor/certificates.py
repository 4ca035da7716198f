"""The edge's own certificate files: do they belong together, to this site, and to this time?"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from meterseal_edge.doctor.faults import Found, fault
from meterseal_edge.settings import Settings

SOON = timedelta(days=30)


def certificates(settings: Settings) -> Found:
    """`tls.none`, or what is wrong with the three files."""
    if settings.tls_authority is None or settings.tls_certificate is None or settings.tls_key is None:
        yield fault("tls.none")
        return
    authority, own = _read(settings.tls_authority), _read(settings.tls_certificate)
    for path, found in ((settings.tls_authority, authority), (settings.tls_certificate, own)):
        if found is None:
            yield fault("tls.files", path)
        else:
            yield from _dates(path, found)
    if own is not None:
        yield from _key(settings.tls_key, settings.tls_certificate, own)
    if own is not None and authority is not None and not _issued(own, authority):
        yield fault("tls.foreign", settings.tls_certificate, settings.tls_authority)


def _read(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None


def _dates(path: Path, found: x509.Certificate) -> Found:
    now, end = datetime.now(UTC), found.not_valid_after_utc
    if not found.not_valid_before_utc <= now <= end:
        yield fault("tls.ended", path, f"{end:%Y-%m-%d}")
    elif end - now < SOON:
        yield fault("tls.soon", path, f"{end:%Y-%m-%d}")


def _key(path: Path, certificate: Path, own: x509.Certificate) -> Found:
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        return  # modes.py says so
    except (OSError, ValueError, TypeError):
        yield fault("tls.files", path)
        return
    if key.public_key() != own.public_key():
        yield fault("tls.key", path, certificate)


def _issued(own: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        own.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
