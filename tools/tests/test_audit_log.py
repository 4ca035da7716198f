"""The first half of an audit: whose key may say what, and that there is one log and nothing is missing from it.

Each test plants one lie into a folder that is otherwise honest: signatures hold, names fit, receipts lead to the root.
"""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tools.tests.conftest import Archive

from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.merkle import Inclusion, Tree, include, leaf_hash
from meterseal_protocol.receipt import issue as issue_receipt
from meterseal_protocol.testing.world import WATER_BENCH, ZHEJIANG
from meterseal_tools.audit import audit
from meterseal_tools.audit_log import SIGNERS
from meterseal_tools.evidence_folder import Folder, load
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import cose_key
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import Author, build


def against(found: list[str], name: str) -> str:
    """The findings that name a statement, as one text."""
    return "\n".join(line for line in found if name[:16] in line)


def beacon(archive: Archive, **changes: Any) -> dict[int, Any]:
    """A beacon's payload over the log as it stands."""
    tree = archive.record.tree
    honest = {"NUMBER": 2, "TIME_S": archive.record.now_s, "LOG_SIZE": tree.size, "LOG_ROOT": tree.root()}
    return {getattr(L, name): value for name, value in {**honest, **changes}.items()}


def event() -> dict[int, Any]:
    """What a bench says when its case is opened."""
    return {L.EVENT: "case.opened", L.DETAIL: "seal 17"}


def checkpoint_payload(archive: Archive) -> dict[int, Any]:
    """A tree head as an edge logs it of its own tree."""
    return {L.ORIGIN: "edge/EDGE1", L.LOG_SIZE: 3, L.LOG_ROOT: bytes(32), L.TIME_S: archive.record.now_s}


def test_every_kind_but_a_grant_has_its_signers() -> None:
    """A kind that were missing here could be signed by nobody; grants have a rule of their own."""
    assert SIGNERS.keys() == kinds.KINDS.keys() - {L.KIND_GRANT}


@pytest.mark.parametrize("role", ["edge", WATER_BENCH, "province", "root"])
@pytest.mark.parametrize("kind", [L.KIND_BEACON, L.KIND_SCOPE, L.KIND_DECISION])
def test_only_a_registrys_key_says_what_a_registry_says(
    archive: Archive, tmp_path: Path, role: str, kind: int
) -> None:
    """Contract, authority of kinds: registry signs beacon, scope, decision. Everybody else's is refused by name."""
    payloads = {
        L.KIND_BEACON: beacon(archive),
        L.KIND_SCOPE: {L.METER: "DEMO.1", L.LOG_SIZE: 0, L.ENTRIES: [], L.TIME_S: archive.record.now_s},
        L.KIND_DECISION: archive.trial.decide().payload(),
    }
    entry = archive.sign(role, kind, payloads[kind])
    found = against(archive.findings(tmp_path / "e"), entry.statement.identity.hex())
    assert f"a {entry.statement.kind} is not for a key with these grants" in found


@pytest.mark.parametrize("role", ["edge", "registry", "province"])
def test_only_a_bench_says_what_happens_on_a_bench(archive: Archive, tmp_path: Path, role: str) -> None:
    """Contract: fixture signs boot, attempt, result, abandoned, event. A registry could else invent tests."""
    raw = build(archive.world.author(role), L.KIND_EVENT, event(), (1, 0, bytes(32)))
    entry = archive.record.enter(raw)
    grants = {"province": "delegation"}.get(role, role)
    found = against(archive.findings(tmp_path / "e"), entry.statement.identity.hex())
    assert f"a event is not for a key with these grants: {grants}" in found


@pytest.mark.parametrize("role, allowed", [("edge", True), ("registry", True), (WATER_BENCH, False)])
def test_tree_heads_are_signed_by_who_keeps_a_tree(
    archive: Archive, tmp_path: Path, role: str, allowed: bool
) -> None:
    """Contract: edge and registry sign checkpoints; a bench keeps no tree."""
    entry = archive.sign(role, L.KIND_CHECKPOINT, checkpoint_payload(archive))
    assert (against(archive.findings(tmp_path / "e"), entry.statement.identity.hex()) == "") is allowed


@pytest.mark.parametrize("role", [WATER_BENCH, "edge", "registry"])
def test_a_grant_from_a_key_that_is_no_authoritys_gives_no_right(
    archive: Archive, tmp_path: Path, role: str
) -> None:
    """A bench that names a registry of its own: neither the grant nor what that registry signs is believed."""
    own = PrivateKey.generate()
    fields = {L.SUBJECT_KEY: cose_key(own.public_xy), L.REGISTRY: "MINE"}
    payload = {L.GRANT: kinds.REGISTRY, L.NUMBER: 99, L.WINDOW: [0, 2**32], **fields}
    grant = archive.sign(role, L.KIND_GRANT, payload)
    archive.record.keys.add(own.public)
    said = archive.record.enter(build(Author("MINE", "record", own), L.KIND_BEACON, beacon(archive)))
    found = archive.findings(tmp_path / "e")
    assert "a grant is not for a key with these grants" in against(found, grant.statement.identity.hex())
    assert "no key is known for kid" in against(found, said.statement.identity.hex())


def test_a_delegations_key_may_grant_and_its_grants_count(archive: Archive, tmp_path: Path) -> None:
    """Contract: province signs type grants under its delegation: one more of them is no finding."""
    parent = identity(archive.world.grants["delegation"])
    fields = scan(scan(archive.world.grants["manufacturer"]).value[2])
    archive.sign(
        "province", L.KIND_GRANT, {**fields, L.NUMBER: 77, L.PARENT: parent, L.TERRITORY: [ZHEJIANG]}
    )
    assert archive.findings(tmp_path / "e") == []


@pytest.mark.parametrize("role", ["edge", WATER_BENCH, "province"])
def test_receipts_count_only_under_a_registrys_key(archive: Archive, tmp_path: Path, role: str) -> None:
    """An edge with a valid grant keeps a log too; its receipts prove nothing here. 16 entries, 16 findings."""
    folder = archive.write(tmp_path / "e", log_role=role)
    found = [finding for finding in audit(load(folder)).findings if finding.file.startswith("receipts/")]
    assert len(found) == len(archive.record.pool) == 16
    assert all("receipt: no key is known for kid" in finding.why for finding in found)


@pytest.mark.parametrize("role", ["edge", WATER_BENCH, "province", "root"])
def test_a_tree_head_counts_only_under_a_registrys_key(archive: Archive, tmp_path: Path, role: str) -> None:
    """The same head, signed by somebody else who is known."""
    folder = archive.write(tmp_path / "e", head_role=role)
    found = [str(finding) for finding in audit(load(folder)).findings]
    assert len(found) == 1
    assert found[0].startswith("checkpoint.cose: no key is known for kid")


def head_payloads(archive: Archive) -> dict[str, tuple[int, dict[int, Any]]]:
    """Statements of the registry that are no tree head of its log, each with a root and a size that are true."""
    size, root, now_s = archive.record.tree.size, archive.record.tree.root(), archive.record.now_s
    head = {L.LOG_SIZE: size, L.LOG_ROOT: root, L.TIME_S: now_s}
    return {
        "a beacon is no checkpoint": (L.KIND_BEACON, {L.NUMBER: 9, **head}),
        "its origin edge/EDGE1 is not the registry": (L.KIND_CHECKPOINT, {L.ORIGIN: "edge/EDGE1", **head}),
        "its origin registry/B is not the registry": (L.KIND_CHECKPOINT, {L.ORIGIN: "registry/B", **head}),
    }


@pytest.mark.parametrize("why", ["a beacon is", "its origin edge", "its origin registry"])
def test_what_is_no_head_of_this_log_is_none(archive: Archive, tmp_path: Path, why: str) -> None:
    """A beacon has size and root too; a head of another log may be signed by the same key."""
    words, (kind, payload) = next(item for item in head_payloads(archive).items() if item[0].startswith(why))
    head = build(archive.world.author("registry"), kind, payload)
    folder = replace(load(archive.write(tmp_path / "e")), checkpoint=head)
    assert [str(item) for item in audit(folder).findings if words in item.why]


def names_by_leaf(folder: Folder) -> list[str]:
    """Identities in the log's order."""
    proofs = audit(folder).receipts
    return sorted(proofs, key=lambda name: proofs[name].leaf)


def with_receipt(archive: Archive, folder: Folder, name: str, place: Inclusion, entered_s: int) -> Folder:
    """The folder with one receipt made anew by the registry."""
    raw = issue_receipt(archive.world.author("registry"), bytes.fromhex(name), place, entered_s)
    return replace(folder, files={**folder.files, "receipts": {**folder.files["receipts"], name: raw}})


def test_swapped_receipts_are_both_named(evidence: Path) -> None:
    """A receipt proves one statement: whose it is stands signed in it."""
    folder = load(evidence)
    first, second = names_by_leaf(folder)[12:14]
    receipts = folder.files["receipts"]
    swapped = {**receipts, first: receipts[second], second: receipts[first]}
    found = audit(replace(folder, files={**folder.files, "receipts": swapped})).findings
    for name in (first, second):
        assert any(finding.statement == name and finding.file.startswith("receipts/") for finding in found)


def test_a_receipt_of_another_tree_is_named(archive: Archive, tmp_path: Path) -> None:
    """A registry that shows two histories signs two roots: the receipt verifies and leads elsewhere."""
    folder = load(archive.write(tmp_path / "e"))
    name = names_by_leaf(folder)[3]
    hashes = [leaf_hash(bytes.fromhex(name)), leaf_hash(b"somebody else's statement")]
    changed = with_receipt(archive, folder, name, include(hashes, 0, 2), archive.world.start_s)
    found = [str(finding) for finding in audit(changed).findings]
    assert "leads to another tree, of 2 leaves, than the checkpoint's of 16" in against(found, name)


def test_a_receipt_of_a_second_tree_of_the_same_size_is_named(archive: Archive, tmp_path: Path) -> None:
    """Two histories of sixteen leaves that differ in the last one: leaf 3 is in both, under two signed roots."""
    folder = load(archive.write(tmp_path / "e"))
    names = names_by_leaf(folder)
    hashes = [leaf_hash(bytes.fromhex(name)) for name in names[:15]] + [leaf_hash(b"another result")]
    changed = with_receipt(archive, folder, names[3], include(hashes, 3, 16), archive.world.start_s)
    found = [str(finding) for finding in audit(changed).findings]
    assert "leads to another tree" in against(found, names[3])


def test_a_statement_in_the_place_of_another_is_named(archive: Archive, tmp_path: Path) -> None:
    """Both are signed and logged; under the second's name and receipt lies the first."""
    folder = load(archive.write(tmp_path / "e"))
    first, second = names_by_leaf(folder)[12:14]
    files = folder.files["statements"]
    changed = replace(folder, files={**folder.files, "statements": {**files, second: files[first]}})
    found = [str(finding) for finding in audit(changed).findings]
    assert f"its bytes hash to {first[:16]}, not to its name" in against(found, second)


def test_a_receipt_with_another_size_and_the_same_root_is_named(archive: Archive, tmp_path: Path) -> None:
    """RFC 9942 leaves index and size unsigned: leaf 14 of 15 is spelled as leaf 7 of 8 with the path that it has.

    In a tree of 15 the last leaf climbs without a sibling at the lowest level, as leaf 7 of 8 has three steps.
    """
    archive.record.pool.pop()
    archive.record.tree = Tree()
    for entry in archive.record.pool:
        archive.record.tree.append(entry.statement.identity)
    folder = load(archive.write(tmp_path / "e"))
    names = names_by_leaf(folder)
    path = include([leaf_hash(bytes.fromhex(name)) for name in names], 14, 15).path
    entered_s = archive.record.pool[14].entered_s
    changed = with_receipt(archive, folder, names[14], Inclusion(7, 8, path), entered_s)
    found = [str(finding) for finding in audit(changed).findings]
    assert "leads to another tree, of 8 leaves, than the checkpoint's of 15" in against(found, names[14])


def test_a_log_whose_time_runs_backwards_is_named(archive: Archive, tmp_path: Path) -> None:
    """Entry times are *not after*: each is at least the one before. The last entry claims the year 2020."""
    folder = load(archive.write(tmp_path / "e"))
    names = names_by_leaf(folder)
    place = include([leaf_hash(bytes.fromhex(name)) for name in names], 15, 16)
    changed = with_receipt(archive, folder, names[15], place, 1_577_836_800)
    found = [str(finding) for finding in audit(changed).findings]
    assert "entered at an earlier time than the leaf before it" in against(found, names[15])


@pytest.mark.parametrize(
    "changes, why",
    [
        ({"LOG_ROOT": bytes(32)}, "its root of 16 leaves is another tree's"),
        ({"LOG_SIZE": 500}, "names a log of 500"),
    ],
)
def test_a_beacon_over_a_second_tree_is_named(
    archive: Archive, tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    """A beacon binds the log as it stood; 16 entries came before this one."""
    entry = archive.sign("registry", L.KIND_BEACON, beacon(archive, **changes))
    assert why in against(archive.findings(tmp_path / "e"), entry.statement.identity.hex())


def test_an_honest_beacon_later_in_the_log_is_no_finding(archive: Archive, tmp_path: Path) -> None:
    """The counterpart: size and root of the tree as it stood."""
    archive.sign("registry", L.KIND_BEACON, beacon(archive))
    assert archive.findings(tmp_path / "e") == []


def test_an_empty_log_has_an_empty_history(archive: Archive, tmp_path: Path) -> None:
    """RFC 9162 section 2.1.1: the root over nothing is SHA-256 of nothing, and a beacon may say so."""
    empty = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    archive.sign("registry", L.KIND_BEACON, beacon(archive, LOG_SIZE=0, LOG_ROOT=empty))
    assert archive.findings(tmp_path / "e") == []


def evidence_of(folder: Folder, kind: int) -> str:
    """The one statement of a kind, by name."""
    return next(name for name, item in audit(folder).statements.items() if item.typ == kind)


@pytest.mark.parametrize("content", ["", "ff", "00", "a0", "8101", "80", "814100"])
@pytest.mark.parametrize("kind", [L.KIND_ATTEMPT, L.KIND_RESULT])
def test_evidence_that_is_not_what_was_signed_is_named(evidence: Path, kind: int, content: str) -> None:
    """Nothing, a break, a number, a map, an array of a number, no item, another item."""
    folder = load(evidence)
    name = evidence_of(folder, kind)
    folder.files["evidence"][name] = bytes.fromhex(content)
    found = [finding for finding in audit(folder).findings if finding.file.startswith("evidence/")]
    assert [finding.statement for finding in found] == [name]


@pytest.mark.parametrize("kind", [L.KIND_BOOT, L.KIND_BEACON, L.KIND_DECISION])
def test_evidence_for_a_statement_that_covers_none_is_named(evidence: Path, kind: int) -> None:
    """Bytes that nobody signed have no place beside signed ones."""
    folder = load(evidence)
    name = evidence_of(folder, kind)
    folder.files["evidence"][name] = encode([b"an afterthought"])
    assert name in {finding.statement for finding in audit(folder).findings}


def test_evidence_of_nobody_is_named(evidence: Path) -> None:
    """An identity that is not in the log."""
    folder = load(evidence)
    folder.files["evidence"]["ab" * 32] = encode([b"a telegram"])
    assert [finding.statement for finding in audit(folder).findings] == ["ab" * 32]


def test_a_rule_pack_that_no_grant_names_is_named(evidence: Path) -> None:
    """Whose rules are these? The decision still stands on the packs that count."""
    folder = load(evidence)
    raw = encode({"name": "mine"})
    digest = "b4d9bd61ab84f4a1" + "0" * 48
    folder.files["rules"][digest] = raw
    found = [str(finding) for finding in audit(folder).findings]
    assert "do not hash to its name" in against(found, digest)
    del folder.files["rules"][digest]
    folder.files["rules"][identity_of(raw)] = raw
    found = [str(finding) for finding in audit(folder).findings]
    assert len(found) == 1
    assert "no grant names it" in against(found, identity_of(raw))


def identity_of(raw: bytes) -> str:
    """SHA-256 in hex, by the standard library: a pack's name."""
    return sha256(raw).hexdigest()
