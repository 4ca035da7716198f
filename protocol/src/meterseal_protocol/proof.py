"""Proof files: that somebody signed what excludes itself. Anyone checks one with the anchors alone and no server.

    {"proof": "fork" | "truncation" | "omission", "grants": [...], "statements": [...], "receipts": [...]}

in deterministic CBOR, everything as received. Grants lead from the anchors to the signers. What each proves:

fork        a fixture signed two statements for one place, or two boots after one head
truncation  a fixture's boot cites a last head and disowns a statement that it had signed after it; or a log signed two
            tree heads of which the later in time is the smaller, or two of one size that differ
omission    a registry's scope leaves out an attempt that names the meter, or what closed one, though its own receipt
            says that it had logged it before it signed the scope

Signatures are compared by what is signed, and each signature has one accepted spelling (decisions/0006), so nobody
can make an honest fixture look like a liar by respelling what it signed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from meterseal_protocol import receipt
from meterseal_protocol.errors import BadProof
from meterseal_protocol.holders import Holders
from meterseal_protocol.keys import PublicKey
from meterseal_protocol.statement import Statement
from meterseal_protocol.verify import verify
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan

FORK, TRUNCATION, OMISSION = "fork", "truncation", "omission"
FIELDS = {"proof", "grants", "statements", "receipts"}
PROOF_BYTES = 1 << 20
LOGS = (kinds.EDGE, kinds.REGISTRY)


@dataclass(frozen=True)
class Verdict:
    """What a proof proves: of which kind, whose key (thumbprint and name), and the two statements that clash.

    `at` are numbers for people: epoch and seq of a fork or truncation by a fixture, sizes of two tree heads, or the
    scope's log size and the leaf that it leaves out.
    """

    proof: str
    key: bytes
    name: str
    at: tuple[int, int]
    identities: tuple[bytes, bytes]


Signed = tuple[Statement, bytes]


def build(
    proof: str, grants: Sequence[bytes], statements: Sequence[bytes], receipts: Sequence[bytes] = ()
) -> bytes:
    """A proof file; whether it proves anything is `verify_proof`'s to say."""
    found = {"proof": proof, "grants": [*grants], "statements": [*statements], "receipts": [*receipts]}
    return bytes(encode(found))


def verify_proof(raw: bytes, anchors: Sequence[PublicKey]) -> Verdict:
    """What a file proves; WireError, ProtocolError or BadProof with the reason where it proves nothing."""
    document = scan(raw, PROOF_BYTES)
    if not isinstance(document, dict) or set(document) != FIELDS or document["proof"] not in RULES:
        raise BadProof(
            "a proof file has proof (fork, truncation or omission), grants, statements and receipts"
        )
    lists = [document[name] for name in ("grants", "statements", "receipts")]
    if not all(isinstance(items, list) and all(isinstance(item, bytes) for item in items) for items in lists):
        raise BadProof("grants, statements and receipts are arrays of byte strings")
    holders = Holders(anchors)
    if holders.learn(document["grants"]):
        raise BadProof("a grant in the file does not lead to the anchors; add those above it")
    signed = []
    for item in document["statements"]:
        found = verify(item, holders.ring)
        signed.append((found.statement, found.key.thumbprint))
    return RULES[document["proof"]](signed, document["receipts"], holders)


def _fork(signed: list[Signed], receipts: list[bytes], holders: Holders) -> Verdict:
    first, second = _two(signed, receipts)
    name = _held(holders, first[1], (kinds.FIXTURE,))
    a, b = first[0].chain, second[0].chain
    assert a is not None and b is not None  # both are signed by a fixture's key and are not one statement
    one_place = a[:2] == b[:2]
    one_parent = a[1] == b[1] == 0 and a[2] == b[2] and a[0] != b[0]
    if not one_place and not one_parent:
        raise BadProof("the two statements stand at different places and follow different ones: no fork")
    return Verdict(FORK, first[1], name, a[:2], (first[0].identity, second[0].identity))


def _truncation(signed: list[Signed], receipts: list[bytes], holders: Holders) -> Verdict:
    first, second = _two(signed, receipts)
    if first[0].typ == second[0].typ == L.KIND_CHECKPOINT:
        return _shrunk(first, second, holders)
    name = _held(holders, first[1], (kinds.FIXTURE,))
    boot, beyond = first[0], second[0]
    assert boot.chain is not None and beyond.chain is not None
    cited = tuple(boot.payload.get(L.LAST_HEAD, ()))
    if boot.typ != L.KIND_BOOT or not cited:
        raise BadProof("the first statement is the boot that cites a last head, the second what it disowns")
    if not cited < beyond.chain[:2] < boot.chain[:2]:
        raise BadProof("what the boot cites is not before the second statement: nothing is disowned")
    return Verdict(TRUNCATION, first[1], name, beyond.chain[:2], (boot.identity, beyond.identity))


def _shrunk(first: Signed, second: Signed, holders: Holders) -> Verdict:
    """Two tree heads of one log: the later one smaller, or one size with two roots."""
    name = _held(holders, first[1], LOGS)
    older, newer = sorted((first[0], second[0]), key=lambda found: (found.payload[L.TIME_S], found.identity))
    sizes = older.payload[L.LOG_SIZE], newer.payload[L.LOG_SIZE]
    if older.payload[L.ORIGIN] != newer.payload[L.ORIGIN]:
        raise BadProof("the two tree heads are of different logs")
    split = sizes[0] == sizes[1] and older.payload[L.LOG_ROOT] != newer.payload[L.LOG_ROOT]
    later = older.payload[L.TIME_S] < newer.payload[L.TIME_S]
    if not split and not (later and sizes[1] < sizes[0]):
        raise BadProof("the later tree head is not smaller, and no size has two roots")
    return Verdict(TRUNCATION, first[1], name, sizes, (older.identity, newer.identity))


def _omission(signed: list[Signed], receipts: list[bytes], holders: Holders) -> Verdict:
    """[scope, attempt] with a receipt for the attempt, or [scope, attempt, closer] with one for the closer."""
    if len(signed) not in (2, 3) or len(receipts) != 1 or signed[0][0].typ != L.KIND_SCOPE:
        raise BadProof(
            "an omission is a scope, the attempt and perhaps what closed it, and one receipt for the last"
        )
    (scope, key), (attempt, _), (last, _) = signed[0], signed[1], signed[-1]
    name = _held(holders, key, (kinds.REGISTRY,))
    if attempt.typ != L.KIND_ATTEMPT or not _names(attempt, scope.payload[L.METER]):
        raise BadProof("the second statement is no attempt that names the scope's meter")
    if len(signed) == 3 and not _closes(signed[2], signed[1]):
        raise BadProof("the third statement does not close the second")
    logged = receipt.check(receipts[0], last.identity, holders.of_kind(kinds.REGISTRY))
    if _held(holders, logged.key, (kinds.REGISTRY,)) != name:
        raise BadProof("the receipt is another registry's than the scope")
    if last.identity in scope.payload[L.ENTRIES]:
        raise BadProof("the scope lists the statement")
    if not logged.entered_s < scope.payload[L.TIME_S]:
        raise BadProof("the statement was not logged before the scope was signed")
    return Verdict(
        OMISSION, key, name, (scope.payload[L.LOG_SIZE], logged.leaf), (scope.identity, last.identity)
    )


def _two(signed: list[Signed], receipts: list[bytes]) -> tuple[Signed, Signed]:
    if len(signed) != 2 or receipts:
        raise BadProof("this proof is two statements and no receipt")
    first, second = signed
    if first[1] != second[1]:
        raise BadProof("the two statements are signed by different keys")
    if first[0].identity == second[0].identity:
        raise BadProof("the two statements are one and the same")
    return first, second


def _held(holders: Holders, key: bytes, of: Sequence[int]) -> str:
    for kind in of:
        holder = holders.of(key, kind)
        if holder is not None:
            return holder.name
    raise BadProof("no grant in the file gives the signer's key the role that the proof speaks of")


def _names(attempt: Statement, meter: str) -> bool:
    return any(position[L.METER] == meter for position in attempt.payload[L.POSITIONS])


def _closes(closer: Signed, attempt: Signed) -> bool:
    statement, key = closer
    closing = statement.typ in (L.KIND_RESULT, L.KIND_ABANDONED) and key == attempt[1]
    assert attempt[0].chain is not None
    return closing and tuple(statement.payload[L.ATTEMPT]) == attempt[0].chain[:2]


Rule = Callable[[list[Signed], list[bytes], Holders], Verdict]
RULES: dict[Any, Rule] = {FORK: _fork, TRUNCATION: _truncation, OMISSION: _omission}
