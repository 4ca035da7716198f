"""A short cut into `read`: byte patterns, made from the table of kinds, that only well-formed statements match.

`scan` looks at each item in Python, which takes longer than checking the signature. Here one regular expression
looks at all before the payload, and one at the payload of its kind. They accept a part of what the strict reader
accepts; what they do not match, the strict reader reads, and gives the value or the exact error. So the gate never
judges, it only saves time.

Why a yes is safe: a shape's keys are known, so their canonical order is written down; each form of an integer, of a
text, of a list's count is an alternative that starts with bytes of its own, so there is one way to match and hostile
input cannot make the search go back. tests/test_gate.py holds each yes against the strict reader, and shows that
patterns loosened on purpose are caught.

Left to the strict reader: text beyond ASCII or beyond 64 bytes, lists of more than 23 items, payloads below 24 bytes,
grants (which fields one has depends on its own kind), and optional fields that hold a key.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from meterseal_wire import labels as L
from meterseal_wire import point
from meterseal_wire.encode import ARRAY, BYTES, MAP, TEXT, encode, head
from meterseal_wire.kinds import CHAINED, KINDS
from meterseal_wire.scan import STATEMENT_BYTES
from meterseal_wire.suites import SUITES

Shape = tuple[Any, ...]
Shapes = tuple[Mapping[int, Any], Mapping[int, Any]]  # required and optional fields
Rules = Mapping[str, Callable[..., bytes]]  # by the shape's rule: from the rules and the shape's other items
Match = Callable[..., "re.Match[bytes] | None"]
Seen = tuple[int, bytes, int]  # typ, kid, end of the protected header

KID, TYP = 2, 3
MOST_ITEMS, MOST_TEXT, NAME = 23, 64, 16
SIGNATURE = b"\x58\x40"  # the head of 64 bytes
HEADER_START = 4  # after tag, array, and head and length of the protected header
END = 66  # bytes of that head and the signature: the end of every message

UINT = (
    rb"(?:\x1a[^\0]...|\x1a\0[^\0]..|\x19[^\0].|[\0-\x17]|\x18[\x18-\xff]|\x1b(?!\0\0\0\0)[\0-\x7f].......)"
)
NEGATIVE = rb"\x3a(?!\0\0)....|\x39[^\0].|[\x20-\x37]|\x38[\x18-\xff]|\x3b(?!\0\0\0\0)[\0-\x7e]......."
INT = UINT[:-1] + b"|" + NEGATIVE + b")"
ASCII = rb"[\0-\x7f]"  # in every normal form, and each character one byte


def _literal(data: bytes) -> bytes:
    return b"".join(rb"\x%02x" % byte for byte in data)


def _sized(major: int, lengths: range, content: bytes) -> bytes:
    """A string of one of these lengths, each form with its own head."""
    forms = [_literal(head(major, n)) + (content + b"{%d}" % n if n else b"") for n in lengths]
    return b"(?:" + b"|".join(forms) + b")"


def _row(rules: Rules, *shapes: Shape) -> bytes:
    return _literal(head(ARRAY, len(shapes))) + b"".join(pattern(shape, rules) for shape in shapes)


def _list(rules: Rules, shape: Shape) -> bytes:
    item = pattern(shape, rules)
    forms = [_literal(head(ARRAY, n)) + b"(?:%s){%d}+" % (item, n) for n in range(1, MOST_ITEMS + 1)]
    return b"(?:" + b"|".join([_literal(head(ARRAY, 0)), *forms]) + b")"


def _point(rules: Rules) -> bytes:
    signed = point.MAY_BE_NEGATIVE
    return _row(rules, *(("int" if at in signed else "uint",) for at in range(len(point.FIELDS))))


# What a shape's rule looks like in bytes. The tests loosen one at a time, to see that it is noticed.
RULES: Rules = {
    "uint": lambda _: UINT,
    "int": lambda _: INT,
    "text": lambda _, most: _sized(TEXT, range(min(most, MOST_TEXT) + 1), ASCII),
    "bytes": lambda _, exactly: _sized(BYTES, range(exactly, exactly + 1), b"."),
    "blob": lambda _, most: _sized(BYTES, range(most + 1), b"."),
    "row": _row,
    "list": _list,
    "point": _point,
}


def pattern(shape: Shape, rules: Rules) -> bytes:
    """The bytes that a shape may have; KeyError for a rule that is left to the strict reader."""
    return rules[shape[0]](rules, *shape[1:])


def known(shape: Shape, rules: Rules) -> bool:
    """True if a shape has a pattern."""
    return shape[0] in rules and all(known(part, rules) for part in shape[1:] if isinstance(part, tuple))


def coverable(shapes: Shapes, rules: Rules, lists: int = 1) -> bool:
    """True if every required field has a pattern, but for at most one list of maps of which the same holds."""
    inner = [shape[1][1:] for shape in shapes[0].values() if _of_maps(shape)]
    plain = [shape for shape in shapes[0].values() if not _of_maps(shape)]
    known_all = all(known(shape, rules) for shape in plain)
    return known_all and len(inner) <= lists and all(coverable(item, rules, 0) for item in inner)


def _of_maps(shape: Shape) -> bool:
    return bool(shape[0] == "list" and shape[1][0] == "map")


class Fields:
    """The map of a shape: its fields in canonical order, counted where some may be missing.

    One field may be a list of maps. Then `before` ends with that list's count and `after` is what follows the list.
    A list of one is frequent enough to be worth one pattern instead of three: `alone`, where all other fields are
    required.
    """

    def __init__(self, shapes: Shapes, rules: Rules) -> None:
        required = shapes[0]
        optional = {label: shape for label, shape in shapes[1].items() if known(shape, rules)}
        self.free, self.most = len(optional), MAP + len(required) + len(optional)
        self.inner: Fields | None = None
        parts, before = [rb"[\x%02x-\x%02x]" % (self.most - self.free, self.most)], b""
        for label in sorted((*required, *optional), key=encode):
            shape, name = required.get(label) or optional[label], _literal(encode(label))
            if _of_maps(shape):
                before = b"".join([*parts, name])
                self.inner, parts = Fields(shape[1][1:], rules), []
            else:
                field = name + pattern(shape, rules)
                parts.append(field if label in required else b"(" + field + b")?+")
        self.pattern = b"".join(parts)
        self.after = _matcher(self.pattern)
        self.end = self._end
        if self.inner is not None:
            self.end = self._end_of_nested if self.free else self._end_of_one
            self.before = _matcher(before + rb"[\x80-\x%02x]" % (ARRAY + MOST_ITEMS))
            self.alone = _matcher(before + rb"\x81()" + self.inner.pattern + self.pattern)

    def _end(self, raw: bytes, at: int) -> int:
        """Where the map at `at` ends; -1 where there is none."""
        found = self.after(raw, at)
        if found is None:
            return -1
        missing = found.groups().count(None) if self.free else 0
        return found.end() if raw[at] + missing == self.most else -1

    def _end_of_one(self, raw: bytes, at: int) -> int:
        """The same for a map with a list of maps and no optional field beside it."""
        found, inner = self.alone(raw, at), self.inner
        if found is None or inner is None:
            return self._end_of_nested(raw, at)
        fields = raw[found.start(1)]  # the one inner map's first byte
        return found.end() if fields + found.groups().count(None) == inner.most else -1

    def _end_of_nested(self, raw: bytes, at: int) -> int:
        """The same for a map with a list of maps, of any length."""
        inner = self.inner
        assert inner is not None
        found = self.before(raw, at)
        if found is None:
            return -1
        here, missing = found.end(), found.groups().count(None)
        for _ in range(raw[here - 1] - ARRAY):
            here = inner.end(raw, here)
            if here < 0:
                return -1
        found = self.after(raw, here)
        if found is None:
            return -1
        missing += found.groups().count(None)
        return found.end() if raw[at] + missing == self.most else -1


def _matcher(parts: bytes) -> Match:
    return re.compile(parts, re.DOTALL).match


def _envelope(rules: Rules) -> bytes:
    """All before the payload's length: tag, array, protected header, empty unprotected header. Groups: KID, TYP."""
    algs = b"|".join(_literal(suite.mark) for suite in SUITES)
    name = _sized(TEXT, range(1, NAME + 1), ASCII)
    number, chain = pattern(("uint",), rules), _literal(encode(L.HEADER_CHAIN))
    return b"".join(
        (
            rb"\xd2\x84\x58.(?:\xa4|(\xa5))(?:" + algs + rb")\x04\x48(........)",
            rb"\x0f\xa2\x01" + name + rb"\x02" + name + rb"\x10\x19(..)",
            rb"(?(1)" + chain + rb"\x83(?!\0)" + number + number + rb"\x58\x20.{32})\xa0",
        )
    )


class Gate:
    """Takes apart messages that are surely well-formed. A kind's patterns are made when the first of it comes."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.rules = rules
        self.envelope = _matcher(_envelope(rules))
        self.payloads: dict[bytes, tuple[int, int, Callable[[bytes, int], int]]] = {}

    def look(self, raw: bytes) -> Seen | None:
        """Where the parts of `raw` lie, if the whole message is surely well-formed; else None."""
        found = self.envelope(raw)
        if found is None or len(raw) > STATEMENT_BYTES:
            return None
        kid, name = found.group(KID, TYP)
        kind = self.payloads.get(name) or self._made(name)
        if kind is None:
            return None
        typ, fields, payload_end = kind
        at, end = found.end(), len(raw) - END
        if raw[HEADER_START] != fields or raw[HEADER_START - 1] != at - HEADER_START - 1:
            return None
        # The payload's head: two bytes for a length of 24 to 255, three from there on.
        size = end - at - 2
        if size < 256:
            start, fits = at + 2, 24 <= size == raw[at + 1] and raw[at] == BYTES + 24
        else:
            start, size = at + 3, size - 1
            fits = 256 <= size == (raw[at + 1] << 8) + raw[at + 2] and raw[at] == BYTES + 25
        if not fits or payload_end(raw, start) != end or not raw.startswith(SIGNATURE, end):
            return None
        return typ, kid, at - 1

    def _made(self, name: bytes) -> tuple[int, int, Callable[[bytes, int], int]] | None:
        typ = int.from_bytes(name, "big")
        shapes: Any = KINDS.get(typ)
        if shapes is None or typ == L.KIND_GRANT or not coverable(shapes, self.rules):
            return None
        found = self.payloads[name] = (typ, MAP + 4 + (typ in CHAINED), Fields(shapes, self.rules).end)
        return found
