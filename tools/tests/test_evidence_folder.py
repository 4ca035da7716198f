"""Evidence folders on disk: what belongs into one, and the export of a real registry, which an audit then proves."""

from pathlib import Path

import pytest
from tools.tests.conftest import Archive, Desk

from meterseal_protocol.certificate import take_apart
from meterseal_protocol.statement import read
from meterseal_tools.audit import audit
from meterseal_tools.evidence_folder import FOLDERS, FolderError, export, load
from meterseal_tools.services import free_port
from meterseal_wire import labels as L
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity


def test_a_folder_is_read_as_it_lies(archive: Archive, tmp_path: Path) -> None:
    """Sixteen entries with a receipt each, two of them with evidence, two packs, and nothing strange."""
    path = archive.write(tmp_path / "e")
    folder = load(path)
    assert {kind: len(found) for kind, found in folder.files.items()} == {
        "statements": 16,
        "certificates": 0,
        "receipts": 16,
        "evidence": 2,
        "rules": 2,
    }
    assert (folder.path, folder.strange) == (path, [])
    assert folder.anchors == archive.world.anchors_file
    for entry in archive.record.pool:
        assert folder.files["statements"][entry.statement.identity.hex()] == entry.statement.raw


NAME = "ab" * 32
STRANGE = [
    "statements/notes.txt",
    f"statements/{NAME}.cwt",
    f"statements/{NAME.upper()}.cose",
    f"statements/{NAME[:-2]}.cose",
    "statements/.cose",
    f"statements/{NAME}.cose.bak",
    f"certificates/{NAME}.cose",
    f"evidence/{NAME}",
    f"rules/../{NAME}.cbor",
    "receipts/below/deep.cose",
    "elsewhere/file",
    "README",
]


@pytest.mark.parametrize("place", STRANGE)
def test_what_does_not_belong_is_listed_and_not_read(evidence: Path, place: str) -> None:
    """Another suffix, another spelling of a name, a folder in a folder, a file that nobody asked for."""
    (evidence / place).parent.mkdir(exist_ok=True)
    (evidence / place).write_bytes(b"seen by nobody")
    folder = load(evidence)
    assert len(folder.strange) == 1
    assert b"seen by nobody" not in {raw for found in folder.files.values() for raw in found.values()}
    assert [finding.file for finding in audit(folder).findings] == folder.strange


def test_links_and_folders_in_the_place_of_files_are_strange(evidence: Path) -> None:
    """A link to nothing, and a folder named as a statement is."""
    (evidence / "receipts" / f"{NAME}.cose").symlink_to(evidence / "nowhere")
    (evidence / "statements" / f"{NAME}.cose").mkdir()
    assert load(evidence).strange == [f"statements/{NAME}.cose", f"receipts/{NAME}.cose"]


def test_a_file_in_the_place_of_a_sub_folder_is_strange_and_everything_in_it_is_missing(
    evidence: Path,
) -> None:
    """`rules` is a file: both packs are missed by the grants that name them."""
    for path in (evidence / "rules").iterdir():
        path.unlink()
    (evidence / "rules").rmdir()
    (evidence / "rules").write_text("none")
    folder = load(evidence)
    assert (folder.strange, folder.files["rules"]) == (["rules"], {})
    assert sum("missing: grant" in finding.why for finding in audit(folder).findings) == 2


@pytest.mark.parametrize("name", ["anchors.cbor", "checkpoint.cose"])
def test_a_folder_without_its_head_is_none(evidence: Path, name: str) -> None:
    """Which file is not there, and where such folders come from."""
    (evidence / name).unlink()
    with pytest.raises(FolderError, match=f"holds no {name}: give a folder that `meterseal demo`"):
        load(evidence)


# ------------------------------------------------------------------------------------------------ a real registry


@pytest.fixture(scope="module")
def exported(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything the registry process logged, fetched over HTTP."""
    path = tmp_path_factory.mktemp("exported") / "evidence"
    assert export(desk.url, desk.stage.world.anchors, path) == len(list((path / "receipts").iterdir()))
    return path


def test_an_export_holds_under_the_roots_own_anchors(exported: Path, desk: Desk) -> None:
    """The registry's word is not needed: the demo's root key, which it never had, is what the audit starts from."""
    state = audit(load(exported), desk.stage.world.anchors)
    assert [str(finding) for finding in state.findings] == []
    assert (state.decisions, len(state.decided), state.certificates) == (2, 2, 1)


def test_an_export_has_every_leaf_of_the_log_under_its_name(exported: Path, desk: Desk) -> None:
    """/log/leaves is the list; statements and certificates together are exactly these files."""
    leaves = {leaf.hex() for leaf in scan(desk.get("/log/leaves"), 1 << 20)["leaves"]}
    folder = load(exported)
    assert folder.strange == []
    assert folder.files["statements"].keys() | folder.files["certificates"].keys() == leaves
    assert folder.files["receipts"].keys() == leaves
    for kind in ("statements", "certificates"):
        for name, raw in folder.files[kind].items():
            assert identity(raw).hex() == name


def test_an_export_puts_each_thing_in_its_place(exported: Path, desk: Desk) -> None:
    """The one certificate is the meter's; attempt, result and sign-offs have evidence; both packs are there."""
    folder = load(exported)
    (certificate,) = folder.files["certificates"].values()
    assert take_apart(certificate).claimed.meter == f"DEMO.{desk.serial}"
    covered = {read(folder.files["statements"][name]).typ for name in folder.files["evidence"]}
    assert covered == {L.KIND_ATTEMPT, L.KIND_RESULT, L.KIND_SIGNOFF}
    assert len(folder.files["rules"]) == 2
    assert sorted(path.name for path in exported.iterdir()) == sorted(
        [*FOLDERS, "anchors.cbor", "checkpoint.cose"]
    )


def test_a_registry_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    """Which address did not answer, and what to look at."""
    with pytest.raises(FolderError, match=r"did not answer /checkpoint: .* Is it running\?"):
        export(f"http://127.0.0.1:{free_port()}", b"\x80", tmp_path / "e")


def test_an_address_that_is_no_registry_is_one_sentence(desk: Desk, tmp_path: Path) -> None:
    """A page of the registry that is not its root: every path below it is 404."""
    with pytest.raises(FolderError, match="answered /checkpoint with 404"):
        export(f"{desk.url}/nowhere", b"\x80", tmp_path / "e")
