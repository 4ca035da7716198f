"""chain, scope: is what we see whole? Each epoch from its boot without a hole, nothing forked, nothing left out.

A fork suspends its fixture from the first of the forked statements that was logged; what was logged before keeps its
answer. So a fork speaks against a result only where that was logged at the fork's leaf or later. Likewise a rotation
that the new key did not sign.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.evidence import MONTH_S, ROTATED, Entry
from meterseal_protocol.grant import Reason
from meterseal_protocol.judge.case import Case
from meterseal_protocol.rotation import rotated_to
from meterseal_wire import labels as L
from meterseal_wire.chain import GENESIS

# A sighting is no try: it only says how early one was seen.
NOT_SCOPED = (L.KIND_SCOPE, L.KIND_SIGHTING)
Epochs = dict[tuple[bytes, int], list[Entry]]
Fork = tuple[str, tuple[int, ...], int]  # code, numbers, leaf from which it suspends


def against(case: Case) -> Iterator[Reason]:
    """Reasons of this family."""
    epochs = _epochs(case.evidence.links)
    for entries in epochs.values():
        yield from _gaps(entries)
    yield from _undeclared(epochs)
    for code, numbers, leaf in _forks(case, epochs):
        if case.stand is None or case.stand.result is None or case.stand.result.leaf >= leaf:
            yield code, numbers
    yield from _breaks(case)
    yield from _scope(case)


def _epochs(links: Iterable[Entry]) -> Epochs:
    found: Epochs = {}
    for entry in links:
        found.setdefault(entry.place[:2], []).append(entry)
    for entries in found.values():
        entries.sort(key=lambda entry: (entry.place, entry.statement.identity))
    return dict(sorted(found.items()))


def _gaps(entries: list[Entry]) -> Iterator[Reason]:
    """One epoch: from a boot at 0, each seq there."""
    due = 0
    for entry in entries:
        _, epoch, seq = entry.place
        if seq > due:
            yield "chain.gap", (epoch, due)
        if (seq == 0) != (entry.statement.typ == L.KIND_BOOT):
            yield "chain.epoch_undeclared", (epoch,)
        due = seq + 1


def _undeclared(epochs: Epochs) -> Iterator[Reason]:
    """A boot names the head that it follows, in an earlier epoch; only the very first has none."""
    for boot in _boots(epochs):
        epoch, cited = boot.place[1], boot.statement.payload.get(L.LAST_HEAD)
        if (_prev(boot) == GENESIS) != (cited is None) or (cited is not None and cited[0] >= epoch):
            yield "chain.epoch_undeclared", (epoch,)


def _forks(case: Case, epochs: Epochs) -> Iterator[Fork]:
    for first, *others in case.evidence.forked:
        for other in others:
            if other.place == first.place:
                yield "chain.fork", other.place[1:], first.leaf
            else:
                yield "chain.two_successors", (other.place[1], first.place[1]), first.leaf
    for entries in epochs.values():
        yield from _disowned(entries)
    seen = case.evidence.of_kind(L.KIND_BOOT)
    for boot in _boots(epochs):
        yield from _beyond(epochs, boot)
        earlier = any(other.place < boot.place for other in seen if other.key == boot.key)
        if earlier and _prev(boot) == GENESIS:
            yield "chain.fork", boot.place[1:], boot.leaf  # it forgot everything, or denies it
    for event in case.evidence.of_kind(L.KIND_EVENT):
        if event.statement.payload[L.EVENT] == ROTATED:
            yield from _after_rotation(epochs, event)
            if not _both_signed(event):
                yield "chain.rotation", event.place[1:], event.leaf


def _disowned(entries: list[Entry]) -> Iterator[Fork]:
    """A statement that follows in its place and cites none of those that stand at the place before. `entries` are
    sorted by place.
    """
    before: list[Entry] = []
    for place, group in groupby(entries, lambda entry: entry.place):
        here = list(group)
        if before and place[2] == before[0].place[2] + 1:
            held = {other.statement.identity for other in before}
            for entry in here:
                if _prev(entry) not in held:
                    yield "chain.fork", place[1:], min(other.leaf for other in (entry, *before))
        before = here


def _beyond(epochs: Epochs, boot: Entry) -> Iterator[Fork]:
    """What was signed beyond the head that a boot cites, or stands there in another form."""
    key, epoch, _ = boot.place
    cited = tuple(boot.statement.payload.get(L.LAST_HEAD, (epoch, 0)))
    for (other, before), entries in epochs.items():
        if other != key or not cited[0] <= before < epoch or _prev(entries[0]) == _prev(boot):
            continue  # two boots behind one head are two successors
        for entry in entries:
            changed = entry.place[1:] == cited and entry.statement.identity != _prev(boot)
            if entry.place[1:] > cited or changed:
                yield "chain.fork", entry.place[1:], min(entry.leaf, boot.leaf)


def _after_rotation(epochs: Epochs, event: Entry) -> Iterator[Fork]:
    """The statement that hands over to a new key is the old one's last."""
    for entries in epochs.values():
        for entry in entries:
            if entry.key == event.key and entry.place > event.place:
                yield "chain.fork", entry.place[1:], min(entry.leaf, event.leaf)


def _both_signed(event: Entry) -> bool:
    """True if the key that an event hands the chain to agreed at this very place."""
    try:
        rotated_to(event.statement, event.key)
    except ProtocolError:
        return False
    return True


def _boots(epochs: Epochs) -> list[Entry]:
    return [entry for entries in epochs.values() for entry in entries if entry.statement.typ == L.KIND_BOOT]


def _prev(entry: Entry) -> bytes:
    return entry.statement.chain[2] if entry.statement.chain else b""


def _breaks(case: Case) -> Iterator[Reason]:
    """Epochs that the fixture opened in the 30 days before the result, as far back as the interval may reach."""
    if case.interval is None or case.pack is None or case.stand is None or case.stand.result is None:
        return
    result, since_s = case.stand.result, case.interval.not_before_s - MONTH_S
    boots = [
        boot
        for boot in case.evidence.of_kind(L.KIND_BOOT)
        if boot.key == result.key and boot.leaf < result.leaf and boot.entered_s >= since_s
    ]
    limit = case.pack.number("most_breaks_per_month")
    if len(boots) > limit:
        yield "chain.break_limit", (len(boots), limit)


def _scope(case: Case) -> Iterator[Reason]:
    """The newest scope lists what is here about the meter, no more and no less, and was made when all of it was in."""
    evidence = case.evidence
    scopes = evidence.of_kind(L.KIND_SCOPE)
    if not scopes:
        yield "scope.missing", ()
        return
    newest = scopes[-1]
    scope = newest.statement.payload
    held = {entry.statement.identity for entry in (*evidence.attempts, *evidence.closers)}
    listed = set(scope[L.ENTRIES])
    size = scope[L.LOG_SIZE]
    late = any(entry.leaf >= size for entry in evidence.entries if entry.statement.typ not in NOT_SCOPED)
    if held != listed or late or size > newest.leaf or scope[L.METER] != evidence.meter:
        yield "scope.incomplete", (len(listed), len(held))
