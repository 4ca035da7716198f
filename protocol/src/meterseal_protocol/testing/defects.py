"""Encodings with one defect each, at every place of a value: what a strict reader must find.

Each is near to right: an argument in more bytes than it needs, a count off by one, a key twice or out of order, text
that is no UTF-8, another type. A few happen to be right again, such as a text that is one longer; who uses them asks
the reader that is the judge.
"""

from collections.abc import Iterator
from typing import Any

from meterseal_wire.encode import ARRAY, BYTES, MAP, TEXT, encode, head


def spoilt(value: Any) -> Iterator[bytes]:
    """Encodings of a value with one defect each, at every place of it."""
    if isinstance(value, int):
        yield from _spoilt_int(value)
    elif isinstance(value, (bytes, str)):
        yield from _spoilt_string(value)
    elif isinstance(value, (list, tuple)):
        items = [encode(item) for item in value]
        yield from _spoilt_items(ARRAY, len(items), items)
        for at, item in enumerate(value):
            for bad in spoilt(item):
                yield head(ARRAY, len(items)) + b"".join([*items[:at], bad, *items[at + 1 :]])
    else:
        pairs = sorted((encode(key), encode(item), item) for key, item in value.items())
        fields = [key + item for key, item, _ in pairs]
        yield from _spoilt_items(MAP, len(fields), fields)
        for at, (key, _, item) in enumerate(pairs):
            for bad in spoilt(item):
                yield head(MAP, len(fields)) + b"".join([*fields[:at], key + bad, *fields[at + 1 :]])


def longer(major: int, argument: int) -> Iterator[bytes]:
    """Heads of more bytes than are needed."""
    for short, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        found = bytes((major | short,)) + (argument % 256**width).to_bytes(width, "big")
        if argument < 256**width and found != head(major, argument):
            yield found


def _spoilt_int(value: int) -> Iterator[bytes]:
    major, argument = (0x20, -1 - value) if value < 0 else (0, value)
    for number in (argument, 5, 100, 70_000, 2**33):
        yield from longer(major, number)
    yield from (bytes.fromhex(text) for text in ("f4", "f6", "f93c00", "60", "40", "80", "a0", "c200"))
    # The other sign, the first number beyond the limit, and the last.
    yield head(0x20 - major, 5)
    yield from (head(major, 2**63 - (major == 0x20)), head(major, 2**64 - 1))


def _spoilt_string(value: bytes | str) -> Iterator[bytes]:
    major, raw = (TEXT, value.encode()) if isinstance(value, str) else (BYTES, value)
    yield from (found + raw for found in longer(major, len(raw)))
    for other in (raw + b"x", raw[:-1], *(b"x" * count for count in (0, 7, 17, 33, 41, 49, 65, 201))):
        yield head(major, len(other)) + other
    yield head(major, len(raw) + 1) + raw
    yield head(TEXT + BYTES - major, len(raw)) + raw
    if major == TEXT:
        yield from (head(TEXT, len(bad)) + bad for bad in (b"\xff", b"a\xcc\x81", b"\xc3"))


def _spoilt_items(major: int, count: int, items: list[bytes]) -> Iterator[bytes]:
    """A wrong count, an item too few or twice, items the other way round, an item that nobody knows."""
    body = b"".join(items)
    yield from (found + body for found in longer(major, count))
    yield bytes((major | 31,)) + body + b"\xff"
    yield head(major, count + 1) + body
    if items:
        yield head(major, count - 1) + body
        for at in range(count):
            yield head(major, count - 1) + b"".join(items[:at] + items[at + 1 :])
            yield head(major, count + 1) + b"".join(items[: at + 1] + items[at:])
    if count > 1:
        yield head(major, count) + b"".join([items[1], items[0], *items[2:]])
    yield head(major, count + 1) + body + (b"\x18\xff\x00" if major == MAP else b"\xf6")
