"""Everything that can happen to a statement at the edge, in the order in which it happens."""

from dataclasses import dataclass

from meterseal_protocol.statement import Statement


@dataclass(frozen=True, slots=True)
class Parcel:
    """Received: one MQTT message of a fixture. Not a word of it is believed yet.

    `connection` counts the edge's connections: an acknowledgement belongs to the one that brought the message.
    """

    fixture: str
    payload: bytes
    message_id: int
    qos: int
    connection: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """Verified: its signature holds and its key may speak on this topic. Not linked yet."""

    statement: Statement
    key: bytes
    fixture: str
    evidence: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """Not taken into the log: kept in quarantine with the reason's code, up to a bound per key."""

    raw: bytes
    key: bytes
    fixture: str
    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Durable:
    """On disk and in the log. No promise yet: the fixture keeps it until custody."""

    candidate: Candidate
    leaf: int


@dataclass(frozen=True, slots=True)
class Covered:
    """Custody was signed for this key up to (epoch, seq)."""

    key: bytes
    fixture: str
    epoch: int
    seq: int
    raw: bytes
