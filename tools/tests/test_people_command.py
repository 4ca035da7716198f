"""`meterseal people`: the sheet that the judge computes, signed in a role and taken by a real registry."""

from pathlib import Path

import pytest
from tools.tests.conftest import Archive, Desk
from typer.testing import CliRunner, Result

from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.signoff import rows_of as rows_in
from meterseal_protocol.statement import read
from meterseal_tools import people
from meterseal_tools.audit import audit
from meterseal_tools.cli import app
from meterseal_tools.evidence_folder import export, load
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.statement import Author
from meterseal_wire.tree import tree_hash


def run(*arguments: object) -> Result:
    """`meterseal people ...`, whatever its end."""
    return CliRunner().invoke(app, ["people", *map(str, arguments)], env={"COLUMNS": "160"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A proved folder with one meter that passed: -0.3, 0.4 and -0.8 %."""
    archive = Archive(people=True).test_meter()
    archive.decide()
    return archive.write(tmp_path / "evidence")


def test_the_sheet_shows_what_the_judge_computes(folder: Path) -> None:
    """Meter, position, outcome and largest error in both languages, and the root that a signature covers."""
    found = run("sheet", folder)
    assert found.exit_code == 0
    assert "DEMO.12345678" in found.output and "合格 passed" in found.output and "-0.80 %" in found.output
    [row] = people.rows_of(audit(load(folder)))
    assert (row.position, row.outcome, row.largest_ppm) == (1, kinds.PASSED, -8_000)
    assert tree_hash([row.encoded()]).hex() in found.output


def test_a_signoff_carries_its_rows_beside_it(folder: Path) -> None:
    """As an item of a bundle: the statement, then the rows under its root."""
    rows = people.rows_of(audit(load(folder)))
    statement, *items = people.signoff(Author("people", "checker", PrivateKey.generate()), 2, rows, 7)
    assert rows_in(items) == rows
    assert tree_hash(items) in statement


def test_a_folder_that_does_not_hold_is_not_signed(folder: Path) -> None:
    """One changed byte: exit code 65 and one sentence, whatever the rows would say."""
    path = next((folder / "evidence").iterdir())
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    found = run("sheet", folder)
    assert found.exit_code == 65
    assert "nobody should sign it" in found.stderr and found.stderr.count("\n") == 1


@pytest.mark.parametrize("role", ["verifier", "checker", "approver"])
def test_a_person_signs_and_the_registry_takes_it(desk: Desk, tmp_path: Path, role: str) -> None:
    """With the demo's own keys, over HTTP."""
    export(desk.url, desk.stage.world.anchors, tmp_path / "e")
    key = desk.folder / "run" / "keys" / f"{role}.key"
    found = run("sign", tmp_path / "e", "--role", role, "--key", key, "--registry", desk.url)
    assert (found.exit_code, found.output) == (0, f"1 rows signed as {role}\n")


def test_whoever_is_no_person_is_refused_by_the_registry(desk: Desk, tmp_path: Path) -> None:
    """The edge's key: exit code 1 with the registry's own words."""
    export(desk.url, desk.stage.world.anchors, tmp_path / "e")
    key = desk.folder / "run" / "keys" / "edge.key"
    found = run("sign", tmp_path / "e", "--role", "checker", "--key", key, "--registry", desk.url)
    assert found.exit_code == 1
    assert "entry.not_permitted" in found.stderr and found.stderr.count("\n") == 1


NOBODY = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    "role, key, code",
    [
        ("verifier", "gone.key", 65),
        ("verifier", "open.key", 65),
        ("verifier", "own.key", 69),
        ("king", "own.key", 2),
    ],
)
def test_what_can_not_be_signed_has_an_exit_code_of_its_kind(
    folder: Path, tmp_path: Path, role: str, key: str, code: int
) -> None:
    """No key, a key that others can read, no registry, no such role."""
    PrivateKey.generate().save(tmp_path / "own.key")
    PrivateKey.generate().save(tmp_path / "open.key")
    (tmp_path / "open.key").chmod(0o644)
    found = run("sign", folder, "--role", role, "--key", tmp_path / key, "--registry", NOBODY)
    assert found.exit_code == code


def test_a_folder_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    """Exit code 66."""
    found = run("sheet", tmp_path)
    assert found.exit_code == 66 and found.stderr.count("\n") == 1


def test_marks_and_notices_name_the_meter_and_its_result(folder: Path) -> None:
    """What a person enters after a pass, and 检定结果通知书 after a failure: both read back as what was said."""
    [row] = people.rows_of(audit(load(folder)))
    author = Author("people", "verifier", PrivateKey.generate())
    [sealed] = people.marks(author, row, ["A17", "A18"], 7)
    [failed] = people.notice(author, row, ["error.limit"], 8)
    for raw, kind, label, said, time_s in (
        (sealed, L.KIND_MARKS, L.SEALS, ["A17", "A18"], 7),
        (failed, L.KIND_NOTICE, L.CODES, ["error.limit"], 8),
    ):
        statement = read(raw)
        assert statement.typ == kind
        assert statement.payload[label] == said
        assert statement.payload[L.TIME_S] == time_s
        assert statement.payload[L.METER] == row.meter
        assert statement.payload[L.RESULT] == row.result
        assert statement.payload[L.POSITION] == row.position


def test_a_registry_says_of_each_item_why_it_was_refused(desk: Desk) -> None:
    """One good event of nobody, and bytes that are nothing: two refusals, each with its code."""
    author = Author("people", "verifier", PrivateKey.generate())
    stranger = people.signoff(author, kinds.VERIFIER, [], 7)
    refused = people.hand_in(desk.url, [stranger, [b"\xff"]])
    assert [line.partition(":")[0] for line in refused] == ["entry.unknown_key", "entry.malformed"]
