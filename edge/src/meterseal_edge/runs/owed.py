"""What a signed verification still lacks of people, as far as this edge knows: sign-offs by role, and supervisors.

Re-measurements are entered at the registry: an edge never hears of them. So a supervisor whose share draws a run is
named until the edge knows of the signature, and the page says that a second measurement does as well.
"""

from dataclasses import replace

from meterseal_edge.runs.catalogue import PAGE, SIGNED, Listed, Wanted
from meterseal_edge.runs.run import as_entry
from meterseal_edge.runs.views import Views
from meterseal_wire import kinds
from meterseal_wire import labels as L

PAGES = 20  # a look is bounded: the visitor asks for more
OWED = (kinds.VERIFIER, kinds.CHECKER, kinds.APPROVER)


def missing(views: Views, run: Listed) -> list[str] | None:
    """Roles that have not signed a verification's result; None where that is not known, or nobody has to sign."""
    known = views.signed(_result(views, run)) if _is_owed(run) else None
    return None if known is None else [kinds.ROLE_NAMES[role] for role in OWED if role not in known]


def lacking(views: Views, wanted: Wanted) -> tuple[list[Listed], int | None]:
    """(a page of signed verifications of which a signature is missing, the leaf before which to go on or None).

    Where nobody's signatures are known, only what a supervisor owes is found. At most PAGES pages are looked through.
    """
    found: list[Listed] = []
    wanted = replace(wanted, signed=True)
    for _ in range(PAGES):
        page = views.catalogue.page(wanted)
        for run in page:
            if missing(views, run) or supervisors(views, run):
                found.append(run)
                if len(found) == PAGE:
                    return found, run.leaf
        if len(page) < PAGE:
            return found, None
        wanted = replace(wanted, before=page[-1].leaf)
    return found, wanted.before


def supervisors(views: Views, run: Listed) -> list[str]:
    """Names of those whose share draws this run and of whom no signature is known here."""
    if not _is_owed(run) or not views.judge.grants.of_kind(kinds.SUPERVISOR):
        return []
    if kinds.SUPERVISING in (views.signed(_result(views, run)) or ()):
        return []
    found = {name for maker in _makers(views, run) for name in views.judge.supervisors(maker, run)}
    return sorted(found)


def _is_owed(run: Listed) -> bool:
    return run.state == SIGNED and run.mode == kinds.VERIFY and run.closer is not None


def _result(views: Views, run: Listed) -> bytes:
    assert run.closer is not None
    [identity] = views.catalogue.store.identities(run.closer, run.closer + 1)
    return identity


def _makers(views: Views, run: Listed) -> set[str]:
    [row] = views.catalogue.store.kept(run.leaf, run.leaf + 1)
    attempt = as_entry(row)
    seats = attempt.statement.payload[L.POSITIONS] if attempt else []
    return {seat[L.METER].partition(".")[0] for seat in seats}
