"""Station 9: a tree head, signed. Two heads of one log that no consistency proof joins show that it was rewritten.

The time in it is the signer's clock and only a hint; the size and the root are what is promised.
"""

from dataclasses import dataclass

from meterseal_protocol.errors import BadHeader
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_protocol.verify import verify
from meterseal_wire import labels as L
from meterseal_wire.statement import Author, build


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A log's state: its origin (`edge/<name>` or `registry/<name>`), number of leaves, 32-byte root, Unix seconds."""

    origin: str
    size: int
    root: bytes
    time_s: int


def sign(author: Author, head: TreeHead) -> bytes:
    """Checkpoint statement over a head; BadShape where the head is out of shape."""
    payload = {
        L.ORIGIN: head.origin,
        L.LOG_SIZE: head.size,
        L.LOG_ROOT: head.root,
        L.TIME_S: head.time_s,
    }
    return bytes(build(author, L.KIND_CHECKPOINT, payload))


def read(raw: bytes, keys: KeyRing) -> tuple[TreeHead, PublicKey]:
    """The head and the key under which it verified; as `verify`, or BadHeader when it is another kind."""
    found = verify(raw, keys)
    if found.statement.typ != L.KIND_CHECKPOINT:
        raise BadHeader(f"a {found.statement.kind} is no checkpoint")
    payload = found.statement.payload
    return TreeHead(payload[L.ORIGIN], payload[L.LOG_SIZE], payload[L.LOG_ROOT], payload[L.TIME_S]), found.key
