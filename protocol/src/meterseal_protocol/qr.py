"""A certificate in a URL: the path tells a plain camera where to go, the fragment carries the certificate.

No browser sends a fragment to a server. Base32 without padding (RFC 4648 section 6) is made of characters that a QR
code packs two into eleven bits; base64url would need byte mode. Identity comes from the fragment alone: a path that
names another meter is *not valid*.
"""

import base64
import binascii

from meterseal_protocol.errors import BadCode

LONGEST = 4096
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
HEX = frozenset("0123456789ABCDEFabcdef")


def fragment(certificate: bytes) -> str:
    """Base32, upper case, no padding."""
    return base64.b32encode(certificate).decode().rstrip("=")


def url(base: str, certificate: bytes, meter: str) -> str:
    """`{base}/m/{maker}/{serial}#{fragment}`."""
    maker, _, serial = meter.partition(".")
    return f"{base.rstrip('/')}/m/{quote(maker)}/{quote(serial)}#{fragment(certificate)}"


def from_url(text: str) -> tuple[str | None, bytes]:
    """(meter named by the path or None, certificate bytes); BadCode where there is no certificate."""
    if len(text) > LONGEST:
        raise BadCode("the address is too long to be a certificate's")
    address, mark, tail = text.strip().partition("#")
    if not mark or not tail:
        raise BadCode("the address holds no certificate: the part behind # is missing")
    return _meter(address), certificate_of(tail)


def certificate_of(text: str) -> bytes:
    """Certificate bytes of a fragment; only the one spelling that `fragment` gives is accepted."""
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        raise BadCode("the part behind # is not base32") from None
    if fragment(raw) != text:
        raise BadCode("the part behind # is not the one spelling of its bytes")
    return raw


def quote(text: str) -> str:
    """Percent-encoded UTF-8 (RFC 3986 section 2.1), unreserved characters as they are."""
    return "".join(chr(byte) if byte in UNRESERVED else f"%{byte:02X}" for byte in text.encode())


def unquote(text: str) -> str:
    """What `quote` was given; BadCode where the escapes are none."""
    head, *rest = text.split("%")
    try:
        # bytes.fromhex alone would skip blanks, and "%  " would be nothing at all.
        if not all(len(part) > 1 and HEX.issuperset(part[:2]) for part in rest):
            raise ValueError("an escape is not two hexadecimal digits")
        raw = head.encode() + b"".join(bytes.fromhex(part[:2]) + part[2:].encode() for part in rest)
        return raw.decode()
    except ValueError as error:
        raise BadCode(f"the address is damaged: {error}") from None


def _meter(address: str) -> str | None:
    path = address.partition("?")[0]
    parts = path.split("/")[-3:]
    return f"{unquote(parts[1])}.{unquote(parts[2])}" if len(parts) == 3 and parts[0] == "m" else None
