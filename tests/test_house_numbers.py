"""The house's own yardstick: each rule finds what it was made for, and lets the rest pass."""

from pathlib import Path

import pytest

import house_numbers
import house_source
from house_source import Finding, Source

BODY = "    x = 1\n"


def source(text: str, name: str = "custody") -> Source:
    """A file of that text, as if it lay in the repository."""
    return Source(house_source.ROOT / "tools" / f"{name}.py", text)


def rules(text: str, name: str = "custody", *, no_floats: bool = True) -> set[str]:
    """Names of the rules that the text breaks."""
    return {finding.rule for finding in house_source.check_file(source(text, name), no_floats)}


def test_a_plain_file_breaks_nothing() -> None:
    """Documented, short, named after a noun."""
    assert rules('"""Doc."""\n\n\ndef f(a, b, c, d, e):\n    """Doc."""\n    return a\n') == set()


@pytest.mark.parametrize(
    "rule,text",
    [
        ("file_longest", '"""Doc."""\n' + "x = 1\n" * 400),
        ("function_longest", '"""Doc."""\n\n\ndef f():\n    """Doc."""\n' + BODY * 59),
        ("parameters", '"""Doc."""\n\n\ndef f(a, b, c, d, e, *, g):\n    """Doc."""\n'),
        ("late_import", '"""Doc."""\n\n\ndef f():\n    """Doc."""\n    import json\n'),
        ("catch_all", '"""Doc."""\ntry:\n    x = 1\nexcept Exception:\n    x = 2\n'),
        ("catch_all", '"""Doc."""\ntry:\n    x = 1\nexcept (KeyError, BaseException):\n    x = 2\n'),
        ("catch_all", '"""Doc."""\ntry:\n    x = 1\nexcept:\n    x = 2\n'),
        ("float", '"""Doc."""\nHALF = 0.5\n'),
        ("docstring", "x = 1\n"),
        ("docstring", '"""Doc."""\n\n\ndef f():\n    x = 1\n'),
        ("docstring", '"""Doc."""\n\n\nclass A:\n    """Doc."""\n\n    def f(self):\n        x = 1\n'),
        ("placeholder", '"""Doc."""\nraise NotImplement' + "edError\n"),
    ],
)
def test_a_broken_limit_is_found(rule: str, text: str) -> None:
    """Numbers to hold: 400 lines a file, 60 a function, five parameters, and the rest of that list."""
    assert rules(text) == {rule}


def test_limits_are_included() -> None:
    """A file of 400 lines and a function of 60 are still within."""
    assert rules('"""Doc."""\n' + "x = 1\n" * 399) == set()
    assert rules('"""Doc."""\n\n\ndef f():\n    """Doc."""\n' + BODY * 58) == set()


def test_what_is_private_or_documented_by_a_neighbour_needs_no_docstring() -> None:
    """A leading underscore, a nested function, a property's setter."""
    text = '"""Doc."""\n\n\ndef _f():\n    def g():\n        return 1\n\n    return g\n'
    assert rules(text) == set()
    setter = (
        '"""Doc."""\n\n\nclass A:\n    """Doc."""\n\n    @a.setter\n    def a(self, value):\n        x = 1\n'
    )
    assert rules(setter) == set()


@pytest.mark.parametrize(
    "name,rule", [("utils", "junk_name"), ("queue", "stdlib_name"), ("time", "stdlib_name")]
)
def test_a_name_that_names_nothing_or_hides_a_module_is_found(name: str, rule: str) -> None:
    """Style rule 3."""
    assert rules('"""Doc."""\n', name) == {rule}


def test_lines_of_code_leave_out_blanks_comments_and_docstrings() -> None:
    """Counted by hand: def and return are code, the other five lines are not."""
    text = '"""Doc."""\n\n# why\ndef f():\n    """Two\n    lines."""\n    return 1\n'
    assert house_source.code_lines(source(text)) == 2


def test_errors_are_counted_through_their_own_root() -> None:
    """Root, child and grandchild are errors; a neighbour that derives from nothing is not."""
    text = "class Root(Exception): ...\nclass Child(Root): ...\nclass Grand(Child): ...\nclass Other: ...\n"
    assert house_numbers.error_classes([source(text)]) == {"Root", "Child", "Grand"}


@pytest.mark.parametrize(
    "values,expected", [([], 0), ([7], 7), (list(range(1, 11)), 9), (list(range(1, 21)), 18)]
)
def test_nine_in_ten_do_not_exceed_the_ninetieth_percentile(values: list[int], expected: int) -> None:
    """Nearest rank: the smallest value with at least 90 % of the values at or below it."""
    assert house_numbers.percentile_90(values) == expected


def test_a_cycle_is_measured_by_its_modules(tmp_path: Path) -> None:
    """A -> b -> c -> a is a cycle of three; d, which only imports a, is outside."""
    package = tmp_path / "ring_of_three"
    package.mkdir()
    (package / "__init__.py").touch()
    for name, imported in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")):
        (package / f"{name}.py").write_text(f"from ring_of_three import {imported}\n")
    found = house_numbers.largest_cycle(house_numbers.Package("ring_of_three", str(package), (), 0))
    assert found == 3


def test_an_exception_excuses_one_place_and_must_excuse_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of exceptions cannot rot: one without effect, or without a reason, is a finding itself."""
    listed = tmp_path / "exceptions.toml"
    listed.write_text(
        '[[exception]]\nrule = "float"\nplace = "a.py"\nreason = "the display shows seconds with decimals"\n'
        '[[exception]]\nrule = "float"\nplace = "gone.py"\nreason = "it was there a year ago"\n'
        '[[exception]]\nrule = "float"\nplace = "b.py"\nreason = "because"\n'
    )
    monkeypatch.setattr(house_numbers, "EXCEPTIONS", listed)
    findings = [Finding("float", place, "0.5") for place in ("a.py", "b.py", "c.py")]
    left = [(finding.rule, finding.place) for finding in house_numbers.excused(findings)]
    assert left == [("float", "c.py"), ("exception", "float gone.py"), ("exception", "float b.py")]
