"""The house's numbers: sizes, names, errors, cycles, docstrings and tests of each package, against their limits.

Prints a table and, below it, every place that breaks a limit; exits 1 if there is one. A place may be excused in
house_exceptions.toml, with a reason; an excuse that excuses nothing is an error too, so the list cannot rot.

Not covered: whether a docstring really tells shape, unit, error and clause; whether a test could fail.
"""

import ast
import statistics
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grimp

from house_source import ROOT, Finding, Source, check_file, code_lines, length, sources

EXCEPTIONS = Path(__file__).with_name("house_exceptions.toml")
FILE_MEDIAN, FUNCTION_MEDIAN, FUNCTION_P90, PUBLIC_NAMES, ERRORS = 150, 8, 25, 30, 15
REASON_WORDS = 5


@dataclass(frozen=True)
class Package:
    """One import package: where it lies, where its tests lie, how many test lines a source line it owes."""

    name: str
    source: str
    tests: tuple[str, ...]
    test_ratio: float
    no_floats: bool = False


PACKAGES = (
    # The two packages of protocol share one tests folder: the ratio is taken over both, and printed with each.
    Package("meterseal_wire", "protocol/src/meterseal_wire", ("protocol/tests",), 1.5, no_floats=True),
    Package(
        "meterseal_protocol", "protocol/src/meterseal_protocol", ("protocol/tests",), 1.5, no_floats=True
    ),
    Package("meterseal_edge", "edge/src/meterseal_edge", ("edge/tests",), 1.0),
    Package("meterseal_registry", "registry/src/meterseal_registry", ("registry/tests",), 1.0),
    Package("meterseal_tools", "tools/src/meterseal_tools", ("tools/tests",), 1.0),
    Package(
        "meterseal_fixture",
        "firmware/src/meterseal_fixture",
        ("firmware/tests", "hil_tests"),
        1.0,
        no_floats=True,
    ),
)


@dataclass
class Numbers:
    """The row of one package."""

    package: Package
    files: list[int]
    functions: list[int]
    public: int
    errors: int
    cycle: int
    ratio: float

    def row(self) -> list[str]:
        """The cells of the table, as text."""
        return [
            self.package.name,
            str(len(self.files)),
            f"{median(self.files):g}",
            str(max(self.files, default=0)),
            f"{median(self.functions):g}",
            str(percentile_90(self.functions)),
            str(max(self.functions, default=0)),
            str(self.public),
            str(self.errors),
            str(self.cycle),
            f"{self.ratio:.2f}",
        ]


HEAD = [
    "package",
    "files",
    "median",
    "longest",
    "func",
    "p90",
    "longest",
    "public",
    "errors",
    "cycle",
    "tests",
]


def median(values: list[int]) -> float:
    """The median; 0 of nothing."""
    return float(statistics.median(values)) if values else 0.0


def measure(package: Package, files: list[Source]) -> Numbers:
    """All figures of one package."""
    owed = [item.source for item in PACKAGES if item.tests == package.tests]
    code = sum(code_lines(source) for folder in owed for source in sources(folder))
    tests = sum(code_lines(source) for folder in package.tests for source in sources(folder))
    return Numbers(
        package,
        [source.text.count("\n") for source in files],
        [length(node) for source in files for node in source.functions()],
        public_names(files),
        len(error_classes(files)),
        largest_cycle(package) if files else 0,
        tests / code if code else 0.0,
    )


def check_package(numbers: Numbers) -> Iterator[Finding]:
    """Every limit that a package as a whole can break."""
    limits = (
        ("file_median", median(numbers.files), FILE_MEDIAN),
        ("function_median", median(numbers.functions), FUNCTION_MEDIAN),
        ("function_p90", percentile_90(numbers.functions), FUNCTION_P90),
        ("public_names", numbers.public, PUBLIC_NAMES),
        ("errors", numbers.errors, ERRORS),
        ("cycle", numbers.cycle, 0),
    )
    for rule, found, limit in limits:
        if found > limit:
            yield Finding(rule, numbers.package.source, f"{found:g}, limit {limit}")
    if numbers.ratio < numbers.package.test_ratio:
        found_ratio = f"{numbers.ratio:.2f} test lines a line, owed {numbers.package.test_ratio}"
        yield Finding("test_ratio", numbers.package.source, found_ratio)


def public_names(files: list[Source]) -> int:
    """Names in the package's own `__all__`; 0 where it has none (then one imports by module)."""
    for source in files:
        if source.path.name != "__init__.py" or source.path.parent != files[0].path.parent:
            continue
        for node in source.tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                return len(ast.literal_eval(node.value))
    return 0


def error_classes(files: list[Source]) -> set[str]:
    """Names of classes that derive, through classes of this package, from an exception."""
    bases = {
        node.name: [ast.unparse(base).rpartition(".")[2] for base in node.bases]
        for source in files
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
    }
    found: set[str] = set()
    for _ in bases:
        found |= {
            name
            for name, above in bases.items()
            if any(b in found or b.endswith(("Error", "Exception")) for b in above)
        }
    return found


def largest_cycle(package: Package) -> int:
    """Modules in the largest import cycle, imports for types included; 0 where there is none."""
    sys.path.insert(0, str((ROOT / package.source).parent))
    try:
        graph = grimp.build_graph(package.name, cache_dir=None)
    finally:
        sys.path.pop(0)
    after = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    reach = {name: reachable(name, after) for name in after}
    return max((len([b for b in reach[a] if a in reach[b]]) for a in reach), default=0)


def reachable(start: str, after: dict[str, set[str]]) -> set[str]:
    """Everything that can be reached from `start` in one step or more."""
    seen: set[str] = set()
    todo = list(after[start])
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(after.get(name, ()))
    return seen


def percentile_90(values: list[int]) -> int:
    """The value that nine in ten do not exceed; 0 of nothing."""
    return sorted(values)[max(0, -(-len(values) * 9 // 10) - 1)] if values else 0


def exceptions() -> list[dict[str, str]]:
    """The exceptions as written: rule, place, reason."""
    rules: list[dict[str, str]] = tomllib.loads(EXCEPTIONS.read_text("utf-8")).get("exception", [])
    return rules


def excused(findings: list[Finding]) -> list[Finding]:
    """What remains after house_exceptions.toml; an exception that matches nothing, or has no reason, is a finding."""
    rules = {(rule["rule"], rule["place"]): rule.get("reason", "") for rule in exceptions()}
    found = {(finding.rule, finding.place) for finding in findings}
    left = [finding for finding in findings if (finding.rule, finding.place) not in rules]
    for (rule, place), reason in rules.items():
        if (rule, place) not in found:
            left.append(Finding("exception", f"{rule} {place}", "excuses nothing: remove it"))
        if len(reason.split()) < REASON_WORDS:
            left.append(Finding("exception", f"{rule} {place}", "has no reason"))
    return left


def table(rows: list[list[str]]) -> str:
    """Columns aligned: the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in rows
    )


def main() -> int:
    """Measure, print, and tell whether every number holds."""
    rows, findings = [HEAD], []
    for package in PACKAGES:
        files = sources(package.source)
        if not files:
            findings.append(Finding("package", package.source, "is not there"))
            continue
        numbers = measure(package, files)
        rows.append(numbers.row())
        findings.extend(check_package(numbers))
        for source in files:
            findings.extend(check_file(source, package.no_floats))
    print(table(rows))
    left = excused(findings)
    for finding in left:
        print(f"{finding.rule}: {finding.place}: {finding.found}")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
