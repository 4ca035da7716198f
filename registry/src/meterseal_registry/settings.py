"""One typed settings object, read once from a JSON file."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from meterseal_registry.errors import BadSettings

NEEDED = ("folder", "port", "registry", "key", "anchors", "base_url")
NUMBERS = {"port": 65535, "status_days": 3650, "beacon_s": 86400, "certificate_days": 36500}
PATHS = ("folder", "key", "anchors")
NAME_CHARACTERS = 16


@dataclass(frozen=True)
class Settings:
    """Where the record is kept, under which name and key, and where people find it.

    `key` is the registry's 0600 key file, `anchors` a CBOR array of COSE_Key, `rules` names of shipped packs
    or files in their canonical form,
    `base_url` what a certificate's URL begins with, `status_days` how long a status list holds.
    """

    folder: Path
    port: int
    registry: str
    key: Path
    anchors: Path
    base_url: str
    host: str = "127.0.0.1"
    rules: tuple[str, ...] = ("jjg162", "jjg577")
    status_days: int = 7
    beacon_s: int = 60
    certificate_days: int = 365


def load(path: Path) -> Settings:
    """Settings from `path`; BadSettings names the field that is missing, unknown or of the wrong kind."""
    try:
        found: Any = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadSettings(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadSettings(f"{path} is no JSON object of settings")
    known = {item.name for item in fields(Settings)}
    for name in NEEDED:
        if name not in found:
            raise BadSettings(f'{path} lacks "{name}"')
    for name, value in found.items():
        if name not in known:
            raise BadSettings(f'{path} has "{name}", which is no setting')
        wanted = _wanted(name, value)
        if wanted:
            raise BadSettings(f'{path}: "{name}" is {wanted}')
    for name in PATHS:
        found[name] = Path(found[name])
    found["rules"] = tuple(found.get("rules", Settings.rules))
    return Settings(**found)


def _wanted(name: str, value: Any) -> str:
    """What the setting should be, where it is not; else nothing."""
    if name in NUMBERS:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return "" if whole and 0 < value <= NUMBERS[name] else f"a whole number from 1 to {NUMBERS[name]}"
    if name == "rules":
        texts = isinstance(value, list) and value and all(isinstance(item, str) for item in value)
        return "" if texts else "a list of names of rule packs"
    if not isinstance(value, str) or not value:
        return "a text"
    if name == "registry" and len(value) > NAME_CHARACTERS:
        return f"a name of at most {NAME_CHARACTERS} characters"
    return ""
