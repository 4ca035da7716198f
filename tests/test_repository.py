"""What must hold of the repository as a whole: pins, paths, links, reading orders, the two commands."""

import ast
import importlib
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DISTRIBUTIONS = ("protocol", "edge", "registry", "tools", "firmware")
PINS = sorted((ROOT / "requirements").glob("*.txt"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PACKAGES = sorted(path for name in DISTRIBUTIONS for path in (ROOT / name / "src").rglob("__init__.py"))
CPYTHON_PACKAGES = ("meterseal_protocol", "meterseal_edge", "meterseal_registry", "meterseal_tools")


def relative(path: Path) -> str:
    """Path from the root: the id of a parametrised test."""
    return path.relative_to(ROOT).as_posix()


def repository_files() -> list[str]:
    """Files that are, or at the next commit will be, in the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


# -------------------------------------------------------------------------------------------------------- pins


@pytest.mark.parametrize("pins", PINS, ids=relative)
def test_every_pin_has_a_version_and_a_hash_and_no_address(pins: Path) -> None:
    """Pip's hash-checking mode wants `name==version` and at least one sha256; addresses belong to the machine.

    A marker may say for which machines a pin is.
    """
    text = pins.read_text("utf-8")
    assert "://" not in text
    entries = [entry for entry in re.split(r"(?m)^(?=[A-Za-z0-9])", text) if re.match(r"[A-Za-z0-9]", entry)]
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9.-]+==\S+( ; [^\n]+)? \\\n", entry), entry.splitlines()[0]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry.splitlines()[0]


def test_what_both_pin_files_name_they_pin_alike() -> None:
    """dev.txt is installed after run.txt: a second version there would silently replace the tested one.

    peer.txt and pythons.txt have folders of their own, with another cbor2 in each; peer.txt has our cryptography.
    """
    shared = [pins for pins in PINS if pins.name not in {"peer.txt", "pythons.txt"}]
    versions = [dict(re.findall(r"(?m)^([a-z0-9.-]+)==(\S+)", pins.read_text("utf-8"))) for pins in shared]
    for first in versions:
        for second in versions:
            assert {name: first[name] for name in first.keys() & second.keys()} == {
                name: second[name] for name in first.keys() & second.keys()
            }


def test_every_dependency_of_a_distribution_is_pinned() -> None:
    """`make demo` installs our packages without resolving: what they need must stand in run.txt."""
    pinned = set(re.findall(r"(?m)^([a-z0-9.-]+)==", (ROOT / "requirements/run.txt").read_text("utf-8")))
    for name in DISTRIBUTIONS:
        project = tomllib.loads((ROOT / name / "pyproject.toml").read_text("utf-8"))["project"]
        needed = {re.match(r"[A-Za-z0-9-]+", item)[0].lower() for item in project["dependencies"]}  # type: ignore[index]
        assert {item for item in needed if not item.startswith("meterseal-")} <= pinned, name


def modules_of(node: ast.AST) -> set[str]:
    """First parts of the names that an import statement imports; nothing for any other node."""
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    return {(node.module or "").partition(".")[0]} if isinstance(node, ast.ImportFrom) else set()


def imported(folder: Path) -> set[str]:
    """First parts of the names that the files below import, without the standard library and our own packages."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            found |= modules_of(node)
    return {
        name for name in found if name not in sys.stdlib_module_names and not name.startswith("meterseal_")
    }


@pytest.mark.parametrize("name", ["protocol", "edge", "registry", "tools"])
def test_a_distribution_declares_what_it_imports(name: str) -> None:
    """Installed alone, a distribution must work: what it imports stands among its dependencies or its extras."""
    project = tomllib.loads((ROOT / name / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project.get("optional-dependencies", {}).values()
    lines = [*project["dependencies"], *(line for extra in extras for line in extra)]
    declared = {re.split(r"[^A-Za-z0-9-]", line)[0].lower() for line in lines}
    providers = importlib.metadata.packages_distributions()
    needed = {
        module: {item.lower().replace("_", "-") for item in providers[module]}
        for module in imported(ROOT / name / "src")
    }
    assert [module for module, owners in needed.items() if not owners & declared] == []


def test_protocol_needs_values_and_signatures_alone() -> None:
    """Design section 12, and decision 7 for SM2; reading a rule pack's YAML is an extra."""
    project = tomllib.loads((ROOT / "protocol/pyproject.toml").read_text("utf-8"))["project"]
    assert sorted(re.split(r"[^a-z0-9]", line)[0] for line in project["dependencies"]) == [
        "cbor2",
        "cryptography",
        "gmalg",
    ]


# ------------------------------------------------------------------------------------------------------- files


def test_no_file_names_this_machine_or_a_package_server() -> None:
    """A clone works anywhere: no home or workplace path and no index host stands in any file."""
    banned = [f"/{place}/" for place in ("work", "root")]
    banned += [".".join(host) for host in (("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs"))]
    files = repository_files()
    assert files
    found = []
    for name in files:
        text = (ROOT / name).read_bytes().decode("utf-8", "replace")
        found += [f"{name}: {word}" for word in banned if word in text]
    assert not found


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    """House rule: real, or not there."""
    excuse = re.compile(
        "|".join(["pytest" + r"\.(mark\.)?(skip|xfail)", "import" + "orskip", r"unittest" + r"\.mock"])
    )
    files = [name for name in repository_files() if name.endswith(".py")]
    assert not [name for name in files if excuse.search((ROOT / name).read_text("utf-8"))]


@pytest.mark.parametrize("name", [".ci/run", "scripts/environment", "scripts/lint", "scripts/test"])
def test_a_script_is_executable(name: str) -> None:
    """The Makefile calls them by path."""
    assert os.access(ROOT / name, os.X_OK)


def test_all_distributions_and_the_changelog_agree_on_the_version_and_the_licence() -> None:
    """One repository, one version; LICENSE is the full text of Apache 2.0."""
    projects = [
        tomllib.loads((ROOT / name / "pyproject.toml").read_text("utf-8"))["project"]
        for name in DISTRIBUTIONS
    ]
    assert len({project["version"] for project in projects}) == 1
    assert {project["license"] for project in projects} == {"Apache-2.0"}
    assert {project["requires-python"] for project in projects} == {">=3.11"}
    assert projects[0]["version"] in (ROOT / "CHANGELOG.md").read_text("utf-8")
    licence = (ROOT / "LICENSE").read_text("utf-8")
    assert "Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


# -------------------------------------------------------------------------------------------------------- docs


def links(page: Path) -> list[str]:
    """Targets of a page's links into the repository, without fragments; code blocks do not count."""
    text = re.sub(r"(?ms)^```.*?^```", "", page.read_text("utf-8"))
    found = re.findall(r"\]\(([^)\s]+)\)", text)
    return [
        target.partition("#")[0] for target in found if "://" not in target and not target.startswith("#")
    ]


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    """A reader follows links, in the site and in the tree."""
    assert [target for target in links(page) if not (page.parent / target).exists()] == []


def test_the_life_of_a_statement_has_thirteen_numbered_stations_that_each_link_a_file() -> None:
    """Style rule 1: thirteen lines, in order, each with a link to the file where it happens."""
    page = ROOT / "docs/life-of-a-statement.md"
    stations = re.findall(r"(?m)^(\d+)\. .*?\]\((\.\./[^)]+)\)", page.read_text("utf-8"))
    assert [int(number) for number, _ in stations] == list(range(1, 14))


def test_the_readme_asks_for_exactly_two_set_up_commands() -> None:
    """From a clean clone: `make demo` and `make test`, and nothing else."""
    section = (ROOT / "README.md").read_text("utf-8").partition("## Set up")[2].partition("\n## ")[0]
    commands = "\n".join(re.findall(r"(?ms)^```sh\n(.*?)^```", section)).split("\n")
    assert [line.partition("#")[0].strip() for line in commands if line.strip()] == ["make demo", "make test"]


def test_the_makefile_has_the_promised_targets() -> None:
    """`make help` lists each with one line of what it does."""
    listed = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    names = [line.split()[0] for line in listed.splitlines() if line and line[0].isalpha()]
    assert {"demo", "test", "lint", "bench", "clean", "help"} <= set(names)


# ---------------------------------------------------------------------------------------------------- packages


def reading_order(package: Path) -> list[str]:
    """The names after `Read in this order:` up to the full stop."""
    docstring = ast.get_docstring(ast.parse(package.read_text("utf-8"))) or ""
    listed = docstring.partition("Read in this order:")[2].partition(".")[0]
    return re.findall(r"[a-z][a-z0-9_]*", listed)


@pytest.mark.parametrize("package", PACKAGES, ids=relative)
def test_a_package_tells_its_reading_order_completely(package: Path) -> None:
    """Style rule 2. A package of one module needs none; `__main__` only calls main."""
    folder = package.parent
    modules = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
    modules |= {path.parent.name for path in folder.glob("*/__init__.py")}
    if len(modules) > 1:
        assert sorted(reading_order(package)) == sorted(modules)


@pytest.mark.parametrize("name", CPYTHON_PACKAGES)
def test_every_public_name_exists_once(name: str) -> None:
    """Style rule 10. A package without `__all__` exports nothing: one imports its modules."""
    package = importlib.import_module(name)
    names = getattr(package, "__all__", [])
    assert [item for item in names if not hasattr(package, item)] == []
    assert len(names) == len(set(names))


def test_the_portable_core_imports_nothing_but_hashlib() -> None:
    """Design section 12: the same files run on a fixture, where little else exists."""
    found = set()
    for path in (ROOT / "protocol/src/meterseal_wire").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            found |= modules_of(node)
    assert found <= {"hashlib", "meterseal_wire"}
