"""Not after: how early the witnesses of an edge's log had seen a statement (design section 1.4).

A sighting is a C2SP checkpoint of an edge's log with its cosignatures, and the path of one statement in that tree. It
proves itself, so nothing hangs on who brought it. Whom to believe comes from grants: the log by its edge's grant, which
names the log's key and how many witnesses are enough; each witness by a grant of its own, which only an anchor gives.
They are judged from the beacon that the attempt cites to the second at which the registry logged the sighting: a key
that was withdrawn by then dates nothing back. A witness's key has no other role, and is not the log's own.

Who cites a statement by its hash came after it: a sighting of a later link bounds the earlier ones too.

What does not hold moves nothing and is no reason; nor does a second before the beacon's, which the statement's chain
cites: whoever says it has a wrong clock. Not covered: a full quorum that lies can date a test back to its beacon.
"""

from collections.abc import Iterator

from meterseal_protocol.checkpoint_text import read_head
from meterseal_protocol.errors import BadKey, BadNote, ProtocolError
from meterseal_protocol.evidence import Entry, Evidence
from meterseal_protocol.grant import Grant, Grants, Interval
from meterseal_protocol.kept import once
from meterseal_protocol.keys import PublicKey
from meterseal_protocol.merkle import Inclusion
from meterseal_protocol.note import parse
from meterseal_protocol.note_key import PLAIN, TIMED, VerifierKey
from meterseal_protocol.quorum import LogTrust, Quorum, Sighting, seen_s
from meterseal_wire import kinds
from meterseal_wire import labels as L


def not_after_s(entry: Entry, beacon: Entry, evidence: Evidence, grants: Grants) -> int:
    """Unix second after which `entry`, whose chain cites `beacon`, was not signed."""
    found = [entry.entered_s]
    begin_s = beacon.statement.payload[L.TIME_S]
    for sighting in _of(entry, evidence):
        seen = _seen_s(sighting, Interval(begin_s, sighting.entered_s, beacon.leaf), grants)
        if seen is not None and seen >= begin_s:
            found.append(seen)
    return min(found)


def _of(entry: Entry, evidence: Evidence) -> Iterator[Entry]:
    """Sightings of a statement, or of one that was signed after it."""
    sightings = evidence.of_kind(L.KIND_SIGHTING)
    if not sightings:
        return
    since = {entry.statement.identity}
    links = (other for other in evidence.entries if other.key == entry.key and other.place > entry.place)
    for link in sorted(links, key=lambda other: other.place):
        if link.statement.chain is not None and link.statement.chain[2] in since:
            since.add(link.statement.identity)
    yield from (sighting for sighting in sightings if sighting.statement.payload[L.STATEMENT] in since)


def _seen_s(sighting: Entry, when: Interval, grants: Grants) -> int | None:
    payload = sighting.statement.payload
    size, index, path = payload[L.INCLUSION]
    try:
        trust = _trust(payload[L.NOTE], when, grants)
        shown = Sighting(payload[L.NOTE], Inclusion(index, size, path))
        return seen_s(payload[L.STATEMENT], shown, trust) if trust else None
    except ProtocolError:
        return None


def _trust(note: bytes, when: Interval, grants: Grants) -> LogTrust | None:
    """How the log of a note is believed; None where no edge's grant says it."""
    origin = read_head(parse(note).text).origin
    edge = grants.find(kinds.EDGE, lambda grant: _keeps(grant, origin), when)
    if edge.grant is None or not edge.good:
        return None
    log = VerifierKey(origin, PLAIN, PublicKey.from_cose(edge.grant.payload[L.LOG_KEY]))
    witnesses = {key.public: key for key in _witnesses(when, grants) if key.public != log.public}
    return LogTrust(origin, (log,), Quorum(edge.grant.payload[L.QUORUM], tuple(witnesses.values())))


def _keeps(grant: Grant, origin: str) -> bool:
    """True if the edge keeps the log of that origin: its first one, or one that a declared restore began."""
    payload = grant.payload
    own, number = f"edge/{payload[L.EDGE]}", origin.rpartition("/")
    named = origin == own or (number[0] == own and number[2].isdecimal())
    return named and L.LOG_KEY in payload and L.QUORUM in payload


def _witnesses(when: Interval, grants: Grants) -> Iterator[VerifierKey]:
    for grant in grants.of_kind(kinds.WITNESS):
        key = _key(grant)
        if key and grants.roles_of(grant.subject) == (kinds.WITNESS,) and not grants.against(grant, when):
            yield key


@once
def _key(grant: Grant) -> VerifierKey | None:
    """The key under which a witness signs notes; None where the grant names none that can."""
    try:
        return VerifierKey(grant.payload[L.WITNESS], TIMED, PublicKey.from_cose(grant.payload[L.SUBJECT_KEY]))
    except (BadKey, BadNote):
        return None
