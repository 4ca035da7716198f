"""Everything that can happen to a statement at the edge, in the order in which it happens."""

from dataclasses import dataclass
from typing import NamedTuple

from meterseal_protocol.statement import Statement
from meterseal_wire import labels as L
from meterseal_wire.encode import ARRAY, BYTES, head


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


class Candidate(NamedTuple):
    """Verified: its signature holds and its key may speak on this topic. Not linked yet.

    `evidence` is packed, as the store keeps it. `cites` is the last head that a boot names, `meters` who sits where
    by an attempt, `mode` and `tenant` the attempt's. A tuple of plain values, since it comes from a process that
    verifies.
    """

    raw: bytes
    identity: bytes
    key: bytes
    fixture: str
    typ: int
    chain: tuple[int, int, bytes]
    evidence: bytes = b""
    cites: tuple[int, int] | None = None
    meters: dict[int, str] | None = None
    mode: int | None = None
    tenant: str = ""

    @classmethod
    def of(
        cls, statement: Statement, key: bytes, fixture: str, evidence: tuple[bytes, ...] = ()
    ) -> "Candidate":
        """Of a chained statement that `key` signed."""
        chain, typ, cites, meters, mode, tenant = statement.chain, statement.typ, None, None, None, ""
        assert chain is not None
        if typ == L.KIND_BOOT and L.LAST_HEAD in statement.payload:
            epoch, seq = statement.payload[L.LAST_HEAD]
            cites = (epoch, seq)
        elif typ == L.KIND_ATTEMPT:
            meters = {row[L.POSITION]: row[L.METER] for row in statement.payload[L.POSITIONS]}
            mode, tenant = statement.payload[L.MODE], statement.payload.get(L.TENANT, "")
        said = (cites, meters, mode, tenant)
        return cls(statement.raw, statement.identity, key, fixture, typ, chain, packed(evidence), *said)


def packed(evidence: tuple[bytes, ...]) -> bytes:
    """Evidence items as the store keeps them, an array of byte strings in CBOR; nothing for none."""
    parts = [head(ARRAY, len(evidence))]
    for item in evidence:
        parts += (head(BYTES, len(item)), item)
    return b"".join(parts) if evidence else b""


class Refused(NamedTuple):
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
