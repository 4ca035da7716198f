"""The fields of each kind of grant: names of the label table, which are wanted, and their words (fields.toml)."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from meterseal_wire import kinds
from meterseal_wire import labels as L

_OPTIONAL: Any = kinds.KINDS[L.KIND_GRANT][1]
SHAPES: dict[int, Any] = {label: shape for label, shape in _OPTIONAL.items() if label not in kinds.GRANT_HEAD}
VARIANT = "variant"
# As on the command line: "reference material" is one word there.
KINDS = {name.replace(" ", "_"): number for number, name in kinds.GRANT_NAMES.items()}
_TABLE: dict[str, Any] = tomllib.loads(
    files("meterseal_tools.grants").joinpath("fields.toml").read_text("utf-8")
)


@dataclass(frozen=True)
class Field:
    """A field: its label and shape (kinds.py), and its words. `choices` are words for numbers, or empty."""

    name: str
    label: int
    shape: Any
    zh: str
    en: str
    example: Any
    choices: dict[str, int]


def _fields() -> dict[str, Field]:
    labels = {
        value: name.lower() for name, value in vars(L).items() if type(value) is int and value in SHAPES
    }
    found = {}
    for label, name in labels.items():
        row = _TABLE[name]
        found[name] = Field(
            name, label, SHAPES[label], row["zh"], row["en"], row["example"], row.get("choices", {})
        )
    return found


FIELDS = _fields()
BY_LABEL = {field.label: field for field in FIELDS.values()}


def wanted(kind: int, variant: bool = False) -> list[Field]:
    """The fields that a grant of a kind must have; of a variant of a type, those of that."""
    labels = kinds.VARIANT_FIELDS if variant else kinds.GRANT_FIELDS[kind]
    return [BY_LABEL[label] for label in labels]


def optional(kind: int, variant: bool = False) -> list[Field]:
    """The fields that it may have besides."""
    labels: tuple[int, ...] = kinds.GRANT_OPTIONS.get(kind, ())
    if variant:
        labels = (*(one for one in kinds.GRANT_FIELDS[kind] if one not in kinds.VARIANT_FIELDS), *labels)
    return [BY_LABEL[label] for label in labels]
