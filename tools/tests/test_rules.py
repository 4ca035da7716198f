"""`meterseal rules`: a pack as a table, two packs compared. Expected values: domain.md's tables, written out."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from meterseal_protocol.rules import load_pack
from meterseal_tools import rules
from meterseal_tools.cli import app
from meterseal_wire.scan import scan

RUNNER = CliRunner()


def run(*arguments: str) -> Result:
    """`meterseal rules ...`, whatever its end."""
    return RUNNER.invoke(app, ["rules", *arguments])


def cells(text: str) -> list[list[str]]:
    """The rows of every table that was printed."""
    return [
        [cell.strip() for cell in line.strip("│").split("│")] for line in text.splitlines() if "│" in line
    ]


def test_a_water_pack_is_shown_with_its_limits_in_per_cent() -> None:
    """Class 2: 5 % below Q2, 2 % from there, 3 % for warm water (JJG 162-2019, checked)."""
    found = run("show", "jjg162")
    assert found.exit_code == 0
    assert ["2", "Q1", "Q2", "5 %", "5 %", "JJG 162-2019", "checked"] in cells(found.output)
    assert ["2", "Q2", "Q4", "2 %", "3 %", "JJG 162-2019", "checked"] in cells(found.output)
    assert load_pack("jjg162").digest.hex() in found.output


def test_a_draft_is_shown_as_a_draft_in_both_languages() -> None:
    """The points of JJG 162 are general knowledge of the trade."""
    assert ["Q3", "0.9", "1", "0.95", "to be confirmed", "draft"] in cells(run("show", "jjg162").output)
    chinese = run("show", "jjg162", "--language", "zh").output
    assert ["Q3", "0.9", "1", "0.95", "to be confirmed", "草案"] in cells(chinese)
    assert "最大允许误差（法定）" in chinese


def test_class_one_and_a_half_is_shown_as_such() -> None:
    """15 tenths; gas from q_t to q_max 1.5 % (JJG 577-2012)."""
    row = ["1.5", "qt", "qmax", "1.5 %", "1.5 %", "JJG 577-2012", "checked"]
    assert row in cells(run("show", "jjg577").output)


def test_a_pack_and_itself_do_not_differ() -> None:
    """Exit code 0 and one line."""
    found = run("diff", "r49", "r49")
    assert (found.exit_code, found.output) == (0, "no difference\n")


def test_a_changed_value_is_the_only_difference(tmp_path: Path) -> None:
    """Three tries where two were: exit code 1, one row beside the head."""
    document = scan(load_pack("jjg162").raw, 65536)
    document["values"]["most_tries"]["value"] = 3
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
    found = run("diff", "jjg162", str(other))
    assert found.exit_code == 1
    assert cells(found.output) == [
        ["tries allowed", "2 (to be confirmed, draft)", "3 (to be confirmed, draft)"]
    ]


def test_a_file_of_canonical_cbor_is_shown_too(tmp_path: Path) -> None:
    """What the authority's grant names by its digest."""
    path = tmp_path / "pack.cbor"
    path.write_bytes(load_pack("r137").raw)
    assert load_pack("r137").digest.hex() in run("show", str(path)).output


@pytest.mark.parametrize(
    "name, content, code, said",
    [
        ("gone.cbor", None, 66, "there is no pack or file"),
        ("bad.cbor", b"\xa0\x00", 65, "rules.field"),
        ("bad.yaml", b"a: [", 65, "rules.pack"),
        ("bad2.yaml", b"\xff", 65, "rules.pack"),
        ("bad3.yaml", b"name: x", 65, "rules.field"),
    ],
)
def test_a_bad_file_gets_one_sentence(
    tmp_path: Path, name: str, content: bytes | None, code: int, said: str
) -> None:
    """What is wrong and what ships; no traceback."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    found = run("show", str(path))
    assert found.exit_code == code
    assert said in found.stderr and found.stderr.count("\n") == 1


def test_a_language_that_is_not_spoken_is_named() -> None:
    """Misuse is exit code 2."""
    found = run("show", "jjg162", "--language", "fr")
    assert found.exit_code == 2 and "en or zh" in found.output


@pytest.mark.parametrize(
    "name, value, text",
    [
        ("limit_ppm", 15_000, "1.5 %"),
        ("settle_ms", 30_000, "30 s"),
        ("warm_above_mk", 30_000, "30 °C"),
        ("most_difference_mk", 1_000, "1 K"),
        ("sensor_temperature_mk", 200, "0.2 K"),
        ("least_outlet_gauge_10pa", 3_000, "30 kPa"),
        ("most_leak_10pa_per_min", 5, "0.05 kPa/min"),
        ("most_beacon_age_s", 1_209_600, "14 d"),
        ("most_qmax_ml_per_h", 10_000_000, "10 m³/h"),
        ("most_qmax_ml_per_h", 2**53, "∞"),
        ("point_share", [1, 3], "1/3"),
        ("standard_share", [1, 5], "0.2"),
        ("signoff_roles", [1, 2], "1, 2"),
        ("air_density_ug_per_ml", 1200, "1.2 kg/m³"),
        ("density_table", "ab", "ab"),
    ],
)
def test_values_are_shown_exactly_in_their_unit(name: str, value: object, text: str) -> None:
    """10^-4 of a ppm is a per cent; 10 Pa a hundredth of a kPa; a share that does not end stays a fraction."""
    assert rules.shown(name, value) == text
