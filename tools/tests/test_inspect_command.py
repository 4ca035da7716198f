"""`meterseal inspect`: any message as annotated diagnostic notation, and one sentence for what is none."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.tests.conftest import Archive
from typer.testing import CliRunner

from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.trust import Trust
from meterseal_tools.cli import app
from meterseal_tools.inspect import describe
from meterseal_wire import labels as L
from meterseal_wire.encode import Tag, encode
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


# ------------------------------------------------------------------------------------------- what people inspect


def undo(lines: list[str]) -> Any:
    """A Python value from diagnostic notation without embedded messages, read by Python itself."""
    text = re.sub(r"/ [^/]* /", "", "\n".join(lines))
    text = re.sub(r"h'([0-9a-f]*)'", r"bytes.fromhex('\1')", text)
    for word, value in (("true", "True"), ("false", "False"), ("null", "None")):
        text = re.sub(rf"\b{word}\b", value, text)
    return eval(text, {"__builtins__": {}, "bytes": bytes})


PLAIN: list[Any] = [
    [],
    {},
    [[], {}, [1], {"a": {}}],
    {"made_s": 5, "anchors": [{1: 2, -1: 1, -2: b"\x00" * 32}], "grants": [], "deep": {"x": [[1, 2], "y"]}},
    {"yes": True, "no": False, "none": None, "low": -5, "text": 'a "quoted" \\ text', "zh": "水表"},
    [b"", b"\xff", "", 0],
]


@pytest.mark.parametrize("value", PLAIN, ids=str)
def test_what_is_shown_is_the_value_with_every_comma_in_its_place(value: Any) -> None:
    """RFC 8949 section 8: JSON's notation with h'' for bytes. Read back by another parser it is the same value."""
    assert undo(describe(encode(value))) == value


def test_a_trust_file_shows_anchors_and_opens_its_grants(evidence: Path) -> None:
    """A grant lies as a byte string in the file; inside it is the registry grant of the model world."""
    archive = Archive()
    raw = Trust(archive.world.anchors, [archive.world.grants["registry"]], [], 5).dump()
    text = "\n".join(describe(raw))
    assert '"made_s": 5,' in text
    assert f"-2: h'{archive.world.keys['root'].public_xy[:32].hex()}'" in text
    assert re.search(r'/ registry / \d+: "REG-CN"', text)


def test_a_parcel_opens_statement_and_plan(archive: Archive) -> None:
    """Contract: a parcel is an array of [statement, evidence ...]; the attempt's evidence is its plan document."""
    attempt = archive.record.of_kind(L.KIND_ATTEMPT)[0].statement
    text = "\n".join(describe(encode([[attempt.raw, *archive.record.blobs[attempt.identity]]])))
    for part in (
        "18( / COSE_Sign1 / [",
        "/ typ / 16: 65002 / attempt /",
        '"DEMO.12345678"',
        "/ plan_points / 96:",
    ):
        assert part in text


def test_evidence_of_a_result_shows_position_moment_and_telegram(archive: Archive) -> None:
    """Contract: a leaf is CBOR [position, when, raw telegram]; a long frame begins with 68."""
    result = archive.record.of_kind(L.KIND_RESULT)[0].statement
    lines = [line.strip() for line in describe(encode(list(archive.record.blobs[result.identity])))]
    first = lines.index("<<")
    assert lines[first : first + 4] == ["<<", "[", "1,", "0,"]
    assert lines[first + 4].startswith("h'68")


def test_a_receipt_says_that_its_payload_is_detached(evidence: Path) -> None:
    """RFC 9942: the payload of a receipt is the root, which is not carried."""
    text = "\n".join(describe(next((evidence / "receipts").iterdir()).read_bytes()))
    assert "/ payload is detached: a receipt or a proof /" in text
    assert "/ payload / null," in text


def test_a_certificates_own_claim_has_names(evidence: Path) -> None:
    """certificate.py: ten items in one array; the world's meter at position 1 in Zhejiang."""
    text = "\n".join(describe(next((evidence / "certificates").iterdir()).read_bytes()))
    for part in (
        '/ territory / ["33"],',
        "/ position / 1,",
        "/ exponent / -3,",
        "/ demo / 1,",
        "/ status_index / 0,",
    ):
        assert part in text


def test_a_rule_pack_is_shown_with_its_sources(archive: Archive) -> None:
    """pack.py: every value stands as {value, source, checked}."""
    text = "\n".join(describe(archive.trial.packs[0].raw))
    assert '"name": "jjg162",' in text
    assert '"source": "JJG 162-2019",' in text


def test_what_a_terminal_would_obey_is_escaped() -> None:
    """A message of a stranger may hold ESC (1b) and CSI (9b): clear the screen, or repaint a line above."""
    text = "\n".join(describe(encode(["\x1b[2J", "\x9b1A", "a\nb", "水"])))
    assert "\x1b" not in text and "\x9b" not in text
    assert '"\\u001b[2J"' in text and '"\\u009b1A"' in text and '"a\\nb"' in text and '"水"' in text


SHORT_PARTS: list[Any] = [
    [],
    5,
    [b"", {}, None],
    [5, {}, None, b""],
    [b"\xa0", 5, b"", b""],
    [b"\xa0", {}, "text", b""],
    [b"\x81\x01", {}, None, b""],
    [b"\xff", {}, None, b""],
    [b"\xa0", {}, b"\xff", b""],
]


@pytest.mark.parametrize("parts", SHORT_PARTS, ids=str)
def test_a_tagged_thing_that_is_no_message_is_one_sentence(parts: Any) -> None:
    """RFC 9052 section 4.2: COSE_Sign1 is an array of a byte string, a map, a byte string or null, a byte string."""
    done = CliRunner().invoke(app, ["inspect", encode(Tag(18, parts)).hex()])
    assert done.exit_code == 65
    assert done.output.count("\n") == 1


@given(st.binary(max_size=200))
def test_any_bytes_are_shown_or_refused_by_name(raw: bytes) -> None:
    """Whatever hex is given: exit 0 with lines, or exit 65 with one sentence; never a traceback."""
    done = CliRunner().invoke(app, ["inspect", "-"], input=raw)
    assert (done.exit_code, done.output.startswith("inspect: ")) in {(0, False), (65, True)}


@pytest.mark.parametrize("source", ["nothing-here.cose", "zz", "x" * 5000, ".", "https://a.example/m#"])
def test_a_source_that_is_none_is_one_sentence(source: str) -> None:
    """No such file, no hex, too long for a name, a folder, a URL without a certificate."""
    done = CliRunner().invoke(app, ["inspect", source])
    assert done.exit_code == 65
    assert done.output.startswith("inspect: ") and done.output.count("\n") == 1
