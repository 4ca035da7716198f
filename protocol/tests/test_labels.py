"""One table of labels: labels.toml, the module made from it and the grammar name the same numbers."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from meterseal_wire import labels

SPEC = Path(__file__).parents[1] / "spec"
TABLE: dict[str, dict[str, int]] = tomllib.loads((SPEC / "labels.toml").read_text("utf-8"))
# Comments name numbers too, so they go first.
GRAMMAR = re.sub(r";.*", "", (SPEC / "meterseal.cddl").read_text("utf-8"))
# COSE_Key's own labels (RFC 9052 section 7.1), which only the grammar spells out: kty, crv, x, y.
COSE_KEY = {1, -1, -2, -3}
# Numbers that the grammar does not hold: receipts and status lists are other people's formats (RFC 9942, draft
# status list), and the last two are kept for a later version.
ELSEWHERE = {
    "header": {"crit", "content_type", "receipts"},
    "claim": {"nbf", "ttl", "status_list", "status"},
    "field": {"temperature_class"},
}


def constant(space: str, name: str) -> int:
    """The module's constant for a row of the table."""
    prefix = "" if space == "field" else f"{space}_"
    value: int = getattr(labels, f"{prefix}{name}".upper())
    return value


def keys_of_the_grammar() -> set[int]:
    """Every number that stands before => in the grammar."""
    return {int(text) for text in re.findall(r"(-?\d+) =>", GRAMMAR)}


def test_the_module_has_every_row_of_the_table_and_no_other() -> None:
    """spec/labels.toml is the source; names are its rows in capitals, fields without a prefix."""
    rows = {constant(space, name) == value for space, found in TABLE.items() for name, value in found.items()}
    assert rows == {True}
    constants = [name for name, value in vars(labels).items() if isinstance(value, int)]
    assert len(constants) == sum(len(found) for found in TABLE.values())
    assert {value: name for name, value in TABLE["kind"].items()} == labels.KIND_NAMES


def test_no_number_is_used_twice_in_its_space() -> None:
    """Headers, claims, kinds and fields each have a number once; fields keep clear of CWT's 1 to 8 (RFC 8392)."""
    for space, rows in TABLE.items():
        assert len(set(rows.values())) == len(rows), space
    assert min(TABLE["field"].values()) == 9


def test_the_registered_numbers_are_those_of_the_rfcs() -> None:
    """IANA's COSE header parameters and CWT claims: RFC 9052, 9597, 9596, 9942, 8392."""
    header, claim = TABLE["header"], TABLE["claim"]
    assert [header[name] for name in ("alg", "crit", "content_type", "kid", "cwt_claims", "typ")] == [
        1,
        2,
        3,
        4,
        15,
        16,
    ]
    assert [header[name] for name in ("receipts", "vds", "proofs")] == [394, 395, 396]
    assert [claim[name] for name in ("iss", "sub", "exp", "nbf", "iat")] == [1, 2, 4, 5, 6]
    assert [claim[name] for name in ("ttl", "status_list", "status")] == [65534, 65533, 65535]


def test_the_grammar_uses_the_tables_numbers() -> None:
    """Each key of the grammar is a row of the table, each row is a key of the grammar or stands in `ELSEWHERE`."""
    spaces = ("header", "claim", "field")
    ours = {value for space in spaces for name, value in TABLE[space].items() if name not in ELSEWHERE[space]}
    assert keys_of_the_grammar() == ours | COSE_KEY


def test_the_grammar_names_every_kind() -> None:
    """The two ranges of typ hold the kinds that are statements, and 65045 stands alone."""
    fixture = set(range(65001, 65005 + 1))
    other = set(range(65011, 65044 + 1))
    assert all(text in GRAMMAR for text in ("65001..65005", "65011..65044", "16 => 65045"))
    for name, typ in TABLE["kind"].items():
        assert (typ in fixture) + (typ in other) + (typ == 65045) == 1, name


def test_the_module_is_what_the_generator_makes() -> None:
    """`generate_labels.py --check` compares and changes nothing."""
    command = [sys.executable, str(SPEC / "generate_labels.py"), "--check"]
    before = Path(labels.__file__).read_bytes()
    assert subprocess.run(command, check=False).returncode == 0
    assert Path(labels.__file__).read_bytes() == before
