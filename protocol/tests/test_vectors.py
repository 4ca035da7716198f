"""The specification's vectors: they are what the maker makes, our code holds to them, and others confirm the bytes."""

import importlib
import json
import shutil
import subprocess
import sys
import tomllib
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import cbor2
import pycddl
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from meterseal_protocol.testing import suites, telegrams, vectors

SPEC = Path(__file__).parents[1] / "spec"
DATA = Path(__file__).parent / "data"
FILES = sorted((SPEC / "vectors").rglob("*.json"))
CASES = [case for path in FILES for case in vectors.cases(path)]
PUBLIC = [
    case
    for path in sorted(DATA.rglob("*"))
    if path.is_file()
    for case in (*suites.cases(path), *telegrams.cases(path))
]
SUBJECTS = ("scan", "statement", "chain", "custody", "judge", "certificate", "log")
GRAMMAR = (SPEC / "meterseal.cddl").read_text("utf-8")


def test_every_file_is_a_case_of_a_subject_that_is_known() -> None:
    """A vector that nobody runs promises nothing."""
    assert len(CASES) == len(FILES) >= 125
    assert set(SUBJECTS) <= {path.parent.name for path in FILES} <= set(vectors.RUNNERS)


@pytest.mark.parametrize("subject", ["scan", "statement", "custody", "certificate", "log"])
def test_a_subject_has_both_outcomes(subject: str) -> None:
    """To accept and to refuse; chain and judge say in what they accept how it stands."""
    found = [json.loads(path.read_text("utf-8"))["expect"] for path in FILES if path.parent.name == subject]
    assert {name for expect in found for name in expect} == {"accept", "refuse"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.suite[10:]}-{case.name}")
def test_our_code_holds_to_every_vector(case: suites.Case) -> None:
    """Expected: what the case says, written by hand in spec/maker."""
    assert case.check() is None


def test_the_public_suites_hold_too() -> None:
    """README of the shared data: 42 + 12 + 212 + 91 + 2 + 55 cases, and no other file is taken for one."""
    assert [(case.suite, case.name, why) for case in PUBLIC if (why := case.check()) is not None] == []
    assert len(PUBLIC) >= 42 + 12 + 212 + 91 + 2 + 55


def test_the_maker_makes_these_vectors() -> None:
    """Fixed keys, deterministic signatures: the same bytes in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(SPEC / "make_vectors.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_vector_that_says_something_else_is_found(subject: str, tmp_path: Path) -> None:
    """The runner can fail: every case of a subject with its expectation turned round."""
    folder = tmp_path / subject
    shutil.copytree(SPEC / "vectors" / subject, folder)
    for path in sorted((SPEC / "vectors" / subject).glob("*.json"))[:5]:
        case = json.loads(path.read_text("utf-8"))
        refuses = "refuse" in case["expect"]
        case["expect"] = {"accept": {"nothing": 1}} if refuses else {"refuse": "wire.text"}
        (folder / path.name).write_text(json.dumps(case), "utf-8")
        assert [case.check() is None for case in vectors.cases(folder / path.name)] == [False]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"name": 1}'])
def test_a_file_of_another_form_is_no_case(content: str, tmp_path: Path) -> None:
    """Neither one of ours nor of a public suite."""
    path = tmp_path / "scan" / "x.json"
    path.parent.mkdir()
    path.write_text(content)
    assert [*vectors.cases(path), *suites.cases(path), *telegrams.cases(path)] == []


# --- other implementations


def sm3(data: bytes) -> str:
    """By the openssl command (GB/T 32905)."""
    done = subprocess.run(["openssl", "dgst", "-sm3", "-r"], input=data, capture_output=True, check=True)
    return done.stdout.decode().split()[0]


def accepted() -> list[tuple[str, bytes, dict[Any, Any]]]:
    """Every message that a statement vector accepts, with the key that signed it, as cbor2 reads it."""
    found = []
    for path in sorted((SPEC / "vectors" / "statement").glob("accept*.json")):
        case = json.loads(path.read_text("utf-8"))
        for key in case["input"]["keys"]:
            raw = bytes.fromhex(key)
            if case["expect"]["accept"]["key"] in (sha256(raw).hexdigest(), sm3(raw)):
                found.append((path.stem, bytes.fromhex(case["input"]["message"]), cbor2.loads(raw)))
    return found


SPKI = {  # by curve, RFC 5480, RFC 8410, GM/T 0006: what stands before the key's own bytes
    1: bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"),
    6: bytes.fromhex("302a300506032b6570032100"),
    -70202: bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004"),
}
OPTIONS = {
    1: ["-digest", "sha256"],
    6: [],
    -70202: ["-digest", "sm3", "-pkeyopt", "distid:1234567812345678"],
}


@pytest.mark.parametrize(
    "name, message, key", accepted(), ids=lambda item: item if isinstance(item, str) else ""
)
def test_openssl_confirms_every_accepted_signature(
    name: str, message: bytes, key: dict[Any, Any], tmp_path: Path
) -> None:
    """Sig_structure by cbor2 (RFC 9052 section 4.4), key as SubjectPublicKeyInfo, signature by the openssl command."""
    assert confirmed(message, key, tmp_path), name


def confirmed(message: bytes, key: dict[Any, Any], folder: Path) -> bool:
    """Openssl's verdict on a message under a COSE_Key."""
    protected, _, payload, signature = cbor2.loads(message).value
    (folder / "key.der").write_bytes(SPKI[key[-1]] + key[-2] + key.get(-3, b""))
    (folder / "signed").write_bytes(cbor2.dumps(["Signature1", protected, b"", payload]))
    if key[1] == 2:
        halves = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        signature = encode_dss_signature(*halves)
    (folder / "signature").write_bytes(signature)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der", "-rawin"]
    command += [*OPTIONS[key[-1]], "-in", "signed", "-sigfile", "signature"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return "Signature Verified Successfully" in done.stdout + done.stderr


def test_openssl_refuses_what_suite_2_refuses(tmp_path: Path) -> None:
    """Nine signatures that do not hold, by an implementation of SM2 that is not ours and not the maker's."""
    found = []
    for path in sorted((SPEC / "vectors" / "statement").glob("refuse SM2 with *.json")):
        case = json.loads(path.read_text("utf-8"))
        key = cbor2.loads(bytes.fromhex(case["input"]["keys"][0]))
        found.append(confirmed(bytes.fromhex(case["input"]["message"]), key, tmp_path))
    assert found == [False] * 9


def messages() -> list[tuple[str, bytes]]:
    """Every message in the vectors that must be accepted as a statement, with where it stands."""
    found: list[tuple[str, bytes]] = [(name, message) for name, message, _ in accepted()]
    for path in sorted((SPEC / "vectors" / "chain").glob("*.json")):
        found += [
            (path.stem, bytes.fromhex(text))
            for text in json.loads(path.read_text("utf-8"))["input"]["messages"]
        ]
    for path in sorted((SPEC / "vectors" / "judge").glob("*.json")):
        rows = vectors.read_case(path)["input"]["log"]
        found += [(path.stem, bytes.fromhex(row["message"])) for row in rows]
    return found


def test_an_independent_grammar_accepts_every_message() -> None:
    """By pycddl over meterseal.cddl: header and payload of every statement in the vectors."""
    header, payload = (
        pycddl.Schema(f"start = {rule}\n{GRAMMAR}") for rule in ("protected-header", "payload")
    )
    found = messages()
    assert len(found) > 100
    for _, message in found:
        parts = cbor2.loads(message).value
        header.validate_cbor(parts[0])
        payload.validate_cbor(parts[2])


def test_identities_are_hashes_of_the_messages_as_they_stand() -> None:
    """SHA-256, or SM3 in suite 2, over the bytes; the unprotected header is empty in all of them."""
    for path in sorted((SPEC / "vectors" / "statement").glob("accept*.json")):
        case = json.loads(path.read_text("utf-8"))
        raw = bytes.fromhex(case["input"]["message"])
        hashed = sm3(raw) if path.stem == "accept SM2" else sha256(raw).hexdigest()
        assert case["expect"]["accept"]["identity"] == hashed


def test_the_decision_of_a_vector_says_what_the_case_says() -> None:
    """By cbor2: outcome (85) and the codes of the reasons (86) of the payload are those written by hand."""
    outcomes = {"granted": 1, "refused": 2, "undecided": 3}
    for path in sorted((SPEC / "vectors" / "judge").glob("*.json")):
        expected = json.loads(path.read_text("utf-8"))["expect"]["accept"]
        payload = cbor2.loads(bytes.fromhex(expected["decision"]))
        assert payload[85] == outcomes[expected["outcome"]]
        assert [[code, list(numbers)] for code, numbers in payload[86]] == expected["reasons"]


def test_every_reason_of_the_judge_has_a_vector_that_gives_it() -> None:
    """reasons.toml names them; the reasons of the check at the meter are those of subject certificate."""
    reasons = tomllib.loads((files("meterseal_protocol") / "reasons.toml").read_text("utf-8"))["reason"]
    given = {
        (path.parent.name, code)
        for subject in ("judge", "certificate")
        for path in (SPEC / "vectors" / subject).glob("*.json")
        for code, _ in json.loads(path.read_text("utf-8"))["expect"].get("accept", {}).get("reasons", [])
    }
    assert {code for _, code in given} == {row["code"] for row in reasons}
    judged = {row["code"] for row in reasons if row["outcome"] in ("refused", "undecided")}
    assert {code for subject, code in given if subject == "judge"} == judged


@pytest.mark.parametrize("changes", [{"like": "nothing"}, {"like": 1}, {"log": [99]}, {"log": [-1]}])
def test_a_case_that_is_like_nothing_is_no_case(changes: dict[str, Any], tmp_path: Path) -> None:
    """No such file, no name, no such row: nothing is made up for it."""
    folder = tmp_path / "judge"
    folder.mkdir()
    shutil.copy(SPEC / "vectors" / "judge" / "good water.json", folder)
    case = json.loads((folder / "good water.json").read_text("utf-8"))
    case["input"] = {"like": "good water", "log": [0], **changes}
    (folder / "x.json").write_text(json.dumps(case), "utf-8")
    with pytest.raises(ValueError, match="like"):
        vectors.read_case(folder / "x.json")
    assert [*vectors.cases(folder / "x.json")] == []


def test_a_row_without_its_number_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The maker of reasons.toml's cases stops where one number is another one."""
    monkeypatch.syspath_prepend(str(SPEC))
    judges = importlib.import_module("maker.judges")
    found = judges.leaking()
    found.decide()
    wanted = ("refused", [["bench.leak", 15_000, 14_000, 61]])
    with pytest.raises(SystemExit, match=r"judge/x: \[\['bench\.leak', 15000, 14000, 60\]\]"):
        judges.judged_case("x", ("rule", "why"), judges.given(found), wanted)


def test_the_maker_refuses_to_write_what_its_author_did_not_expect(monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge that grants a leaking bench does not change a vector: the maker stops."""
    monkeypatch.syspath_prepend(str(SPEC))
    judges = importlib.import_module("maker.judges")
    monkeypatch.setattr(judges, "CASES", (("x", "outcome", "w", judges.leaking, "granted", set()),))
    with pytest.raises(SystemExit, match=r"judge/x: refused .*bench\.leak"):
        list(judges.cases())
