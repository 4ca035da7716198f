"""Fuzz every target for a while: `python protocol/fuzz/run.py [--seconds N] [--keep] [--replay FILE] [TARGET...]`.

Each target runs in a process of its own under atheris, two at a time. What is grown stays in build/fuzz/<target>;
`--keep` minimises that into corpus/<target>, which is what `make test` runs. Exit code 1 on a finding.
"""

import argparse
import importlib
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, TypeVar

FUZZ = Path(__file__).resolve().parent
sys.path.insert(0, str(FUZZ.parent))
CORPUS = FUZZ / "corpus"
BUILD = FUZZ.parents[1] / "build" / "fuzz"
TARGETS = sorted(path.stem.removesuffix("_target") for path in FUZZ.glob("*_target.py"))
AT_A_TIME = 2
LONGEST = 4096
KEPT_FILES, KEPT_SEEDS = 60, 20
RSS_MB = 1024
FIRST_EXECUTION_S = 30  # importing with instrumentation, on a busy machine
Item = TypeVar("Item")
INSTRUMENTED = ["meterseal_wire", "meterseal_protocol"]


class Ended(NamedTuple):
    """How a target's run ended: executions, files grown, the findings' files, and what it printed about it."""

    runs: int
    grown: int
    findings: list[Path]
    failed: bool
    why: str


def target(name: str) -> ModuleType:
    """The module of a target: it has `one` and `seeds`."""
    return importlib.import_module(f"fuzz.{name}_target")


def under_atheris(name: str, arguments: list[str]) -> None:
    """Never returns: the body of a target's own process."""
    import atheris  # noqa: PLC0415 - only `make fuzz` installs it

    with atheris.instrument_imports(include=INSTRUMENTED):
        one: Callable[[bytes], None] = target(name).one
    # libFuzzer starts argv[0] again for a merge: a script of a line that is this process.
    atheris.Setup([str(_again(name)), *arguments], one)
    atheris.Fuzz()


def _again(name: str) -> Path:
    script = BUILD / f"{name}.sh"
    script.parent.mkdir(parents=True, exist_ok=True)
    command = shlex.join([sys.executable, str(FUZZ / "run.py"), "--inside", name, "--"])
    script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    script.chmod(0o700)
    return script


def prepared(name: str) -> Path:
    """The folder that a target's corpus grows in, with the kept files and the seeds in it."""
    grown = BUILD / name
    grown.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target(name).seeds()):
        (grown / f"seed-{number:03}").write_bytes(seed)
    for path in (CORPUS / name).glob("*"):
        shutil.copy(path, grown / path.name)
    return grown


def run(name: str, seconds: int) -> Ended:
    """Fuzz one target for so many seconds; what it prints goes to build/fuzz/<target>.log."""
    grown, findings = prepared(name), BUILD / "findings" / name
    findings.mkdir(parents=True, exist_ok=True)
    before = set(findings.iterdir())
    limits = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-rss_limit_mb={RSS_MB}", "-timeout=20"]
    said = _started(
        name, [*limits, f"-artifact_prefix={findings}/", "-print_final_stats=1", str(grown)], seconds
    )
    text = said.stdout
    (BUILD / f"{name}.log").write_text(text)
    executions = re.findall(r"stat::number_of_executed_units: (\d+)|#(\d+)\s", text)
    runs = max((int(first or second) for first, second in executions), default=0)
    found = sorted(set(findings.iterdir()) - before)
    return Ended(runs, len(list(grown.iterdir())), found, said.returncode != 0 or runs == 0, _why(text))


def _why(text: str) -> str:
    _, mark, exception = text.partition("=== Uncaught Python exception: ===")
    return exception.partition("\n==")[0].strip() if mark else text[-1500:]


def _started(name: str, arguments: list[str], seconds: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(FUZZ / "run.py"), "--inside", name, "--", *arguments]
    return subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        timeout=4 * seconds + 300,
    )


def keep(name: str) -> int:
    """Replace corpus/<target> by a minimised choice of what has grown: at most 60 files of 4 KiB. The files kept."""
    merged = BUILD / "merged" / name
    shutil.rmtree(merged, ignore_errors=True)
    merged.mkdir(parents=True)
    _started(name, ["-merge=1", f"-max_len={LONGEST}", str(merged), str(BUILD / name)], FIRST_EXECUTION_S)
    chosen = sorted(merged.iterdir(), key=lambda path: (path.stat().st_size, path.name))
    if not chosen:
        raise SystemExit(f"fuzz: merging {name} left nothing; corpus/{name} stays as it is")
    kept = CORPUS / name
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for number, seed in enumerate(_spread(target(name).seeds(), KEPT_SEEDS)):
        (kept / f"seed-{number:02}").write_bytes(seed)
    for path in _spread(chosen, KEPT_FILES - KEPT_SEEDS):
        shutil.copy(path, kept / path.name[:16])
    return len(list(kept.iterdir()))


def _spread(items: Sequence[Item], most: int) -> Sequence[Item]:
    """At most so many, evenly through their order."""
    step = max(1, -(-len(items) // most))
    return items[::step]


def replay(path: Path, names: list[str]) -> None:
    """Give a file to its target (the folder's name says which); a finding is the traceback that comes."""
    owners = [name for name in names or TARGETS if names or name in path.resolve().parts]
    for name in owners:
        target(name).one(path.read_bytes())
        print(f"fuzz: {name} takes {path} without a finding")
    if not owners:
        print(f"fuzz: no folder of {path} names a target; add one of {', '.join(TARGETS)}", file=sys.stderr)
        sys.exit(64)


def report(name: str, ended: Ended) -> None:
    """One line, and for each finding the way to see it again."""
    print(f"{name}: {ended.runs} runs, {ended.grown} files, {len(ended.findings)} findings", flush=True)
    for path in ended.findings:
        print(f"  {path}\n  reproduce: python protocol/fuzz/run.py --replay {path} {name}")
    if ended.failed:
        print(ended.why, file=sys.stderr)


def main(arguments: list[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description="Fuzz what strangers send.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all, unless some are named")
    parser.add_argument("--seconds", type=int, default=120, help="in all, shared between the targets")
    parser.add_argument("--keep", action="store_true", help="then minimise what has grown into corpus/")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="only give this file to its target")
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.targets) - set(TARGETS))
    if unknown:
        parser.error(f"no target {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    if chosen.replay:
        replay(chosen.replay, chosen.targets)
        return 0
    names = chosen.targets or TARGETS
    share = max(1, chosen.seconds * AT_A_TIME // len(names))
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        ends = list(pool.map(lambda name: run(name, share), names))
        for name, ended in zip(names, ends, strict=True):
            report(name, ended)
        if chosen.keep:
            for name, count in zip(names, pool.map(keep, names), strict=True):
                print(f"{name}: {count} files kept")
    return 1 if any(ended.failed or ended.findings for ended in ends) else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        under_atheris(sys.argv[2], sys.argv[4:])
    sys.exit(main(sys.argv[1:]))
