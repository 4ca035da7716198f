"""Vectors of the subject log (checkpoint.md, receipt.md): `what` in the input names what is to be done with the rest.

Bytes are hex; verifier keys and tile paths are texts, as they are everywhere else.
"""

from collections.abc import Callable, Mapping
from typing import Any

from meterseal_protocol import receipt
from meterseal_protocol.checkpoint_text import open_checkpoint
from meterseal_protocol.errors import BadNote
from meterseal_protocol.keys import KeyRing, PrivateKey, PublicKey
from meterseal_protocol.merkle import Inclusion, leaf_hash, verify_consistency, verify_inclusion
from meterseal_protocol.note_key import TIMED, NoteSigner, VerifierKey, open_note
from meterseal_protocol.quorum import LogTrust, Quorum, Sighting, seen_s, witnessed_not_after
from meterseal_protocol.tile import Tile, tiles
from meterseal_protocol.witness import Seen, Witness, read_request
from meterseal_wire.scan import scan
from meterseal_wire.suites import by_number

Given = Mapping[str, Any]
NOTE_SUITE = by_number(3)


def run(given: Given) -> dict[str, Any]:
    """What `accept` holds, or an error with a code."""
    return WHAT[given["what"]](given)


def _keys(texts: list[str]) -> list[VerifierKey]:
    return [VerifierKey.parse(text) for text in texts]


def _path(texts: list[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


def _ring(keys: list[str]) -> KeyRing:
    found = KeyRing()
    for key in keys:
        found.add(PublicKey.from_cose(scan(bytes.fromhex(key))))
    return found


def _key(given: Given) -> dict[str, Any]:
    key = VerifierKey.parse(given["key"])
    return {"key_name": key.name, "id": key.key_id.hex(), "type": key.type, "public": key.public.xy.hex()}


def _note(given: Given) -> dict[str, Any]:
    opened = open_note(bytes.fromhex(given["note"]), _keys(given["keys"]))
    signers = {str(key): list(times) for key, times in opened.signers.items()}
    return {"text": opened.note.text, "lines": len(opened.note.signatures), "signers": signers}


def _checkpoint(given: Given) -> dict[str, Any]:
    head, _ = open_checkpoint(bytes.fromhex(given["note"]), _keys(given["keys"]))
    return {
        "origin": head.origin,
        "size": head.size,
        "root": head.root.hex(),
        "extensions": list(head.extensions),
    }


def _witness(given: Given) -> dict[str, Any]:
    signer = NoteSigner(given["name"], PrivateKey(bytes.fromhex(given["seed"]), NOTE_SUITE), TIMED)
    logs = {origin: _keys(texts) for origin, texts in given["logs"].items()}
    seen = given["seen"] and Seen(given["seen"]["size"], bytes.fromhex(given["seen"]["root"]))
    try:
        request = read_request(bytes.fromhex(given["request"]))
    except BadNote:
        return {"status": 400}
    answer = Witness(signer, logs).add_checkpoint(request, seen, given["now_s"])
    found: dict[str, Any] = {"status": answer.status}
    if answer.status in (200, 409):
        found["body"] = answer.body
    if answer.seen:
        found["seen"] = {"size": answer.seen.size, "root": answer.seen.root.hex()}
    return found


def _quorum(given: Given) -> Quorum:
    members = tuple(
        VerifierKey.parse(item) if isinstance(item, str) else _quorum(item) for item in given["members"]
    )
    return Quorum(given["least"], members)


def _trust(given: Given) -> LogTrust:
    return LogTrust(given["origin"], tuple(_keys(given["keys"])), _quorum(given["quorum"]))


def _sighting(row: Given) -> Sighting:
    return Sighting(bytes.fromhex(row["note"]), Inclusion(row["index"], row["size"], _path(row["path"])))


def _seen(given: Given) -> dict[str, Any]:
    return {
        "seen_s": seen_s(bytes.fromhex(given["identity"]), _sighting(given["sighting"]), _trust(given["log"]))
    }


def _not_after(given: Given) -> dict[str, Any]:
    rows = [_sighting(row) for row in given["sightings"]]
    identity, trust = bytes.fromhex(given["identity"]), _trust(given["log"])
    return {"not_after_s": witnessed_not_after(identity, given["entered_s"], rows, trust)}


def _inclusion(given: Given) -> dict[str, Any]:
    leaf = leaf_hash(bytes.fromhex(given["entry"]))
    verify_inclusion(leaf, given["index"], given["size"], _path(given["path"]), bytes.fromhex(given["root"]))
    return {}


def _consistency(given: Given) -> dict[str, Any]:
    old, new = bytes.fromhex(given["old"]), bytes.fromhex(given["new"])
    verify_consistency(given["first"], given["second"], _path(given["path"]), old, new)
    return {}


def _entry_receipt(given: Given) -> dict[str, Any]:
    raw, identity = bytes.fromhex(given["receipt"]), bytes.fromhex(given["identity"])
    found = receipt.check(raw, identity, _ring(given["keys"]))
    return {
        "leaf": found.leaf,
        "size": found.size,
        "root": found.root.hex(),
        "entered_s": found.entered_s,
        "key": found.key.hex(),
    }


def _growth_receipt(given: Given) -> dict[str, Any]:
    raw, root = bytes.fromhex(given["receipt"]), bytes.fromhex(given["root"])
    found = receipt.check_consistency(raw, given["size"], root, _ring(given["keys"]))
    return {
        "first": found.first,
        "second": found.second,
        "root": found.root.hex(),
        "signed_s": found.signed_s,
        "key": found.key.hex(),
    }


def _tile(given: Given) -> dict[str, Any]:
    tile = Tile.parse(given["path"])
    return {"level": tile.level, "index": tile.index, "width": tile.width}


def _tiles(given: Given) -> dict[str, Any]:
    return {"paths": [tile.path for tile in tiles(given["size"], given["since"])]}


WHAT: dict[str, Callable[[Given], dict[str, Any]]] = {
    "key": _key,
    "note": _note,
    "checkpoint": _checkpoint,
    "witness": _witness,
    "sighting": _seen,
    "not after": _not_after,
    "inclusion": _inclusion,
    "consistency": _consistency,
    "receipt of inclusion": _entry_receipt,
    "receipt of consistency": _growth_receipt,
    "tile": _tile,
    "tiles": _tiles,
}
