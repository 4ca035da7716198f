"""Whether a plan, a tenant or a firmware may go down: looked at before it is put into the folder `down`.

The fixture looks once more, by its own copy of the authority's key, so nothing here has to be believed. What is looked
at is what the fixture looks at: the grant's signature under an anchor (for a tenant: under delegations below one), and
that grant and content name each other. Window and withdrawals are looked at by `standing.py`, which knows what the
registry has told this edge.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from meterseal_edge.errors import BadOffer
from meterseal_protocol.errors import BadKey, ProtocolError
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_protocol.statement import read
from meterseal_protocol.verify import verify
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity

PLAN, TENANT, FIRMWARE = "plan", "tenant", "firmware"
ITEM_BYTES = 8192  # what a fixture keeps of a plan or a tenant (its shelf.py)
MANIFEST_BYTES, IMAGE_BYTES = 1 << 16, 262144  # the second one is a fixture's slot (its update.py)
MOST_ABOVE = 3
VERSION, BOARD, COUNTER, FILES, DIGEST = 1, 2, 3, 4, 5  # of an image's manifest
Item = list[Any]


@dataclass(frozen=True, slots=True)
class Firmware:
    """An image for the fixtures of a board, as a boot statement names it; `put` tells one put of it from the next."""

    board: str
    version: str
    digest: bytes
    manifest: bytes
    grant: bytes
    files: Mapping[str, bytes]
    put: int


def plan_of(anchors: KeyRing, grant: bytes, document: bytes) -> Item:
    """["plan", grant, document] where the rules grant names this very document; else BadOffer."""
    fields = _fields(grant, anchors, kinds.RULES)
    if sha256(document) not in fields.get(L.PLANS, ()):
        raise BadOffer(
            f"rules grant {fields[L.NUMBER]} does not name this plan; ask the authority for one that does"
        )
    plan = _scanned(document, "plan")
    if not isinstance(plan, dict) or plan.get(L.RULES) != fields[L.RULES]:
        raise BadOffer(
            "the plan is of other rules than the grant; make it again from the rules that it names"
        )
    return _small([PLAN, grant, document])


def tenant_of(anchors: KeyRing, grant: bytes, known: Iterable[bytes]) -> Item:
    """["tenant", grant, delegations] with the delegations above it, found among `known` grants; else BadOffer."""
    by_name = {identity(raw): raw for raw in known}
    above: list[bytes] = []
    parent = _parent(grant)
    while parent is not None:
        if parent not in by_name or len(above) == MOST_ABOVE:
            raise BadOffer(
                f"the delegation {parent.hex()[:16]} above the grant is not known here, or is one of more than "
                f"{MOST_ABOVE}; give its file with --delegation"
            )
        above.insert(0, by_name[parent])
        parent = _parent(above[0])
    ring = anchors
    for raw in above:
        fields = _fields(raw, ring, kinds.DELEGATION)
        if kinds.SHARED_PLATFORMS not in fields[L.MEASURES]:
            raise BadOffer(
                f"delegation {fields[L.NUMBER]} is without shared platforms; a tenant grant needs them"
            )
        ring = _ring_of(fields[L.SUBJECT_KEY])
    _fields(grant, ring, kinds.TENANT)
    return _small([TENANT, grant, above])


def firmware_of(anchors: KeyRing, grant: bytes, manifest: bytes, files: Mapping[str, bytes]) -> Item:
    """["firmware", manifest, grant, [[path, bytes], ...]] where all of it fits together; else BadOffer."""
    fields = _fields(grant, anchors, kinds.FIRMWARE)
    image = _scanned(manifest, "manifest", MANIFEST_BYTES)
    try:
        rows = {path: (size, digest) for path, size, digest in image[FILES]}
        named = (image[VERSION], image[DIGEST], fields[L.BOARD].split("/")[0] == image[BOARD])
        low = image[COUNTER] < fields[L.FIRMWARE_FLOOR]
    except (KeyError, TypeError, ValueError):
        raise BadOffer("the image's manifest is out of shape; build the image again") from None
    if named != (fields[L.FIRMWARE_VERSION], fields[L.FIRMWARE_DIGEST], True):
        raise BadOffer(
            "grant and image differ in version, digest or board; compare `meterseal firmware show`"
        )
    if low:
        raise BadOffer(
            "the image's rollback counter is below the grant's floor; build it with a higher --counter"
        )
    if {path: (len(data), sha256(data)) for path, data in files.items()} != rows:
        raise BadOffer("the image's files are not those of its manifest; build the image again")
    if sum(map(len, files.values())) > IMAGE_BYTES:
        raise BadOffer(f"the image has more than the {IMAGE_BYTES} bytes of a slot")
    return [FIRMWARE, manifest, grant, [[path, files[path]] for path in sorted(files)]]


def _fields(grant: bytes, ring: KeyRing, kind: int) -> dict[int, Any]:
    name = kinds.GRANT_NAMES[kind]
    try:
        statement = verify(grant, ring).statement
    except (ProtocolError, WireError) as error:
        raise BadOffer(f"the {name} grant does not hold under an anchor: {error}") from None
    if statement.typ != L.KIND_GRANT or statement.payload[L.GRANT] != kind:
        raise BadOffer(f"that file holds no {name} grant; give the right one")
    return statement.payload


def _parent(grant: bytes) -> bytes | None:
    try:
        parent: bytes | None = read(grant).payload.get(L.PARENT)
    except (ProtocolError, WireError) as error:
        raise BadOffer(f"a grant cannot be read: {error}") from None
    return parent


def _ring_of(cose: Any) -> KeyRing:
    ring = KeyRing()
    try:
        ring.add(PublicKey.from_cose(cose))
    except BadKey as error:
        raise BadOffer(f"a delegation names no key: {error}") from None
    return ring


def _scanned(raw: bytes, what: str, most: int = ITEM_BYTES) -> Any:
    try:
        return scan(raw, most)
    except WireError as error:
        raise BadOffer(f"the {what} cannot be read: {error}") from None


def _small(item: Item) -> Item:
    size = len(encode(item))
    if size > ITEM_BYTES:
        raise BadOffer(f"with its grants that is {size} bytes; a fixture keeps {ITEM_BYTES}")
    return item
