"""Under what a grant stands: the delegation that its signer holds, and in what it would go beyond it.

What *wider* means is the judge's own (meterseal_protocol.delegation); here it gets words before anything is signed.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from meterseal_protocol.delegation import wider
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import PublicKey
from meterseal_protocol.measures import measures_for
from meterseal_protocol.statement import Statement, read
from meterseal_tools.grants.errors import BadGrant
from meterseal_tools.grants.fields import BY_LABEL
from meterseal_tools.grants.values import in_words
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.errors import WireError

FILE_BYTES = 16384


def read_grant(path: Path, *others: int) -> Statement:
    """The grant in a file, or a statement of one of the other kinds; BadGrant where it is none."""
    try:
        found = read(path.read_bytes()[: FILE_BYTES + 1])
    except (OSError, WireError, ProtocolError) as error:
        raise BadGrant(f"{path}: {' '.join(str(error).split())}") from None
    if found.typ not in (L.KIND_GRANT, *others):
        raise BadGrant(f"{path} is a {found.kind}, no grant")
    return found


def below(payload: Mapping[int, Any], above: Sequence[Statement], signer: PublicKey) -> dict[int, Any]:
    """The payload as it stands under the delegations `above`, the signer's own first; BadGrant where it is wider.

    Those further up are looked at where they are given: what they never allowed nobody below can give.
    """
    for lower, upper in pairwise(above):
        if lower.payload.get(L.PARENT) != upper.identity:
            raise BadGrant(
                f"{_name(lower)} does not stand under {_name(upper)}; give them in order, the lowest first"
            )
        _check(lower.payload, upper, PublicKey.from_cose(upper.payload[L.SUBJECT_KEY]))
    _check(payload, above[0], signer)
    return {**payload, L.PARENT: above[0].identity}


def _name(delegation: Statement) -> str:
    return f"delegation {delegation.payload[L.NUMBER]} of {delegation.issuer}"


def _check(payload: Mapping[int, Any], parent: Statement, signer: PublicKey) -> None:
    over = parent.payload
    if over[L.GRANT] != kinds.DELEGATION:
        raise BadGrant(
            f"grant {over[L.NUMBER]} of {parent.issuer} is no delegation: nothing can be given under it"
        )
    if PublicKey.from_cose(over[L.SUBJECT_KEY]) != signer:
        raise BadGrant(f"{_name(parent)} names another key than this one")
    if payload[L.GRANT] != kinds.DELEGATION and not measures_for(payload):
        raise BadGrant(
            f"a {kinds.GRANT_NAMES[payload[L.GRANT]]} grant is given by an anchor alone, under nothing"
        )
    beyond = list(wider(payload, over))
    if beyond:
        said = "; ".join(_beyond(label, payload, over) for label in beyond)
        raise BadGrant(f"wider than {_name(parent)} (grant.widened): {said}")


def _beyond(label: int, payload: Mapping[int, Any], over: Mapping[int, Any]) -> str:
    if label == L.WINDOW:
        return "valid_from and valid_to are not within its own"
    if label == L.MEASURES and L.MEASURES not in payload:
        return f"none of its measures ({in_words(BY_LABEL[label], over[label])}) gives such a grant"
    field = BY_LABEL[label]
    said = in_words(field, payload[label]) if label in payload else "left out"
    return f"{field.name} is {said}, and it has {in_words(field, over[label])}"
