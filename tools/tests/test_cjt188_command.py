"""`meterseal cjt188 decode` on telegrams that public sources quote (see protocol/tests/portable)."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from meterseal_tools.cjt188 import app

# cnblogs.com/yangykaifa/p/7010777.html, with the sum that its bytes have.
ANSWERED = (
    "FE FE 68 10 44 33 22 11 00 33 78 81 16 1F 90 00 "
    "00 77 66 55 2C 00 77 66 55 2C 31 01 22 11 05 15 20 21 84 13 16"
)
ASKED = "FE FE FE FE 68 10 44 33 22 11 00 33 78 01 03 1F 90 00 80 16"


def run(*words: str, stdin: bytes | None = None) -> Any:
    return CliRunner().invoke(app, list(words), input=stdin)


def test_json_gives_the_values_that_the_source_explains() -> None:
    """Number 0011223344 of maker 7833, 556677.00 m^3 now and at settlement, 2015-05-11 22:01:31."""
    answer = run("decode", "-", "--json", stdin=ANSWERED.encode())
    assert answer.exit_code == 0
    assert json.loads(answer.stdout) == {
        "kind": "cold water", "address": "78330011223344", "control": "81", "from_meter": True, "identifier": "901F",
        "serial": 0, "data": "007766552c007766552c310122110515202184", "current_m3": "556677.00",
        "settlement_m3": "556677.00", "unit": "m^3", "clock": "2015-05-11T22:01:31", "status": "2184",
    }  # fmt: skip


def test_the_table_shows_the_same_to_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From raw bytes this time; a question has no register to show."""
    monkeypatch.setenv("COLUMNS", "120")
    path = tmp_path / "telegram.bin"
    path.write_bytes(bytes.fromhex(ANSWERED))
    answer = run("decode", str(path))
    assert answer.exit_code == 0
    for word in ("cold water", "78330011223344", "556677.00", "2015-05-11T22:01:31"):
        assert word in answer.stdout
    asked = run("decode", "-", stdin=ASKED.encode())
    assert asked.exit_code == 0 and "current_m3" not in asked.stdout


def test_a_field_that_is_not_kept_is_null() -> None:
    """FF in settlement and clock, quoted in a gateway's source."""
    text = "681045411005153378811690 1FAA005959002CFFFFFFFF2CFFFFFFFFFFFFFF0000C216"
    found = json.loads(run("decode", "-", "--json", stdin=text.replace(" ", "").encode()).stdout)
    assert (found["current_m3"], found["settlement_m3"], found["clock"]) == ("5959.00", None, None)


def test_a_refused_telegram_is_exit_1_and_one_sentence() -> None:
    """The sum that the source misprints, 08, in its place at byte 35."""
    answer = run("decode", "-", "--json", stdin=ANSWERED.replace("13 16", "08 16").encode())
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["error"] == "cjt188.checksum"
    assert "cjt188.checksum at byte 35" in answer.stderr and "Traceback" not in answer.stderr


def test_a_missing_file_is_exit_66(tmp_path: Path) -> None:
    """EX_NOINPUT of sysexits.h."""
    answer = run("decode", str(tmp_path / "none"))
    assert answer.exit_code == 66
    assert "No such file" in answer.stderr
