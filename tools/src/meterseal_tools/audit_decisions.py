"""The second half of an audit: every decision made again from the log as it stood, every certificate against it.

A certificate says nothing of its own. Each field follows from the newest decision before it, made again here; the
exponent and the electronic address, which no decision carries, come out of making it.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, combinations, islice

from meterseal_protocol.certificate import Certificate, marks_hash, read_signed
from meterseal_protocol.evidence import EvidenceIndex
from meterseal_protocol.grant import Grants
from meterseal_protocol.judge import Decision, decide
from meterseal_protocol.keys import PublicKey
from meterseal_protocol.statement import Statement
from meterseal_tools.audit_state import Audit
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.sign1 import identity

MOST_LATE = 64  # ways in which some of a meter's evidence may have been missing


def decisions(state: Audit) -> None:
    """Each decision again, from the log as it stood at its size; the payloads must agree byte for byte."""
    pool = state.entries()
    index = EvidenceIndex.over(pool, state.blobs)
    authority = [entry for entry in pool if entry.statement.typ in (L.KIND_GRANT, L.KIND_WITHDRAWAL)]
    grants = Grants(authority, state.anchors)  # the judge takes them as they stood at the evidence's log size
    for name, item in state.of_kind(L.KIND_DECISION):
        state.decisions += 1
        size = item.payload[L.LOG_SIZE]
        if name in state.receipts and size > state.receipts[name].leaf:
            state.blame("statements", name, f"rests on {size} leaves, more than the log had before it")
            continue
        again = _decide_again(state, item, index, grants)
        if again.inputs_digest != item.payload[L.INPUTS_DIGEST]:
            again = _before_late_evidence(state, item, index, grants) or again
        if encode(again.payload()) == encode(item.payload):
            state.decided[name] = again
        else:
            state.blame("statements", name, f"deciding {again.meter} again gives {_outcome(again)}")


def _decide_again(
    state: Audit, item: Statement, index: EvidenceIndex, grants: Grants, without: Sequence[bytes] = ()
) -> Decision:
    evidence = index.select(item.payload[L.METER], item.payload[L.LOG_SIZE], without)
    return decide(evidence, grants, state.packs, item.payload[L.AT_S])


def _before_late_evidence(
    state: Audit, item: Statement, index: EvidenceIndex, grants: Grants
) -> Decision | None:
    """The same decision without what came after it: telegrams and plans may reach a registry late.

    A folder does not say when they came, but the decision's inputs digest says what it was made from.
    """
    evidence = index.select(item.payload[L.METER], item.payload[L.LOG_SIZE])
    names = sorted(evidence.blobs)
    some = chain.from_iterable(combinations(names, count) for count in range(1, len(names) + 1))
    for without in islice(some, MOST_LATE):
        again = _decide_again(state, item, index, grants, without)
        if again.inputs_digest == item.payload[L.INPUTS_DIGEST]:
            return again
    return None


def _outcome(decision: Decision) -> str:
    words = {kinds.GRANTED: "granted", kinds.REFUSED: "refused", kinds.UNDECIDED: "undecided"}
    codes = ", ".join(dict.fromkeys(code for code, _ in decision.reasons))
    return f"another decision: {words[decision.outcome]}" + (f" ({codes})" if codes else "")


def certificates(state: Audit) -> None:
    """Each certificate verifies under a registry's key, carries its own name, and says what was decided."""
    registries = state.holders.of_kind(kinds.REGISTRY)
    places: dict[tuple[str, int, int], str] = {}
    decided = _by_meter(state)
    for name, raw in state.folder.files["certificates"].items():
        state.certificates += 1
        found = state.attempt("certificates", name, partial(read_signed, raw, registries))
        if found is None:
            continue
        certificate, key = found
        if identity(raw).hex() != name:
            state.blame("certificates", name, "its bytes do not hash to its name")
            continue
        place = (certificate.issuer, certificate.status_list, certificate.status_index)
        first = places.setdefault(place, name)
        if first != name:
            state.blame("certificates", name, f"shares its place in the status list with {first[:16]}")
        newest = _newest_before(state, name, decided.get(certificate.meter, {}))
        for why in _against(state, name, certificate, (key, newest)):
            state.blame("certificates", name, why)


def _by_meter(state: Audit) -> dict[str, dict[int, str]]:
    """Names of decisions by meter and leaf."""
    found: dict[str, dict[int, str]] = {}
    for name, item in state.of_kind(L.KIND_DECISION):
        if name in state.receipts:
            found.setdefault(item.payload[L.METER], {})[state.receipts[name].leaf] = name
    return found


def _newest_before(state: Audit, name: str, decided: dict[int, str]) -> Decision | None:
    """The decision on which a certificate rests; None where there is none, or where it did not come out again."""
    if name not in state.receipts:
        return None
    newest = max((leaf for leaf in decided if leaf < state.receipts[name].leaf), default=-1)
    return state.decided.get(decided.get(newest, ""))


def _against(
    state: Audit, name: str, certificate: Certificate, basis: tuple[PublicKey, Decision | None]
) -> Iterator[str]:
    key, decision = basis
    holder = state.holders.of(key.thumbprint, kinds.REGISTRY)
    if holder is None or holder.name != certificate.issuer:
        yield f"its issuer {certificate.issuer} is not the registry that signed it"
    if name not in state.receipts:
        return  # named already: without a receipt nobody knows which decision came before
    if decision is None or not decision.granted or (decision.result or b"")[:16] != certificate.result:
        yield "the newest decision before it did not grant it"
        return
    different = [field for field, wanted, said in _fields(decision, certificate) if wanted != said]
    if different:
        yield f"differs from its decision in {', '.join(different)}"
    last_s = decision.window[1] if decision.window else 0
    if not certificate.issued_s < certificate.expires_s <= last_s:
        yield f"its expiry {certificate.expires_s} is outside the decision's window, which ends at {last_s}"
    if not decision.at_s <= certificate.issued_s <= state.receipts[name].entered_s:
        yield f"its issue time {certificate.issued_s} is before its decision or after its entry"


def _fields(decision: Decision, certificate: Certificate) -> Iterator[tuple[str, object, object]]:
    serial = decision.meter.partition(".")[2]
    marks = marks_hash(serial, decision.electronic_address, " ".join(decision.seals))
    yield "territory", decision.territory, certificate.territory
    yield "rules", (decision.rules or b"")[:8], certificate.rules
    yield "position", decision.position, certificate.position
    yield "end register", decision.end_register, certificate.end_register
    yield "exponent", decision.register_exponent, certificate.exponent
    yield "marks", marks, certificate.marks
    yield "demo", decision.demo, certificate.demo
