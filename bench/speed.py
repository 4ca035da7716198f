"""Rates of the protocol against a limit taken in the same run: best of several interleaved rounds, one core.

Seconds are those of the processor that the process spent, so that what else the machine does counts on neither side.

The statements are those of the model world about one meter: a result with one position and three points, the
heaviest of the ordinary ones, and a checkpoint, the lightest. Of the two, the worse ratio is the row.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from meterseal_protocol.judge import decide
from meterseal_protocol.keys import KeyRing, PrivateKey
from meterseal_protocol.signing import lanes
from meterseal_protocol.statement import read
from meterseal_protocol.testing.trial import Trial
from meterseal_protocol.verify import verify, verify_all
from meterseal_wire import labels as L
from meterseal_wire.sign1 import sig_structure
from meterseal_wire.statement import Author, build
from row import Row

HERE = Path(__file__).resolve().parent
PEER = HERE.parent / ".venv" / "peer"
ROUNDS, COPIES, DECISIONS = 60, 100, 25
VERIFY_GOAL, PEER_GOAL, DECIDE_GOAL = 0.90, 1.5, 1.0
ECDSA = ec.ECDSA(hashes.SHA256())
Call = Callable[[], float]  # one round: operations a second


def rate(operations: int, call: Callable[[], object]) -> float:
    """Operations a second of a call that does so many; a first one, not measured, warms up."""
    call()
    began = time.process_time()
    call()
    return operations / (time.process_time() - began)


def interleaved(first: Call, second: Call) -> tuple[float, float]:
    """Best rate of each, measured in turns so that both see the same machine; every other round backwards."""
    ones, others = [], []
    for backwards in [False, True] * (ROUNDS // 2):
        if backwards:
            others.append(second())
        ones.append(first())
        if not backwards:
            others.append(second())
    return max(ones), max(others)


class Messages:
    """A hundred statements with one payload and key, each signed for itself; every way to verify them all."""

    def __init__(self, kind: int, payload: dict[int, object], chain: tuple[int, bytes] | None = None) -> None:
        self.key = PrivateKey.generate()
        self.peer_versions: dict[str, str] = {}
        author = Author("YUHANG1", "W1", self.key)
        places = [(chain[0], seq, chain[1]) if chain else None for seq in range(1, COPIES + 1)]
        self.raws = [build(author, kind, payload, place) for place in places]
        self.name = f"{L.KIND_NAMES[kind]} of {len(self.raws[0])} bytes"
        self.ring = KeyRing()
        self.ring.add(self.key.public)
        self.bare = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + self.key.public_xy)
        statements = [read(raw) for raw in self.raws]
        self.ders = [_der(statement.signature) for statement in statements]
        self.signed = [sig_structure(statement.protected, statement.body) for statement in statements]

    def verify(self) -> None:
        """From bytes to a checked statement under a believed key."""
        for raw in self.raws:
            verify(raw, self.ring)

    def verify_all(self) -> None:
        """The same in one call, which may check several signatures at once."""
        verify_all(self.raws, self.ring)

    def verify_bare(self) -> None:
        """The signature alone: DER, message and key object at hand."""
        for der, signed in zip(self.ders, self.signed, strict=True):
            self.bare.verify(der, signed, ECDSA)

    @contextmanager
    def peer(self) -> Iterator[Call]:
        """A call that lets python-cwt verify the same bytes in its own process, as often as here."""
        if not PEER.is_dir():
            sys.exit(f"{PEER} is missing: python-cwt goes there; run scripts/environment dev")
        xy = self.key.public_xy
        given = {"alg": self.key.suite.alg, "x": xy[:32].hex(), "y": xy[32:].hex()}
        given |= {"kid": self.key.public.kid.hex()}
        given["messages"] = [raw.hex() for raw in self.raws]
        command = [sys.executable, "-S", str(HERE / "peer_cwt.py"), str(PEER)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None and process.stdout is not None
            asked, answered = process.stdin, process.stdout

            def ask(line: str) -> str:
                asked.write(line + "\n")
                asked.flush()
                return answered.readline()

            self.peer_versions = json.loads(ask(json.dumps(given)))
            yield lambda: float(ask("1"))
            asked.close()


def _der(signature: bytes) -> bytes:
    return encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))


def ordinary(trial: Trial) -> list[Messages]:
    """The heaviest and the lightest of the ordinary statements."""
    result = trial.record.of_kind(L.KIND_RESULT)[0].statement
    checkpoint = {L.ORIGIN: "edge/EDGE1", L.LOG_SIZE: 70_000, L.LOG_ROOT: bytes(32), L.TIME_S: 1_795_000_000}
    return [
        Messages(L.KIND_RESULT, result.payload, (7, bytes(32))),
        Messages(L.KIND_CHECKPOINT, checkpoint),
    ]


@dataclass(frozen=True)
class Rates:
    """Verifications a second of one kind of statement: ours with the bare signature's, one by one and many in a call,
    ours with python-cwt's.
    """

    messages: Messages
    bare: tuple[float, float]
    together: tuple[float, float]
    cwt: tuple[float, float]

    @classmethod
    def of(cls, messages: Messages) -> "Rates":
        """Pair by pair: whoever has just waited for another process is favoured by the scheduler."""
        ours = partial(rate, COPIES, messages.verify)
        bare = interleaved(ours, partial(rate, COPIES, messages.verify_bare))
        together = interleaved(
            partial(rate, COPIES, messages.verify_all), partial(rate, COPIES, messages.verify_bare)
        )
        with messages.peer() as peer:
            return cls(messages, bare, together, interleaved(ours, peer))


def verify_rows(trial: Trial) -> list[Row]:
    """Verifying against the bare signature, and against python-cwt: the worse of the two kinds of statement."""
    found = [Rates.of(messages) for messages in ordinary(trial)]
    ceiling = ", ".join(f"{one.bare[1] / one.cwt[1]:.2f}" for one in found)
    versions = found[0].messages.peer_versions
    how = "ours eight at once" if lanes.check() else "this processor cannot check eight at once"
    against = f"cwt {versions['cwt']}, same bytes and key; bare cryptography is {ceiling} times it"
    return [
        _worst(
            "protocol.verify_vs_raw", VERIFY_GOAL, "bare cryptography", [(r.messages, *r.bare) for r in found]
        ),
        _worst(
            "protocol.verify_all_vs_raw",
            None,
            f"bare cryptography, one by one; {how}",
            [(r.messages, *r.together) for r in found],
        ),
        _worst("protocol.verify_vs_python_cwt", PEER_GOAL, against, [(r.messages, *r.cwt) for r in found]),
    ]


def _worst(name: str, goal: float | None, against: str, found: list[tuple[Messages, float, float]]) -> Row:
    _, ours, limit = min(found, key=lambda row: row[1] / row[2])
    each = ", ".join(f"{messages.name} {own / other:.3f}" for messages, own, other in found)
    return Row(name, ours, "1/s", limit, goal, at_most=False, note=f"{against}; {each}")


def decide_row(trial: Trial) -> Row:
    """Deciding a meter with warm grants, against verifying its statements; in meters a second."""
    record = trial.record
    evidence, grants, packs, at_s = record.evidence(trial.meter), record.grants(), trial.packs, record.now_s
    raws = [entry.statement.raw for entry in evidence.entries]
    if not decide(evidence, grants, packs, at_s).granted:
        sys.exit("the model world's meter is not granted, so the whole judge was not measured")

    def judge() -> None:
        for _ in range(DECISIONS):
            decide(evidence, grants, packs, at_s)

    def verify_all() -> None:
        for _ in range(DECISIONS):
            for raw in raws:
                verify(raw, record.keys)

    ours, limit = interleaved(lambda: rate(DECISIONS, judge), lambda: rate(DECISIONS, verify_all))
    note = f"decisions a second; verifying the meter's {len(raws)} statements"
    return Row("protocol.decide_vs_verify", ours, "1/s", limit, DECIDE_GOAL, at_most=False, note=note)


def rows() -> list[Row]:
    """protocol.verify_vs_raw, .verify_all_vs_raw, .verify_vs_python_cwt and .decide_vs_verify."""
    trial = Trial().begin().run()
    trial.decide()
    with one_core():
        return [*verify_rows(trial), decide_row(trial)]


@contextmanager
def one_core() -> Iterator[None]:
    """This process and those that it starts stay on one core: what slows that core slows both sides."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
