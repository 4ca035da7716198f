"""The place of a run in its fixture's chain: what stands before it, between its two statements, and what they cite.

A statement's chain header names the one before by its identity. The store refuses what does not link; here each link
is looked at once more, from the stored identities, so that a page shows what is there and not what was believed.
"""

from dataclasses import dataclass

from meterseal_edge.runs.run import Run
from meterseal_edge.store.contract import Store
from meterseal_protocol.entry import Entry


@dataclass(frozen=True)
class Link:
    """One statement of the run: `what` (attempt or closer), where it stands, the identity it cites, whether the
    statement at the place before has that identity (None: that place is not held here), its leaf, and whether a
    registry receipt covers it.
    """

    what: str
    epoch: int
    seq: int
    identity: bytes
    cites: bytes
    holds: bool | None
    leaf: int
    entered: bool
    received_s: int


def links(run: Run, store: Store) -> list[Link]:
    """The attempt and what closed it, as far as their bytes are kept."""
    pairs = (("attempt", run.attempt, run.entered[0]), ("closer", run.closer, run.entered[1]))
    return [_link(what, entry, entered, store) for what, entry, entered in pairs if entry is not None]


def between(run: Run) -> int | None:
    """How many statements stand between the attempt and what closed it; None over a break, or while it is open."""
    if run.attempt is None or run.closer is None:
        return None
    opened, closed = run.attempt.statement.chain, run.closer.statement.chain
    assert opened is not None and closed is not None
    return closed[1] - opened[1] - 1 if closed[0] == opened[0] else None


def _link(what: str, entry: Entry, entered: bool, store: Store) -> Link:
    assert entry.statement.chain is not None
    epoch, seq, cites = entry.statement.chain
    before = store.identity_at(entry.key, epoch, seq - 1) if seq else None
    holds = None if before is None else before == cites
    return Link(
        what, epoch, seq, entry.statement.identity, cites, holds, entry.leaf, entered, entry.entered_s
    )
