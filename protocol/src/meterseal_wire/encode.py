"""Deterministic CBOR out: RFC 8949 section 4.2.1, map keys in bytewise order of their encodings.

Integers within 64 bits, byte strings, text, lists or tuples, maps, None, True, False and `Tag`. No floats.
Text goes out as it is: the caller normalises (NFC).
"""

INTEGER, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG = 0x00, 0x20, 0x40, 0x60, 0x80, 0xA0, 0xC0
LARGEST = 0x7FFFFFFFFFFFFFFF


class Tag:
    """A tagged value; only tag 18 (COSE_Sign1) is ever used."""

    def __init__(self, number: int, value: object) -> None:
        self.number = number
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tag) and (self.number, self.value) == (other.number, other.value)

    def __hash__(self) -> int:
        return hash((self.number, self.value))

    def __repr__(self) -> str:
        return "Tag(%d, %r)" % (self.number, self.value)


def head(major: int, argument: int) -> bytes:
    """The initial byte and argument of an item, in the fewest bytes."""
    if argument < 24:
        return bytes((major | argument,))
    if argument < 0x100:
        return bytes((major | 24, argument))
    if argument < 0x10000:
        return bytes((major | 25,)) + argument.to_bytes(2, "big")
    if argument < 0x100000000:
        return bytes((major | 26,)) + argument.to_bytes(4, "big")
    return bytes((major | 27,)) + argument.to_bytes(8, "big")


def encode(value: object) -> bytes:
    """`value` as deterministic CBOR bytes.

    Raises TypeError for a type we never send and ValueError for an integer outside plus or minus 2^63 - 1:
    both are faults of the caller, not of a peer.
    """
    parts: list[bytes] = []
    _write(value, parts)
    return b"".join(parts)


def _write(value: object, parts: list[bytes]) -> None:
    if value is None:
        parts.append(b"\xf6")
    elif value is True:
        parts.append(b"\xf5")
    elif value is False:
        parts.append(b"\xf4")
    elif isinstance(value, int):
        parts.append(_integer(value))
    elif isinstance(value, (bytes, bytearray)):
        parts.append(head(BYTES, len(value)))
        parts.append(bytes(value))
    elif isinstance(value, str):
        text = value.encode()
        parts.append(head(TEXT, len(text)))
        parts.append(text)
    elif isinstance(value, (list, tuple)):
        parts.append(head(ARRAY, len(value)))
        for item in value:
            _write_inner(item, parts)
    elif isinstance(value, dict):
        _write_map(value, parts)
    elif isinstance(value, Tag):
        parts.append(head(TAG, value.number))
        _write(value.value, parts)
    else:
        raise TypeError("not a value we send: %r" % (type(value),))


def _write_inner(value, parts):
    # Joined level by level: one list of all small parts is a block that a fixture's heap has no room for.
    if isinstance(value, (list, tuple, dict)):
        parts.append(encode(value))
    else:
        _write(value, parts)


def _integer(value: int) -> bytes:
    if not -LARGEST <= value <= LARGEST:
        raise ValueError("integer outside plus or minus 2^63 - 1: %d" % value)
    if value >= 0:
        return head(INTEGER, value)
    return head(NEGATIVE, -1 - value)


def _write_map(value: dict[object, object], parts: list[bytes]) -> None:
    parts.append(head(MAP, len(value)))
    for key, item in sorted((encode(key), item) for key, item in value.items()):
        parts.append(key)
        _write_inner(item, parts)
