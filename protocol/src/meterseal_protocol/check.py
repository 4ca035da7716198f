"""Station 13: may this meter be installed? One pure function; clock and trust are arguments.

Three answers. *Not valid* wins over *cannot say now*, and every reason is given. Silence, age and missing data are
never a yes. The instant that counts is the greatest of the one asked for and every time the trust file proves.
"""

import unicodedata
from dataclasses import dataclass, replace
from fractions import Fraction

from meterseal_protocol.certificate import Certificate, read_signed, take_apart
from meterseal_protocol.errors import BadHeader, ProtocolError, UnknownKey
from meterseal_protocol.grant import Reason, covers
from meterseal_protocol.status import INVALID, SUSPENDED, VALID, StatusList
from meterseal_protocol.trust import Trust, key_ring
from meterseal_wire.errors import WireError

YES, NO, UNSURE = "valid", "not_valid", "cannot_say"
TRANSPORT_ALLOWANCE_L = 100  # a draft, as transport_allowance_l in the packs
LITRES = 1000  # in a cubic metre


@dataclass(frozen=True)
class Answer:
    """The outcome (`valid`, `not_valid`, `cannot_say`), every reason, and what a person compares on the meter.

    Fields of the certificate are None or empty where it could not be read; `status_age_s` is None without a list.
    """

    outcome: str
    reasons: tuple[Reason, ...]
    meter: str = ""
    territory: tuple[str, ...] = ()
    end_register: int = 0
    exponent: int = 0
    issued_s: int = 0
    expires_s: int = 0
    status_age_s: int | None = None
    demo: bool = False
    marks: bytes = b""


def check(
    raw: bytes, trust: Trust, as_of_s: int, territory: str | None = None, meter: str | None = None
) -> Answer:
    """Judge certificate bytes for installation at `as_of_s` in `territory` (a GB/T 2260 code).

    `meter` is the id that the path or the person names, where one is named. Never raises for bad bytes.
    """
    registries = trust.registries()
    lists = trust.status_lists(registries)
    try:
        certificate, key = read_signed(raw, key_ring(registries))
    except UnknownKey:
        return _unknown(raw, trust, {registry.name for registry in registries.values()})
    except WireError as error:
        return Answer(NO, (("certificate.malformed", (error.at,)),))
    except BadHeader:
        return Answer(NO, (("certificate.malformed", (0,)),))
    except ProtocolError:
        return Answer(NO, (("certificate.signature", ()),))
    registry = registries[key.thumbprint]
    status = lists.get((registry.name, certificate.status_list))
    now_s = max(as_of_s, trust.made_s, certificate.issued_s, *(item.issued_s for item in lists.values()))
    against = _against(certificate, now_s, territory, meter)
    unsure: list[Reason] = (
        [] if registry.held_at(certificate.issued_s) else [("key.window", (certificate.issued_s,))]
    )
    unsure += _status(certificate, status, now_s, against)
    return _answer(certificate, against, unsure, status, now_s)


def spelled(meter: str) -> str:
    """A meter id as certificates spell it: NFKC, upper case, no blanks (design section 9)."""
    return "".join(unicodedata.normalize("NFKC", meter).upper().split())


def _unknown(raw: bytes, trust: Trust, known: set[str]) -> Answer:
    """No key fits. A trust file that is younger than the certificate would know every key of that registry."""
    claimed = take_apart(raw).claimed
    if claimed.issuer in known and claimed.issued_s <= trust.made_s:
        return Answer(NO, (("certificate.signature", ()),))
    return Answer(UNSURE, (("key.unknown", ()),))


def _against(certificate: Certificate, now_s: int, territory: str | None, meter: str | None) -> list[Reason]:
    reasons: list[Reason] = []
    if meter is not None and spelled(meter) != certificate.meter:
        reasons.append(("certificate.other_meter", ()))
    if territory is not None and not covers(certificate.territory, territory):
        reasons.append(("certificate.territory", ()))
    if now_s > certificate.expires_s:
        reasons.append(("certificate.expired", (certificate.expires_s, now_s)))
    return reasons


def _status(
    certificate: Certificate, status: StatusList | None, now_s: int, against: list[Reason]
) -> list[Reason]:
    """Reasons for *cannot say*; a status of invalid is added to `against`."""
    if status is None:
        return [("status.missing", ())]
    value = status.get(certificate.status_index)
    if value == INVALID:
        against.append(("status.invalid", ()))
    if now_s > status.expires_s:
        return [("status.stale", (status.expires_s, now_s))]
    if value == SUSPENDED:
        return [("status.suspended", ())]
    return [] if value in (VALID, INVALID) else [("status.missing", ())]


def _answer(
    certificate: Certificate,
    against: list[Reason],
    unsure: list[Reason],
    status: StatusList | None,
    now_s: int,
) -> Answer:
    return Answer(
        NO if against else UNSURE if unsure else YES,
        (*against, *unsure),
        certificate.meter,
        certificate.territory,
        certificate.end_register,
        certificate.exponent,
        certificate.issued_s,
        certificate.expires_s,
        None if status is None else now_s - status.issued_s,
        certificate.demo,
        certificate.marks,
    )


def compare(
    answer: Answer,
    dial_m3: Fraction | None = None,
    marks: bytes | None = None,
    allowance_l: int = TRANSPORT_ALLOWANCE_L,
) -> Answer:
    """The answer once a person has read the meter itself: its dial, and the marks hash over what is engraved.

    A dial below the certificate's end register, or above it by more than what may run in transport, and marks that
    differ leave a yes open (design section 10); they never turn a no into anything else. Only what is given counts.
    """
    end_m3 = answer.end_register * Fraction(10) ** answer.exponent
    found: list[Reason] = []
    if dial_m3 is not None and answer.meter:
        numbers = (int(dial_m3 * LITRES), int(end_m3 * LITRES))
        if dial_m3 < end_m3:
            found.append(("dial.below", numbers))
        elif dial_m3 > end_m3 + Fraction(allowance_l, LITRES):
            found.append(("dial.above", (*numbers, allowance_l)))
    if marks is not None and answer.meter and marks != answer.marks:
        found.append(("certificate.marks", ()))
    if not found:
        return answer
    return replace(
        answer,
        outcome=NO if answer.outcome == NO else UNSURE,
        reasons=(*answer.reasons, *found),
    )
