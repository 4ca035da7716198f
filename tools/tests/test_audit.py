"""`meterseal audit`: every kind of dishonest folder is found, and the finding names the statement.

The folder is written from a real registry's record, so that a test may do to it what a dishonest one would do.
"""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from registry.tests.conftest import BAD_PPM, METER, Office
from rich.console import Console

from meterseal_protocol.certificate import issue
from meterseal_protocol.certificate import read as read_certificate
from meterseal_protocol.statement import read
from meterseal_tools.audit import Audit, audit, report
from meterseal_tools.evidence_folder import FOLDERS, FolderError, load
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import Author, build

SEED, FLIPS = 3, 250


def write(office: Office, folder: Path) -> Path:
    """The record as an evidence folder: what evidence_folder.export fetches over HTTP."""
    record = office.record
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
    (folder / "anchors.cbor").write_bytes(office.world.anchors_file)
    (folder / "checkpoint.cose").write_bytes(record.log.checkpoint(record.author, office.now_s))
    certificates = {item.identity for item in record.certificates.store.issued()}
    for row in record.log.rows:
        name = row.identity.hex()
        place = "certificates" if row.identity in certificates else "statements"
        (folder / place / f"{name}{FOLDERS[place]}").write_bytes(row.raw)
        receipt = record.log.receipt(record.author, row.identity)
        (folder / "receipts" / f"{name}.cose").write_bytes(receipt)
        if row.evidence:
            (folder / "evidence" / f"{name}.cbor").write_bytes(encode(list(row.evidence)))
    for pack in record.packs:
        (folder / "rules" / f"{pack.digest.hex()}.cbor").write_bytes(pack.raw)
    return folder


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A registry that has refused a meter once and then granted it."""
    found = Office(tmp_path)
    found.offer(*found.run(BAD_PPM))
    found.offer(*found.run())
    return found


@pytest.fixture
def folder(office: Office, tmp_path: Path) -> Path:
    """Its evidence folder."""
    return write(office, tmp_path / "evidence")


def findings(folder: Path) -> list[str]:
    """What an audit finds, as people read it."""
    return [str(finding) for finding in audit(load(folder)).findings]


def one(folder: Path, kind: str) -> Path:
    """The first statement of a kind."""
    for path in sorted((folder / "statements").iterdir()):
        if read(path.read_bytes()).kind == kind:
            return path
    raise AssertionError(kind)


def test_an_honest_folder_holds_and_every_decision_was_made_again(folder: Path) -> None:
    """Two runs of one meter: two decisions, one certificate."""
    found = audit(load(folder))
    assert found.findings == []
    assert (found.decisions, found.certificates) == (2, 1)


def test_any_changed_byte_is_found_and_its_file_is_named(folder: Path) -> None:
    """Issue 3's acceptance: change one byte in any file of the evidence: audit names the statement."""
    draw = random.Random(SEED)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for number in range(FLIPS):
        path = paths[number % len(paths)]
        whole = path.read_bytes()
        at = draw.randrange(len(whole))
        path.write_bytes(whole[:at] + bytes((whole[at] ^ 1 << draw.randrange(8),)) + whole[at + 1 :])
        said = findings(folder)
        path.write_bytes(whole)
        assert any(path.stem in line for line in said), f"{path.parent.name}/{path.name} byte {at}: {said}"


@pytest.mark.parametrize("name", FOLDERS)
def test_a_file_that_is_missing_is_found(folder: Path, name: str) -> None:
    """Design section 1 item 6: absence is proved too."""
    gone = min((folder / name).iterdir())
    gone.unlink()
    assert any(gone.stem[:16] in line or "missing" in line for line in findings(folder))


def test_files_that_do_not_belong_are_found(folder: Path) -> None:
    """Nothing may lie in the folder that nothing vouches for."""
    (folder / "statements" / "notes.txt").write_text("x")
    (folder / "extra.bin").write_bytes(b"x")
    (folder / "receipts" / ("00" * 32 + ".cose")).write_bytes(b"x")
    said = "\n".join(findings(folder))
    assert "notes.txt" in said and "extra.bin" in said and "00" * 8 in said


def test_two_receipts_that_were_exchanged_are_found(folder: Path) -> None:
    """A receipt is for one statement: it carries its identity and its leaf."""
    first, second = sorted((folder / "receipts").iterdir())[:2]
    a, b = first.read_bytes(), second.read_bytes()
    first.write_bytes(b)
    second.write_bytes(a)
    said = "\n".join(findings(folder))
    assert first.stem[:16] in said and second.stem[:16] in said


def test_other_anchors_believe_nothing(folder: Path) -> None:
    """Trust comes from outside: under a stranger's anchors every grant is a finding."""
    (folder / "anchors.cbor").write_bytes(encode([]))
    said = findings(folder)
    assert sum("no anchor and no delegation signed this grant" in line for line in said) >= 10


def forge(office: Office, role: str, kind: int, payload: dict[int, object]) -> bytes:
    """A statement of a registry's kind, signed by somebody else who has a key here."""
    return build(Author("REG-CN", "record", office.world.keys[role]), kind, payload)


@pytest.mark.parametrize("role", ["W1", "edge", "province"])
@pytest.mark.parametrize("kind", ["decision", "scope", "beacon"])
def test_a_registry_s_word_from_another_s_key_is_refused(
    office: Office, folder: Path, role: str, kind: str
) -> None:
    """Planted: a key that is known, but not a registry's, signs what only a registry may say."""
    honest = one(folder, kind)
    typ = getattr(L, f"KIND_{kind.upper()}")
    raw = forge(office, role, typ, read(honest.read_bytes()).payload)
    forged = folder / "statements" / f"{identity(raw).hex()}.cose"
    forged.write_bytes(raw)
    said = findings(folder)
    assert any(forged.stem[:16] in line and "no key is known" in line for line in said)


def test_a_decision_that_the_judge_does_not_make_is_found(office: Office, tmp_path: Path) -> None:
    """Planted: the registry itself signs and logs a decision that grants what the evidence refuses."""
    decisions = [e for e in office.record.log.pool if e.statement.typ == L.KIND_DECISION]
    refused = next(e.statement for e in decisions if e.statement.payload[L.OUTCOME] == kinds.REFUSED)
    lie = {**refused.payload, L.OUTCOME: kinds.GRANTED, L.REASONS: []}
    raw = build(office.record.author, L.KIND_DECISION, lie)
    office.record.entries.record(raw, office.now_s)
    said = findings(write(office, tmp_path / "lying"))
    assert [line for line in said if "gives another decision" in line and identity(raw).hex()[:16] in line]


@pytest.mark.parametrize(
    "changes",
    [
        {"end_register": 1},
        {"territory": ("",)},
        {"position": 2},
        {"meter": "DEMO.00000001"},
        {"demo": False},
        {"rules": bytes(8)},
        {"result": bytes(16)},
        {"expires_s": 1 << 40},
        {"marks": bytes(8)},
    ],
)
def test_a_certificate_that_says_more_than_its_decision_is_found(
    office: Office, tmp_path: Path, changes: dict[str, object]
) -> None:
    """Planted: the registry issues a certificate whose one field is not what the decision or the attempt says."""
    raw = office.record.certificates.newest(METER)
    assert raw is not None
    honest = read_certificate(raw, office.ring)
    lie = issue(office.record.author, replace(honest, **changes, status_index=1))  # type: ignore[arg-type]
    store = office.record.certificates.store
    [known] = store.issued()
    office.record.entries.append_certificate(
        lie, replace(known, identity=identity(lie), index=1), office.now_s
    )
    said = findings(write(office, tmp_path / "lying"))
    assert [line for line in said if line.startswith("certificates/") and identity(lie).hex()[:16] in line]


def test_a_checkpoint_of_another_tree_is_found(office: Office, folder: Path) -> None:
    """The checkpoint is for all leaves and their root: an older one leaves entries out."""
    payload = {L.ORIGIN: "registry/REG-CN", L.LOG_SIZE: 3, L.LOG_ROOT: bytes(32), L.TIME_S: 1}
    (folder / "checkpoint.cose").write_bytes(build(office.record.author, L.KIND_CHECKPOINT, payload))
    assert any("checkpoint" in line for line in findings(folder))
    size = office.record.log.size
    wrong = build(office.record.author, L.KIND_CHECKPOINT, {**payload, L.LOG_SIZE: size})
    (folder / "checkpoint.cose").write_bytes(wrong)
    assert any("root is not that of these leaves" in line for line in findings(folder))


def test_what_is_no_evidence_folder_gets_one_sentence(tmp_path: Path) -> None:
    """Design section 13: wrong file: one sentence that says what and what to do."""
    with pytest.raises(FolderError, match=r"holds no anchors\.cbor"):
        load(tmp_path)


def test_a_report_names_each_finding_and_sums_up(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line a finding, then one summary line."""
    gone = one(folder, "scope")
    gone.unlink()
    state: Audit = audit(load(folder))
    report(state, Console(width=200))
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == len(state.findings) + 1
    assert any(gone.stem[:16] in line for line in lines) and "findings" in lines[-1]
