"""A certificate request (PKCS#10, RFC 2986) for the key of any signer, in DER (X.690), and what a person compares; and
the key file of TLS (ECPrivateKey, RFC 5915), which is the only form that the interpreter's TLS takes a key in.

    CertificationRequest { info, ecdsa-with-SHA256, signature }
    info { version 0, subject { O site, OU bench, CN fixture }, SubjectPublicKeyInfo on P-256 (RFC 5480), [0] {} }

The signature over it is the proof that whoever asks holds the key.
"""

from binascii import hexlify

from meterseal_wire.suites import DEFAULT

SEQUENCE, SET, INTEGER, BITS, OCTETS, OID, UTF8 = 0x30, 0x31, 0x02, 0x03, 0x04, 0x06, 0x0C
ATTRIBUTES = PARAMETERS = 0xA0
PUBLIC = 0xA1
EC_PUBLIC_KEY = b"\x2a\x86\x48\xce\x3d\x02\x01"  # 1.2.840.10045.2.1
P256 = b"\x2a\x86\x48\xce\x3d\x03\x01\x07"  # 1.2.840.10045.3.1.7
ECDSA_SHA256 = b"\x2a\x86\x48\xce\x3d\x04\x03\x02"  # 1.2.840.10045.4.3.2
ORGANISATION, UNIT, COMMON = b"\x55\x04\x0a", b"\x55\x04\x0b", b"\x55\x04\x03"
UNCOMPRESSED = b"\x04"
WHOLE_BYTES = b"\x00"
SECRET_AT, SECRET_BYTES = 7, 32
GROUP = 4


def request(signer, names) -> bytes:
    """The request's DER; `names` are site, bench and fixture, at most 16 characters each (RFC 5280: 64)."""
    subject = b"".join([_name(oid, text) for oid, text in zip((ORGANISATION, UNIT, COMMON), names)])
    algorithm = _der(SEQUENCE, _der(OID, EC_PUBLIC_KEY), _der(OID, P256))
    public = _der(SEQUENCE, algorithm, _der(BITS, WHOLE_BYTES, UNCOMPRESSED, signer.public_xy))
    info = _der(SEQUENCE, _integer(0), _der(SEQUENCE, subject), public, _der(ATTRIBUTES))
    signature = signer.sign(info)
    pair = _der(
        SEQUENCE,
        _integer(int.from_bytes(signature[:32], "big")),
        _integer(int.from_bytes(signature[32:], "big")),
    )
    return _der(SEQUENCE, info, _der(SEQUENCE, _der(OID, ECDSA_SHA256)), _der(BITS, WHOLE_BYTES, pair))


def key_file(secret: bytes, public_xy: bytes) -> bytes:
    """ECPrivateKey of a 32-byte secret, DER: {1, secret, [0] P-256, [1] public key}."""
    curve = _der(PARAMETERS, _der(OID, P256))
    public = _der(PUBLIC, _der(BITS, WHOLE_BYTES, UNCOMPRESSED, public_xy))
    return _der(SEQUENCE, _integer(1), _der(OCTETS, secret), curve, public)


def secret_in(der: bytes) -> bytes:
    """The secret in what `key_file` made; ValueError for anything else."""
    secret, public_xy = der[SECRET_AT : SECRET_AT + SECRET_BYTES], der[-2 * SECRET_BYTES :]
    if der != key_file(secret, public_xy):
        raise ValueError("no key file of ours")
    return secret


def fingerprint(public_xy: bytes) -> str:
    """The key's thumbprint (RFC 9679) as sixteen groups of four digits: what a person reads out and compares."""
    digits = hexlify(DEFAULT.thumbprint(public_xy)).decode()
    return " ".join([digits[at : at + GROUP] for at in range(0, len(digits), GROUP)])


def _name(oid: bytes, text: str) -> bytes:
    return _der(SET, _der(SEQUENCE, _der(OID, oid), _der(UTF8, text.encode())))


def _integer(number: int) -> bytes:
    """Two's complement of a number from 0 on, as short as it goes (X.690 section 8.3)."""
    raw = number.to_bytes(33, "big")
    at = 0
    while at < len(raw) - 1 and raw[at] == 0 and raw[at + 1] < 0x80:
        at += 1
    return _der(INTEGER, raw[at:])


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    if size < 0x100:
        return bytes((tag, 0x81, size)) + content
    return bytes((tag, 0x82, size >> 8, size & 0xFF)) + content
