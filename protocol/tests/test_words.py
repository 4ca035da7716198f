"""Reasons in words: one table, both languages, every number with its name."""

import re
from pathlib import Path
from typing import Any

import pytest

from meterseal_protocol import check
from meterseal_protocol.words import TABLE, next_step, say

SOURCE = Path(check.__file__).parent
TEXTS = ("zh", "en", "do_zh", "do_en")


@pytest.mark.parametrize("code", TABLE)
def test_every_reason_has_its_words_in_both_languages(code: str) -> None:
    """Operators, verifiers and installers read Chinese and English; a code alone helps nobody."""
    row = TABLE[code]
    assert all(row[name].strip() for name in TEXTS)
    for name in ("zh", "do_zh"):
        assert re.search(r"[\u4e00-\u9fff]", row[name]), (code, name)
    for name in ("en", "do_en"):
        assert not re.search(r"[\u4e00-\u9fff]", row[name]), (code, name)


@pytest.mark.parametrize("code", TABLE)
def test_every_reason_names_a_file_that_gives_it(code: str) -> None:
    """The table says where a reason comes from, and the file says the code."""
    text = (SOURCE / TABLE[code]["file"]).read_text("utf-8")
    assert f'"{code}"' in text


@pytest.mark.parametrize("code", TABLE)
def test_a_sentence_uses_no_number_that_is_not_named(code: str) -> None:
    """Each {name} in a text stands in `numbers`, so that no brace is ever left over."""
    row: dict[str, Any] = TABLE[code]
    for name in TEXTS:
        assert set(re.findall(r"\{(\w+)\}", row[name])) <= set(row["numbers"]), (code, name)
    filled = [say(code, list(range(len(row["numbers"]))), language) for language in ("zh", "en")]
    filled += [next_step(code, list(range(len(row["numbers"]))), language) for language in ("zh", "en")]
    assert not [text for text in filled if "{" in text]


def test_every_code_that_check_can_give_is_in_the_table() -> None:
    """Found in its source, so that a new reason cannot be forgotten."""
    given = set(re.findall(r'"((?:certificate|status|key)\.\w+)"', (SOURCE / "check.py").read_text("utf-8")))
    assert len(given) >= 10
    assert given <= set(TABLE)


def test_numbers_are_filled_in() -> None:
    """The byte at which a certificate is damaged."""
    assert say("certificate.malformed", [17], "en") == "the certificate is damaged at byte 17"
    assert "17" in say("certificate.malformed", [17], "zh")


def test_a_code_that_is_not_in_the_table_is_shown_as_it_is() -> None:
    """A newer registry's reason is still better than nothing."""
    assert say("future.reason", [1], "zh") == "future.reason"
    assert next_step("future.reason", [], "en") == "future.reason"
