"""A firmware's way to a fixture, against a model of its Staging that loses what the test wants."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterseal_edge.granting import Firmware
from meterseal_edge.update_line import (
    ASKED,
    ENDED,
    FINISHING,
    FIRST_S,
    FOR_GOOD,
    LONGEST_S,
    NEXT,
    PART_BYTES,
    SENDING,
    STAGED,
    WAITING,
    WINDOW,
    UpdateLine,
)

FILES = {
    "a.mpy": bytes(3 * PART_BYTES + 1),
    "b/c.mpy": b"two",
    "b/d.mpy": b"",
    "e.mpy": bytes(range(256)) * 64,
}
DIGEST = bytes(31) + b"\x05"
IMAGE = Firmware("unix/sim-1", "2", DIGEST, b"manifest", b"grant", FILES, 1)


class Model:
    """A fixture as its delivery.py and update.py describe it: what lies in its slot, and the status it shows."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.digest = b""
        self.status: dict[str, Any] = {}
        self.final: dict[str, Any] = {"staged": "2", "digest": DIGEST.hex()}
        self.parts = 0

    def obey(self, items: list[list[Any]]) -> None:
        """A message; more than four waiting parts are dropped."""
        for item in items[:4]:
            if item[0] == "begin":
                if item[1] != self.digest:
                    self.digest, self.files = item[1], {}
                self.status = {"there": {path: len(data) for path, data in self.files.items()}}
            elif item[0] == "part":
                self.parts += 1
                self._part(*item[1:])
            else:
                whole = self.files == FILES and self.digest == DIGEST
                self.status = self.final if whole else {"error": "update.file", "detail": "a.mpy"}

    def _part(self, path: str, at: int, data: bytes) -> None:
        held = self.files.get(path, b"")
        if held[at : at + len(data)] != data or at > len(held):
            if at != len(held):
                self.status = {"error": "update.offset", "detail": f"{path} {len(held)}"}
                return
            self.files[path] = held = held + data
        self.files.setdefault(path, b"")
        self.status = {"path": path, "bytes": len(held)}


def run(line: UpdateLine, model: Model, lose: Any = lambda _step: False, steps: int = 400) -> float:
    """Seconds until it is over; a message or a status of a step that `lose` names does not arrive."""
    now, items = 0.0, line.tick(0.0)
    for step in range(steps):
        if items and not lose(2 * step):
            model.obey(items)
        heard = {} if lose(2 * step + 1) else model.status
        items = line.hear(heard, now)
        if line.over:
            return now
        if not items:
            now += 5
            items = line.tick(now)
    raise AssertionError(f"not over after {steps} steps: {line.state} {line.why}")


def test_an_image_arrives_whole_and_each_byte_once_where_nothing_is_lost() -> None:
    """begin, parts, finish; the number of parts is that of 4096-byte pieces, one for the empty file."""
    line, model = UpdateLine(IMAGE, 0), Model()
    assert run(line, model) == 0
    assert (line.state, model.files, model.parts) == (STAGED, FILES, 4 + 1 + 1 + 4)
    assert (line.done, line.total) == (line.total, sum(map(len, FILES.values())))


def test_what_lies_there_already_is_not_sent_again() -> None:
    """update.py: `begin` tells {path: bytes} after a cut."""
    line, model = UpdateLine(IMAGE, 0), Model()
    model.digest = DIGEST
    model.files = {**FILES, "e.mpy": FILES["e.mpy"][: PART_BYTES + 7]}
    run(line, model)
    assert (line.state, model.files) == (STAGED, FILES)
    assert model.parts == -(-(len(FILES["e.mpy"]) - PART_BYTES - 7) // PART_BYTES)


@settings(max_examples=150, deadline=None)
@given(st.sets(st.integers(0, 60)))
def test_whatever_is_lost_the_image_arrives(lost: set[int]) -> None:
    """Messages and status lines lost in any of the first sixty places: afterwards all is there, and verified whole."""
    line, model = UpdateLine(IMAGE, 0), Model()
    run(line, model, lost.__contains__)
    assert (line.state, model.files) == (STAGED, FILES)


def test_at_most_four_parts_are_under_way_and_a_message_fits_what_the_fixture_takes() -> None:
    """delivery.py: MOST_WAITING is 4; down.py: a parcel has at most 65536 bytes."""
    assert WINDOW == 4
    assert WINDOW * (PART_BYTES + 200) < 65536


@pytest.mark.parametrize("files", [{"foreign.mpy": b"x"}, {"a.mpy": bytes(len(FILES["a.mpy"]) + 1)}])
def test_files_of_another_image_are_cleared_by_beginning_another_one(files: dict[str, bytes]) -> None:
    """`begin` clears the slot only where the digest is another: without the detour `finish` refuses for ever."""
    line, model = UpdateLine(IMAGE, 0), Model()
    model.digest, model.files = DIGEST, dict(files)
    run(line, model)
    assert (line.state, model.files) == (STAGED, FILES)


def test_other_bytes_in_a_file_of_the_right_size_are_cleared_once() -> None:
    """Found by `finish` alone, which hashes; refused a second time it is ended, with the fixture's words."""
    line, model = UpdateLine(IMAGE, 0), Model()
    model.digest, model.files = DIGEST, {**FILES, "e.mpy": bytes(len(FILES["e.mpy"]))}
    run(line, model)
    assert (line.state, model.files) == (STAGED, FILES)
    line, model = UpdateLine(IMAGE, 0), Model()
    model.final = {"error": "update.file", "detail": "e.mpy"}
    run(line, model)
    assert (line.state, line.why) == (ENDED, "update.file e.mpy")


@pytest.mark.parametrize("code", sorted(FOR_GOOD))
def test_what_is_refused_for_good_is_not_sent_again(code: str) -> None:
    """update.py: grant, board, digest, rollback, what lies beside, manifest, size, path."""
    line, model = UpdateLine(IMAGE, 0), Model()
    model.final = {"error": code, "detail": "because"}
    run(line, model)
    assert (line.state, line.why, line.over) == (ENDED, f"{code} because", True)
    assert line.tick(1e9) == line.hear({"there": {}}, 1e9) == []


def test_a_bench_that_counts_is_asked_again_ever_more_seldom() -> None:
    """`update.counting`: a run may take an hour. 15, 30, 60, 120, 240, then each 300 s."""
    line, now, asked = UpdateLine(IMAGE, 0), 0.0, []
    while now < 2000:
        if line.tick(now):
            asked.append(now)
            line.hear({"error": "update.counting", "detail": ""}, now)
        now += 1
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert gaps[:6] == [FIRST_S, 30, 60, 120, 240, LONGEST_S]
    assert set(gaps[5:]) == {LONGEST_S}


def test_a_status_line_said_twice_sends_nothing_twice() -> None:
    """The line comes again whenever anything in it changes."""
    line, model = UpdateLine(IMAGE, 0), Model()
    model.obey(line.tick(0))
    first = line.hear(model.status, 0)
    assert first and line.hear(model.status, 0) == line.hear({"path": "a.mpy", "bytes": 1}, 0) == []


@pytest.mark.parametrize("told", [None, 7, [], {"there": 7}, {"path": [], "bytes": {}}, {"digest": 5}, {}])
def test_nonsense_in_the_status_line_is_passed_over(told: Any) -> None:
    """Whoever may publish on the live topic says what they like."""
    line = UpdateLine(IMAGE, 0)
    line.tick(0)
    assert line.hear(told, 0) == [] and line.state == ASKED


def test_the_table_is_complete_and_every_pair_that_is_not_in_it_cannot_happen() -> None:
    """House style 5: each state has its way on, and the two last ones none."""
    states = (ASKED, SENDING, FINISHING, WAITING, STAGED, ENDED)
    assert {state for state, _ in NEXT} == {ASKED, SENDING, FINISHING, WAITING}
    assert set(NEXT.values()) == set(states)
    for state in (STAGED, ENDED):
        line = UpdateLine(IMAGE, 0)
        line.state = state
        assert line.tick(1e9) == line.hear({"there": {}}, 0) == line.hear({"error": "x"}, 0) == []
