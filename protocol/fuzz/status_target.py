"""Fuzz target: status lists, as a signed token and, behind the signature, as a compressed list of a registry's."""

from meterseal_protocol import status
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import KeyRing, PrivateKey
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan
from meterseal_wire.statement import Author

KEY = PrivateKey(bytes(31) + b"\x07")
PUBLISHED = status.publish(
    Author("REG-CN", "status", KEY),
    "https://registry.example/status/1",
    [0, 1, 2, 3] * 5,
    status.Validity(1, 2, 1),
)


def _ring() -> KeyRing:
    ring = KeyRing()
    ring.add(KEY.public)
    return ring


RING = _ring()


def one(data: bytes) -> None:
    """Read `data` as a token and as a StatusList map; AssertionError where a status is wider than its bits."""
    try:
        held = status.read(data, RING)
        assert held.key == KEY.thumbprint, "a list under a key that nobody gave"
    except (WireError, ProtocolError) as error:
        assert str(error), f"{type(error).__name__} says nothing"
    try:
        bits, packed = status.unpack_map(scan(data))
    except (WireError, ProtocolError):
        return
    count = len(packed) * 8 // bits
    for index in (0, count - 1):
        found = status.value_at(packed, bits, index)
        assert count == 0 or (found is not None and 0 <= found < 1 << bits), f"status {found} at {index}"
    assert status.value_at(packed, bits, count) is None, "a status beyond the end"


def seeds() -> list[bytes]:
    """A token, maps of every width, lists cut short, lengthened and empty."""
    lists = [status.compress(status.pack([0, 1, 1, 0] * 9, bits)) for bits in (1, 2, 4, 8)]
    maps = [encode({"bits": bits, "lst": lst}) for bits, lst in zip((1, 2, 4, 8), lists, strict=True)]
    bad = [encode({"bits": 3, "lst": lists[0]}), encode({"bits": 1, "lst": lists[0][:-2]})]
    bad += [
        encode({"bits": 1, "lst": lists[0] + b"\0"}),
        encode({"bits": 1, "lst": b""}),
        encode({"bits": True, "lst": b""}),
    ]
    return [
        PUBLISHED,
        PUBLISHED[:-1],
        PUBLISHED[:60] + b"\x18" + PUBLISHED[61:],
        *maps,
        *bad,
        encode({"lst": lists[0]}),
    ]
