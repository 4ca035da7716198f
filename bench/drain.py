"""How fast what waited for a registry is drained, against how fast a factory makes it.

Production: one authorised maker is about 30 000 meters a working day, one a second in the busiest hour (domain study,
"How large it is"). A bench of one position signs an attempt and a result for each, so 2 statements a second is the
limit, and more than 20 times that is the goal: 40 statements a second. A week of five such days is 300 000 statements,
two hours and five minutes at the goal.

Measured: the edge's own outbox, from its store to receipts verified and kept there, against the registry as a process
of its own on SQLite, which verifies, logs, and decides each meter by the shipped water pack. A bench of twenty
positions signs two statements for twenty meters, so it makes less.
"""

import sys
import tempfile
import time
from pathlib import Path

from backlog import Backlog
from row import Row

PRODUCTION, GOAL = 2.0, 20
METERS, ROUNDS = 500, 2


def drain_rate() -> float:
    """Statements a second until the store has a receipt for each."""
    with tempfile.TemporaryDirectory() as folder, Backlog(Path(folder), METERS) as backlog:
        backlog.registry.start()
        began = time.perf_counter()
        backlog.drain(backlog.outbox())
        seconds = time.perf_counter() - began
        durable, entered, _ = backlog.store.counts()
    if entered != durable:
        sys.exit(f"{entered} of {durable} statements have a receipt: the figure would be wrong")
    return durable / seconds


def drain_row() -> Row:
    """edge.drain_vs_production."""
    rate = max(drain_rate() for _ in range(ROUNDS))
    note = f"{2 * METERS + 1} statements that waited; limit: one meter a second, two statements each"
    return Row("edge.drain_vs_production", rate, "1/s", PRODUCTION, GOAL, at_most=False, note=note)
