"""Which witnesses make a checkpoint *witnessed*, and by when an entry had been seen: its *not after*.

A quorum is `least` of its members, each a witness or a quorum again (C2SP tlog-policy's groups). It is reached at the
least-th of its members' times in ascending order. That bound holds while fewer than `least` of them lie: then one of
the first `least` to sign is honest, the entry stood in the tree when that one signed, and no later time is needed. The
smallest time alone would let a single witness date an entry back.

Not after of an entry (design section 1.4): the second at which the registry logged it, or at which its quorum had
cosigned a checkpoint of the edge's log that covers it, whichever is earlier. A sighting that does not hold proves
nothing and moves nothing; silence never makes a time earlier.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from meterseal_protocol.checkpoint_text import LogHead, open_checkpoint
from meterseal_protocol.errors import BadKey, BadProof, ProtocolError, UnknownKey
from meterseal_protocol.keys import PublicKey
from meterseal_protocol.merkle import Inclusion, leaf_hash, verify_inclusion
from meterseal_protocol.note_key import TIMED, VerifierKey


@dataclass(frozen=True, slots=True)
class Quorum:
    """`least` of these members, 1 to all of them; BadKey where one key stands twice, under any name, or is a log's."""

    least: int
    members: "tuple[VerifierKey | Quorum, ...]"

    def __post_init__(self) -> None:
        """Nobody counts twice."""
        if not 1 <= self.least <= len(self.members):
            raise BadKey(f"{self.least} of {len(self.members)} is no quorum")
        publics: set[PublicKey] = set()
        for key in self.witnesses():
            if key.type != TIMED or key.public in publics:
                raise BadKey(f"{key.name} is a log's key, or stands in the quorum twice")
            publics.add(key.public)

    def witnesses(self) -> Iterator[VerifierKey]:
        """Every witness in it, at whatever depth."""
        for member in self.members:
            if isinstance(member, Quorum):
                yield from member.witnesses()
            else:
                yield member

    def reached_s(self, times: Mapping[VerifierKey, int]) -> int | None:
        """Unix seconds at which enough had signed, given when each witness did; None where they never had."""
        found = [
            member.reached_s(times) if isinstance(member, Quorum) else times.get(member)
            for member in self.members
        ]
        reached = sorted(time_s for time_s in found if time_s is not None)
        return reached[self.least - 1] if len(reached) >= self.least else None


@dataclass(frozen=True, slots=True)
class LogTrust:
    """What a log is believed by: its origin, its verifier keys, and the witnesses that must have seen it."""

    origin: str
    keys: tuple[VerifierKey, ...]
    quorum: Quorum


@dataclass(frozen=True, slots=True)
class Sighting:
    """A checkpoint note with cosignatures, and where an entry stands in its tree."""

    note: bytes
    place: Inclusion


def witnessed(raw: bytes, trust: LogTrust) -> tuple[LogHead, int]:
    """A checkpoint's head and the Unix second at which its quorum was reached.

    As `open_checkpoint`; UnknownKey where the log did not sign it, BadProof where it is of another log or too few
    witnesses cosigned it. A cosignature that names second 0 says no time and counts for nothing.
    """
    head, opened = open_checkpoint(raw, (*trust.keys, *trust.quorum.witnesses()))
    if head.origin != trust.origin:
        raise BadProof(f"this is a checkpoint of {head.origin}, not of {trust.origin}")
    if not any(key in opened.signers for key in trust.keys):
        raise UnknownKey(f"no key of the log {trust.origin} signed this checkpoint")
    timed = {key: [time_s for time_s in times if time_s] for key, times in opened.signers.items()}
    reached_s = trust.quorum.reached_s({key: times[0] for key, times in timed.items() if times})
    if reached_s is None:
        raise BadProof("too few of the witnesses that count have cosigned this checkpoint")
    return head, reached_s


def seen_s(identity: bytes, sighting: Sighting, trust: LogTrust) -> int:
    """Unix second by which the witnesses had seen the entry `identity` in the log; as `witnessed`, or BadProof."""
    head, reached_s = witnessed(sighting.note, trust)
    place = sighting.place
    if place.size != head.size:
        raise BadProof(f"the path is of a tree of {place.size} leaves, the checkpoint of {head.size}")
    verify_inclusion(leaf_hash(identity), place.index, place.size, place.path, head.root)
    return reached_s


def witnessed_not_after(
    identity: bytes, entered_s: int | None, sightings: Iterable[Sighting], trust: LogTrust
) -> int | None:
    """Unix second after which the entry `identity` was not made; None where nothing bounds it.

    `entered_s` is the second of its registry's receipt, already checked, or None. Total: never raises for what
    sightings hold.
    """
    found = [] if entered_s is None else [entered_s]
    for sighting in sightings:
        try:
            found.append(seen_s(identity, sighting, trust))
        except ProtocolError:
            continue
    return min(found, default=None)
