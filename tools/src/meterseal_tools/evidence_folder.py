"""An evidence folder: everything a registry logged, as flat files named by their content.

    anchors.cbor                      the keys trusted from outside (CBOR array of COSE_Key)
    checkpoint.cose                   the registry's signed tree head
    statements/<identity>.cose        every logged statement
    certificates/<identity>.cwt       every logged certificate
    receipts/<identity>.cose          one receipt for each of them, all against the checkpoint's tree
    evidence/<identity>.cbor          what a statement's digest or root covers, in its order
    rules/<digest>.cbor               rule packs in their canonical form

Nothing in it is trusted because it is there: `audit` proves each file from the anchors.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from meterseal_protocol.statement import read
from meterseal_wire import labels as L
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import split

FOLDERS = {
    "statements": ".cose",
    "certificates": ".cwt",
    "receipts": ".cose",
    "evidence": ".cbor",
    "rules": ".cbor",
}
TOP = ("anchors.cbor", "checkpoint.cose")
PAGE_BYTES = 1 << 24


class FolderError(Exception):
    """The folder is not an evidence folder, or the registry did not answer. Says which file or address."""

    code = "folder"


@dataclass
class Folder:
    """Files of an evidence folder by name of sub-folder and hex name; `strange` lists what does not belong."""

    path: Path
    anchors: bytes
    checkpoint: bytes
    files: dict[str, dict[str, bytes]]
    strange: list[str] = field(default_factory=list)


def load(path: Path) -> Folder:
    """Read a folder as it is; nothing is judged here except what cannot be an evidence folder at all."""
    for name in TOP:
        if not (path / name).is_file():
            raise FolderError(
                f"{path} holds no {name}: give a folder that `meterseal demo` or a registry exported"
            )
    folder = Folder(path, (path / "anchors.cbor").read_bytes(), (path / "checkpoint.cose").read_bytes(), {})
    for name, suffix in FOLDERS.items():
        found = sorted((path / name).iterdir()) if (path / name).is_dir() else []
        belongs = [item for item in found if item.is_file() and _is_name(item.name, suffix)]
        folder.files[name] = {item.stem: item.read_bytes() for item in belongs}
        folder.strange += [f"{name}/{item.name}" for item in found if item not in belongs]
    for item in sorted(path.iterdir()):
        if item.name not in TOP and not (item.name in FOLDERS and item.is_dir()):
            folder.strange.append(item.name)
    return folder


def _is_name(name: str, suffix: str) -> bool:
    return name.endswith(suffix) and re.fullmatch("[0-9a-f]{64}", name.removesuffix(suffix)) is not None


def export(registry: str, anchors: bytes, path: Path) -> int:
    """Fetch everything the registry at `registry` logged into the new folder `path`; the number of log leaves."""
    for name in FOLDERS:
        (path / name).mkdir(parents=True, exist_ok=True)
    (path / "anchors.cbor").write_bytes(anchors)
    with httpx.Client(base_url=registry, timeout=30) as client:
        checkpoint = _get(client, "/checkpoint")
        (path / "checkpoint.cose").write_bytes(checkpoint)
        size = read(checkpoint).payload[L.LOG_SIZE]
        leaves = scan(_get(client, f"/log/leaves?size={size}"), PAGE_BYTES)["leaves"]
        for leaf in leaves:
            _export_leaf(client, path, leaf.hex(), size)
    return len(leaves)


def _export_leaf(client: httpx.Client, path: Path, name: str, size: int) -> None:
    raw = _get(client, f"/entries/{name}")
    place = _place(raw)
    (path / place / (name + FOLDERS[place])).write_bytes(raw)
    (path / "receipts" / f"{name}.cose").write_bytes(_get(client, f"/receipts/{name}?size={size}"))
    if place == "certificates":
        return
    statement = read(raw)
    if statement.typ in (L.KIND_ATTEMPT, L.KIND_RESULT, L.KIND_SIGNOFF):
        (path / "evidence" / f"{name}.cbor").write_bytes(_get(client, f"/entries/{name}/evidence"))
    if statement.typ == L.KIND_GRANT and L.RULES in statement.payload:
        digest = statement.payload[L.RULES].hex()
        (path / "rules" / f"{digest}.cbor").write_bytes(_get(client, f"/rules/{digest}"))


def _place(raw: bytes) -> str:
    is_certificate = scan(split(raw)[0]).get(L.HEADER_TYP) == L.KIND_CERTIFICATE
    return "certificates" if is_certificate else "statements"


def _get(client: httpx.Client, address: str) -> bytes:
    try:
        answer = client.get(address)
    except httpx.HTTPError as error:
        raise FolderError(f"the registry did not answer {address}: {error}. Is it running?") from None
    if answer.status_code != httpx.codes.OK:
        raise FolderError(f"the registry answered {address} with {answer.status_code}: {answer.text[:200]}")
    return answer.content
