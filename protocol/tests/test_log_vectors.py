"""The log vectors once more, by an implementation that is not ours.

Notes are taken apart by a regular expression, signatures judged by the openssl command, receipts read by cbor2, and
trees computed by the recursive definitions of RFC 9162 section 2.1. Nothing of meterseal_protocol is imported.
"""

import base64
import json
import re
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import cbor2
import pycddl
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

FOLDER = Path(__file__).parents[1] / "spec" / "vectors" / "log"
CASES = [json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))]
EDWARDS = bytes.fromhex("302a300506032b6570032100")  # RFC 8410
P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")  # RFC 5480
ENTRIES = [sha256(f"meterseal vector entry {number}".encode()).digest() for number in range(12)]
NOTE = re.compile(r"(.*\n)\n((?:— \S+ \S+\n)+)", re.DOTALL)


def of(what: str, outcome: str = "accept") -> list[Any]:
    """Cases of a kind with that outcome, each with its name as id."""
    found = [case for case in CASES if case["input"]["what"] == what and outcome in case["expect"]]
    return [pytest.param(case["input"], case["expect"][outcome], id=case["name"]) for case in found]


def judged(folder: Path, spki: bytes, message: bytes, signature: bytes) -> bool:
    """The openssl command's opinion of a signature of 64 bytes."""
    command = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-pubin",
        "-keyform",
        "DER",
        "-inkey",
        "key",
        "-rawin",
        "-in",
        "message",
    ]
    if spki.startswith(P256):
        halves = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        signature, command = encode_dss_signature(*halves), [*command, "-digest", "sha256"]
    for name, content in (("key", spki), ("message", message), ("signature", signature)):
        (folder / name).write_bytes(content)
    done = subprocess.run(
        [*command, "-sigfile", "signature"], cwd=folder, capture_output=True, text=True, check=False
    )
    return "Signature Verified Successfully" in done.stdout + done.stderr


def key_of(text: str) -> tuple[str, bytes, int, bytes]:
    """(name, id, type, public key) of a verifier key; the id is recomputed."""
    name, key_id, encoded = re.fullmatch(r"([^+]+)\+([0-9a-f]{8})\+(.*)", text).groups()  # type: ignore[union-attr]
    raw = base64.b64decode(encoded)
    assert sha256(name.encode() + b"\n" + raw).hexdigest()[:8] == key_id
    return name, bytes.fromhex(key_id), raw[0], raw[1:]


def parts_of(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Text, and (name, id and signature) of every line."""
    text, lines = NOTE.fullmatch(bytes.fromhex(note).decode()).groups()  # type: ignore[union-attr]
    split = [line.split(" ") for line in lines.splitlines()]
    return text, [(name, base64.b64decode(value)) for _, name, value in split]


def signed_by(folder: Path, note: str, keys: list[str]) -> dict[str, list[int]]:
    """Which keys signed a note and when, by openssl; every line of a known key must hold."""
    text, lines = parts_of(note)
    found: dict[str, list[int]] = {}
    for key in keys:
        name, key_id, kind, public = key_of(key)
        for called, value in lines:
            if (called, value[:4]) != (name, key_id):
                continue
            time_s = int.from_bytes(value[4:12], "big") if kind == 4 else 0
            message = f"cosignature/v1\ntime {time_s}\n{text}" if kind == 4 else text
            assert judged(folder, EDWARDS + public, message.encode(), value[12 if kind == 4 else 4 :])
            found.setdefault(key, []).append(time_s)
    return {key: sorted(times) for key, times in found.items()}


def root(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, over leaf hashes."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    cut = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + root(leaves[:cut]) + root(leaves[cut:])).digest()


HASHES = [sha256(b"\x00" + entry).digest() for entry in ENTRIES]
ROOTS = [root(HASHES[:size]) for size in range(13)]


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 9162 section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    cut = 1 << (len(leaves) - 1).bit_length() - 1
    if index < cut:
        return [*path(index, leaves[:cut]), root(leaves[cut:])]
    return [*path(index - cut, leaves[cut:]), root(leaves[:cut])]


def growth(first: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """RFC 9162 section 2.1.4.1."""
    if first == len(leaves):
        return [] if whole else [root(leaves)]
    cut = 1 << (len(leaves) - 1).bit_length() - 1
    if first <= cut:
        return [*growth(first, leaves[:cut], whole), root(leaves[cut:])]
    return [*growth(first - cut, leaves[cut:], False), root(leaves[:cut])]


def test_there_are_cases_of_every_kind_and_more_refusals_than_acceptances() -> None:
    """Style rule 16: refusals at least as many as acceptances; a witness refuses by its status."""
    kinds = {case["input"]["what"] for case in CASES}
    assert len(kinds) == 12
    refused = [
        case
        for case in CASES
        if "refuse" in case["expect"] or case["expect"]["accept"].get("status", 0) > 200
    ]
    assert len(refused) * 2 >= len(CASES) > 170
    assert all(case["rule"].split(",")[0] in ("checkpoint.md", "receipt.md") for case in CASES)


@pytest.mark.parametrize("given, expected", of("key"))
def test_keys(given: Any, expected: Any) -> None:
    """Name, id and type by split and SHA-256."""
    name, key_id, kind, public = key_of(given["key"])
    assert expected == {"key_name": name, "id": key_id.hex(), "type": kind, "public": public.hex()}


@pytest.mark.parametrize("given, expected", of("note"))
def test_notes(given: Any, expected: Any, tmp_path: Path) -> None:
    """Text and lines by a regular expression, signers by openssl."""
    text, lines = parts_of(given["note"])
    assert (text, len(lines)) == (expected["text"], expected["lines"])
    assert signed_by(tmp_path, given["note"], given["keys"]) == expected["signers"]


@pytest.mark.parametrize("given, expected", of("checkpoint"))
def test_checkpoints(given: Any, expected: Any, tmp_path: Path) -> None:
    """Three lines and more by split; the log's signature by openssl."""
    origin, size, encoded, *more, last = parts_of(given["note"])[0].split("\n")
    assert last == ""
    assert expected == {
        "origin": origin,
        "size": int(size),
        "root": base64.b64decode(encoded).hex(),
        "extensions": more,
    }
    assert signed_by(tmp_path, given["note"], given["keys"]) == {given["keys"][0]: [0]}


@pytest.mark.parametrize(
    "given, expected", [case for case in of("witness") if case.values[1]["status"] == 200]
)
def test_what_a_witness_signs(given: Any, expected: Any, tmp_path: Path) -> None:
    """The answer below the submitted note: log and witness signed, at the second given."""
    above, _, note = bytes.fromhex(given["request"]).partition(b"\n\n")
    old, *hashes = above.decode().split("\n")
    text, _ = parts_of(note.hex())
    size = int(text.split("\n")[1])
    first = int(old.removeprefix("old "))
    assert first == (given["seen"] or {"size": 0})["size"]
    proof = growth(first, HASHES[:size]) if 0 < first < size else []
    assert [base64.b64decode(item) for item in hashes] == proof
    assert expected["seen"] == {"size": size, "root": ROOTS[size].hex()}
    seed = bytes.fromhex("302e020100300506032b657004220420" + given["seed"])  # RFC 8410 section 7
    command = ["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"]
    public = subprocess.run(command, input=seed, capture_output=True, check=True).stdout[-32:]
    name, encoded = given["name"], b"\x04" + public
    key_id = sha256(name.encode() + b"\n" + encoded).hexdigest()[:8]
    witness = f"{name}+{key_id}+{base64.b64encode(encoded).decode()}"
    log = given["logs"]["edge/EDGE1"][0]
    cosigned = note.hex() + expected["body"].encode().hex()
    assert signed_by(tmp_path, cosigned, [log, witness]) == {log: [0], witness: [given["now_s"]]}


def reached(quorum: Any, times: dict[str, list[int]]) -> int | None:
    """When a quorum was reached: counted up, second by second that anybody signed at."""
    members = [
        min(times.get(item, [0]), default=0) if isinstance(item, str) else reached(item, times) or 0
        for item in quorum["members"]
    ]
    for second in sorted(members):
        if second and sum(0 < member <= second for member in members) >= quorum["least"]:
            return second
    return None


def witnesses(quorum: Any) -> list[str]:
    """Every key in a quorum."""
    return [
        key for item in quorum["members"] for key in ([item] if isinstance(item, str) else witnesses(item))
    ]


def seen(folder: Path, identity: str, row: Any, log: Any) -> int | None:
    """When an entry had been seen, or None where the sighting does not hold."""
    times = signed_by(folder, row["note"], [*log["keys"], *witnesses(log["quorum"])])
    text = parts_of(row["note"])[0].split("\n")
    size = int(text[1])
    index = ENTRIES.index(bytes.fromhex(identity))
    right = [item.hex() for item in path(index, HASHES[:size])]
    if (row["index"], row["size"], row["path"]) != (index, size, right):
        return None
    assert text[0] == log["origin"]
    assert base64.b64decode(text[2]) == ROOTS[size]
    assert log["keys"][0] in times
    return reached(log["quorum"], times)


@pytest.mark.parametrize("given, expected", of("sighting"))
def test_sightings(given: Any, expected: Any, tmp_path: Path) -> None:
    """Signed, included, and the second at which enough had signed."""
    assert seen(tmp_path, given["identity"], given["sighting"], given["log"]) == expected["seen_s"]


@pytest.mark.parametrize("given, expected", of("not after"))
def test_not_after(given: Any, expected: Any, tmp_path: Path) -> None:
    """The smallest of what is known."""
    times = [seen(tmp_path, given["identity"], row, given["log"]) for row in given["sightings"]]
    known = [time_s for time_s in (*times, given["entered_s"]) if time_s is not None]
    assert expected["not_after_s"] == min(known, default=None)


@pytest.mark.parametrize("given, expected", of("inclusion"))
def test_paths(given: Any, expected: Any) -> None:
    """By the definition, from all leaves."""
    assert given["path"] == [item.hex() for item in path(given["index"], HASHES[: given["size"]])]
    assert (given["root"], expected) == (ROOTS[given["size"]].hex(), {})
    assert bytes.fromhex(given["entry"]) == ENTRIES[given["index"]]


@pytest.mark.parametrize("given, expected", of("inclusion", "refuse"))
def test_refused_paths_are_not_those_of_the_definition(given: Any, expected: Any) -> None:
    """Each differs from what RFC 9162 would make of these leaves, or is of a leaf that is not there."""
    index, size = given["index"], given["size"]
    there = 0 <= index < size
    right = [item.hex() for item in path(index, HASHES[:size])] if there else None
    same = (given["path"], given["entry"], given["root"]) == (right, ENTRIES[index].hex(), ROOTS[size].hex())
    assert expected == "proof" and not (there and same)


@pytest.mark.parametrize("given, expected", of("consistency"))
def test_growths(given: Any, expected: Any) -> None:
    """By the definition, from all leaves."""
    first, second = given["first"], given["second"]
    assert given["path"] == [item.hex() for item in growth(first, HASHES[:second])]
    assert (given["old"], given["new"], expected) == (ROOTS[first].hex(), ROOTS[second].hex(), {})


@pytest.mark.parametrize("given, expected", of("consistency", "refuse"))
def test_refused_growths_are_not_those_of_the_definition(given: Any, expected: Any) -> None:
    """Each differs in its proof or a root, or goes from nothing or backwards."""
    first, second = given["first"], given["second"]
    grows = 0 < first <= second
    right = [item.hex() for item in growth(first, HASHES[:second])] if grows else None
    same = (given["path"], given["old"], given["new"]) == (right, ROOTS[first].hex(), ROOTS[second].hex())
    assert expected == "proof" and not (grows and same)


def receipt_parts(given: Any, label: int) -> tuple[dict[int, Any], list[Any], Any]:
    """(protected header, proof, what openssl needs) of a receipt, read by cbor2."""
    tag = cbor2.loads(bytes.fromhex(given["receipt"]))
    protected, unprotected, payload, signature = tag.value
    assert (tag.tag, payload, list(unprotected), list(unprotected[396])) == (18, None, [396], [label])
    key = cbor2.loads(bytes.fromhex(given["keys"][0]))
    spki = EDWARDS + key[-2] if key[1] == 1 else P256 + key[-2] + key[-3]
    return cbor2.loads(protected), cbor2.loads(unprotected[396][label][0]), (spki, protected, signature)


@pytest.mark.parametrize("given, expected", of("receipt of inclusion"))
def test_receipts_of_inclusion(given: Any, expected: Any, tmp_path: Path) -> None:
    """cbor2, openssl over the root by definition; what is not signed (size) is what the proof says."""
    header, (size, index, hashes), (spki, protected, signature) = receipt_parts(given, -1)
    entry = bytes.fromhex(given["identity"])
    assert (ENTRIES[index], header[15][7], header[15][6], header[395]) == (
        entry,
        entry,
        expected["entered_s"],
        1,
    )
    assert hashes == path(index, HASHES[:7])
    assert (expected["leaf"], expected["size"], expected["root"]) == (index, size, ROOTS[7].hex())
    assert judged(tmp_path, spki, cbor2.dumps(["Signature1", protected, b"", ROOTS[7]]), signature)
    assert expected["key"] == sha256(bytes.fromhex(given["keys"][0])).hexdigest()


@pytest.mark.parametrize("given, expected", of("receipt of consistency"))
def test_receipts_of_consistency(given: Any, expected: Any, tmp_path: Path) -> None:
    """The same; the payload is the newer root."""
    header, (first, second, hashes), (spki, protected, signature) = receipt_parts(given, -2)
    assert (header[15], header[395]) == ({1: "REG-CN", 2: "log", 6: expected["signed_s"]}, 1)
    assert hashes == growth(3, HASHES[:7])
    assert (given["size"], given["root"]) == (first, ROOTS[first].hex())
    assert (expected["first"], expected["second"], expected["root"]) == (first, second, ROOTS[7].hex())
    assert judged(tmp_path, spki, cbor2.dumps(["Signature1", protected, b"", ROOTS[7]]), signature)


@pytest.mark.parametrize("label, kind", [(-1, "inclusion"), (-2, "consistency")])
def test_an_independent_grammar_accepts_every_receipt(label: int, kind: str) -> None:
    """By pycddl over meterseal.cddl: protected header and proof; and not those of the other kind."""
    grammar = (FOLDER.parents[1] / "meterseal.cddl").read_text("utf-8")
    header, proof, other = (
        pycddl.Schema(f"start = {rule}\n{grammar}")
        for rule in (
            f"{kind}-receipt-header",
            f"{kind}-proof",
            f"{'consistency' if label == -1 else 'inclusion'}-receipt-header",
        )
    )
    given = [case.values[0] for case in of(f"receipt of {kind}")]
    assert len(given) >= 2
    for item in given:
        protected, unprotected, _, _ = cbor2.loads(bytes.fromhex(item["receipt"])).value
        header.validate_cbor(protected)
        proof.validate_cbor(unprotected[396][label][0])
        with pytest.raises(pycddl.ValidationError):
            other.validate_cbor(protected)


@pytest.mark.parametrize("given, expected", of("tile"))
def test_tiles(given: Any, expected: Any) -> None:
    """The path put together from its parts."""
    groups = f"{expected['index']:,}".replace(",", "_").split("_")
    place = "/".join([f"x{group.zfill(3)}" for group in groups[:-1]] + [groups[-1].zfill(3)])
    level = "entries" if expected["level"] < 0 else expected["level"]
    width = f".p/{expected['width']}" if expected["width"] < 256 else ""
    assert given["path"] == f"tile/{level}/{place}{width}"


def contents(size: int) -> dict[str, int]:
    """Path -> width of every tile of a tree, counted level by level."""
    found, level = dict[str, int](), 0
    while size >> 8 * level:
        full, rest = divmod(size >> 8 * level, 256)
        found |= {f"tile/{level}/{index:03}": 256 for index in range(full)}
        if rest:
            found[f"tile/{level}/{full:03}.p/{rest}"] = rest
        level += 1
    return found


@pytest.mark.parametrize("given, expected", of("tiles"))
def test_tiles_of_a_growing_log(given: Any, expected: Any) -> None:
    """What the larger tree has and the smaller has not."""
    assert expected["paths"] == [
        name for name in contents(given["size"]) if name not in contents(given["since"])
    ]
