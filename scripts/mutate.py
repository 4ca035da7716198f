"""Mutation testing of the scanner and of `decide` (mutmut): every mutant is caught, or survivors.toml says why not.

    python scripts/mutate.py            # as `make mutate`, and part of `make test`

Works on a copy in build/mutation. Only tests without random input are used, so the answer is the same each time.
Exit code 1 where a mutant survives that is not explained, or where an explanation excuses none.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "mutation"
SURVIVORS = ROOT / "protocol" / "tests" / "survivors.toml"
CODE = ("src/meterseal_wire/scan.py", "src/meterseal_protocol/judge/decide.py")
TESTS = (
    "tests/portable/test_scan.py",
    "tests/portable/test_scan_sentences.py",
    "tests/test_scan_vectors.py",
    "tests/test_judge.py",
)
SUM = re.compile(r"(\d+)/(\d+)\s+🎉 (\d+)")


@dataclass(frozen=True)
class Mutant:
    """A change that no test noticed: the function, the line before and the line after."""

    function: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.function}\n    - {self.before}\n    + {self.after}"


def config() -> str:
    """What mutmut reads."""
    lists = {
        "source_paths": ["src/"],
        "only_mutate": list(CODE),
        "pytest_add_cli_args_test_selection": list(TESTS),
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "-c", os.devnull, "--import-mode=importlib"],
        "also_copy": ["spec"],
    }
    lines = ["[mutmut]"]
    for name, values in lists.items():
        lines += [f"{name}=", *(f"    {value}" for value in values)]
    return "\n".join(lines) + "\n"


def mutmut(*arguments: str) -> str:
    """Output of a mutmut command in the copy."""
    command = [str(Path(sys.executable).with_name("mutmut")), *arguments]
    done = subprocess.run(command, cwd=WORK, capture_output=True, text=True, check=False)
    if done.returncode and arguments[0] == "run":
        print(done.stdout[-3000:], done.stderr[-3000:], file=sys.stderr)
        raise SystemExit(f"mutate: mutmut {' '.join(arguments)} ended with {done.returncode}")
    return done.stdout


def prepare() -> None:
    """A fresh copy of protocol/ in build/."""
    shutil.rmtree(WORK, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "corpus", ".hypothesis")
    shutil.copytree(ROOT / "protocol", WORK, ignore=ignored)
    (WORK / "setup.cfg").write_text(config())


def survivors() -> list[Mutant]:
    """Mutants that survived, or that no test reached."""
    found = []
    for line in mutmut("results").splitlines():
        name, _, status = line.strip().rpartition(": ")
        if status in ("survived", "no tests", "suspicious"):
            diff = mutmut("show", name).splitlines()
            before = [
                text[1:].strip() for text in diff if text.startswith("-") and not text.startswith("---")
            ]
            after = [text[1:].strip() for text in diff if text.startswith("+") and not text.startswith("+++")]
            function = re.sub(r"__mutmut_\d+$", "", name).replace("x_", "", 1)
            found.append(Mutant(function, " ".join(before), " ".join(after)))
    return found


def explained() -> dict[Mutant, str]:
    """What survivors.toml says."""
    rows = tomllib.loads(SURVIVORS.read_text("utf-8")).get("survivor", [])
    return {Mutant(row["function"], row["before"], row["after"]): row["why"] for row in rows}


def main() -> int:
    """Run, compare, print one line; 1 where it differs from survivors.toml."""
    prepare()
    sums = SUM.findall(mutmut("run"))
    if not sums or sums[-1][0] != sums[-1][1]:
        raise SystemExit("mutate: mutmut did not finish; run it in build/mutation to see why")
    known, left = explained(), survivors()
    for mutant in left:
        if mutant not in known:
            print(f"mutate: nothing notices this change of {mutant}", file=sys.stderr)
    idle = [mutant for mutant in known if mutant not in left]
    for mutant in idle:
        print(f"mutate: survivors.toml explains one that is caught: {mutant}", file=sys.stderr)
    unexplained = sum(mutant not in known for mutant in left)
    total = int(sums[-1][1])
    print(
        f"mutate: {total} mutants, {total - len(left)} caught, {len(left) - unexplained} explained, {unexplained} not"
    )
    return 1 if idle or unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
