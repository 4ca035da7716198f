"""Fuzz target: the strict scanner. A value that `scan` gives re-encodes to the same bytes; all else is a WireError.

The other way round too: what a general decoder (cbor2) reads to a value that our encoder writes as these very bytes has
to be accepted, unless a limit is named; and both decoders agree on the value.
"""

from collections.abc import Mapping

import cbor2

from meterseal_wire import scan as scanner
from meterseal_wire.encode import Tag, encode
from meterseal_wire.errors import OverLimit, WireError


def one(data: bytes) -> None:
    """Scan `data`; AssertionError where it has another spelling than its bytes or another value elsewhere."""
    try:
        value = scanner.scan(data)
    except WireError as error:
        assert 0 <= error.at <= len(data), f"error at byte {error.at} of {len(data)}"
        assert isinstance(error, OverLimit) or not writable(data), f"refused although it is strict: {error}"
        return
    assert encode(value) == data, f"{value!r} is spelled {encode(value).hex()}, and {data.hex()} was accepted"
    assert value == ours(cbor2.loads(data)), f"cbor2 reads another value than {value!r}"


def writable(data: bytes) -> bool:
    """True if a general decoder gives a value whose deterministic encoding is the input."""
    try:
        return bytes(encode(ours(cbor2.loads(data)))) == data
    except (cbor2.CBORDecodeError, TypeError, ValueError, RecursionError):
        return False


def ours(value: object) -> object:
    """A decoded value with cbor2's tag as ours."""
    if isinstance(value, cbor2.CBORTag):
        if value.tag != 18:  # COSE_Sign1, the only tag of the profile
            raise TypeError(value.tag)
        return Tag(value.tag, ours(value.value))
    if isinstance(value, Mapping):
        if not all(type(key) in (int, str) for key in value):
            raise TypeError("a key that the profile does not have")
        return {key: ours(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [ours(item) for item in value]
    return value


def seeds() -> list[bytes]:
    """One of every kind of item, and the respellings of RFC 8949 section 4.2.1 that must be refused."""
    values: list[object] = [
        0,
        23,
        24,
        255,
        256,
        65536,
        1 << 32,
        -1,
        -(1 << 63) + 1,
        b"",
        b"ab",
        "",
        "水表",
        None,
        True,
    ]
    values += [[], [1, [2, [3]]], {}, {1: 2, 10: b"x", "a": [True]}, Tag(18, [b"\xa0", {}, b"m", b"s"])]
    respelled = [
        "1800",
        "190017",
        "1a000000ff",
        "1bffffffffffffffff",
        "9f01ff",
        "a201000100",
        "a20a000100",
        "f97e00",
    ]
    respelled += [
        "5f4161ff",
        "c100",
        "f7",
        "62c328",
        "63eda080",
        "0000",
        "d818410a",
        "fb3ff0000000000000",
        "5803616263",
    ]
    return [encode(value) for value in values] + [bytes.fromhex(text) for text in respelled]
