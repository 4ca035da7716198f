"""Station 11: a meter is decided from the log as it stands, by the pure judge, and the decision is logged.

Scope first, then the judge over exactly the entries below the log size that the decision names: whoever holds
the same entries computes the same bytes again.
"""

from dataclasses import dataclass

from meterseal_protocol.evidence import Evidence
from meterseal_protocol.judge import Decision, decide
from meterseal_protocol.rules import Pack
from meterseal_protocol.statement import Statement
from meterseal_registry.entries import Entries
from meterseal_registry.scopes import scope
from meterseal_wire import labels as L
from meterseal_wire.statement import Author, build


@dataclass(frozen=True)
class Decided:
    """A decision that is in the log, with the judge's own object."""

    statement: Statement
    decision: Decision


@dataclass
class Decisions:
    """Decides meters over one log with one set of rule packs."""

    entries: Entries
    author: Author
    packs: list[Pack]

    def decide(self, meter: str, now_s: int) -> Decided:
        """Scope, decision, both logged; `now_s` is the instant for which installation is asked."""
        log = self.entries.log
        with log.lock:
            self.entries.record(scope(self.author, log, meter, now_s), now_s)
            found = decide(self.evidence(meter), self.entries.authorities.grants(log), self.packs, now_s)
            statement = self.entries.record(build(self.author, L.KIND_DECISION, found.payload()), now_s)
        return Decided(statement, found)

    def evidence(self, meter: str) -> Evidence:
        """Everything that the log has about a meter, without a look at what it has about others."""
        log = self.entries.log
        with log.lock:
            return log.evidence.select(meter, log.size)

    def newest(self, meter: str) -> Statement | None:
        """The last decision about a meter."""
        return self.entries.log.catalogue.decision(meter)

    def meters(self) -> list[str]:
        """Every meter that was ever decided, in the order of the first decision."""
        return list(self.entries.log.catalogue.decided)
