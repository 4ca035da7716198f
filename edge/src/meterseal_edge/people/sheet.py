"""What there is to be signed of a run: its rows by the judge, and who may sign in which role.

Two people: a person may sign in a second role only while the roles that are left can still bring as many different
people as the pack asks for. That is the judge's own count (judge/people.py), asked before instead of after, and over
people instead of keys: who shares an account or a key with somebody is that same person, so a second key in a second
browser does not make two of one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meterseal_edge.runs.figures import Figures
from meterseal_edge.runs.run import Run
from meterseal_protocol.judge.people import most_people
from meterseal_protocol.rules.pack import Pack
from meterseal_protocol.signoff import Row
from meterseal_wire import kinds
from meterseal_wire import labels as L

Person = tuple[int, bytes]  # an account's number and the thumbprint of the key that signed


@dataclass(frozen=True)
class Sheet:
    """A run with its figures: what there is to be signed."""

    run: Run
    figures: Sequence[Figures]

    @property
    def pack(self) -> Pack | None:
        """The rules of the run's plan, where they are known here."""
        return self.figures[0].case.pack if self.figures else None

    @property
    def rows(self) -> list[Row]:
        """One row a meter; empty unless every meter of the run has one, so nobody signs half a run."""
        found = [item.row for item in self.figures if item.row is not None]
        return found if len(found) == len(self.figures) else []

    @property
    def is_for_signing(self) -> bool:
        """True for a signed verification whose errors are all computed; training is never signed off."""
        attempt = self.run.attempt
        return attempt is not None and attempt.statement.payload[L.MODE] == kinds.VERIFY and bool(self.rows)

    @property
    def roles(self) -> list[int]:
        """The roles that the rules ask for; none where the rules are not known."""
        return sorted(set(self.pack.numbers("signoff_roles"))) if self.pack else []

    @property
    def least_people(self) -> int:
        """How many different people the rules ask for."""
        return min(self.pack.number("least_people"), len(self.roles)) if self.pack else 0

    @property
    def failed(self) -> list[tuple[Row, list[str]]]:
        """(row, the judge's codes, each once) of each meter that failed: what a notice says."""
        return [
            (item.row, sorted({code for code, _ in item.reasons}))
            for item in self.figures
            if self.is_for_signing and item.row is not None and item.row.outcome == kinds.FAILED
        ]

    def people_missing(self, signers: dict[int, set[bytes]]) -> int:
        """How many people would lack in the end, if each role that nobody signed yet got somebody new."""
        still_open = sum(1 for role in self.roles if not signers.get(role))
        reached = most_people([signers[role] for role in self.roles if signers.get(role)]) + still_open
        return max(0, self.least_people - reached)


def signers(signed: Iterable[tuple[int, Person]]) -> dict[int, set[bytes]]:
    """The people who signed in each role, by a name for each: (role, person) in, people that are one joined."""
    pairs = list(signed)
    names = same(person for _, person in pairs)
    found: dict[int, set[bytes]] = {}
    for role, person in pairs:
        found.setdefault(role, set()).add(names[person])
    return found


def same(people: Iterable[Person]) -> dict[Person, bytes]:
    """A name for each: equal where they share an account or a key, directly or through others."""
    pairs = list(people)
    name: dict[int | bytes, bytes] = {}
    for account, key in pairs:
        joined = {name[part] for part in (account, key) if part in name}
        label = min(joined, default=key)
        name = {part: label if held in joined else held for part, held in name.items()}
        name |= {account: label, key: label}
    return {(account, key): name[key] for account, key in pairs}
