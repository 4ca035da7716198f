"""`meterseal inspect`: any message as annotated diagnostic notation, and one sentence for what is none."""

from pathlib import Path

from typer.testing import CliRunner

from meterseal_protocol.keys import PrivateKey
from meterseal_tools.cli import app
from meterseal_tools.inspect import describe
from meterseal_wire import labels as L
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import Author, build

EVENT = {L.EVENT: "case_opened", L.DETAIL: "position 3"}


def event() -> bytes:
    """A statement in a chain."""
    author = Author("W1", "WATER-1", PrivateKey.generate())
    return build(author, L.KIND_EVENT, EVENT, (2, 7, bytes(32)))


def test_labels_are_named_and_the_identity_is_shown() -> None:
    """labels.toml: alg is 1, typ 16 with 65005 = event, chain -70001, event 40, detail 41."""
    raw = event()
    text = "\n".join(describe(raw))
    assert f"/ identity {identity(raw).hex()} /" in text
    for line in (
        "/ alg / 1: -9",
        "/ typ / 16: 65005 / event /",
        "/ chain / -70001:",
        '/ detail / 41: "position 3"',
    ):
        assert line in text


def test_ones_and_zeros_are_numbers() -> None:
    """Diagnostic notation (RFC 8949 section 8) writes integers 1 and 0 as such, not as true and false."""
    assert describe(bytes.fromhex("a2 18 18 01 18 19 00"))[1:3] == [
        "  / mode / 24: 1,",
        "  / counter / 25: 0,",
    ]


def test_a_file_hex_text_and_standard_input_give_the_same(tmp_path: Path) -> None:
    """Issue 3: any message; people have it as a file, as hex in a log, or in a pipe."""
    raw = event()
    (tmp_path / "a.cose").write_bytes(raw)
    (tmp_path / "a.hex").write_text(raw.hex())
    runner = CliRunner()
    outputs = {
        runner.invoke(app, ["inspect", str(tmp_path / "a.cose")]).output,
        runner.invoke(app, ["inspect", str(tmp_path / "a.hex")]).output,
        runner.invoke(app, ["inspect", raw.hex()]).output,
        runner.invoke(app, ["inspect", "-"], input=raw).output,
    }
    assert len(outputs) == 1
    assert "case_opened" in outputs.pop()


def test_what_is_no_message_gets_one_sentence_and_exit_65() -> None:
    """Design section 13: malformed CBOR: one named error with the byte offset."""
    done = CliRunner().invoke(app, ["inspect", "1800"])
    assert done.exit_code == 65
    assert "wire.not_shortest at byte 0" in done.output
