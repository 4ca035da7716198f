"""Fuzz target: a log's COSE receipts. A proof under our keys for the one statement or growth, or a named error."""

from meterseal_protocol import receipt
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import KeyRing, PrivateKey
from meterseal_protocol.merkle import Tree, grow, include, leaf_hash
from meterseal_wire.digest import sha256
from meterseal_wire.errors import WireError
from meterseal_wire.statement import Author

KEY = PrivateKey(bytes(31) + b"\x07")
AUTHOR = Author("REG-CN", "log", KEY)
NAMES = [sha256(bytes([number])) for number in range(7)]
HASHES = [leaf_hash(name) for name in NAMES]
INDEX, OLD, SIZE, ENTERED_S = 4, 3, 7, 1_790_000_000


def _ring() -> KeyRing:
    ring = KeyRing()
    ring.add(KEY.public)
    return ring


def _root(size: int) -> bytes:
    tree = Tree()
    for name in NAMES[:size]:
        tree.append(name)
    return tree.root()


RING, OLD_ROOT, ROOT = _ring(), _root(OLD), _root(SIZE)


def one(data: bytes) -> None:
    """Check `data` as an inclusion and as a consistency receipt; AssertionError where a root holds that is none."""
    try:
        held = receipt.check(data, NAMES[INDEX], RING)
        assert (held.root, held.key) == (ROOT, KEY.thumbprint), "a root that nobody signed"
    except (WireError, ProtocolError) as error:
        assert str(error), f"{type(error).__name__} says nothing"
    try:
        grown = receipt.check_consistency(data, OLD, OLD_ROOT, RING)
        assert grown.root == ROOT, "a root that nobody signed"
    except (WireError, ProtocolError) as error:
        assert str(error), f"{type(error).__name__} says nothing"


def seeds() -> list[bytes]:
    """A receipt of each kind, one of another leaf, and each with a byte changed or lost."""
    whole = [
        receipt.issue(AUTHOR, NAMES[INDEX], include(HASHES, INDEX, SIZE), ENTERED_S),
        receipt.issue(AUTHOR, NAMES[1], include(HASHES, 1, SIZE), ENTERED_S),
        receipt.issue_consistency(AUTHOR, OLD_ROOT, grow(HASHES, OLD, SIZE), ENTERED_S),
    ]
    changed = [
        raw[:at] + bytes((raw[at] ^ 1,)) + raw[at + 1 :]
        for raw in whole
        for at in (3, len(raw) // 2, len(raw) - 70, len(raw) - 2)
    ]
    return [*whole, *changed, *(raw[:-1] for raw in whole)]
