"""Station 6, first half: from a message's bytes to what each statement in it is worth. Pure, so it runs anywhere.

Size and envelope, signature, and whose topic it is; evidence is held against what covers it. What links is decided by
`ingest.py`, which has the chains.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meterseal_edge.events import Candidate, Refused
from meterseal_protocol.keys import KeyRing
from meterseal_protocol.statement import Statement
from meterseal_protocol.verify import Answer, Verified, verify_all
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.encode import ARRAY, BYTES
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan
from meterseal_wire.tree import tree_hash

PARCEL_BYTES = 65536
MOST, LONGEST_1 = 23, 255  # what a head of one byte says, and one of two
BYTES_1, BYTES_2 = BYTES + 24, BYTES + 25
Said = tuple[str, bytes]  # the fixture that the topic names, payload
Item = tuple[bytes, tuple[bytes, ...]]  # statement, evidence
Alarm = tuple[str, str, str]  # fixture, code, why


@dataclass(frozen=True, slots=True)
class Directory:
    """Every key that is known, and the names of this site's fixtures by thumbprint."""

    ring: KeyRing
    names: Mapping[bytes, str]


@dataclass(slots=True)
class Examined:
    """Statements of some messages in their order, each of them a candidate or refused."""

    found: list[Candidate | Refused]
    alarms: list[Alarm]


def examine(said: Iterable[Said], directory: Directory) -> Examined:
    """What messages hold. Whatever is wrong with one is a refusal or an alarm, never an error."""
    parcels = [(fixture, unpack(fixture, payload)) for fixture, payload in said]
    raws = [raw for _, items in parcels if not isinstance(items, Refused) for raw, _ in items]
    answers = iter(verify_all(raws, directory.ring))
    found: list[Candidate | Refused] = []
    alarms: list[Alarm] = []
    for fixture, items in parcels:
        if isinstance(items, Refused):
            found.append(items)
            continue
        for raw, evidence in items:
            one = owned(fixture, raw, next(answers), directory)
            if isinstance(one, Refused):
                found.append(one)
                continue
            statement, key = one
            whole = not evidence or covers(statement, evidence)
            if not whole:
                alarms.append((fixture, "edge.evidence", "evidence that the statement does not cover"))
            found.append(Candidate.of(statement, key, fixture, evidence if whole else ()))
    return Examined(found, alarms)


def unpack(fixture: str, payload: bytes) -> list[Item] | Refused:
    """(statement, evidence) pairs of a parcel; a damaged parcel is refused whole, with the byte."""
    found = _plain(payload) if len(payload) <= PARCEL_BYTES else None
    if found is not None:
        return found
    try:
        items = scan(payload, PARCEL_BYTES)
    except WireError as error:
        return Refused(payload[:PARCEL_BYTES], b"", fixture, error.code, str(error))
    if not isinstance(items, list) or not all(_is_item(item) for item in items):
        why = "a parcel is an array of [statement, evidence ...]"
        return Refused(payload, b"", fixture, "edge.parcel", why)
    return [(item[0], tuple(item[1:])) for item in items]


def _plain(payload: bytes) -> list[Item] | None:
    """The same for a parcel of up to 23 items that is surely deterministic CBOR, else None: then `scan` judges."""
    if not payload or not ARRAY <= payload[0] <= ARRAY + MOST:
        return None
    at, items = 1, []
    try:
        for _ in range(payload[0] - ARRAY):
            count = payload[at] - ARRAY
            if count > MOST:
                return None
            at += 1
            parts = []
            for _ in range(count):
                start, at = _string(payload, at)
                if at < 0:
                    return None
                parts.append(payload[start:at])
            items.append((parts[0], tuple(parts[1:])))
    except IndexError:
        return None
    return items if at == len(payload) else None


def _string(payload: bytes, at: int) -> tuple[int, int]:
    """Start and end of the byte string at `at`, the end -1 where it is none in its shortest form."""
    kind = payload[at]
    if kind == BYTES_2:
        size, start = (payload[at + 1] << 8) + payload[at + 2], at + 3
        shortest = size > LONGEST_1
    elif kind == BYTES_1:
        size, start = payload[at + 1], at + 2
        shortest = size > MOST
    else:
        size, start = kind - BYTES, at + 1
        shortest = 0 <= size <= MOST
    return start, start + size if shortest else -1


def _is_item(item: object) -> bool:
    return isinstance(item, list) and bool(item) and all(isinstance(part, bytes) for part in item)


def owned(
    fixture: str, raw: bytes, answer: Answer, directory: Directory
) -> tuple[Statement, bytes] | Refused:
    """A statement and its key if a fixture's key signed it on that fixture's own topic, else a refusal."""
    if not isinstance(answer, Verified):
        return Refused(raw, b"", fixture, answer.code, str(answer))
    statement, key = answer.statement, answer.key.thumbprint
    holder = directory.names.get(key)
    if holder != fixture:
        why = f"the key of {holder or 'no fixture of this site'} spoke on the topic of {fixture}"
        return Refused(raw, key, fixture, "edge.topic", why)
    if statement.chain is None:
        return Refused(raw, key, fixture, "edge.kind", f"a {statement.kind} is not a fixture's to say")
    return statement, key


def covers(statement: Statement, evidence: tuple[bytes, ...]) -> bool:
    """True if the statement's plan digest or evidence root is that of `evidence`; an abandoned run covers none."""
    if statement.typ == L.KIND_ATTEMPT:
        return len(evidence) == 1 and sha256(evidence[0]) == statement.payload[L.PLAN]
    if statement.typ == L.KIND_RESULT:
        return bool(tree_hash(list(evidence)) == statement.payload[L.EVIDENCE_ROOT])
    return False
