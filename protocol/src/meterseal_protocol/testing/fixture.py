"""A fixture as the log sees it: one chain of really signed statements, epoch by epoch.

It keeps the rules that an honest fixture keeps; a test that wants a dishonest one signs with `say` at a place of
its own choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.rotation import countersigned
from meterseal_protocol.testing.runs import Seat
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.chain import GENESIS
from meterseal_wire.digest import sha256
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import Author, build
from meterseal_wire.tree import tree_hash

CLOCK = (10_000_000, 1, 0)
AIR = ([20_000, 20_000, 20_000], [10_130, 10_130, 10_130], [600, 600, 600])
CHECKS = (15_000, 15_000, 60, 0)  # 1.5 bar held for a minute, no count at zero flow


@dataclass(frozen=True)
class Signed:
    """Statement bytes with their evidence items, as one item of a parcel."""

    raw: bytes
    evidence: tuple[bytes, ...] = ()

    @property
    def identity(self) -> bytes:
        """32 bytes."""
        return bytes(identity(self.raw))


@dataclass
class ModelFixture:
    """Signs for `author`; `epoch` is 0 until the first boot, `counter` counts attempts.

    `clock` and `air` are what it says of its capture clock and of the room.
    """

    author: Author
    epoch: int = 0
    seq: int = 0
    head: bytes = GENESIS
    counter: int = 0
    clock: tuple[int, int, int] = CLOCK
    air: Sequence[Sequence[int]] = AIR
    signed: list[Signed] = field(default_factory=list)

    def say(self, typ: int, payload: dict[int, Any], evidence: Sequence[bytes] = ()) -> Signed:
        """Sign at the next place of the chain."""
        self.seq += 1
        return self._keep(typ, payload, evidence)

    def _keep(self, typ: int, payload: dict[int, Any], evidence: Sequence[bytes]) -> Signed:
        raw = build(self.author, typ, payload, (self.epoch, self.seq, self.head))
        found = Signed(bytes(raw), tuple(evidence))
        self.head = found.identity
        self.signed.append(found)
        return found

    def boot(self) -> Signed:
        """Open the next epoch, citing the last head."""
        payload: dict[int, Any] = {
            L.COUNTER: self.counter,
            L.FIRMWARE_DIGEST: sha256(b"model firmware"),
            L.FIRMWARE_VERSION: "0.1.0",
            L.BOARD: "model",
            L.CLOCK: self.clock,
            L.RESET_CAUSE: 1,
        }
        if self.epoch:
            payload[L.LAST_HEAD] = (self.epoch, self.seq)
        self.epoch, self.seq = self.epoch + 1, 0
        return self._keep(L.KIND_BOOT, payload, ())

    def attempt(self, seats: Sequence[Seat], plan: bytes, beacon: bytes, **changes: Any) -> Signed:
        """Intent to test `seats` by a plan after a beacon's identity. `changes`: mode, checks, operator, tenant."""
        self.counter += 1
        payload = {
            L.MODE: changes.get("mode", kinds.VERIFY),
            L.COUNTER: self.counter,
            L.PLAN: sha256(plan),
            L.OPERATOR: changes.get("operator", bytes(8)),
            L.BEACON: beacon,
            L.CLOCK: self.clock,
            L.POSITIONS: [seat.in_attempt() for seat in seats],
            L.BENCH_CHECKS: changes.get("checks", CHECKS),
        }
        if "tenant" in changes:
            payload[L.TENANT] = changes["tenant"]
        return self.say(L.KIND_ATTEMPT, payload, [plan])

    def result(self, seats: Sequence[Seat], attempt: tuple[int, int] | None = None) -> Signed:
        """Result of the attempt just signed, or of the one at `attempt`."""
        leaves = [leaf for seat in seats for leaf in seat.leaves()]
        payload = {
            L.ATTEMPT: attempt or (self.epoch, self.seq),
            L.POSITIONS: [seat.in_result() for seat in seats],
            L.CONDITIONS: self.air,
            L.EVIDENCE_ROOT: tree_hash(leaves),
        }
        return self.say(L.KIND_RESULT, payload, leaves)

    def abandoned(
        self, reason: int, attempt: tuple[int, int], counts: Sequence[Sequence[int]] = ()
    ) -> Signed:
        """End of the attempt at a place without a result; `counts` are rows of position, meter, reference counts."""
        payload = {L.ATTEMPT: attempt, L.REASON: reason, L.RAW_COUNTS: [list(row) for row in counts]}
        return self.say(L.KIND_ABANDONED, payload)

    def hand_over(self, new: PrivateKey, **said: Any) -> "ModelFixture":
        """Sign a rotation to a `new` key (`said`: fields it has instead, or None); whoever goes on under it."""
        place = (self.epoch, self.seq + 1, self.head)
        payload = countersigned(self.author.thumbprint, new, place, "a new key")
        changed = {**payload, **{getattr(L, name): value for name, value in said.items()}}
        self.say(L.KIND_EVENT, {label: value for label, value in changed.items() if value is not None})
        author = Author(self.author.issuer, self.author.subject, new)
        return ModelFixture(author, self.epoch, self.seq, self.head, self.counter, self.clock, self.air)

    def event(self, name: str, detail: str) -> Signed:
        """Something that happened to the fixture."""
        return self.say(L.KIND_EVENT, {L.EVENT: name, L.DETAIL: detail})
