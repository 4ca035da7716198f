"""person, signoff, marks: did the people sign whom the rules ask for, each in a role of theirs, what was measured?

A sign-off that does not hold counts for nothing and is a reason only where its role has no other that holds. One that
contradicts what the judge computes refuses until it is corrected, whoever else signed.
"""

from collections.abc import Iterator, Sequence

from meterseal_protocol.evidence import Entry
from meterseal_protocol.grant import Reason
from meterseal_protocol.judge.case import Case
from meterseal_protocol.judge.said import Said
from meterseal_protocol.judge.sheet import row
from meterseal_protocol.rules.pack import Pack
from meterseal_protocol.signoff import Row
from meterseal_wire import kinds
from meterseal_wire import labels as L

NOTICE = 0  # stands for a role where a notice is meant


def against(case: Case) -> Iterator[Reason]:
    """Reasons of this family; nothing where time, rules or errors are not known: there is nothing to sign yet."""
    said, own = Said.of(case), row(case)
    if said is None or case.pack is None or own is None:
        return
    yield from _signed(said, case.pack)
    yield from _contradicted(said, own)
    if case.pack.number("marks_needed") and own.outcome == kinds.PASSED:
        yield from _marked(said)


def _signed(said: Said, pack: Pack) -> Iterator[Reason]:
    """Each role by somebody who holds it, and by enough people."""
    roles = sorted(set(pack.numbers("signoff_roles")))
    signers: list[set[bytes]] = []
    for role in roles:
        entries = [entry for entry, _ in said.signoffs if entry.statement.payload[L.ROLE] == role]
        doubts = [(entry, list(said.against(entry, role))) for entry in entries]
        signers.append({entry.key for entry, reasons in doubts if not reasons})
        if not entries:
            yield "signoff.missing", (role,)
        elif not signers[-1]:
            yield from (reason for _, reasons in doubts for reason in reasons)
    least = pack.number("least_people")
    if all(signers) and most_people(signers) < min(least, len(roles)):
        yield "person.same", (most_people(signers), least)


def most_people(signers: Sequence[set[bytes]]) -> int:
    """In how many of the roles a different person can be meant, where each role has these signers."""
    role_of: dict[bytes, int] = {}

    def seat(role: int, tried: set[bytes]) -> bool:
        for key in sorted(signers[role] - tried):
            tried.add(key)
            if key not in role_of or seat(role_of[key], tried):
                role_of[key] = role
                return True
        return False

    return sum(seat(role, set()) for role in range(len(signers)))


def _contradicted(said: Said, own: Row) -> Iterator[Reason]:
    """Rows and notices that say something else than the judge computes."""
    for entry, signed in said.signoffs:
        if signed != own and _by_a_person(said, entry):
            role = entry.statement.payload[L.ROLE]
            yield "signoff.mismatch", (role, signed.outcome, signed.largest_ppm)
    for notice in said.about(L.KIND_NOTICE):
        if own.outcome == kinds.PASSED and _by_a_person(said, notice):
            yield "signoff.mismatch", (NOTICE, kinds.FAILED, own.largest_ppm)


def _by_a_person(said: Said, entry: Entry) -> bool:
    """Signed by somebody who counts: a person for this medium, or a supervisor."""
    supervisor = said.case.grants.signer_of(kinds.SUPERVISOR, entry.key, said.interval)
    return supervisor.good or not list(said.against(entry))


def seals(case: Case) -> tuple[str, ...]:
    """The seal numbers on record for the governing result, newest marks that hold; empty where there are none."""
    said = Said.of(case)
    if said is None:
        return ()
    held = [entry for entry in _marks(said) if not list(said.against(entry))]
    return tuple(held[-1].statement.payload[L.SEALS]) if held else ()


def _marks(said: Said) -> list[Entry]:
    position = said.case.stand.seat[L.POSITION] if said.case.stand else 0
    return [
        entry
        for entry in said.about(L.KIND_MARKS)
        if any(entry.statement.payload[L.SEALS]) and entry.statement.payload[L.POSITION] == position
    ]


def _marked(said: Said) -> Iterator[Reason]:
    """Seal numbers fitted after the pass, entered by a person."""
    marks = _marks(said)
    if not marks:
        yield "marks.missing", ()
        return
    doubts = [list(said.against(entry)) for entry in marks]
    if all(doubts):
        yield from (reason for reasons in doubts for reason in reasons)
