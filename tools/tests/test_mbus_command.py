"""`meterseal mbus decode` on captured telegrams of rscada/libmbus (protocol/tests/data/mbus, BSD-3-Clause)."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from meterseal_tools.mbus import app, telegram_bytes
from meterseal_wire.telegram.mbus import long_frame

DATA = Path(__file__).parents[2] / "protocol" / "tests" / "data" / "mbus"
WATER = DATA / "frames" / "siemens_water.hex"
BUSY = DATA / "error-frames" / "application_busy.hex"
SHORT = DATA / "error-frames" / "too_short_header.hex"


def run(*words: str, stdin: bytes | None = None) -> Any:
    return CliRunner().invoke(app, list(words), input=stdin)


def test_json_names_the_meter_and_gives_exact_values() -> None:
    """Values of siemens_water.norm.xml: LSE 8021382, version 153, 0.101 m^3, on time 75427200 s."""
    answer = run("decode", str(WATER), "--json")
    assert answer.exit_code == 0
    found = json.loads(answer.stdout)
    assert found["address"] == 0
    assert found["identity"] == {
        "manufacturer": "LSE", "id": "08021382", "version": 153, "medium": "Warm water (30-90°C)", "medium_code": 6,
        "access": 235, "status": "00", "signature": "0000", "secondary": "8213020865329906",
    }  # fmt: skip
    assert found["records"][0] == {
        "function": "Instantaneous value", "storage": 0, "tariff": 0, "device": 0, "unit": "m^3",
        "quantity": "Volume", "value": "0.101", "modifiers": [], "error": None,
    }  # fmt: skip
    assert (found["records"][1]["value"], found["records"][1]["unit"]) == ("75427200", "s")
    assert found["records"][6]["value"] == "WFH21"


def test_the_table_shows_the_same_to_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reading, its unit and the meter stand in it."""
    monkeypatch.setenv("COLUMNS", "160")
    answer = run("decode", str(WATER))
    assert answer.exit_code == 0
    for word in ("LSE", "08021382", "Volume", "0.101", "m^3"):
        assert word in answer.stdout


def test_raw_bytes_and_standard_input_are_read_too(tmp_path: Path) -> None:
    """The same telegram as hex, as bytes and through a pipe gives the same JSON."""
    raw = bytes.fromhex(WATER.read_text("ascii"))
    binary = tmp_path / "telegram.bin"
    binary.write_bytes(raw)
    wanted = run("decode", str(WATER), "--json").stdout
    assert run("decode", str(binary), "--json").stdout == wanted
    assert run("decode", "-", "--json", stdin=raw).stdout == wanted
    assert run("decode", "-", "--json", stdin=WATER.read_bytes()).stdout == wanted


def test_hex_text_of_one_word_is_hex(tmp_path: Path) -> None:
    """Blanks between the bytes are a convenience, not a need."""
    text = WATER.read_text("ascii").replace(" ", "").strip()
    path = tmp_path / "telegram.hex"
    path.write_text(text, "ascii")
    assert telegram_bytes(str(path)) == bytes.fromhex(text)


def test_a_meters_text_is_shown_as_it_is_and_never_as_markup(tmp_path: Path) -> None:
    """A unit named `[/b]` (sent backwards behind VIF 7C) is text: no style, no fault of the table."""
    header = bytes.fromhex("785634122440010755000000")
    path = tmp_path / "telegram.bin"
    path.write_bytes(long_frame(0x08, 1, 0x72, header + b"\x01\x7c\x04]b/[\x05"))
    answer = run("decode", str(path))
    assert answer.exit_code == 0
    assert "[/b]" in answer.stdout


def test_a_file_with_several_telegrams_is_shown_telegram_by_telegram(tmp_path: Path) -> None:
    """The first says that more records follow (DIF 1F, EN 13757-3); JSON is a list in their order."""
    header = bytes.fromhex("785634122440010755000000")
    both = [long_frame(0x08, 1, 0x72, header + rest) for rest in (b"\x1f", b"\x03\x13\x15\x31\x00")]
    path = tmp_path / "telegrams.bin"
    path.write_bytes(b"".join(both))
    found = json.loads(run("decode", str(path), "--json").stdout)
    assert [telegram["more_follow"] for telegram in found] == [True, False]
    assert found[1]["records"][0]["value"] == "12.565"
    assert run("decode", str(path)).stdout.count("12345678") == 2
    path.write_bytes(both[0] + both[1][:-1])
    assert run("decode", str(path)).exit_code == 1


def test_the_meters_own_error_is_one_sentence_and_exit_code_one() -> None:
    """application_busy.xml: the meter answers Application busy."""
    answer = run("decode", str(BUSY))
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr.count("\n") == 1
    assert "mbus.meter.application_busy" in answer.stderr
    assert "Application busy" in answer.stderr


def test_a_refused_telegram_says_so_in_json_too() -> None:
    """too_short_header: the frame ends after 5 of 12 header bytes, which begin at byte 7."""
    answer = run("decode", str(SHORT), "--json")
    assert answer.exit_code == 1
    found = json.loads(answer.stdout)
    assert (found["error"], found["at"], sorted(found)) == ("mbus.truncated", 12, ["at", "error", "why"])
    assert "mbus.truncated" in answer.stderr


def test_no_such_file_and_misuse_have_their_own_codes(tmp_path: Path) -> None:
    """66 where there is no file (sysexits EX_NOINPUT), 2 from typer for a missing argument; never a traceback."""
    absent = run("decode", str(tmp_path / "absent.hex"))
    assert absent.exit_code == 66
    assert "Traceback" not in absent.stderr
    assert run("decode").exit_code == 2
    assert run("decode", str(WATER), "--yaml").exit_code == 2
