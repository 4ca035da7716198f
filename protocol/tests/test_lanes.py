"""Eight signatures at once: as strict as one by one, and never the last word.

Sources: C2SP/wycheproof for signatures r || s on P-256 over SHA-256, and RFC 6979 appendix A.2.5. Where the processor
cannot do it, nothing may be sure.
"""

import json
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterseal_protocol.errors import ProtocolError, UnknownKey, Unverified
from meterseal_protocol.keys import KeyRing, PrivateKey
from meterseal_protocol.signing import lanes
from meterseal_protocol.signing.scheme import Task
from meterseal_protocol.verify import Answer, Verified, verify, verify_all
from meterseal_wire import labels as L
from meterseal_wire.errors import WireError
from meterseal_wire.statement import Author, build
from meterseal_wire.suites import ED25519, ESP256, SUITES

FOLDER = Path(__file__).parent / "data" / "wycheproof"
NEEDED = {"avx512f", "avx512dq", "avx512bw", "avx512ifma", "avx512_vbmi2", "bmi2"}
CPU = Path("/proc/cpuinfo")
ABLE = CPU.exists() and set(CPU.read_text("utf-8").split()) >= NEEDED
KEYS = {suite.number: PrivateKey.generate(suite) for suite in SUITES}
CHECKPOINT = {L.ORIGIN: "edge/EDGE1", L.LOG_SIZE: 7, L.LOG_ROOT: bytes(32), L.TIME_S: 1_795_000_000}


def wycheproof() -> list[tuple[Task, bool]]:
    """Every case whose signature has 64 bytes, and whether it is valid."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        for group in json.loads(path.read_text("utf-8"))["testGroups"]:
            if group["type"] != "EcdsaP1363Verify" or group["sha"] != "SHA-256":
                continue
            if group["publicKey"]["curve"] != "secp256r1":
                continue
            public = bytes.fromhex(group["publicKey"]["uncompressed"])[1:]
            for case in group["tests"]:
                signature = bytes.fromhex(case["sig"])
                if len(signature) == 64:
                    found.append(((public, bytes.fromhex(case["msg"]), signature), case["result"] == "valid"))
    return found


CASES = wycheproof()


def test_a_processor_that_can_is_used() -> None:
    """Else every other test here would look at nothing, and the bench's figure be that of one by one."""
    assert (lanes.check() is not None) == ABLE


@pytest.mark.parametrize("seed", range(8))
def test_every_wycheproof_case_ends_as_it_says_in_any_lane(seed: int) -> None:
    """C2SP/wycheproof: `result` valid or invalid, whatever lies beside it: r or s of 0, of n and above, points at
    infinity on the way, hashes that are 0.
    """
    assert len(CASES) >= 120
    whole = CASES + [(lanes.EXAMPLE, True)] * (-len(CASES) % 8)
    mixed = random.Random(seed).sample(whole, len(whole))
    assert lanes.hold([task for task, _ in mixed]) == [ABLE and valid for _, valid in mixed]


@given(st.integers(0, 7), st.integers(0, 64 * 8 - 1))
def test_a_changed_bit_is_refused_in_its_lane_and_nowhere_else(lane: int, bit: int) -> None:
    """RFC 6979's example in eight lanes, one bit of one signature changed."""
    public, message, signature = lanes.EXAMPLE
    changed = (int.from_bytes(signature, "big") ^ 1 << bit).to_bytes(64, "big")
    tasks = [lanes.EXAMPLE] * 8
    tasks[lane] = (public, message, changed)
    assert lanes.hold(tasks) == [ABLE and place != lane for place in range(8)]


@pytest.mark.parametrize("count", [3, 7, 8, 11, 16, 19])
def test_any_number_of_signatures_has_so_many_answers(count: int) -> None:
    """Lanes that nobody needs are filled with the example, whose answer nobody gets; two left over are not sure."""
    public, message, signature = lanes.EXAMPLE
    wrong: Task = (public, message + b"!", signature)
    sure = lanes.hold([wrong] * (count - 1) + [lanes.EXAMPLE])
    assert sure == [False] * (count - 1) + [ABLE]


def test_one_or_two_are_not_sure() -> None:
    """They are checked sooner one by one."""
    assert lanes.hold([lanes.EXAMPLE]) == [False]
    assert lanes.hold([lanes.EXAMPLE] * 2) == [False, False]


@pytest.mark.parametrize("status", [0, 0x88888888, 0x00000001])
def test_a_library_that_gets_the_example_wrong_is_not_used(status: int) -> None:
    """One that says yes to everything, no to everything, or no in one lane."""
    assert not lanes.is_right(lambda *_: status)


def test_without_the_library_nothing_is_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not installed: the same answers, one by one."""
    monkeypatch.setattr(lanes, "WHEEL", "nobody-has-this")
    lanes.check.cache_clear()
    try:
        assert lanes.check() is None
        assert lanes.hold([lanes.EXAMPLE] * 8) == [False] * 8
        ring, raws = believed(), [signed(number) for number in range(8)]
        assert all(isinstance(one, Verified) for one in verify_all(raws, ring))
    finally:
        lanes.check.cache_clear()


def test_an_empty_library_is_one_for_a_stranger(tmp_path: Path) -> None:
    """The system's own loader takes it, in a fresh process and by a path."""
    path = tmp_path / "empty.so"
    path.write_bytes(lanes.bare(b"libnothing.so.5"))
    command = ["python3", "-c", f"import ctypes; ctypes.CDLL({str(path)!r})"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    assert b"\0libnothing.so.5\0" in path.read_bytes()


def believed() -> KeyRing:
    """A ring of one key a suite."""
    ring = KeyRing()
    for key in KEYS.values():
        ring.add(key.public)
    return ring


def signed(number: int, suite: int = ESP256.number) -> bytes:
    """A checkpoint of that size."""
    return build(
        Author("YUHANG1", "EDGE1", KEYS[suite]), L.KIND_CHECKPOINT, CHECKPOINT | {L.LOG_SIZE: number}
    )


def spoilt(raw: bytes, how: str) -> bytes:
    """A statement with one thing wrong."""
    if how == "signature":
        return raw[:-1] + bytes((raw[-1] ^ 1,))
    if how == "respelled":
        r, s = raw[-64:-32], int.from_bytes(raw[-32:], "big")
        return (
            raw[:-64]
            + r
            + (0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 - s).to_bytes(32, "big")
        )
    if how == "cut":
        return raw[:-1]
    if how == "stranger":
        return build(Author("YUHANG1", "EDGE1", PrivateKey.generate()), L.KIND_CHECKPOINT, CHECKPOINT)
    return raw


def alone(raw: bytes, ring: KeyRing) -> Answer:
    """What `verify` says."""
    try:
        return verify(raw, ring)
    except (ProtocolError, WireError) as error:
        return error


def said(answers: Sequence[Answer]) -> list[tuple[str, object]]:
    """Answers as values."""
    return [
        ("holds", (one.statement, one.key)) if isinstance(one, Verified) else (type(one).__name__, str(one))
        for one in answers
    ]


HOWS = st.sampled_from(["whole", "whole", "whole", "signature", "respelled", "cut", "stranger"])
KINDS_OF_KEY = st.sampled_from([ESP256.number, ESP256.number, ED25519.number])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(HOWS, KINDS_OF_KEY), max_size=24))
def test_many_get_the_answers_that_each_would_get_alone(rows: list[tuple[str, int]]) -> None:
    """In their order, errors with their sentence: the promise of `verify_all`."""
    ring = believed()
    raws = [spoilt(signed(at, suite), how) for at, (how, suite) in enumerate(rows)]
    assert said(verify_all(raws, ring)) == said([alone(raw, ring) for raw in raws])


def test_a_kid_that_two_keys_have_is_tried_with_both() -> None:
    """A kid is a hint of eight bytes: such statements are not for the lanes."""
    ring, raws = believed(), [signed(number) for number in range(8)]
    twin: Any = PrivateKey.generate().public
    twin.kid = KEYS[ESP256.number].public.kid
    ring.add(twin)
    assert all(isinstance(one, Verified) for one in verify_all(raws, ring))


def test_a_yes_that_the_lanes_did_not_give_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a library that says yes to all. The tests above must see it; here is that they would."""
    monkeypatch.setattr(lanes, "check", lambda: lambda *_: 0)
    answers = verify_all([spoilt(signed(number), "signature") for number in range(8)], believed())
    assert [type(one) for one in answers] != [Unverified] * 8
    assert not lanes.is_right(lambda *_: 0)


def test_an_unknown_key_is_named_in_a_batch() -> None:
    """The whole sentence, as alone."""
    [answer] = verify_all([spoilt(b"", "stranger")], believed())
    assert isinstance(answer, UnknownKey)
