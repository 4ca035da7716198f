"""Every reason in words, Chinese and English, from the one table `reasons.toml`."""

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any


def _load() -> dict[str, dict[str, Any]]:
    text = files("meterseal_protocol").joinpath("reasons.toml").read_text("utf-8")
    return {row.pop("code"): row for row in tomllib.loads(text)["reason"]}


TABLE = _load()
"""Reason code to its row: outcome, file, numbers (names), zh, en, do_zh, do_en."""


def say(code: str, numbers: Sequence[int], language: str) -> str:
    """One sentence for a reason in `zh` or `en`; the code itself where the table does not know it."""
    return _fill(code, numbers, language)


def next_step(code: str, numbers: Sequence[int], language: str) -> str:
    """What to do about a reason, in `zh` or `en`."""
    return _fill(code, numbers, f"do_{language}")


def _fill(code: str, numbers: Sequence[int], field: str) -> str:
    row = TABLE.get(code)
    if row is None:
        return code
    text: str = row[field]
    for name, number in zip(row["numbers"], numbers, strict=False):
        text = text.replace("{" + name + "}", str(number))
    return text
