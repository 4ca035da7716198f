"""A live line is shown only as far as it has the right shape; whoever publishes it cannot break the page."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_edge.live_line import LINE_BYTES, parse, shown

STATUS = {
    "now": "running",
    "point": 1,
    "of": 3,
    "positions": [{"position": 1, "state": "counting"}, {"position": 2, "state": "silent"}],
    "epoch": 1,
    "seq": 4,
    "pending": 2,
    "link": "up",
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=20,
)


def test_a_panel_status_line_is_shown_but_for_what_the_chain_says_better() -> None:
    """CONTRACT, panel: the status line's fields; epoch and seq are shown from custody."""
    wanted = {name: STATUS[name] for name in ("now", "point", "of", "positions", "pending")}
    assert shown(parse(json.dumps(STATUS).encode())) == wanted


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff", b"{", b"7", b"[]", b"[" * 10_000, b"1" * 5000, b" " * LINE_BYTES + b"{}"],
)
def test_what_is_no_small_json_object_is_empty(payload: bytes) -> None:
    """RFC 8259; Python refuses integers of more than 4300 digits and nesting beyond its stack."""
    assert parse(payload) == {}


@pytest.mark.parametrize(
    "line",
    [
        b'{"now": NaN, "point": Infinity, "of": 1.5, "pending": -1}',
        b'{"now": "\\ud800", "point": true, "positions": 7}',
        b'{"now": "a word that is far too long", "pending": 99999999999999999999}',
        b'{"positions": [7, {"position": 1}, {"position": "1", "state": "done"}, {"position": 1, "state": null}]}',
    ],
)
def test_what_would_break_the_page_is_dropped(line: bytes) -> None:
    """RFC 8259 section 6 has no NaN, and half a surrogate has no UTF-8: one of them would end every event stream."""
    assert shown(parse(line)) in ({}, {"positions": []})


def test_a_list_without_end_is_cut() -> None:
    """A fixture has 64 positions at most (live_line.py)."""
    rows = [{"position": n, "state": "done"} for n in range(300)]
    assert len(shown({"positions": rows})["positions"]) == 64


@given(ANYTHING)
def test_whatever_comes_the_page_gets_strict_json(value: object) -> None:
    """RFC 8259: strict JSON in UTF-8 has neither NaN nor half surrogates."""
    told = dict.fromkeys(("now", "point", "of", "pending", "positions"), value)
    json.dumps(shown(told), allow_nan=False, ensure_ascii=False).encode()
    json.dumps(shown({"positions": [{"position": value, "state": value}]}), allow_nan=False).encode()
