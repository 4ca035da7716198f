"""Subject scan: strict deterministic CBOR (statement.md, "Encoding"). Bytes written by hand."""

from collections.abc import Iterator
from typing import Any

from maker.case import accept, refuse

RULE = "statement.md, Encoding, rule "
GOOD = (
    ("zero", 1, "the shortest integer", "00"),
    ("23", 1, "the last one in one byte", "17"),
    ("24", 1, "the first one in two bytes", "1818"),
    ("256", 1, "the first one in three bytes", "190100"),
    ("65536", 1, "the first one in five bytes", "1a00010000"),
    ("4294967296", 1, "the first one in nine bytes", "1b0000000100000000"),
    ("largest", 2, "2^63 - 1", "1b7fffffffffffffff"),
    ("smallest", 2, "-(2^63 - 1)", "3b7ffffffffffffffe"),
    ("empty map", 3, "no key", "a0"),
    ("keys in bytewise order", 3, "10, 100, -1, a text", "a40a0118640220036161f6"),
    ("nested eight deep", 4, "eight arrays", "818181818181818100"),
    ("text", 5, "UTF-8", "6461c3bc62"),
    ("simple values", 6, "false, true, null", "83f4f5f6"),
    ("tag 18", 6, "the one tag", "d280"),
)
BAD = (
    ("nothing", 7, "no byte at all", "", "wire.truncated"),
    ("cut short", 7, "an array of two with one item", "8200", "wire.truncated"),
    ("cut inside a length", 7, "two bytes of length announced, one there", "5901", "wire.truncated"),
    ("a byte behind", 7, "a zero and one byte more", "0000", "wire.trailing"),
    ("zero in two bytes", 1, "24 is the first that needs them", "1800", "wire.not_shortest"),
    ("23 in two bytes", 1, "24 is the first that needs them", "1817", "wire.not_shortest"),
    ("255 in three bytes", 1, "256 is the first that needs them", "1900ff", "wire.not_shortest"),
    ("65535 in five bytes", 1, "65536 is the first that needs them", "1a0000ffff", "wire.not_shortest"),
    (
        "2^32-1 in nine bytes",
        1,
        "2^32 is the first that needs them",
        "1b00000000ffffffff",
        "wire.not_shortest",
    ),
    ("long length of bytes", 1, "a length is an argument like any other", "580100", "wire.not_shortest"),
    ("2^63", 2, "one beyond the largest", "1b8000000000000000", "wire.over_limit"),
    ("-2^63", 2, "one beyond the smallest", "3b7fffffffffffffff", "wire.over_limit"),
    ("a key twice", 3, "1 and 1", "a201000100", "wire.key_order"),
    ("keys the other way", 3, "2 before 1", "a202000100", "wire.key_order"),
    ("keys by length first", 3, "-1 before 100: RFC 7049's order", "a220001864" + "00", "wire.key_order"),
    ("a key of bytes", 3, "keys are integers or text", "a1410000", "wire.not_allowed"),
    ("a key that is true", 3, "keys are integers or text", "a1f500", "wire.not_allowed"),
    ("nested nine deep", 4, "nine arrays", "81818181818181818100", "wire.over_limit"),
    ("text that is no UTF-8", 5, "a lone continuation byte", "6180", "wire.text"),
    ("a surrogate", 5, "U+D800 has no place in UTF-8", "63eda080", "wire.text"),
    ("half float", 6, "1.0", "f93c00", "wire.not_allowed"),
    ("single float", 6, "100000.0", "fa47c35000", "wire.not_allowed"),
    ("double float", 6, "1.1", "fb3ff199999999999a", "wire.not_allowed"),
    ("undefined", 6, "simple value 23", "f7", "wire.not_allowed"),
    ("simple value 24", 6, "two bytes are not well-formed for it", "f818", "wire.not_allowed"),
    ("indefinite array", 6, "its end is not known", "9f00ff", "wire.not_allowed"),
    ("indefinite bytes", 6, "its end is not known", "5f4100ff", "wire.not_allowed"),
    ("break alone", 6, "it ends nothing", "ff", "wire.not_allowed"),
    ("reserved length 28", 6, "no meaning is assigned", "1c", "wire.not_allowed"),
    ("tag 0", 6, "only 18 is used", "c000", "wire.not_allowed"),
    ("bignum", 6, "tag 2", "c249010000000000000000", "wire.not_allowed"),
    ("announced length beyond the end", 7, "2^63 bytes", "5b7fffffffffffffff", "wire.truncated"),
    ("announced array beyond the end", 7, "2^32 items", "9a" + "ffffffff", "wire.truncated"),
)


def cases() -> Iterator[dict[str, Any]]:
    """Every case of the subject."""
    for name, rule, why, cbor in GOOD:
        yield accept(f"accept {name}", f"{RULE}{rule}", why, {"cbor": cbor}, cbor=cbor)
    for name, rule, why, cbor, code in BAD:
        yield refuse(f"refuse {name}", f"{RULE}{rule}", why, {"cbor": cbor}, code)
