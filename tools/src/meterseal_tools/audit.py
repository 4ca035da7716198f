"""`meterseal audit`: prove an evidence folder from the anchors alone, decide again, and compare.

Order: names against contents, grants and keys, signatures, receipts against one tree and its checkpoint,
evidence against digests and roots, decisions recomputed from the log as it stood, certificates against decisions.
Every finding names the statement and the file. Nothing is asked of any server.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from meterseal_protocol import receipt as receipts
from meterseal_protocol.certificate import Certificate, marks_hash
from meterseal_protocol.certificate import read as read_certificate
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.evidence import Entry, closes, select
from meterseal_protocol.grant import Grants
from meterseal_protocol.holders import Holders
from meterseal_protocol.judge import decide
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_protocol.merkle import Tree
from meterseal_protocol.rules import Pack
from meterseal_protocol.statement import Statement, read
from meterseal_protocol.verify import verify
from meterseal_tools.evidence_folder import Folder, FolderError, load
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.errors import BadShape, WireError
from meterseal_wire.kinds import CHAINED
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity
from meterseal_wire.tree import tree_hash

LARGE = 1 << 22
EDGE_KINDS = (L.KIND_TIME, L.KIND_CUSTODY)
NO_INPUT = 66


@dataclass(frozen=True)
class Finding:
    """What is wrong with one file, and the identity of the statement it concerns."""

    file: str
    statement: str
    why: str

    def __str__(self) -> str:
        return f"{self.file}: statement {self.statement[:16]}: {self.why}"


@dataclass
class Audit:
    """What was proved so far; `findings` empty means everything holds."""

    folder: Folder
    findings: list[Finding] = field(default_factory=list)
    statements: dict[str, Statement] = field(default_factory=dict)
    signers: dict[str, bytes] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    blobs: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    anchors: list[PublicKey] = field(default_factory=list)
    holders: Holders = field(default_factory=lambda: Holders([]))
    decisions: int = 0
    certificates: int = 0

    def blame(self, place: str, name: str, why: object) -> None:
        """Note a finding about the file of statement `name` in sub-folder `place`."""
        self.findings.append(Finding(f"{place}/{name}", name, str(why)))


def audit(folder: Folder) -> Audit:
    """Prove the whole folder; see the module's docstring for the order."""
    state = Audit(folder)
    for item in folder.strange:
        state.blame("", item, "does not belong into an evidence folder")
    for step in (_anchors, _read_all, _learn_keys, _signatures, _log, _evidence, _decisions, _certificates):
        step(state)
    return state


def _attempt(state: Audit, place: str, name: str, work: Callable[[], Any]) -> Any:
    try:
        return work()
    except (WireError, ProtocolError) as error:
        state.blame(place, name, error)
        return None


def _anchors(state: Audit) -> None:
    state.anchors = _attempt(state, "", "anchors.cbor", partial(read_anchors, state.folder.anchors)) or []
    state.holders = Holders(state.anchors)


def read_anchors(raw: bytes) -> list[PublicKey]:
    """Keys of an anchors file: a CBOR array of COSE_Key. WireError or BadKey where it is none."""
    keys = scan(raw, LARGE)
    if not isinstance(keys, list):
        raise BadShape(0, "an anchors file is an array of keys")
    return [PublicKey.from_cose(key) for key in keys]


def _read_all(state: Audit) -> None:
    for name, raw in state.folder.files["statements"].items():
        statement = _attempt(state, "statements", name, partial(read, raw))
        if statement is None:
            continue
        if statement.identity.hex() != name:
            state.blame(
                "statements", name, f"its bytes hash to {statement.identity.hex()[:16]}, not to its name"
            )
            continue
        state.statements[name] = statement


def _learn_keys(state: Audit) -> None:
    """Keys named by grants; a grant that no anchor or delegation vouches for is a finding, and names no key."""
    grants = {item.raw: name for name, item in state.statements.items() if item.typ == L.KIND_GRANT}
    for raw in state.holders.learn(grants):
        state.blame("statements", grants[raw], "no anchor and no delegation signed this grant")
        del state.statements[grants[raw]]


def _signatures(state: Audit) -> None:
    """Each statement under a key that may say its kind: a fixture's key signs no decision."""
    for name, item in list(state.statements.items()):
        keys = _keys_for(state.holders, item.typ)
        verified = _attempt(state, "statements", name, partial(verify, item.raw, keys))
        if verified is None:
            del state.statements[name]
        else:
            state.signers[name] = verified.key.thumbprint


def _keys_for(holders: Holders, typ: int) -> KeyRing:
    if typ == L.KIND_GRANT:
        return holders.authorities
    if typ in CHAINED:
        return holders.of_kind(kinds.FIXTURE)
    return holders.of_kind(kinds.EDGE if typ in EDGE_KINDS else kinds.REGISTRY)


def _log(state: Audit) -> None:
    """Every logged file has a receipt; the leaves are whole; root and size are those of the checkpoint."""
    named = {**state.folder.files["statements"], **state.folder.files["certificates"]}
    leaves: dict[int, str] = {}
    for name in named:
        raw = state.folder.files["receipts"].get(name)
        if raw is None:
            state.blame("receipts", name, "missing: a logged statement has a receipt")
            continue
        proof = _attempt(state, "receipts", name, partial(_receipt, state, raw, name))
        if proof is None:
            continue
        leaves[proof.leaf] = name
        if name in state.statements:
            state.entries[name] = Entry(
                state.statements[name], state.signers[name], proof.leaf, proof.entered_s
            )
    for name in state.folder.files["receipts"].keys() - named.keys():
        state.blame("receipts", name, "has no statement: a file is missing")
    _checkpoint(state, leaves)


def _receipt(state: Audit, raw: bytes, name: str) -> receipts.Receipt:
    return receipts.check(raw, bytes.fromhex(name), state.holders.of_kind(kinds.REGISTRY))


def _checkpoint(state: Audit, leaves: dict[int, str]) -> None:
    verified = _attempt(
        state,
        "",
        "checkpoint.cose",
        partial(verify, state.folder.checkpoint, state.holders.of_kind(kinds.REGISTRY)),
    )
    if verified is None:
        return
    payload = verified.statement.payload
    if sorted(leaves) != list(range(payload[L.LOG_SIZE])):
        missing = sorted(set(range(payload[L.LOG_SIZE])) - set(leaves))[:5]
        state.blame(
            "",
            "checkpoint.cose",
            f"of {payload[L.LOG_SIZE]} log leaves, {len(leaves)} hold; missing {missing}",
        )
        return
    tree = Tree()
    for index in range(len(leaves)):
        tree.append(bytes.fromhex(leaves[index]))
    if tree.root() != payload[L.LOG_ROOT]:
        state.blame("", "checkpoint.cose", "its root is not that of these leaves")


def _evidence(state: Audit) -> None:
    """What digests and roots cover; only what is covered is given to the judge."""
    for name, raw in state.folder.files["evidence"].items():
        statement = state.statements.get(name)
        if statement is None:
            state.blame("evidence", name, "belongs to no statement that holds")
            continue
        items = _attempt(state, "evidence", name, partial(_items, raw))
        if items is not None and not _covers(statement, items):
            state.blame("evidence", name, "is not what the statement's digest or root covers")
        elif items is not None:
            state.blobs[statement.identity] = tuple(items)
    _rules(state)
    for name, statement in state.statements.items():
        if statement.typ in (L.KIND_ATTEMPT, L.KIND_RESULT) and name not in state.folder.files["evidence"]:
            state.blame("evidence", name, "missing")


def _items(raw: bytes) -> list[bytes]:
    items = scan(raw, LARGE)
    if not isinstance(items, list) or not all(isinstance(item, bytes) for item in items):
        raise BadShape(0, "an evidence file is an array of byte strings")
    return items


def _rules(state: Audit) -> None:
    named = {
        s.payload[L.RULES].hex(): name for name, s in state.statements.items() if L.RULES_NAME in s.payload
    }
    for digest, raw in state.folder.files["rules"].items():
        if sha256(raw).hexdigest() != digest:
            state.blame("rules", digest, "its bytes do not hash to its name, which a rules grant names")
    for digest in named.keys() - state.folder.files["rules"].keys():
        state.blame("rules", digest, f"missing: grant {named[digest][:16]} names it")


def _covers(statement: Statement, items: list[bytes]) -> bool:
    if statement.typ == L.KIND_ATTEMPT:
        return len(items) == 1 and sha256(items[0]).digest() == statement.payload[L.PLAN]
    return bool(tree_hash(items) == statement.payload.get(L.EVIDENCE_ROOT))


def _decisions(state: Audit) -> None:
    """Each decision again, from the log as it stood at its size; the payloads must agree byte for byte."""
    packs = list(_packs(state))
    for name, item in sorted(state.statements.items()):
        if item.typ != L.KIND_DECISION:
            continue
        state.decisions += 1
        again = decide_again(state, item, packs)
        if again != encode(item.payload):
            state.blame("statements", name, f"deciding {item.payload[L.METER]} again gives another decision")


def _packs(state: Audit) -> Iterator[Pack]:
    for digest, raw in state.folder.files["rules"].items():
        pack = _attempt(state, "rules", digest, partial(Pack.load, raw))
        if pack is not None:
            yield pack


def decide_again(state: Audit, item: Statement, packs: list[Pack]) -> bytes:
    """Payload bytes of the decision that the same inputs give now."""
    size = item.payload[L.LOG_SIZE]
    pool = [entry for entry in state.entries.values() if entry.leaf < size]
    grants = Grants([entry for entry in pool if entry.statement.typ == L.KIND_GRANT], state.anchors)
    evidence = select(item.payload[L.METER], pool, size, state.blobs)
    return encode(decide(evidence, grants, packs, item.payload[L.AT_S]).payload())


def _certificates(state: Audit) -> None:
    """Each certificate is a registry's, carries its own name, and says what a decision that granted it says."""
    decisions = [item for item in state.statements.values() if item.typ == L.KIND_DECISION]
    granted = [item.payload for item in decisions if item.payload[L.OUTCOME] == kinds.GRANTED]
    for name, raw in state.folder.files["certificates"].items():
        state.certificates += 1
        keys = state.holders.of_kind(kinds.REGISTRY)
        certificate = _attempt(state, "certificates", name, partial(read_certificate, raw, keys))
        if certificate is None:
            continue
        if identity(raw).hex() != name:
            state.blame("certificates", name, "its bytes do not hash to its name")
        elif not any(_says_the_same(certificate, payload) for payload in granted):
            state.blame("certificates", name, "no decision in this folder grants what it says")
        elif certificate.marks != _marks(state, certificate):
            state.blame("certificates", name, "its marks are not those of the meter that was tested")


def _says_the_same(certificate: Certificate, payload: dict[int, Any]) -> bool:
    said = (
        payload[L.METER],
        payload[L.RESULT][: len(certificate.result)],
        payload[L.RULES][: len(certificate.rules)],
        payload[L.POSITION],
        payload[L.END_REGISTER],
        tuple(payload[L.TERRITORY]),
        bool(payload.get(L.DEMO)),
    )
    own = (
        certificate.meter,
        certificate.result,
        certificate.rules,
        certificate.position,
        certificate.end_register,
        certificate.territory,
        certificate.demo,
    )
    return said == own and certificate.expires_s <= payload[L.WINDOW][1]


def _marks(state: Audit, certificate: Certificate) -> bytes | None:
    """The marks that follow from the attempt behind a certificate; None where that attempt is not here."""
    results = (entry for entry in state.entries.values() if entry.statement.typ == L.KIND_RESULT)
    result = next((e for e in results if e.statement.identity.startswith(certificate.result)), None)
    if result is None:
        return None
    for entry in state.entries.values():
        if entry.statement.typ == L.KIND_ATTEMPT and entry.place == closes(result):
            for position in entry.statement.payload[L.POSITIONS]:
                if position[L.METER] == certificate.meter:
                    address = position.get(L.ELECTRONIC_ADDRESS, b"")
                    return marks_hash(certificate.meter.partition(".")[2], address, "")
    return None


def report(state: Audit, console: Console) -> None:
    """One line a finding, then one summary line."""
    for finding in state.findings:
        console.print(f"[red]✗[/red] {finding}", highlight=False, soft_wrap=True)
    verdict = "[green]holds[/green]" if not state.findings else f"[red]{len(state.findings)} findings[/red]"
    console.print(
        f"audit: {len(state.statements)} statements, {len(state.folder.files['receipts'])} receipts, "
        f"{state.decisions} decisions made again, {state.certificates} certificates: {verdict}",
        highlight=False,
        soft_wrap=True,
    )


def command(
    folder: Annotated[Path, typer.Argument(help="an evidence folder, such as build/demo/evidence")],
    anchors: Annotated[
        Path | None, typer.Option(help="your own anchors file; without it the folder's own is believed")
    ] = None,
) -> None:
    """Verify everything in an evidence folder, decide again and compare. Exit 0 holds, 1 findings."""
    try:
        loaded = load(folder)
    except FolderError as error:
        print(f"audit: {error}", file=sys.stderr)
        raise typer.Exit(NO_INPUT) from None
    console = Console()
    if anchors is None:
        console.print(
            "[yellow]anchors: the folder's own. Give --anchors to check against keys you trust.[/yellow]"
        )
    else:
        loaded.anchors = anchors.read_bytes()
    state = audit(loaded)
    report(state, console)
    raise typer.Exit(1 if state.findings else 0)
