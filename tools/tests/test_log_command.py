"""`meterseal log verify` from the outside: files of a small log, and one exit code for each kind of answer."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from meterseal_protocol.checkpoint_text import LogHead, sign_head
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.merkle import consistency_proof, include, leaf_hash, subtree
from meterseal_protocol.note import Note
from meterseal_protocol.note_key import TIMED, NoteSigner
from meterseal_protocol.receipt import issue
from meterseal_protocol.statement import read
from meterseal_tools.cli import app
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.statement import Author, build
from meterseal_wire.suites import ED25519

DAY_S = 1_790_035_200  # 2026-09-22 00:00 UTC: 1 790 035 200 / 86 400 = 20 718 days after 1970-01-01
ORIGIN = "registry/REG-CN"


class Log:
    """Seven beacons in a log: notes, proofs, a receipt and keys, as files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.registry, self.signer = PrivateKey.generate(), NoteSigner(ORIGIN, PrivateKey.generate(ED25519))
        self.witnesses = [NoteSigner(f"w{n}.example", PrivateKey.generate(ED25519), TIMED) for n in range(3)]
        author = Author("REG-CN", "log", self.registry)
        facts = [{L.NUMBER: n, L.TIME_S: DAY_S + n, L.LOG_SIZE: 0, L.LOG_ROOT: bytes(32)} for n in range(7)]
        self.statements = [bytes(build(author, L.KIND_BEACON, fact)) for fact in facts]
        self.hashes = [leaf_hash(read(raw).identity) for raw in self.statements]
        identity = read(self.statements[4]).identity
        self.note("seven", 7)
        self.note("three", 3)
        self.file("proof", self.lines(consistency_proof(self.hashes, 3, 7)))
        self.file("receipt", issue(author, identity, include(self.hashes, 4, 7), DAY_S + 60))
        self.file("statement", self.statements[4])
        self.file("keys", encode([self.registry.public.cose]))
        self.file("policy", self.policy(2))

    def file(self, name: str, content: bytes) -> Path:
        """Write a file."""
        path = self.folder / name
        path.write_bytes(content)
        return path

    def note(self, name: str, size: int, cosigned: int = 3, root: bytes | None = None) -> Path:
        """A checkpoint of the first leaves, cosigned by so many witnesses, a minute apart."""
        note = sign_head(self.signer, LogHead(ORIGIN, size, root or subtree(self.hashes, 0, size)))
        lines = [w.sign(note.text, DAY_S + 60 * n) for n, w in enumerate(self.witnesses[:cosigned], 1)]
        return self.file(name, note.signed(*lines).raw)

    def lines(self, hashes: list[bytes]) -> bytes:
        """A proof as text."""
        return "".join(base64.b64encode(item).decode() + "\n" for item in hashes).encode()

    def policy(self, least: int) -> bytes:
        """A policy: the log, and so many of its three witnesses."""
        witnesses = "".join(f"witness W{n} {w.key}\n" for n, w in enumerate(self.witnesses))
        return f"log {self.signer.key}\n{witnesses}group g {least} W0 W1 W2\nquorum g\n".encode()

    def run(self, *arguments: str) -> tuple[int, str]:
        """(exit code, everything printed) of `meterseal log verify ...`, file names taken from the folder."""
        there = [str(self.folder / item) if (self.folder / item).exists() else item for item in arguments]
        done = CliRunner().invoke(app, ["log", "verify", *there])
        return done.exit_code, done.output

    @property
    def key(self) -> tuple[str, str]:
        """`--key` and the log's verifier key."""
        return "--key", str(self.signer.key)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """A fresh log."""
    return Log(tmp_path)


def test_a_checkpoint_under_the_logs_key_is_told_in_one_sentence(log: Log) -> None:
    """Origin, size and root, and nothing that was not asked."""
    code, text = log.run("seven", *log.key)
    root = subtree(log.hashes, 0, 7).hex()
    assert (code, text) == (0, f"registry/REG-CN signed a tree of 7 leaves with root {root}.\n")


def test_with_a_policy_the_witnesses_count(log: Log) -> None:
    """Two of three signed a minute apart from midnight: the second at 00:02; three of three at 00:03."""
    code, text = log.run("seven", "--policy", "policy")
    assert code == 0
    assert text.endswith("; its quorum of witnesses had seen it by 2026-09-22T00:02:00Z.\n")
    log.file("policy", log.policy(3))
    assert log.run("seven", "--policy", "policy")[1].endswith("by 2026-09-22T00:03:00Z.\n")
    log.note("seven", 7, cosigned=2)
    code, text = log.run("seven", "--policy", "policy")
    assert (code, "too few" in text) == (1, True)


def test_growth_and_an_entry_are_told_with_it(log: Log) -> None:
    """All of it in one sentence, ended by one full stop."""
    code, text = log.run(
        "seven", *log.key, "--grown", "three", "proof", "--entry", "receipt", "statement", "keys"
    )
    identity = read(log.statements[4]).identity.hex()
    assert code == 0
    assert "; it continues the tree of 3 leaves; " in text
    assert text.endswith(f"; statement {identity} is leaf 4, entered at 2026-09-22T00:01:00Z.\n")
    assert text.count("\n") == 1


def test_a_receipt_of_the_older_tree_counts_too(log: Log) -> None:
    """The older checkpoint has the receipt's size and root."""
    author = Author("REG-CN", "log", log.registry)
    raw = issue(author, read(log.statements[1]).identity, include(log.hashes, 1, 3), DAY_S)
    log.file("receipt", raw)
    log.file("statement", log.statements[1])
    entry = ("--entry", "receipt", "statement", "keys")
    assert log.run("seven", *log.key, "--grown", "three", "proof", *entry)[0] == 0
    code, text = log.run("seven", *log.key, *entry)
    assert (code, "of a tree of 3 leaves" in text) == (1, True)


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda log: log.note("seven", 7, root=bytes(32)), "does not lead"),
        (lambda log: log.file("proof", log.lines(consistency_proof(log.hashes, 2, 7))), "proof"),
        (lambda log: log.file("proof", b""), "empty"),
        (lambda log: log.note("three", 7), "proof"),
        (lambda log: log.file("statement", log.statements[5]), "another statement"),
        (lambda log: log.file("keys", encode([PrivateKey.generate().public.cose])), "receipt"),
        (lambda log: setattr(log, "signer", NoteSigner(ORIGIN, PrivateKey.generate(ED25519))), "known key"),
        (
            lambda log: setattr(log, "signer", NoteSigner("registry/OTHER", PrivateKey.generate(ED25519))),
            "REG-CN",
        ),
    ],
)
def test_what_does_not_hold_is_exit_1_and_says_why(log: Log, change, said: str) -> None:  # type: ignore[no-untyped-def]
    """Another root, another proof, none, another statement, another key, another log."""
    change(log)
    code, text = log.run(
        "seven", *log.key, "--grown", "three", "proof", "--entry", "receipt", "statement", "keys"
    )
    assert (code, said in text, text.count("\n")) == (1, True, 1), text


def test_an_older_checkpoint_of_another_log_is_exit_1(log: Log) -> None:
    """Signed by the same key under the same name, and yet its text names another origin."""
    other = LogHead("registry/OTHER", 3, subtree(log.hashes, 0, 3))
    log.file("three", sign_head(log.signer, other).raw)
    code, text = log.run("seven", *log.key, "--grown", "three", "proof")
    assert (code, "registry/OTHER" in text) == (1, True)


def test_a_forged_line_is_exit_1(log: Log) -> None:
    """The signature of another text."""
    good = sign_head(log.signer, LogHead(ORIGIN, 7, bytes(32)))
    log.file("seven", Note(good.text.replace("7", "8", 1), good.signatures).raw)
    code, text = log.run("seven", *log.key)
    assert (code, "verify.signature" in text) == (1, True)


@pytest.mark.parametrize(
    "name, content",
    [
        ("seven", b"no note"),
        ("three", b""),
        ("proof", b"no base64!\n"),
        ("proof", b"\xff\n"),
        ("receipt", b"\x00"),
        ("statement", b"\x00"),
        ("keys", b"\x80"),
    ],
)
def test_a_file_of_another_form_is_exit_65(log: Log, name: str, content: bytes) -> None:
    """One sentence with the code, never a traceback."""
    log.file(name, content)
    code, text = log.run(
        "seven", *log.key, "--grown", "three", "proof", "--entry", "receipt", "statement", "keys"
    )
    assert (code, "another form" in text, text.count("\n")) == (65, True, 1), text


def test_a_key_or_policy_of_another_form_is_exit_65(log: Log) -> None:
    """A verifier key with a changed sign; a policy without a quorum."""
    assert log.run("seven", "--key", str(log.signer.key)[:-1])[0] == 65
    log.file("policy", f"log {log.signer.key}\n".encode())
    assert log.run("seven", "--policy", "policy")[0] == 65


def test_a_file_that_is_not_there_is_exit_66(log: Log) -> None:
    """Named in the sentence."""
    code, text = log.run("eight", *log.key)
    assert (code, "eight" in text) == (66, True)
    assert log.run("seven", "--policy", "nowhere")[0] == 66


def test_one_of_key_and_policy_is_needed(log: Log) -> None:
    """Neither, or both: misuse."""
    assert log.run("seven")[0] == 64
    assert log.run("seven", *log.key, "--policy", "policy")[0] == 64


def test_a_policy_without_a_quorum_asks_for_the_log_alone(log: Log) -> None:
    """`quorum none` is C2SP's word for it."""
    log.file("policy", f"log {log.signer.key}\nquorum none\n".encode())
    code, text = log.run("seven", "--policy", "policy")
    assert (code, "witnesses" in text) == (0, False)


def test_an_instant_beyond_the_calendar_is_told_as_a_number(log: Log) -> None:
    """A cosignature may name second 2^63 - 1, which no calendar has."""
    note = sign_head(log.signer, LogHead(ORIGIN, 7, subtree(log.hashes, 0, 7)))
    log.file("seven", note.signed(*(w.sign(note.text, 2**63 - 1) for w in log.witnesses)).raw)
    code, text = log.run("seven", "--policy", "policy")
    assert (code, "Unix second 9223372036854775807" in text) == (0, True)


def test_the_installed_command_does_the_same(log: Log) -> None:
    """In a process of its own, sentence on standard output, fault on standard error."""
    command = [sys.executable, "-m", "meterseal_tools", "log", "verify"]
    done = subprocess.run(
        [*command, str(log.folder / "seven"), *log.key], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(
        [*command, str(log.folder / "eight"), *log.key], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (66, "")
