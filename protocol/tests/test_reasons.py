"""reasons.toml and the judge say the same: every code has words, every row a code, in the file it names."""

import ast
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from meterseal_protocol.judge.decide import UNDECIDED
from meterseal_protocol.words import TABLE, next_step, say

CODE = re.compile(r"[a-z]+\.[a-z_]+")
SOURCE = files("meterseal_protocol")
MODULES = [
    *(f"judge/{item.name}" for item in (SOURCE / "judge").iterdir() if item.name.endswith(".py")),
    "grant.py",
]


def codes(module: str) -> set[str]:
    """String constants of a module that look like a code."""
    tree = ast.parse((SOURCE / module).read_text("utf-8"))
    found = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {value for value in found if isinstance(value, str) and CODE.fullmatch(value)}


JUDGED = {code: row for code, row in TABLE.items() if row["file"] in MODULES}


def test_every_code_of_the_judge_is_in_the_table() -> None:
    """Read from the source itself."""
    assert set().union(*(codes(module) for module in MODULES)) == set(JUDGED)


@pytest.mark.parametrize("code", sorted(JUDGED))
def test_a_row_names_the_file_that_gives_its_code(code: str) -> None:
    """Whoever asks why a meter was refused finds the place."""
    assert code in codes(JUDGED[code]["file"])


@pytest.mark.parametrize("code", sorted(JUDGED))
def test_the_tables_outcome_is_the_judges(code: str) -> None:
    """`undecided` for what more data may cure, `refused` for the rest."""
    assert JUDGED[code]["outcome"] == ("undecided" if code in UNDECIDED else "refused")


@pytest.mark.parametrize("code", sorted(JUDGED))
@pytest.mark.parametrize("language", ["zh", "en"])
def test_sentences_use_only_the_numbers_that_they_have(code: str, language: str) -> None:
    """No brace is left after filling in."""
    numbers = list(range(101, 101 + len(JUDGED[code]["numbers"])))
    for text in (say(code, numbers, language), next_step(code, numbers, language)):
        assert text and "{" not in text


@pytest.mark.parametrize("code", sorted(JUDGED))
def test_both_languages_tell_the_same_numbers(code: str) -> None:
    """What one reader sees, the other sees too."""
    row = JUDGED[code]
    used = [set(re.findall(r"\{(\w+)\}", row[language])) for language in ("zh", "en")]
    assert used[0] == used[1] <= set(row["numbers"])


TESTS = Path(__file__).parent


@cache
def asked_for() -> set[str]:
    """Codes that stand as strings in tests: what a decision gives, or does not on the other side of a boundary."""
    found: set[str] = set()
    for path in (
        *TESTS.glob("test_judge*.py"),
        *TESTS.glob("test_grant*.py"),
        *TESTS.glob("test_delegation*.py"),
    ):
        tree = ast.parse(path.read_text("utf-8"))
        texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        found |= {text for text in texts if isinstance(text, str) and CODE.fullmatch(text)}
    return found


@pytest.mark.parametrize("code", sorted(JUDGED))
def test_every_code_is_asked_for_by_a_test(code: str) -> None:
    """Read from the tests' source: a code that no test names is a code that nobody has seen."""
    assert code in asked_for()
