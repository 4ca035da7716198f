"""The demo's parts without the demo: which folder it may clear, its QR codes, its trust files, its counting."""

import time
from pathlib import Path

import pytest
import segno
import typer
import zxingcpp
from PIL import Image
from tools.tests.conftest import Desk

from meterseal_protocol import qr
from meterseal_protocol.check import check
from meterseal_protocol.trust import Trust
from meterseal_tools import demo
from meterseal_tools.evidence_folder import load
from meterseal_tools.report import rows
from meterseal_tools.scenario import SEATS
from meterseal_tools.services import ServiceFailed
from meterseal_tools.sim.bench import BenchSpec
from meterseal_tools.sim.rig import Rig
from meterseal_tools.stage import Stage, statements_made
from meterseal_tools.world import DAY_S, World, make_world
from meterseal_wire import kinds
from meterseal_wire.sign1 import identity

LARGEST_VERSION = 12  # design section 9: what a label of a meter has room for


def test_an_empty_or_new_folder_is_taken_and_marked(tmp_path: Path) -> None:
    """The mark is what allows the next run to remove it."""
    for folder in (tmp_path / "new" / "demo", tmp_path / "empty"):
        if folder.name == "empty":
            folder.mkdir()
        demo.clear(folder)
        assert [path.name for path in folder.iterdir()] == [demo.MARK]


def test_an_earlier_demos_folder_is_made_again_from_nothing(tmp_path: Path) -> None:
    """Its certificates, keys and logs are gone: keys are fresh at each run."""
    demo.clear(tmp_path / "demo")
    (tmp_path / "demo" / "run").mkdir()
    (tmp_path / "demo" / "run" / "root.key").write_bytes(bytes(32))
    demo.clear(tmp_path / "demo")
    assert [path.name for path in (tmp_path / "demo").iterdir()] == [demo.MARK]


@pytest.mark.parametrize("kind", ["full", "file", "link", "below a file"])
def test_what_is_somebody_elses_is_never_touched(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """sysexits.h: 73 is EX_CANTCREAT. A folder with a thesis, a file, a link to a demo's folder, a place in a file."""
    folder = tmp_path / "demo"
    if kind == "full":
        folder.mkdir()
        (folder / "thesis.txt").write_text("mine")
    elif kind == "link":
        demo.clear(tmp_path / "elsewhere")
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        folder.write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(typer.Exit) as caught:
        demo.clear(folder / "inside" if kind == "below a file" else folder)
    assert caught.value.exit_code == 73
    assert sorted(tmp_path.rglob("*")) == before
    said = capsys.readouterr().err
    assert "name another --folder" in said and said.count("\n") == 1


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A stage with a world and an address, on which nothing runs."""
    found = Stage(tmp_path, lambda *_: None)
    found.world = make_world(tmp_path / "keys")
    found.registry_url = "http://127.0.0.1:54321"
    return found


@pytest.fixture
def certificate(evidence: Path) -> bytes:
    """A real certificate of the model world."""
    return next(iter(load(evidence).files["certificates"].values()))


def test_a_qr_code_decodes_to_the_certificates_url_and_fits_a_label(
    stage: Stage, certificate: bytes, tmp_path: Path
) -> None:
    """Read back by zxing, which is not ours: the same text, the same bytes, level M, not larger than version 12."""
    symbol = demo.code(stage, certificate, "DEMO.12345678")
    symbol.save(str(tmp_path / "code.png"), scale=4)
    with Image.open(tmp_path / "code.png") as picture:
        (found,) = zxingcpp.read_barcodes(picture.convert("L"))
    assert found.text == qr.url(stage.registry_url, certificate, "DEMO.12345678")
    assert qr.from_url(found.text) == ("DEMO.12345678", certificate)
    assert symbol.error == "M"
    assert int(symbol.version) <= LARGEST_VERSION


def test_the_fragment_is_put_into_the_code_as_alphanumeric(stage: Stage, certificate: bytes) -> None:
    """ISO/IEC 18004: 5.5 bits a character instead of 8. The same URL in bytes alone needs a larger symbol."""
    symbol = demo.code(stage, certificate, "DEMO.12345678")
    text = qr.url(stage.registry_url, certificate, "DEMO.12345678")
    assert int(symbol.version) < int(segno.make(text, error="m", mode="byte", boost_error=False).version)


def test_the_trust_files_let_one_say_valid_and_the_other_nothing(desk: Desk) -> None:
    """trust.cbor is the registry's own; trust-old.cbor ended two weeks ago: never a yes, and never a plain no."""
    demo.write_trust(desk.stage)
    raw = desk.get(f"/certificates/DEMO.{desk.serial}")
    current, old = (
        Trust.load((desk.folder / name).read_bytes()) for name in ("trust.cbor", "trust-old.cbor")
    )
    now = int(time.time())
    assert check(raw, current, now, "330110").outcome == "valid"
    answer = check(raw, old, now, "330110")
    assert answer.outcome == "cannot_say"
    assert "status.stale" in {code for code, _ in answer.reasons}
    assert old.made_s <= now - 21 * DAY_S


def test_certificates_and_index_are_written_for_meters_that_have_one(desk: Desk) -> None:
    """One meter of the sixteen was tested: one picture, one CBOR, one line under the head of meters.csv."""
    found = rows(desk.url)
    (picture,) = demo.write_certificates(desk.stage, found)
    raw = desk.get(f"/certificates/DEMO.{desk.serial}")
    assert picture.name == f"DEMO.{desk.serial}.png"
    assert picture.with_suffix(".cbor").read_bytes() == raw
    with Image.open(picture) as image:
        (seen,) = zxingcpp.read_barcodes(image.convert("L"))
    assert qr.from_url(seen.text) == (f"DEMO.{desk.serial}", raw)
    demo.write_index(desk.stage, found)
    head, line = (desk.folder / "meters.csv").read_text("utf-8").splitlines()
    assert head == "meter,answer,tries,decision,result"
    decision = identity(desk.get(f"/decisions/DEMO.{desk.serial}")).hex()
    assert line.split(",")[:4] == [f"DEMO.{desk.serial}", "granted", "1", decision]


def test_rows_tell_tested_meters_from_untested_ones(desk: Desk) -> None:
    """The registry's own record of each of the sixteen, over HTTP."""
    found = rows(desk.url)
    assert [row.seat for row in found] == list(SEATS)
    assert [row.outcome for row in found].count("no decision") == 15
    assert [row.seat.serial for row in found if row.as_expected] == [desk.serial]


def test_a_grant_that_the_registry_refuses_ends_the_demo_with_its_words(tmp_path: Path) -> None:
    """The world's last grant is signed by a stranger: which grant it was, and what the registry said."""
    stage = Stage(tmp_path, lambda *_: None)
    honest = make_world(tmp_path / "run" / "keys")
    strange = make_world(tmp_path / "strange")
    stage.world = World(honest.keys, (*honest.grants[:2], ("a stranger's", strange.grants[-1][1])))
    (tmp_path / "anchors.cbor").write_bytes(honest.anchors)
    with pytest.raises(ServiceFailed, match="refused the grant 'a stranger's'"), stage._stack:
        stage._registry(tmp_path / "run")


def heard(*messages: dict[str, object]) -> Rig:
    """A rig whose panel heard these from its fixture."""
    rig = Rig(BenchSpec(kinds.WATER, 1))
    rig.panel.transcript.extend(("from", message) for message in messages)
    return rig


def test_statements_are_counted_by_the_highest_place_of_each_epoch() -> None:
    """Epoch 1 up to seq 4 is five statements, epoch 2 up to seq 1 is two; custody is the edge's, not the fixture's."""
    with heard(
        {"event": "boot", "epoch": 1, "seq": 0},
        {"event": "result_signed", "epoch": 1, "seq": 4},
        {"event": "attempt_signed", "epoch": 1, "seq": 3},
        {"event": "custody", "epoch": 1, "seq": 9},
        {"now": "idle"},
        {"event": "boot", "epoch": 2, "seq": 0},
        {"event": "attempt_signed", "epoch": 2, "seq": 1},
    ) as rig:
        assert statements_made(rig) == 7
