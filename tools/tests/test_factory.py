"""`meterseal factory`: fixtures that sign for real, a real broker and edge, and figures that are those of the run."""

import sqlite3
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from meterseal_protocol.statement import read
from meterseal_protocol.testing.world import SITE
from meterseal_protocol.verify import verify
from meterseal_tools.cli import app
from meterseal_tools.load.box import Box
from meterseal_tools.load.lines import Line, factory_world, line_names
from meterseal_tools.load.sender import NoCustody, Sender
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.scan import scan
from meterseal_wire.tree import tree_hash


def test_the_command_says_what_it_sent_and_what_came_back() -> None:
    """By hand: 3 fixtures of a boot and 5 runs are 3 x 11 statements, and 3 x 5 x 2 meters."""
    found = CliRunner().invoke(
        app, ["factory", "--lines", "3", "--statements", "10", "--positions", "2", "--a-message", "4"]
    )
    assert found.exit_code == 0, found.output
    assert "3, 33, 30" in found.output


def test_a_line_is_what_a_fixture_says(tmp_path: Path) -> None:
    """Design section 6: a boot opens the epoch, each statement cites the one before; section 5: an attempt comes with
    its plan and a result with the telegrams under its root.
    """
    world = factory_world(2)
    line = Line(world, "L2", positions=3, a_message=4)
    line.make(8)
    line.make(4)
    items = [item for raw, _ in line.parcels for item in scan(raw, 65536)]
    statements = [verify(item[0], world.ring("L2")).statement for item in items]
    assert [one.chain and one.chain[:2] for one in statements] == [(1, seq) for seq in range(13)]
    for before, after in pairwise(statements):
        assert after.chain is not None
        assert after.chain[2] == before.identity
    assert statements[0].typ == L.KIND_BOOT
    for item, one in zip(items, statements, strict=True):
        if one.typ == L.KIND_ATTEMPT:
            assert one.payload[L.PLAN] == sha256(item[1])
        if one.typ == L.KIND_RESULT:
            assert one.payload[L.EVIDENCE_ROOT] == tree_hash(item[1:])
            assert len(item) == 1 + 2 * 3
    meters = [
        row[L.METER] for one in statements for row in one.payload.get(L.POSITIONS, []) if L.METER in row
    ]
    assert len(set(meters)) == len(meters) == 6 * 3


def test_parcels_stay_below_what_an_edge_takes() -> None:
    """CONTRACT: a parcel has 64 KiB; and each says how many statements there are up to its end."""
    world = factory_world(1)
    line = Line(world, "L1", positions=20, a_message=100)
    line.make(60)
    assert 50_000 < max(len(raw) for raw, _ in line.parcels) <= 65_536
    ends, count = [], 0
    for raw, _ in line.parcels:
        count += len(scan(raw, 65536))
        ends.append(count)
    assert [end for _, end in line.parcels] == ends
    assert line.statements == count == 61


def test_everything_that_has_custody_is_in_the_edges_file(tmp_path: Path) -> None:
    """The figures are of statements that are there: read with sqlite3 alone. Lines go on after a first run."""
    world = factory_world(3)
    lines = [Line(world, name) for name in line_names(3)]
    with Box(tmp_path, world, workers=1) as box:
        sender = Sender(box.broker.host, box.broker.port, SITE, lines)
        for _ in range(2):
            for line in lines:
                line.make(30)
            told = sender.run()
            assert len(told.waits_s) == sum(len(line.parcels) for line in lines)
            assert 0 < told.wait_s(0.5) <= told.wait_s(0.99) <= told.seconds
            sender.forget()
        sender.check(world.ring("edge"))
        sender.close()
        assert box.rss_kib() > 20_000
    database = sqlite3.connect(tmp_path / "edge" / "edge.sqlite")
    raws = [row[0] for row in database.execute("SELECT raw FROM statement")]
    database.close()
    assert len({read(raw).identity for raw in raws}) == len(raws) == sum(line.statements for line in lines)


def test_a_rate_is_kept(tmp_path: Path) -> None:
    """42 statements at 20 a second are published over 2 s and no sooner: 22 of them wait for the second second."""
    world = factory_world(2)
    lines = [Line(world, name, a_message=1) for name in line_names(2)]
    for line in lines:
        line.make(20)
    with Box(tmp_path, world, workers=0) as box:
        sender = Sender(box.broker.host, box.broker.port, SITE, lines)
        told = sender.run(20)
        sender.close()
    assert told.statements == 42
    assert told.seconds > 2


def test_a_line_that_nobody_granted_gets_no_custody_and_is_named(tmp_path: Path) -> None:
    """One sentence that says who is behind and where to look."""
    world = factory_world(2)
    lines = [Line(world, name) for name in line_names(2)]
    for line in lines:
        line.make(4)
    del world.grants["fixture L2"]
    with Box(tmp_path, world, workers=0) as box:
        sender = Sender(box.broker.host, box.broker.port, SITE, lines)
        with pytest.raises(NoCustody, match=r"1 of 2 lines .* L2 has 0 of 5.*alarms"):
            sender.run(most_s=3)
        sender.close()


def test_what_is_sent_to_warm_up_is_covered_and_not_measured(tmp_path: Path) -> None:
    """sender.py: the first parcel of each line that has more goes before the clock; a line of one parcel is whole in
    the figures. By hand: 12 statements of which 4 went before, and 4 of a line that has no more.
    """
    world = factory_world(2)
    long, short = Line(world, "L1", a_message=4), Line(world, "L2", a_message=4)
    long.make(11)
    short.make(3)
    with Box(tmp_path, world, workers=0) as box:
        sender = Sender(box.broker.host, box.broker.port, SITE, [long, short])
        sender.warm_up()
        assert [one.covered for one in sender.sent] == [4, 0]
        told = sender.run()
        assert told.statements == long.statements - 4 + short.statements
        assert box.durable() == long.statements + short.statements
        sender.close()
