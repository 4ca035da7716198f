"""Settings: one sentence for each field that is missing, unknown or of the wrong kind."""

import json
from pathlib import Path
from typing import Any

import pytest

from meterseal_registry.errors import BadSettings
from meterseal_registry.settings import NEEDED, Settings, load

GOOD = {
    "folder": "data",
    "port": 8443,
    "registry": "REG-CN",
    "key": "registry.key",
    "anchors": "anchors.cbor",
    "base_url": "http://127.0.0.1:8443",
}


def written(tmp_path: Path, found: Any) -> Path:
    """A settings file."""
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(found), "utf-8")
    return path


def test_the_needed_fields_are_enough(tmp_path: Path) -> None:
    """CONTRACT: two rule packs, a status list of seven days, a beacon a minute."""
    found = load(written(tmp_path, GOOD))
    assert found == Settings(
        Path("data"), 8443, "REG-CN", Path("registry.key"), Path("anchors.cbor"), "http://127.0.0.1:8443"
    )
    assert (found.host, found.rules) == ("127.0.0.1", ("jjg162", "jjg577"))
    assert (found.status_days, found.beacon_s, found.certificate_days) == (7, 60, 365)


def test_every_field_can_be_set(tmp_path: Path) -> None:
    """Nothing is read from anywhere else."""
    own = {"host": "0.0.0.0", "rules": ["jjg162"], "status_days": 1, "beacon_s": 5, "certificate_days": 30}
    found = load(written(tmp_path, {**GOOD, **own}))
    assert (found.host, found.rules, found.status_days) == ("0.0.0.0", ("jjg162",), 1)
    assert (found.beacon_s, found.certificate_days) == (5, 30)


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_field_is_named(tmp_path: Path, name: str) -> None:
    """Design section 13: one sentence that says what."""
    left = {key: value for key, value in GOOD.items() if key != name}
    with pytest.raises(BadSettings, match=f'settings.json lacks "{name}"'):
        load(written(tmp_path, left))


@pytest.mark.parametrize(
    "name,value,why",
    [
        ("prot", 8443, "is no setting"),
        ("port", "8443", "a whole number from 1 to 65535"),
        ("port", True, "a whole number"),
        ("port", 0, "a whole number"),
        ("port", 65536, "a whole number"),
        ("status_days", 1.5, "a whole number"),
        ("beacon_s", -1, "a whole number"),
        ("folder", 7, "a text"),
        ("key", "", "a text"),
        ("registry", "a name far too long", "at most 16 characters"),
        ("rules", "jjg162", "a list of names"),
        ("rules", [], "a list of names"),
        ("rules", [162], "a list of names"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(tmp_path: Path, name: str, value: Any, why: str) -> None:
    """The sentence names the field and says what it should be."""
    with pytest.raises(BadSettings, match=why) as caught:
        load(written(tmp_path, {**GOOD, name: value}))
    assert f'"{name}"' in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '"text"', "\ufeff{}"])
def test_a_file_that_is_no_object_is_refused(tmp_path: Path, text: str) -> None:
    """JSON of another shape, or none."""
    path = tmp_path / "settings.json"
    path.write_text(text, "utf-8")
    with pytest.raises(BadSettings, match=r"settings\.json"):
        load(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The path is in the sentence."""
    with pytest.raises(BadSettings, match=r"absent\.json"):
        load(tmp_path / "absent.json")
