"""Design section 1, items 3 and 5: custody alone frees, and the chain is whole whatever happens to power or network."""

import random

import pytest
from firmware.tests.cpython.edge_side import EdgeSide, Key, Read, wait_until

from hil_tests.conftest import Line
from meterseal_wire import labels as L

ZERO = bytes(32)


def whole(upstream: EdgeSide) -> list[Read]:
    """Every statement that came, after checking: each verifies, and each cites the one before (section 6)."""
    chain = upstream.chain()
    places = [found.place for found in chain]
    assert len(set(places)) == len(places), "two statements at one place: a fork"
    previous = ZERO
    for found in chain:
        assert upstream.fixture_key.verifies(found.signed, found.signature)
        assert found.prev == previous
        previous = found.identity
    return chain


def test_statements_form_one_verified_chain(line: Line, plan: bytes) -> None:
    """Section 6: boot, attempt and result in one epoch, contiguous, each citing the one before."""
    line.ready()
    line.run(plan)
    line.upstream.wait_for(L.KIND_RESULT)
    assert [found.typ for found in whole(line.upstream)] == [L.KIND_BOOT, L.KIND_ATTEMPT, L.KIND_RESULT]


def test_a_puback_frees_nothing(line: Line, plan: bytes) -> None:
    """Item 3: an MQTT PUBACK says nothing about custody; all three statements stay kept."""
    line.ready()
    line.run(plan)
    line.upstream.wait_for(L.KIND_RESULT)
    assert line.panel.status()["pending"] == 3


def test_custody_frees_what_it_covers_and_no_more(line: Line, plan: bytes) -> None:
    """Item 3: custody up to the attempt leaves the result kept; custody up to the result leaves nothing."""
    line.ready()
    line.run(plan)
    [attempt], [result] = line.upstream.wait_for(L.KIND_ATTEMPT), line.upstream.wait_for(L.KIND_RESULT)
    line.upstream.send(line.upstream.custody(attempt))
    line.panel.wait_event("custody")
    assert line.panel.status()["pending"] == 1
    line.upstream.send(line.upstream.custody(result))
    line.panel.wait_event("custody")
    assert line.panel.status()["pending"] == 0


@pytest.mark.parametrize("wrong", ["signer", "named", "head"])
def test_false_custody_frees_nothing(line: Line, wrong: str) -> None:
    """Section 6: the fixture checks signature, key and head before it frees anything."""
    line.ready()
    [boot] = line.upstream.wait_for(L.KIND_BOOT)
    changes = {"signer": Key(), "named": Key().thumbprint, "head": bytes(32)}
    line.upstream.send(line.upstream.custody(boot, **{wrong: changes[wrong]}))
    line.upstream.send(line.upstream.beacon(7))
    line.panel.wait(lambda message: message.get("beacon") == 7)
    assert line.panel.status()["pending"] == 1


def test_a_broker_that_was_away_gets_everything(line: Line, plan: bytes) -> None:
    """Section 6 and 13: the queue lies on the fixture; a network that fails only delays."""
    line.ready()
    line.upstream.broker.stop()
    line.run(plan)
    line.upstream.broker.start()
    line.upstream.wait_for(L.KIND_RESULT)
    whole(line.upstream)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_power_cuts_at_any_moment_never_fork_and_never_lose(line: Line, plan: bytes, seed: int) -> None:
    """Section 6: written, read back, and only then published, so a power cut never makes an honest fork.

    Four cuts at moments drawn from the seed; whatever the panel or the broker had been told must be in the chain.
    """
    moments = random.Random(seed)
    told: set[tuple[int, int]] = set()
    for beacon in range(1, 5):
        line.ready(beacon)
        line.dut.order(plan)
        word = moments.choice(["attempt_signed", "flow_started", "result_signed"])
        line.panel.wait_event(word, 60)
        line.dut.power.cut()
        told |= {
            (m["epoch"], m["seq"])
            for side, m in line.panel.transcript
            if side == "from" and m.get("event") in ("boot", "attempt_signed", "result_signed", "abandoned")
        }
    line.ready(9)
    last = line.panel.status()
    told.add((last["epoch"], last["seq"]))
    line.upstream.wait_for(L.KIND_BOOT, 5)
    wait_until(
        lambda: told <= {found.place for found in line.upstream.chain()}, "every told statement coming"
    )
    assert told <= {found.place for found in whole(line.upstream)}
