"""One typed settings object, read once from a JSON file."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from meterseal_edge.errors import BadSettings

NEEDED = ("folder", "port", "site", "edge", "key", "anchors", "registry", "page_port")


@dataclass(frozen=True)
class Settings:
    """Where the edge keeps its store, whom it trusts, whom it serves.

    `key` is the edge's 0600 key file, `anchors` a CBOR array of COSE_Key, `grants` an optional folder of *.cose,
    `mqtt_version` 5 or 4 (3.1.1), `batch` the most parcels committed together, `quarantine` its bound per key.
    """

    folder: Path
    port: int
    site: str
    edge: str
    key: Path
    anchors: Path
    registry: str
    page_port: int
    host: str = "127.0.0.1"
    page_host: str = "127.0.0.1"
    grants: Path | None = None
    mqtt_version: int = 5
    batch: int = 200
    quarantine: int = 1000
    registry_poll_s: int = 5


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
    for name in ("folder", "key", "anchors", "grants"):
        if found.get(name) is not None:
            found[name] = Path(found[name])
    return Settings(**found)
