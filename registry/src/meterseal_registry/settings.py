"""One typed settings object, read once from a JSON file."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from meterseal_registry.errors import BadSettings

NEEDED = ("folder", "port", "registry", "key", "anchors", "base_url")


@dataclass(frozen=True)
class Settings:
    """Where the record is kept, under which name and key, and where people find it.

    `key` is the registry's 0600 key file, `anchors` a CBOR array of COSE_Key, `rules` names of shipped packs,
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
    """Settings from `path`; BadSettings names the field that is missing or unknown."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadSettings(f"{path} cannot be read as JSON: {error}") from None
    known = {item.name for item in fields(Settings)}
    for name in NEEDED:
        if name not in found:
            raise BadSettings(f'{path} lacks "{name}"')
    for name in found:
        if name not in known:
            raise BadSettings(f'{path} has "{name}", which is no setting')
    for name in ("folder", "key", "anchors"):
        found[name] = Path(found[name])
    found["rules"] = tuple(found.get("rules", Settings.rules))
    return Settings(**found)
