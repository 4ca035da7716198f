"""Prints the bytes that this interpreter makes of one fixed set of statements, a hex line each.

Run by both interpreters; `test_same_bytes.py` compares what they print. The signer is a hash, so that a signature
is the same on both and changes with every byte that is signed.
"""

import test_kinds as samples

from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.encode import encode
from meterseal_wire.kinds import CHAINED
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import Author, build
from meterseal_wire.suites import ED25519
from meterseal_wire.tree import tree_hash

# Values whose spelling could differ: order of keys, width of heads, text beyond ASCII, the ends of the integers.
VALUES = (
    {100000: 1, "a": 2, -1: 3, 10: 4, "aa": 5, 24: 6, -25: 7, 256: 8, "\u6c34": 9},
    [23, 24, 255, 256, 65535, 65536, 4294967295, 4294967296, 9223372036854775807, -9223372036854775807],
    ["\u6c34\u8868", "\u00fc", "", b"", b"\x00\xff", None, True, False],
    {1: {2: {3: [{"x": [1, {"y": b"z" * 24}]}]}}},
)


class Signer:
    """Signs with a hash."""

    public_xy = bytes(range(64))

    def sign(self, message):
        """64 bytes."""
        return sha256(message) + sha256(message + b"2")


class OtherSigner(Signer):
    """The same as a signer of the third suite, whose public key is x alone."""

    suite = ED25519
    public_xy = bytes(range(32))


def lines():
    """Every line, in one order on both interpreters."""
    author = Author("YUHANG1", "W1", Signer())
    found = [encode(value) for value in VALUES]
    prev = bytes(32)
    for seq, typ in enumerate(sorted(samples.SAMPLES)):
        chain = (1, seq, prev) if typ in CHAINED else None
        raw = build(author, typ, samples.SAMPLES[typ], chain)
        prev = identity(raw)
        found.append(raw)
        found.append(prev)
    found.append(build(Author("YUHANG1", "W1", OtherSigner()), L.KIND_BEACON, samples.SAMPLES[L.KIND_BEACON]))
    found.append(identity(found[-1]))
    found.append(tree_hash(found))
    found.append(encode({L.EVIDENCE_ROOT: tree_hash([])}))
    return found


if __name__ == "__main__":
    for made in lines():
        print("".join(["%02x" % byte for byte in made]))
