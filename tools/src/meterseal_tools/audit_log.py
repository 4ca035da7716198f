"""The first half of an audit: who signed what, by which right, and that the log is one and whole.

A key signs only what its grant is for: benches sign tests, a registry signs what a registry keeps, and grants come
from anchors and delegations alone. Every receipt leads to one tree, the one of the signed checkpoint; its size and
index count only because that is compared. The roots that beacons named in between are those of the same tree.
"""

from collections.abc import Iterable
from functools import partial
from hashlib import sha256
from itertools import pairwise

from meterseal_protocol import checkpoint, receipt
from meterseal_protocol.checkpoint import TreeHead
from meterseal_protocol.errors import BadHeader
from meterseal_protocol.holders import Holders
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_protocol.merkle import Tree
from meterseal_protocol.rules import Pack
from meterseal_protocol.statement import Statement, read
from meterseal_protocol.verify import verify
from meterseal_tools.audit_state import LARGE, Audit
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.errors import BadShape
from meterseal_wire.scan import scan
from meterseal_wire.tree import tree_hash

# Whose key may sign a kind, by the grant that names the key. Grants are not here: Holders believes them or not.
BENCH, EDGE, REGISTRY = {kinds.FIXTURE}, {kinds.EDGE}, {kinds.REGISTRY}
PEOPLE, OUTSIDE, AUTHORITY = {kinds.PERSON}, {kinds.SUPERVISOR}, {kinds.DELEGATION}
SIGNERS = {
    L.KIND_BOOT: BENCH,
    L.KIND_ATTEMPT: BENCH,
    L.KIND_RESULT: BENCH,
    L.KIND_ABANDONED: BENCH,
    L.KIND_EVENT: BENCH,
    L.KIND_TIME: EDGE,
    L.KIND_CUSTODY: EDGE,
    L.KIND_REFUSED: EDGE,
    L.KIND_CHECKPOINT: EDGE | REGISTRY,
    L.KIND_SIGHTING: EDGE,
    L.KIND_SIGNOFF: PEOPLE | OUTSIDE,
    L.KIND_MARKS: PEOPLE,
    L.KIND_CORRECTION: PEOPLE,
    L.KIND_NOTICE: PEOPLE,
    L.KIND_WITHDRAWAL: AUTHORITY,
    L.KIND_SAMPLING: AUTHORITY,
    L.KIND_REMEASUREMENT: REGISTRY | OUTSIDE,
    L.KIND_CLAIM: REGISTRY,
    L.KIND_BEACON: REGISTRY,
    L.KIND_SCOPE: REGISTRY,
    L.KIND_DECISION: REGISTRY,
}
COVERING = (L.KIND_ATTEMPT, L.KIND_RESULT, L.KIND_SIGNOFF)


def anchors(state: Audit, given: bytes | None) -> None:
    """The keys from which authority comes: those given, else the folder's own."""
    if given is not None and given != state.folder.anchors:
        state.blame("", "anchors.cbor", "is not the file of anchors that was given")
    raw = state.folder.anchors if given is None else given
    state.anchors = state.attempt("", "anchors.cbor", partial(anchor_keys, raw)) or []


def anchor_keys(raw: bytes) -> list[PublicKey]:
    """Keys of an anchors file, a CBOR array of COSE_Key; WireError or ProtocolError says why it is none."""
    keys = scan(raw, LARGE)
    if not isinstance(keys, list) or not keys:
        raise BadShape(0, "an anchors file is an array of COSE_Keys, one at least")
    return [PublicKey.from_cose(key) for key in keys]


def names(state: Audit) -> None:
    """Each statement reads, and hashes to its name."""
    for name, raw in state.folder.files["statements"].items():
        statement = state.attempt("statements", name, partial(read, raw))
        if statement is None:
            continue
        if statement.identity.hex() == name:
            state.statements[name] = statement
        else:
            why = f"its bytes hash to {statement.identity.hex()[:16]}, not to its name"
            state.blame("statements", name, why)


def signatures(state: Audit) -> None:
    """Each statement verifies, under a key whose grant lets it sign that kind."""
    state.holders = Holders(state.anchors)
    strange = set(state.holders.learn(item.raw for _, item in state.of_kind(L.KIND_GRANT)))
    for name, item in list(state.statements.items()):
        key = state.attempt("statements", name, partial(_signer, state.holders, item, strange))
        if key is None:
            del state.statements[name]
        else:
            state.signers[name] = key.thumbprint


def _signer(holders: Holders, item: Statement, strange: set[bytes]) -> PublicKey:
    key = verify(item.raw, holders.ring).key
    held = holders.kinds_of(key.thumbprint)
    if holders.authorities.by_thumbprint(key.thumbprint) is not None:
        held = held | AUTHORITY  # an anchor has no grant
    if item.raw in strange if item.typ == L.KIND_GRANT else not held & SIGNERS.get(item.typ, set()):
        grants = ", ".join(sorted(kinds.GRANT_NAMES[kind] for kind in held)) or "none"
        raise BadHeader(f"a {item.kind} is not for a key with these grants: {grants}")
    return key


def log(state: Audit) -> None:
    """Every logged file has its receipt, all receipts are of the checkpoint's tree, and no leaf is missing."""
    registries = state.holders.of_kind(kinds.REGISTRY)
    head = state.attempt("", "checkpoint.cose", partial(_head, state, registries))
    logged = state.folder.files["statements"].keys() | state.folder.files["certificates"].keys()
    for name in sorted(logged | state.folder.files["receipts"].keys()):
        raw = state.folder.files["receipts"].get(name)
        if raw is None:
            state.blame("receipts", name, "missing: a logged statement has a receipt")
        elif name not in logged:
            state.blame("receipts", name, "has no statement: a file is missing")
        else:
            _take_receipt(state, name, raw, (registries, head))
    if head is not None:
        _whole(state, head)


def _head(state: Audit, registries: KeyRing) -> TreeHead:
    head, key = checkpoint.read(state.folder.checkpoint, registries)
    holder = state.holders.of(key.thumbprint, kinds.REGISTRY)
    if holder is None or head.origin != f"registry/{holder.name}":
        raise BadHeader(f"its origin {head.origin} is not the registry that signed it")
    return head


def _take_receipt(state: Audit, name: str, raw: bytes, tree: tuple[KeyRing, TreeHead | None]) -> None:
    registries, head = tree
    proof = state.attempt("receipts", name, partial(receipt.check, raw, bytes.fromhex(name), registries))
    if proof is None:
        return
    if head is not None and (proof.size, proof.root) != (head.size, head.root):
        why = f"leads to another tree, of {proof.size} leaves, than the checkpoint's of {head.size}"
        state.blame("receipts", name, why)
        return
    state.receipts[name] = proof


def _whole(state: Audit, head: TreeHead) -> None:
    """No leaf is missing, time never ran backwards, and every root that was signed is this tree's."""
    leaves = {proof.leaf: name for name, proof in state.receipts.items()}
    missing = [leaf for leaf in range(min(head.size, len(leaves) + 1)) if leaf not in leaves]
    if missing:
        why = f"of {head.size} log leaves, {len(leaves)} are proved; the first missing is leaf {missing[0]}"
        state.blame("", "checkpoint.cose", why)
        return
    ordered = [leaves[leaf] for leaf in sorted(leaves)]
    for before, name in pairwise(ordered):
        if state.receipts[name].entered_s < state.receipts[before].entered_s:
            state.blame("receipts", name, "entered at an earlier time than the leaf before it")
    _roots(state, head, ordered)


def _roots(state: Audit, head: TreeHead, ordered: Iterable[str]) -> None:
    tree = Tree()
    roots = [tree.root()]
    for name in ordered:
        tree.append(bytes.fromhex(name))
        roots.append(tree.root())
    if roots[-1] != head.root:
        state.blame("", "checkpoint.cose", "its root is not that of these leaves")
    for name, item in state.of_kind(L.KIND_BEACON):
        size = item.payload[L.LOG_SIZE]
        if name in state.receipts and size > state.receipts[name].leaf:
            state.blame("statements", name, f"names a log of {size} leaves, more than there were")
        elif size < len(roots) and roots[size] != item.payload[L.LOG_ROOT]:
            state.blame("statements", name, f"its root of {size} leaves is another tree's")


def evidence(state: Audit) -> None:
    """Each piece of evidence is what its statement's digest or root covers; nothing is missing or added."""
    files = state.folder.files["evidence"]
    for name, raw in files.items():
        statement = state.statements.get(name)
        items = state.attempt("evidence", name, partial(_items, raw))
        if statement is None:
            state.blame("evidence", name, "belongs to no statement that holds")
        elif items is not None and not _covers(statement, items):
            state.blame("evidence", name, "is not what the statement's digest or root covers")
        elif items is not None:
            state.blobs[statement.identity] = tuple(items)
    for name, statement in state.statements.items():
        if statement.typ in COVERING and name not in files:
            state.blame("evidence", name, "missing")


def _items(raw: bytes) -> list[bytes]:
    items = scan(raw, LARGE)
    if not isinstance(items, list) or not all(isinstance(item, bytes) for item in items):
        raise BadShape(0, "evidence is an array of byte strings")
    return items


def _covers(statement: Statement, items: list[bytes]) -> bool:
    if statement.typ == L.KIND_ATTEMPT:
        return len(items) == 1 and sha256(items[0]).digest() == statement.payload[L.PLAN]
    root = L.ROWS if statement.typ == L.KIND_SIGNOFF else L.EVIDENCE_ROOT
    return bool(tree_hash(items) == statement.payload.get(root))


def rules(state: Audit) -> None:
    """Each rule pack reads, hashes to its name, and is named by a grant; each that a grant names is here."""
    files = state.folder.files["rules"]
    granted = {
        item.payload[L.RULES].hex(): name
        for name, item in state.of_kind(L.KIND_GRANT)
        if L.RULES in item.payload
    }
    for digest, raw in files.items():
        if sha256(raw).hexdigest() != digest:
            state.blame("rules", digest, "its bytes do not hash to its name, which a rules grant names")
            continue
        if digest not in granted:
            state.blame("rules", digest, "no grant names it")
            continue
        pack = state.attempt("rules", digest, partial(Pack.load, raw))
        if pack is not None:
            state.packs.append(pack)
    for digest in granted.keys() - files.keys():
        state.blame("rules", digest, f"missing: grant {granted[digest][:16]} names it")
