"""Which grants stand: within their window and not withdrawn, by what this edge has learnt of the authority.

The judge asks the same of a test's interval, with the log's order; here it is asked of now, by the edge's own clock,
and every grant that is known here counts as logged. So nothing is decided: what is sent down, shown and collected here
is what the registry can be expected to take.
"""

from collections.abc import Callable, Iterable, Sequence

from meterseal_protocol.entry import Entry
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.grant import Grants, Interval
from meterseal_protocol.holders import Holders
from meterseal_protocol.keys import PublicKey
from meterseal_protocol.verify import verify
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.errors import WireError
from meterseal_wire.sign1 import identity

NOW = 0  # the leaf of what is asked; every grant that is known here stands before it
UNKNOWN = "grant.missing"
ENDED = {"grant.window", "grant.withdrawn", "firmware.withdrawn"}


class Standing:
    """The authority chain over what was `learnt`, withdrawals too, and over what was laid beside it."""

    def __init__(self, anchors: Sequence[PublicKey], learnt: Callable[[], list[bytes]]) -> None:
        self.anchors, self.learnt = anchors, learnt
        self._beside: tuple[bytes, ...] = ()
        self._known = -1
        self._grants = Grants((), anchors)

    def lay_beside(self, grants: Iterable[bytes]) -> None:
        """Other grants beside those that were learnt."""
        self._beside, self._known = tuple(grants), -1

    @property
    def grants(self) -> Grants:
        """All grants and withdrawals that are known now."""
        learnt = self.learnt()
        if len(learnt) != self._known:
            known = list(dict.fromkeys([*learnt, *self._beside]))
            self._grants, self._known = Grants(self._entries(known), self.anchors), len(learnt)
        return self._grants

    def _entries(self, known: Sequence[bytes]) -> list[Entry]:
        """Before NOW, in the order of their numbers: files in a folder have no order of their own."""
        holders, found = Holders(self.anchors), []
        holders.learn(known)
        for raw in known:
            try:
                one = verify(raw, holders.ring)
            except (ProtocolError, WireError):
                continue
            found.append((one.statement, one.key.thumbprint))
        found.sort(key=lambda pair: (pair[0].payload.get(L.NUMBER, 0), pair[0].identity))
        first = NOW - len(found)
        return [Entry(statement, key, first + n, 0) for n, (statement, key) in enumerate(found)]

    def against(self, raw: bytes, now_s: int) -> list[str]:
        """Codes of what speaks against a grant now, up to its anchor; none while it stands."""
        grant = self.grants.named(identity(raw))
        if grant is None:
            return [UNKNOWN]
        return [code for code, _ in self.grants.against(grant, Interval(now_s, now_s, NOW))]

    def ended(self, raw: bytes, now_s: int) -> list[str]:
        """Of these codes those which say that a grant has ended or was taken back: it, or one above it."""
        return [code for code in self.against(raw, now_s) if code in ENDED]

    def bench_of(self, key: bytes, now_s: int) -> str | None:
        """The bench of a fixture's key (thumbprint), None where no grant of it stands."""
        found = self.grants.signer_of(kinds.FIXTURE, key, Interval(now_s, now_s, NOW))
        return str(found.grant.payload[L.BENCH]) if found.good and found.grant else None
