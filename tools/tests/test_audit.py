"""`meterseal audit` over a whole folder: it holds, every flipped bit is found and named, and misuse is one sentence."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from meterseal_protocol.keys import PrivateKey
from meterseal_tools.audit import audit
from meterseal_tools.cli import app
from meterseal_tools.evidence_folder import FOLDERS, Folder, load
from meterseal_wire.digest import cose_key
from meterseal_wire.encode import encode

SEED = 20_261_123
FLIPS_A_FILE = 6


def run(*arguments: object) -> tuple[int, str]:
    """(exit code, output) of `meterseal audit ...`."""
    done = CliRunner().invoke(app, ["audit", *map(str, arguments)])
    return done.exit_code, done.output


def test_an_honest_folder_holds_and_everything_in_it_is_counted(evidence: Path) -> None:
    """12 grants, beacon, boot, attempt, result, scope, decision: 18 statements; with the certificate 19 receipts."""
    code, text = run(evidence, "--anchors", evidence / "anchors.cbor")
    assert code == 0, text
    assert text == "audit: 18 statements, 19 receipts, 1 decisions made again, 1 certificates: holds\n"


def test_without_anchors_of_ones_own_it_says_whose_are_believed(evidence: Path) -> None:
    """A folder that brings its own root proves nothing about who the root is; the reader is told."""
    code, text = run(evidence)
    assert code == 0
    assert "anchors: the folder's own" in text


def flip(folder: Folder, place: str, name: str, draw: random.Random) -> Folder:
    """The same folder with one bit of one file turned; `place` "" means a file at the top."""
    raw = bytearray(getattr(folder, name) if not place else folder.files[place][name])
    raw[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)
    if not place:
        return replace(folder, **{name: bytes(raw)})
    files = {kind: dict(found) for kind, found in folder.files.items()}
    files[place][name] = bytes(raw)
    return replace(folder, files=files)


@pytest.mark.parametrize("place", FOLDERS)
def test_a_flipped_bit_of_any_file_is_found_and_the_file_is_named(evidence: Path, place: str) -> None:
    """Issue 3's acceptance: change one byte in any file of the evidence: audit names the statement.

    Every file of the folder, each at places drawn from a seed.
    """
    draw, folder = random.Random(SEED), load(evidence)
    for name in folder.files[place]:
        for _ in range(FLIPS_A_FILE):
            found = audit(flip(folder, place, name, draw), folder.anchors).findings
            assert name in {finding.statement for finding in found}


@pytest.mark.parametrize("attribute, file", [("anchors", "anchors.cbor"), ("checkpoint", "checkpoint.cose")])
def test_a_flipped_bit_at_the_top_is_found_and_the_file_is_named(
    evidence: Path, attribute: str, file: str
) -> None:
    """The two files that are named by what they are, not by content: twenty places of each."""
    draw, folder = random.Random(SEED), load(evidence)
    for _ in range(20):
        changed = flip(folder, "", attribute, draw)
        for given in (None, folder.anchors):
            assert file in {finding.file for finding in audit(changed, given).findings}


def test_another_root_than_the_auditors_own_proves_nothing(evidence: Path, tmp_path: Path) -> None:
    """A folder is whole and of somebody else: under my anchors no signature of it counts."""
    mine = encode([cose_key(PrivateKey.generate().public_xy)])
    (tmp_path / "mine.cbor").write_bytes(mine)
    code, text = run(evidence, "--anchors", tmp_path / "mine.cbor")
    assert code == 1
    assert "anchors.cbor: is not the file of anchors that was given" in text
    state = audit(load(evidence), mine)
    assert state.statements == {}
    assert {finding.statement for finding in state.findings} >= set(state.folder.files["statements"])


@pytest.mark.parametrize("anchors", ["a0", "80", "00", "8100", "81a0", "ff", ""])
def test_anchors_that_are_no_list_of_keys_are_one_finding_not_a_traceback(
    evidence: Path, anchors: str
) -> None:
    """A map, no key at all, a number, a number as key, an empty key, a break, nothing."""
    found = audit(replace(load(evidence), anchors=bytes.fromhex(anchors))).findings
    assert "anchors.cbor" in {finding.file for finding in found}


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_missing_file_is_found_and_named(evidence: Path, kind: str) -> None:
    """Absence is proved too (design section 1, item 6): each file of each kind taken away alone."""
    folder = load(evidence)
    for name in folder.files[kind]:
        files = {place: dict(found) for place, found in folder.files.items()}
        del files[kind][name]
        assert name in {finding.statement for finding in audit(replace(folder, files=files)).findings}


def test_a_leaf_that_vanished_with_its_receipt_leaves_a_hole_in_the_log(evidence: Path) -> None:
    """Nobody can name what is not there, but its place is: the boot is leaf 13, after twelve grants and a beacon."""
    folder = load(evidence)
    state = audit(folder)
    gone = next(name for name, proof in state.receipts.items() if proof.leaf == 13)
    files = {
        place: {name: raw for name, raw in found.items() if name != gone}
        for place, found in folder.files.items()
    }
    found = [str(finding) for finding in audit(replace(folder, files=files)).findings]
    assert "checkpoint.cose: of 19 log leaves, 18 are proved; the first missing is leaf 13" in found


def test_a_renamed_file_is_found_under_both_names(evidence: Path) -> None:
    """Bytes that do not hash to their name, and a receipt whose statement is gone."""
    name = min(load(evidence).files["statements"])
    other = "0" * 64
    (evidence / "statements" / f"{name}.cose").rename(evidence / "statements" / f"{other}.cose")
    found = audit(load(evidence)).findings
    assert {name, other} <= {finding.statement for finding in found}


def test_a_name_with_brackets_is_printed_as_it_is(evidence: Path) -> None:
    """Brackets are markup for the printer and a file's name for its owner: no traceback, no lost text."""
    (evidence / "statements" / "[bold] [").write_text("seen by nobody")
    code, text = run(evidence)
    assert code == 1
    assert "statements/[bold] [: does not belong into an evidence folder" in text


@pytest.mark.parametrize("what", ["nothing", "empty", "file"])
def test_what_is_no_evidence_folder_is_one_sentence_and_exit_66(tmp_path: Path, what: str) -> None:
    """sysexits.h: 66 is EX_NOINPUT. A path that does not exist, an empty folder, a file."""
    path = tmp_path / "evidence"
    if what == "empty":
        path.mkdir()
    elif what == "file":
        path.write_text("a letter")
    code, text = run(path)
    assert code == 66
    assert text.startswith("audit: ") and "holds no anchors.cbor" in text and text.count("\n") == 1


def test_anchors_that_cannot_be_read_are_one_sentence_and_exit_66(evidence: Path) -> None:
    """The option names a file that is not there."""
    code, text = run(evidence, "--anchors", evidence / "none.cbor")
    assert code == 66
    assert "none.cbor" in text and text.count("\n") == 1
