"""chain, scope: is what we see whole? Each epoch from its boot without a hole, and nothing left out about the meter."""

from collections.abc import Iterator

from meterseal_protocol.evidence import CLOSERS, Entry, closes, names
from meterseal_protocol.grant import Reason
from meterseal_protocol.judge.case import Case
from meterseal_wire import labels as L
from meterseal_wire.chain import GENESIS

Epoch = list[Entry]


def against(case: Case) -> Iterator[Reason]:
    """Reasons of this family."""
    epochs = _epochs(case)
    for entries in epochs.values():
        yield from _epoch(entries)
    yield from _between(epochs)
    yield from _scope(case)


def _epochs(case: Case) -> dict[tuple[bytes, int], Epoch]:
    found: dict[tuple[bytes, int], Epoch] = {}
    for entry in case.evidence.entries:
        if entry.statement.chain is not None:
            found.setdefault(entry.place[:2], []).append(entry)
    for entries in found.values():
        entries.sort(key=lambda entry: (entry.place, entry.statement.identity))
    return dict(sorted(found.items()))


def _epoch(entries: Epoch) -> Iterator[Reason]:
    """One epoch: from a boot at 0, each seq once, each citing the one before."""
    due, head = 0, b""
    for entry in entries:
        _, epoch, seq = entry.place
        prev = entry.statement.chain[2] if entry.statement.chain else b""
        if seq < due:
            yield "chain.fork", (epoch, seq)
            continue
        if seq > due:
            yield "chain.gap", (epoch, due)
        elif head and prev != head:
            yield "chain.fork", (epoch, seq)
        if (seq == 0) != (entry.statement.typ == L.KIND_BOOT):
            yield "chain.epoch_undeclared", (epoch,)
        due, head = seq + 1, entry.statement.identity


def _between(epochs: dict[tuple[bytes, int], Epoch]) -> Iterator[Reason]:
    """A boot cites the head that it follows: one successor a head, and nothing signed beyond it."""
    followed: dict[tuple[bytes, bytes], int] = {}
    for (key, epoch), entries in epochs.items():
        boot = entries[0].statement
        if boot.typ != L.KIND_BOOT or boot.chain is None:
            continue
        prev = boot.chain[2]
        if (prev == GENESIS) != (L.LAST_HEAD not in boot.payload):
            yield "chain.epoch_undeclared", (epoch,)
            continue
        if (key, prev) in followed:
            yield "chain.fork", (epoch, 0)
        followed[key, prev] = epoch
        if prev != GENESIS:
            yield from _before(epochs, (key, epoch), boot.payload[L.LAST_HEAD], prev)


def _before(
    epochs: dict[tuple[bytes, int], Epoch], own: tuple[bytes, int], cited: list[int], prev: bytes
) -> Iterator[Reason]:
    key, epoch = own
    if cited[0] >= epoch:
        yield "chain.epoch_undeclared", (epoch,)
    for (other, before), entries in epochs.items():
        if other != key or not cited[0] <= before < epoch:
            continue
        for entry in entries:
            beyond = entry.place[1:] > tuple(cited)
            changed = entry.place[1:] == tuple(cited) and entry.statement.identity != prev
            if beyond or changed:
                yield "chain.fork", entry.place[1:]


def _scope(case: Case) -> Iterator[Reason]:
    scopes = case.evidence.of_kind(L.KIND_SCOPE)
    if not scopes:
        yield "scope.missing", ()
        return
    scope = scopes[-1].statement.payload
    attempts = [e for e in case.evidence.of_kind(L.KIND_ATTEMPT) if names(e, case.evidence.meter)]
    places = {entry.place for entry in attempts}
    closers = [e for e in case.evidence.entries if e.statement.typ in CLOSERS and closes(e) in places]
    held = {entry.statement.identity for entry in (*attempts, *closers)}
    listed = set(scope[L.ENTRIES])
    late = any(entry.leaf >= scope[L.LOG_SIZE] for entry in (*attempts, *closers))
    if held != listed or late or scope[L.METER] != case.evidence.meter:
        yield "scope.incomplete", (len(listed), len(held))
