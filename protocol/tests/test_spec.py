"""The specification stands alone: every page named is there, every MUST has a vector, every table is current."""

import re
import subprocess
import sys
import tomllib
from hashlib import sha256
from pathlib import Path

import cbor2
import pytest

from meterseal_protocol.metrology import DENSITY_DIGEST
from meterseal_protocol.words import TABLE
from meterseal_wire import labels
from meterseal_wire.kinds import KINDS

SPEC = Path(__file__).parents[1] / "spec"
PAGES = sorted(SPEC.glob("*.md"))
MUST = re.compile(r"\bMUST\b")
SPACES: dict[str, dict[str, int]] = tomllib.loads((SPEC / "labels.toml").read_text("utf-8"))
SHAPES = [{*required, *optional} for required, optional in KINDS.values()]
NAMED = re.compile(r"`((?:[a-z]+)/[^`\n]+)`")


def paragraphs(text: str) -> list[str]:
    """Items of lists and paragraphs, each on one line, code blocks left out."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    blocks = re.split(r"\n\s*\n|\n(?=\d+\\?\. |- )", text)
    return [" ".join(block.split()) for block in blocks if block.strip()]


def vectors_named(text: str) -> list[str]:
    """Names of vectors in a text, `subject/name`."""
    subjects = {path.name for path in (SPEC / "vectors").iterdir()}
    return [name for name in NAMED.findall(text) if name.partition("/")[0] in subjects]


def test_the_pages_are_there() -> None:
    """The index names every page, and every page is named in it."""
    linked = set(re.findall(r"\]\(([a-z.]+\.md)\)", (SPEC / "README.md").read_text("utf-8")))
    assert linked == {path.name for path in PAGES} - {"README.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_vector_that_a_page_names_exists(page: Path) -> None:
    """`subject/name` is a file of the folder."""
    for name in vectors_named(" ".join(paragraphs(page.read_text("utf-8")))):
        assert (SPEC / "vectors" / f"{name}.json").is_file(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_must_stands_only_where_a_vector_can_break_it(page: Path) -> None:
    """Each paragraph with a MUST names a vector; the index explains the word."""
    if page.name == "README.md":
        return
    for paragraph in paragraphs(page.read_text("utf-8")):
        assert not MUST.search(paragraph) or vectors_named(paragraph), paragraph


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_short_and_begins_with_bytes(page: Path) -> None:
    """C2SP's manner: an example before any rule, at most 250 lines."""
    text = page.read_text("utf-8")
    assert len(text.splitlines()) <= 250
    if page.name not in ("README.md", "reasons.md"):
        assert "## Example" in text.partition("MUST")[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere_inside_the_folder(page: Path) -> None:
    """Someone who has only this folder has everything that it links to."""
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        if not target.startswith("http"):
            assert (SPEC / target).resolve().is_relative_to(SPEC) and (SPEC / target).exists(), target


@pytest.mark.parametrize("script", ["generate_labels.py", "generate_tables.py", "compile_packs.py"])
def test_what_is_generated_is_up_to_date(script: str) -> None:
    """Constants, tables and packs are what their sources say."""
    done = subprocess.run(
        [sys.executable, str(SPEC / script), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_labels_in_the_pages_are_those_of_the_table(page: Path) -> None:
    """`name` (number), as the pages write a field: both stand in one row of labels.toml."""
    table = tomllib.loads((SPEC / "labels.toml").read_text("utf-8"))
    numbers = {
        name: {rows[name] for rows in table.values() if name in rows}
        for rows in table.values()
        for name in rows
    }
    for name, number in re.findall(r"`([a-z_]+)` \((-?\d+)\)", page.read_text("utf-8")):
        assert int(number) in numbers.get(name, set()), (name, number)


def test_every_reason_of_the_judge_has_its_condition_in_a_page() -> None:
    """Whoever has only this folder knows when to give it: reasons.md has the words, another page the condition."""
    pages = " ".join(page.read_text("utf-8") for page in PAGES if page.name != "reasons.md")
    judged = [code for code, row in TABLE.items() if row["file"].startswith(("judge/", "grant"))]
    assert [code for code in judged if f"`{code}`" not in pages] == []


def test_the_page_has_the_table_of_water_density_that_the_judge_computes_with() -> None:
    """41 numbers, by their digest, which every pack of water carries too."""
    block = re.findall(r"```\n(  0  9.*?)```", (SPEC / "measuring.md").read_text("utf-8"), flags=re.DOTALL)[0]
    rows = [[int(text) for text in line.split()[1:]] for line in block.strip("\n").split("\n")]
    assert sha256(cbor2.dumps([number for row in rows for number in row])).digest() == DENSITY_DIGEST


# Headers, CWT claims, and the inclusion and consistency proofs of receipts: what an example shows around a payload.
AROUND = {value for space in ("header", "claim") for value in SPACES[space].values()} | {-1, -2, -3}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_numbers_of_an_example_are_fields_of_one_kind(page: Path) -> None:
    """Diagnostic notation in the pages' code blocks: a map's keys are a payload's of some kind, or stand around one."""
    for block in re.findall(r"```\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL):
        for text in re.findall(r"\{[^{}]*\}", block):
            keys = {int(number) for number in re.findall(r"(?:^|[{,]|\n)\s*(-?\d+): ", text)}
            assert keys <= AROUND or any(keys <= shape for shape in SHAPES), (page.name, keys)


def test_the_grammar_uses_no_label_that_the_table_does_not_have() -> None:
    """Every number before `=>` in meterseal.cddl, headers, claims and keys included."""
    text = re.sub(r";.*", "", (SPEC / "meterseal.cddl").read_text("utf-8"))
    table = tomllib.loads((SPEC / "labels.toml").read_text("utf-8"))
    known = {number for rows in table.values() for number in rows.values()} | {1, 2, 3, 4, -1, -2, -3}
    used = {int(number) for number in re.findall(r"(-?\d+) =>", text)}
    assert used <= known
    assert {
        value for name, value in vars(labels).items() if name.isupper() and isinstance(value, int)
    } >= used - {
        3,
        -1,
        -2,
        -3,
    }
