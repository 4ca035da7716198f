"""The main job, run once as a person runs it, and then everything the issue's acceptance asks of what it leaves."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from meterseal_protocol import qr
from meterseal_protocol.check import check
from meterseal_protocol.trust import Trust
from meterseal_tools.evidence_folder import FOLDERS

pytestmark = pytest.mark.timeout(240)
SEED = 20_261_123


@dataclass
class Run:
    """A finished demo: its folder, what it printed, its exit code, and the interpreters seen while it ran."""

    folder: Path
    text: str
    code: int
    fixtures: set[int] = field(default_factory=set)


def command(*arguments: object) -> list[str]:
    """`meterseal ...` in this environment."""
    return [sys.executable, "-m", "meterseal_tools", *map(str, arguments)]


def meterseal(*arguments: object) -> tuple[int, str]:
    """(exit code, output) of a `meterseal` command."""
    environment = {**os.environ, "COLUMNS": "160"}
    done = subprocess.run(
        command(*arguments), capture_output=True, text=True, env=environment, timeout=120, check=False
    )
    return done.returncode, done.stdout + done.stderr


def fixtures_of(process: psutil.Process) -> set[int]:
    """Process ids of the MicroPython interpreters below a process: `micropython` is the name that ps shows."""
    try:
        return {child.pid for child in process.children(recursive=True) if child.name() == "micropython"}
    except psutil.NoSuchProcess:
        return set()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One demo."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    log = folder.parent / "output.txt"
    with log.open("wb") as output:
        started = subprocess.Popen(
            command("demo", "--folder", folder),
            stdout=output,
            stderr=output,
            env={**os.environ, "COLUMNS": "160"},
        )
        seen: set[int] = set()
        while started.poll() is None:
            now = fixtures_of(psutil.Process(started.pid))
            seen = max(seen, now, key=len)
            time.sleep(0.1)
    return Run(folder, log.read_text(), started.returncode, seen)


def test_every_expected_answer_comes_out_and_nothing_is_lost(run: Run) -> None:
    """Issue 3, the main job: exit 0 only if every expected answer came out; lost 0."""
    assert run.code == 0, run.text
    last = run.text.strip().splitlines()[-1]
    assert re.match(
        r"demo: ok: 16 of 16 meters as expected, \d+ statements made, 0 lost, 12 certificates", last
    )


def test_two_fixtures_run_on_micropython_at_once(run: Run) -> None:
    """Issue 3's acceptance: ps during the demo shows two micropython processes."""
    assert len(run.fixtures) == 2


def test_the_faults_really_happened(run: Run) -> None:
    """Issue 3, step 4: the edge was killed and came back, a fixture lost power and opened an epoch."""
    for words in (
        "killed with SIGKILL",
        "started again",
        "power cut while counting",
        "epoch 2 opened",
        "cut short by the operator",
    ):
        assert words in run.text


def test_audit_holds_and_decides_every_decision_again(run: Run) -> None:
    """Issue 3, step 5: audit on the folder, with the auditor's own anchors, and no server left to ask."""
    code, text = meterseal("audit", run.folder / "evidence", "--anchors", run.folder / "anchors.cbor")
    assert code == 0, text
    assert "holds" in text


def files(folder: Path) -> list[Path]:
    """Every file of an evidence folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_changed_byte_in_any_file_is_found_and_named(run: Run, tmp_path: Path) -> None:
    """Issue 3's acceptance: change one byte in any file of the evidence: audit names the statement.

    Bytes are drawn from a seed; at least one in each kind of file.
    """
    draw = random.Random(SEED)
    evidence = tmp_path / "evidence"
    shutil.copytree(run.folder / "evidence", evidence)
    chosen = [draw.choice(files(evidence / kind)) for kind in FOLDERS] + [evidence / "checkpoint.cose"]
    chosen += [draw.choice(files(evidence)) for _ in range(6)]
    for path in chosen:
        whole = path.read_bytes()
        at = draw.randrange(len(whole))
        path.write_bytes(whole[:at] + bytes((whole[at] ^ 1 << draw.randrange(8),)) + whole[at + 1 :])
        code, text = meterseal("audit", evidence, "--anchors", run.folder / "anchors.cbor")
        path.write_bytes(whole)
        assert code == 1, f"{path} byte {at}: {text}"
        assert path.stem[:16] in text, f"{path} byte {at} is not named: {text}"


def test_a_missing_or_strange_file_is_found(run: Run, tmp_path: Path) -> None:
    """Absence is proved too (design section 1, item 6): leaves without a file, files that nobody logged."""
    evidence = tmp_path / "evidence"
    shutil.copytree(run.folder / "evidence", evidence)
    gone = files(evidence / "statements")[3]
    gone.unlink()
    (evidence / "statements" / "notes.txt").write_text("seen by nobody")
    code, text = meterseal("audit", evidence)
    assert code == 1
    assert gone.stem[:16] in text and "notes.txt" in text


def pictures(run: Run) -> list[Path]:
    """The certificates' QR codes."""
    return sorted((run.folder / "certificates").glob("*.png"))


def test_every_picture_is_valid_in_zhejiang_and_nowhere_else(run: Run) -> None:
    """Issue 3's acceptance: check exits 0; ask for another territory: 1 with the reason."""
    trust = run.folder / "trust.cbor"
    for picture in pictures(run):
        assert meterseal("check", picture, "--trust", trust, "--territory", "330110")[0] == 0
    code, text = meterseal("check", pictures(run)[0], "--trust", trust, "--territory", "440300")
    assert code == 1 and "certificate.territory" in text


def test_an_old_trust_file_cannot_say(run: Run) -> None:
    """Issue 3's acceptance: give an old trust file: 2."""
    assert meterseal("check", pictures(run)[0], "--trust", run.folder / "trust-old.cbor")[0] == 2


def test_a_changed_payload_is_never_valid(run: Run) -> None:
    """Issue 3's acceptance: change the QR's payload: check exits 1, whichever byte it is."""
    draw = random.Random(SEED)
    trust = Trust.load((run.folder / "trust.cbor").read_bytes())
    certificate = pictures(run)[0].with_suffix(".cbor").read_bytes()
    changed = [bytearray(certificate) for _ in range(len(certificate))]
    for at, raw in enumerate(changed):
        raw[at] ^= 1 << draw.randrange(8)
    outcomes = {check(bytes(raw), trust, trust.made_s).outcome for raw in changed}
    assert outcomes == {"not_valid"}
    url = qr.url("http://127.0.0.1:1", bytes(changed[100]), pictures(run)[0].stem)
    assert meterseal("check", url, "--trust", run.folder / "trust.cbor")[0] == 1


def test_certificates_say_that_their_keys_are_a_demo_s(run: Run) -> None:
    """Rule: the demo's keys are made fresh at each run and marked as demo in every certificate."""
    code, text = meterseal("check", pictures(run)[0], "--trust", run.folder / "trust.cbor")
    assert code == 0 and "DEMO keys: no legal effect" in text


def test_no_key_lies_open_or_in_a_log(run: Run) -> None:
    """Rule: key files are 0600 and never logged."""
    keys = [path for path in (run.folder / "run").rglob("*") if path.suffix == ".key" or path.name == "key"]
    assert len(keys) == 9
    texts = b"".join(path.read_bytes() for path in (run.folder / "run").rglob("*.log")) + run.text.encode()
    for path in keys:
        assert path.stat().st_mode & 0o077 == 0
        assert path.read_bytes() not in texts and path.read_bytes().hex().encode() not in texts


def left_behind(folder: Path) -> list[str]:
    """Command lines of processes that still mention the demo's folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or [])
        if str(folder) in words:
            found.append(words)
    return found


@pytest.fixture
def interrupted(tmp_path: Path) -> tuple[Path, int, str]:
    """A demo that got Ctrl-C while both benches were testing."""
    folder, log = tmp_path / "demo", tmp_path / "output.txt"
    with log.open("wb") as output:
        started = subprocess.Popen(command("demo", "--folder", folder), stdout=output, stderr=output)
        until = time.monotonic() + 60
        while log.read_text().count("attempt signed") < 2 and time.monotonic() < until:
            time.sleep(0.05)
        started.send_signal(signal.SIGINT)
        code = started.wait(60)
    return folder, code, log.read_text()


def test_ctrl_c_leaves_no_process_behind(interrupted: tuple[Path, int, str]) -> None:
    """Issue 3's acceptance: Ctrl-C during the demo leaves no process behind."""
    folder, code, text = interrupted
    assert code == 130, text
    assert left_behind(folder) == []
    assert "Traceback" not in text


def test_a_folder_that_is_somebody_s_is_not_touched(tmp_path: Path) -> None:
    """Bad input: the demo removes only what an earlier demo made."""
    (tmp_path / "thesis.txt").write_text("mine")
    code, text = meterseal("demo", "--folder", tmp_path)
    assert code == 73 and "holds something else" in text
    assert (tmp_path / "thesis.txt").read_text() == "mine"
