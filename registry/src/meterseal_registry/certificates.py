"""Station 12: granted becomes a certificate (CWT) that a QR carries; what is no longer granted becomes invalid.

A certificate is made once for a result: the same decision again issues nothing new. Where its result is undecided
again (a sample is to be drawn, a sign-off was taken back) it is suspended until that is decided. Invalid is final for a
certificate; a wrong withdrawal is cured by a new one on the same evidence.
"""

from dataclasses import dataclass
from typing import Any

from meterseal_protocol.certificate import Certificate, issue, marks_hash
from meterseal_protocol.evidence import Entry
from meterseal_protocol.status import INVALID, SUSPENDED, VALID
from meterseal_registry.decisions import Decided
from meterseal_registry.entries import Entries
from meterseal_registry.settings import Settings
from meterseal_registry.store.contract import Issued, Store
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import Author

STATUS_LIST = 1
DAY_S = 86400


@dataclass
class Certificates:
    """Issues and invalidates over one store and log."""

    entries: Entries
    store: Store
    author: Author
    settings: Settings

    def settle(self, decided: Decided, now_s: int) -> bytes | None:
        """Bring a meter's certificates in line with its newest decision; the new certificate's bytes, if any."""
        payload = decided.statement.payload
        standing = self.standing(payload[L.METER])
        for item in standing:
            if item.status != due(item, payload):
                self.store.set_status(item.index, due(item, payload))
        if not decided.decision.granted or any(holds(item, payload) for item in standing):
            return None
        return self.make(decided, now_s)

    def make(self, decided: Decided, now_s: int) -> bytes:
        """Issue, log and record one certificate."""
        payload = decided.statement.payload
        index = len(self.store.statuses())
        raw = issue(self.author, self.content(decided, index, now_s))
        issued = Issued(identity(raw), payload[L.METER], payload[L.RESULT], index, VALID)
        self.entries.record_certificate(raw, issued, now_s)
        return raw

    def content(self, decided: Decided, index: int, now_s: int) -> Certificate:
        """What the certificate says, all of it from the decision and the attempt it rests on."""
        payload = decided.statement.payload
        meter = payload[L.METER]
        expires_s = min(payload[L.WINDOW][1], now_s + self.settings.certificate_days * DAY_S)
        return Certificate(
            issuer=self.settings.registry,
            meter=meter,
            issued_s=now_s,
            expires_s=expires_s,
            territory=tuple(payload[L.TERRITORY]),
            rules=payload[L.RULES][:8],
            result=payload[L.RESULT][:16],
            position=payload[L.POSITION],
            end_register=payload[L.END_REGISTER],
            exponent=decided.decision.register_exponent,
            marks=marks_hash(
                meter.partition(".")[2], decided.decision.electronic_address, " ".join(decided.decision.seals)
            ),
            status_list=STATUS_LIST,
            status_index=index,
            demo=bool(payload.get(L.DEMO)),
        )

    def standing(self, meter: str) -> list[Issued]:
        """A meter's certificates that were not withdrawn for good, oldest first."""
        return [item for item in self.store.issued(meter) if item.status != INVALID]

    def agree(self, decision: Entry) -> bool:
        """True if a meter's certificates are what its newest decision asks for; False where the power went between.

        One that was issued on the decision and withdrawn since is not issued again.
        """
        payload = decision.statement.payload
        issued = self.store.issued(payload[L.METER])
        if any(
            item.status not in (INVALID, due(item, payload)) and not _by_hand(item, payload)
            for item in issued
        ):
            return False
        answered = (holds(item, payload) and self._stands(item, decision.leaf) for item in issued)
        return payload[L.OUTCOME] != kinds.GRANTED or any(answered)

    def _stands(self, item: Issued, leaf: int) -> bool:
        return item.status != INVALID or self.entries.log.find(item.identity).leaf > leaf

    def newest(self, meter: str) -> bytes | None:
        """Bytes of a meter's newest certificate, whatever its status."""
        found = self.store.issued(meter)
        return self.entries.log.find(found[-1].identity).raw if found else None


def holds(item: Issued, payload: dict[int, Any]) -> bool:
    """True if a decision grants the very result that a certificate rests on."""
    return bool(payload[L.OUTCOME] == kinds.GRANTED and item.result == payload[L.RESULT])


def due(item: Issued, payload: dict[int, Any]) -> int:
    """The status that a decision gives a certificate: valid, suspended while it is undecided, else invalid."""
    if item.result != payload.get(L.RESULT):
        return INVALID
    return {kinds.GRANTED: VALID, kinds.UNDECIDED: SUSPENDED}.get(payload[L.OUTCOME], INVALID)


def _by_hand(item: Issued, payload: dict[int, Any]) -> bool:
    """Suspended though its decision would have it valid: somebody did that, and a restart does not undo it."""
    return item.status == SUSPENDED and due(item, payload) == VALID
