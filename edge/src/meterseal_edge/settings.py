"""One typed settings object, read once from a JSON file; every fault is one sentence that names the field."""

import json
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

import httpx

from meterseal_edge.errors import BadSettings
from meterseal_edge.log_lines import STYLES
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.note import MOST_SIGNATURES
from meterseal_protocol.note_key import VerifierKey

NAME_CHARACTERS = 16
TOPIC_SIGNS = set("/+#\0")
TLS = {"tls_authority", "tls_certificate", "tls_key"}
RANGES = {
    "port": (1, 65535),
    "page_port": (1, 65535),
    "mqtt_version": (4, 5),
    "batch": (1, 400),
    "workers": (0, 64),
    "quarantine": (1, 1_000_000),
    "registry_poll_s": (1, 3600),
    "retention_days": (0, 36500),
    "quorum": (0, MOST_SIGNATURES - 1),
}


@dataclass(frozen=True)
class WitnessPlace:
    """Where a witness is asked, and the key that its cosignatures must hold under."""

    url: str
    key: VerifierKey


@dataclass(frozen=True)
class Settings:
    """Where the edge keeps its store, whom it trusts, whom it serves.

    `key` is the edge's 0600 key file, `anchors` a CBOR array of COSE_Key, `grants` an optional folder of *.cose,
    `mqtt_version` 5 or 4 (3.1.1), `batch` the most parcels committed together,
    `workers` how many processes check signatures (0: the edge's own), `quarantine` its bound per fixture.
    `packs` is a folder of rule packs (*.cbor) for the figures on the pages; without it those that ship.
    `retention_days` is how long a statement's bytes are kept once a receipt covers them (0: for ever), `log` how log
    lines are written, "text" or "json".
    `log_key` is a 0600 key file (Ed25519) that signs the log's checkpoints for anybody; `witnesses` are the C2SP
    witnesses that cosign them, and `quorum` how many must have before a head counts (0: all of them).
    `page_origin` is the page's address as browsers see it, https (or http on localhost); with it people can log in.
    `tls_authority`, `tls_certificate` and `tls_key`, all three, are PEM files for mutual TLS to the broker; with them
    only enrolled keys are taken (site/pins.py). `backups` is the folder in which the doctor looks for backups.
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
    batch: int = 128
    workers: int = 0
    quarantine: int = 1000
    registry_poll_s: int = 5
    retention_days: int = 0
    log: str = "text"
    log_key: Path | None = None
    witnesses: tuple[WitnessPlace, ...] = ()
    quorum: int = 0
    packs: Path | None = None
    page_origin: str = ""
    tls_authority: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    backups: Path | None = None


def load(path: Path) -> Settings:
    """Settings from `path`; BadSettings names the field that is missing, unknown or out of shape."""
    try:
        found: Any = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadSettings(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadSettings(f"{path} holds no JSON object")
    known = {item.name: item for item in fields(Settings)}
    for name, item in known.items():
        if name not in found and item.default is MISSING:
            raise BadSettings(f'{path} lacks "{name}"')
    for name in found:
        if name not in known:
            raise BadSettings(f'{path} has "{name}", which is no setting')
    if len(TLS & {name for name, value in found.items() if value}) not in {0, len(TLS)}:
        raise BadSettings(f"{path}: give all of {', '.join(sorted(TLS))}, or none")
    kinds = get_type_hints(Settings)
    read = Settings(**{name: _value(path, name, kinds[name], value) for name, value in found.items()})
    if read.quorum > len(read.witnesses):
        raise BadSettings(f'{path}: "quorum" is {read.quorum}, and "witnesses" has {len(read.witnesses)}')
    if read.witnesses and read.log_key is None:
        raise BadSettings(f'{path}: "witnesses" cosign what "log_key" signs; give that too')
    return read


def _value(path: Path, name: str, kind: Any, value: Any) -> Any:
    if kind is int:
        low, high = RANGES[name]
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise BadSettings(f'{path}: "{name}" is a number from {low} to {high}, not {value!r}')
        return value
    if value is None and kind == Path | None:
        return None
    if name == "witnesses":
        return _witnesses(path, value)
    if not isinstance(value, str) or not value:
        raise BadSettings(f'{path}: "{name}" is a text, not {value!r}')
    if name in {"site", "edge"} and (len(value) > NAME_CHARACTERS or TOPIC_SIGNS & set(value)):
        raise BadSettings(f'{path}: "{name}" has 1 to 16 characters and none of / + #')
    if name == "log" and value not in STYLES:
        raise BadSettings(f'{path}: "log" is {" or ".join(STYLES)}, not {value!r}')
    if name == "registry":
        _check_url(path, name, value)
    if name == "page_origin":
        check_origin(path, value)
    return value if kind is str else Path(value)


def _witnesses(path: Path, value: Any) -> tuple[WitnessPlace, ...]:
    """Each once: a quorum counts keys, so one key under two addresses would count for less than it seems."""
    if not isinstance(value, list) or len(value) >= MOST_SIGNATURES:
        raise BadSettings(f'{path}: "witnesses" is a list of at most {MOST_SIGNATURES - 1}, not {value!r}')
    found = []
    for item in value:
        texts = isinstance(item, dict) and all(isinstance(text, str) for text in item.values())
        if not texts or set(item) != {"url", "key"}:
            raise BadSettings(f'{path}: "witnesses" has objects of "url" and "key", two texts, not {item!r}')
        _check_url(path, "witnesses", item["url"])
        try:
            found.append(WitnessPlace(item["url"], VerifierKey.parse(item["key"])))
        except ProtocolError as error:
            raise BadSettings(f'{path}: "witnesses" has a "key" that is none: {error}') from None
    if len({place.key.public.xy for place in found}) < len(found):
        raise BadSettings(f'{path}: "witnesses" has a key twice; each witness has its own')
    return tuple(found)


def _check_url(path: Path, name: str, value: str) -> None:
    try:
        url = httpx.URL(value)
    except httpx.InvalidURL as error:
        raise BadSettings(f'{path}: "{name}" is no address: {error}') from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise BadSettings(f'{path}: "{name}" is an address that begins with http:// or https://')


def check_origin(path: Path, value: str) -> None:
    """A browser gives keys and passkeys to a page only over https, or on its own machine; BadSettings else."""
    try:
        url = httpx.URL(value)
    except httpx.InvalidURL as error:
        raise BadSettings(f'{path}: "page_origin" is no address: {error}') from None
    is_safe = url.scheme == "https" or (url.scheme == "http" and url.host == "localhost")
    if not is_safe or not url.host or f"{url.scheme}://{url.netloc.decode()}" != value:
        why = "is https://name or https://name:port, or http on localhost, in small letters and nothing behind it"
        raise BadSettings(f'{path}: "page_origin" {why}')
