"""sampling, supervision, status: was the meter drawn for a second measurement, and did that one pass?

Sampling: the authority commits to a seed while the batch runs and reveals it when the window is over; a batch is the
results of a maker that were logged within the window, after the commitment and before the reveal. Until the seed is
known nobody knows who is drawn, so all of them wait. A supervisor draws attempts of a maker by their identity, known
to nobody before they are signed. Whoever is drawn needs a second measurement, or the supervisor's signature. A
measurement that failed is final for the result it was made of, and taints the rest of its batch.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256

from meterseal_protocol.evidence import Entry
from meterseal_protocol.grant import Grant, Interval, Reason
from meterseal_protocol.judge.case import Case
from meterseal_protocol.judge.said import Said
from meterseal_wire import kinds
from meterseal_wire import labels as L

RANGE = 1 << 256  # a SHA-256 as a number is below it
NO_NUMBER = 0


def against(case: Case) -> Iterator[Reason]:
    """Reasons of this family; nothing where the test's time is not known."""
    said = Said.of(case)
    if said is None:
        return
    own = [entry for entry in said.about(L.KIND_REMEASUREMENT) if _may_measure(case, entry)]
    for entry in own:
        if entry.statement.payload[L.OUTCOME] != kinds.PASSED:
            yield "sampling.failed", (entry.statement.payload.get(L.NUMBER, NO_NUMBER),)
    passed = [entry for entry in own if entry.statement.payload[L.OUTCOME] == kinds.PASSED]
    for commitment in case.evidence.of_kind(L.KIND_SAMPLING):
        if L.COMMITMENT in commitment.statement.payload:
            yield from _sampled(said, commitment, own)
    yield from _supervised(said, passed)


def drawn(share: Sequence[int], *parts: bytes) -> bool:
    """True if SHA-256 over the parts, as a number, is below `share` (numerator, denominator) of its range."""
    number = int.from_bytes(sha256(b"".join(parts)).digest(), "big")
    return number * share[1] < share[0] * RANGE


def _sampled(said: Said, commitment: Entry, measured: list[Entry]) -> Iterator[Reason]:
    case, payload = said.case, commitment.statement.payload
    number, (start_s, end_s) = payload[L.NUMBER], payload[L.WINDOW]
    if not start_s <= said.result.entered_s <= end_s or commitment.leaf >= said.result.leaf:
        return
    if not _authority(case, commitment):
        yield "grant.level", (number,)
        return
    seed = _seed(said, commitment)
    if seed is None:
        yield "sampling.pending", (number, end_s)
        return
    share = payload.get(L.SHARE, (0, 1))
    if drawn(share, seed, case.evidence.meter.encode()) and not _of_number(measured, number):
        yield "sampling.pending", (number, end_s)
    for entry in _of_number(case.evidence.of_kind(L.KIND_REMEASUREMENT), number):
        other = entry.statement.payload[L.METER]
        failed = entry.statement.payload[L.OUTCOME] != kinds.PASSED and _may_measure(case, entry)
        if failed and other != case.evidence.meter and drawn(share, seed, other.encode()):
            yield "status.tainted", (number,)


def _seed(said: Said, commitment: Entry) -> bytes | None:
    """The seed that the commitment was made to, where it was revealed after the window and after the result."""
    head = commitment.statement.payload
    for entry in said.case.evidence.of_kind(L.KIND_SAMPLING):
        payload = entry.statement.payload
        seed: bytes = payload.get(L.SEED, b"")
        same = all(payload[label] == head[label] for label in (L.NUMBER, L.MAKER, L.WINDOW))
        in_time = entry.entered_s > head[L.WINDOW][1] and entry.leaf > said.result.leaf
        if same and in_time and sha256(seed).digest() == head[L.COMMITMENT]:
            return seed
    return None


def _of_number(entries: list[Entry], number: int) -> list[Entry]:
    return [entry for entry in entries if entry.statement.payload.get(L.NUMBER) == number]


def _supervised(said: Said, passed: list[Entry]) -> Iterator[Reason]:
    """Each supervisor of the maker who draws this attempt has signed, or a second measurement passed."""
    case = said.case
    assert case.stand is not None
    for grant in case.grants.of_kind(kinds.SUPERVISOR):
        payload = grant.payload
        if payload[L.MAKER] != case.maker or not drawn(
            payload[L.SHARE], grant.subject, case.stand.attempt.statement.identity
        ):
            continue
        doubts = case.grants.against(grant, said.interval)
        if any(code != "time.straddles" for code, _ in doubts):
            continue  # nobody supervises without a grant that holds
        yield from doubts
        if not passed and not _cosigned(said, grant):
            yield "supervision.missing", (grant.number,)


def _cosigned(said: Said, grant: Grant) -> bool:
    return any(
        entry.key == grant.subject and entry.statement.payload[L.ROLE] == kinds.SUPERVISING
        for entry, _ in said.signoffs
    )


def _may_measure(case: Case, entry: Entry) -> bool:
    """A registry enters second measurements, and so may a supervisor or an authority."""
    when = Interval(entry.entered_s, entry.entered_s, entry.leaf)
    some = (case.grants.signer_of(kind, entry.key, when) for kind in (kinds.REGISTRY, kinds.SUPERVISOR))
    return any(found.good for found in some) or _authority(case, entry)


def _authority(case: Case, entry: Entry) -> bool:
    """An anchor, or whoever it delegated to."""
    if entry.key in {anchor.thumbprint for anchor in case.grants.anchors}:
        return True
    when = Interval(entry.entered_s, entry.entered_s, entry.leaf)
    return case.grants.signer_of(kinds.DELEGATION, entry.key, when).good
