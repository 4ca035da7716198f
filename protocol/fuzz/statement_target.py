"""Fuzz target: a statement over the wire. `verify` gives a statement whose key holds it, or one named error.

The input also stands as payload and as protected header of a rightly signed statement, so that the search reaches what
lies behind the signature. `read`, which takes a short cut, has to give what `read_strictly` gives.
"""

from meterseal_protocol import verify as verifier
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import KeyRing, PrivateKey
from meterseal_protocol.statement import Statement, read, read_strictly
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError
from meterseal_wire.kinds import CHAINED, KINDS
from meterseal_wire.sign1 import protected_header
from meterseal_wire.statement import Author, build, seal
from meterseal_wire.suites import ED25519, ESP256

# Fixed numbers, so that a kept file means the same in every run.
SECRETS = [(bytes(31) + b"\x07", ED25519), (bytes(31) + b"\x09", ESP256)]
KEYS = [PrivateKey(secret, suite) for secret, suite in SECRETS]
EVENTS: list[dict[int, object]] = [
    {L.EVENT: "case.opened", L.DETAIL: detail} for detail in ("seal 17", "封印")
]


def _ring() -> KeyRing:
    ring = KeyRing()
    for key in KEYS:
        ring.add(key.public)
    return ring


RING = _ring()


NUMBERS = sorted(KINDS)
PLACE = (1, 1, bytes(32))
FIELDS = (
    "raw",
    "identity",
    "protected",
    "body",
    "signature",
    "typ",
    "kid",
    "issuer",
    "subject",
    "chain",
    "payload",
)
AUTHOR = Author("YUHANG1", "W1", KEYS[0])
PAYLOAD = encode(EVENTS[0])


def one(data: bytes) -> None:
    """Take `data` as a message; as a payload, its first byte picking the kind; as a protected header."""
    message(data)
    if data:
        typ = NUMBERS[data[0] % len(NUMBERS)]
        message(seal(AUTHOR, protected_header(typ, AUTHOR, PLACE if typ in CHAINED else None), data[1:]))
        message(seal(AUTHOR, data, PAYLOAD))


def message(raw: bytes) -> None:
    """AssertionError where the two ways of reading differ, or what verifies is not under a key of the ring."""
    quick, strict = _read(raw, quickly=True), _read(raw, quickly=False)
    if isinstance(quick, Statement) and isinstance(strict, Statement):
        for name in FIELDS:
            assert getattr(quick, name) == getattr(strict, name), f"the short cut reads another {name}"
    else:
        assert type(quick) is type(strict), f"the short cut says {quick!r}, the strict way {strict!r}"
    try:
        found = verifier.verify(raw, RING)
    except (WireError, ProtocolError) as error:
        assert str(error), f"{type(error).__name__} says nothing"
        return
    assert isinstance(strict, Statement), "verified, and not readable"
    assert found.key in [key.public for key in KEYS], "a key that nobody gave"
    assert found.statement.kid == found.key.kid, "a statement under another kid than its key's"
    found.key.verify(found.statement.signed, found.statement.signature)


def _read(raw: bytes, *, quickly: bool) -> Statement | WireError | ProtocolError:
    try:
        return read(raw) if quickly else read_strictly(raw)
    except (WireError, ProtocolError) as error:
        return error


def seeds() -> list[bytes]:
    """Statements of both suites, and each with one byte of its signature, kid or payload changed."""
    whole = [
        build(Author("YUHANG1", "W1", key), L.KIND_EVENT, event, (1, 1, bytes(32)))
        for key in KEYS
        for event in EVENTS
    ]
    broken = [
        raw[:at] + bytes((raw[at] ^ 1,)) + raw[at + 1 :]
        for raw in whole
        for at in (2, 8, len(raw) // 2, len(raw) - 2)
    ]
    payloads = [bytes((at,)) + verifier.verify(raw, RING).statement.body for at, raw in enumerate(whole)]
    return [*payloads, *whole, *broken, whole[0][:-1], whole[0] + b"\0", whole[0][1:]]
