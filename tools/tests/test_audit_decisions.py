"""The second half of an audit: decisions that the judge does not make, certificates that say more than was decided.

Everything here is signed by the registry itself and properly logged: the one who lies is the one who keeps the record.
"""

from pathlib import Path
from typing import Any

import pytest
from tools.tests.conftest import YEAR_S, Archive

from meterseal_protocol.certificate import marks_hash
from meterseal_protocol.evidence import EvidenceIndex
from meterseal_tools.audit import audit
from meterseal_tools.audit_state import Audit
from meterseal_tools.evidence_folder import load
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.sign1 import identity

GUANGDONG = "44"
BAD_PPM = (-3_000, 27_000, -8_000)  # JJG 162 class 2: 2 % at the second point


def audited(archive: Archive, tmp_path: Path) -> Audit:
    """The written folder, audited."""
    return audit(load(archive.write(tmp_path / "e")))


def whys(state: Audit, name: str) -> str:
    """Everything found about one file."""
    return "\n".join(finding.why for finding in state.findings if finding.statement == name)


def last_decision(archive: Archive) -> str:
    """Identity of the decision that was logged last."""
    return archive.record.of_kind(L.KIND_DECISION)[-1].statement.identity.hex()


def test_a_refused_meter_is_decided_again_and_holds(archive: Archive, tmp_path: Path) -> None:
    """A refusal is as good a decision as any: nothing to find."""
    archive.trial.run(archive.trial.seat(BAD_PPM))
    assert archive.decide().outcome == kinds.REFUSED
    state = audited(archive, tmp_path)
    assert (state.findings, state.decisions, len(state.decided)) == ([], 1, 1)


@pytest.mark.parametrize(
    "lie",
    [
        {"OUTCOME": kinds.REFUSED},
        {"TERRITORY": [GUANGDONG]},
        {"WINDOW": [0, 2**32]},
        {"END_REGISTER": 7},
        {"POSITION": 2},
        {"TRIES": 0},
        {"AT_S": 1_790_000_001},
        {"INPUTS_DIGEST": bytes(32)},
        {"RULES": bytes(32)},
        {"RESULT": bytes(32)},
        {"REASONS": [["error.limit", [1]]]},
        {"METER": "DEMO.99999999"},
        {"LOG_SIZE": 3},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_a_decision_that_the_judge_does_not_make_is_named(
    archive: Archive, tmp_path: Path, lie: dict[str, Any]
) -> None:
    """Each field of a decision changed alone, signed by the registry, logged, receipted."""
    archive.decide(**lie)
    assert "again gives another decision" in whys(audited(archive, tmp_path), last_decision(archive))


def test_a_refusal_signed_as_granted_is_named_with_the_true_reason(archive: Archive, tmp_path: Path) -> None:
    """27000 ppm where 20000 are allowed: the judge says error.limit, whatever the registry signed."""
    archive.trial.run(archive.trial.seat(BAD_PPM))
    archive.decide(OUTCOME=kinds.GRANTED, REASONS=[])
    found = whys(audited(archive, tmp_path), last_decision(archive))
    assert "another decision: refused (" in found
    assert "error.limit" in found


def test_a_decision_from_a_log_of_the_future_is_named(archive: Archive, tmp_path: Path) -> None:
    """It claims 1000 leaves where 17 came before it: 16 and the scope."""
    archive.decide(LOG_SIZE=1000)
    found = whys(audited(archive, tmp_path), last_decision(archive))
    assert found == "rests on 1000 leaves, more than the log had before it"


def test_a_grant_that_widens_its_parent_supports_no_decision(tmp_path: Path) -> None:
    """The maker's grant names Guangdong under a delegation for Zhejiang; the registry signs a granted decision."""
    archive = Archive()
    archive.trial.regrant("manufacturer", TERRITORY=[GUANGDONG])
    archive.test_meter().decide(OUTCOME=kinds.GRANTED, REASONS=[])
    found = whys(audited(archive, tmp_path), last_decision(archive))
    assert "refused (" in found and "grant.widened" in found


def test_a_later_attempt_that_the_scope_hides_changes_the_decision(archive: Archive, tmp_path: Path) -> None:
    """The registry decides on the log as it was before a bad retest, and dates the decision after it."""
    first = archive.trial.decide()
    archive.trial.run(archive.trial.seat(BAD_PPM))
    stale = {**first.payload(), L.LOG_SIZE: archive.record.tree.size}
    entry = archive.sign("registry", L.KIND_DECISION, stale)
    assert "again gives another decision" in whys(audited(archive, tmp_path), entry.statement.identity.hex())


def test_grants_and_index_are_built_once_for_many_decisions(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve grants, thirty decisions, one chain: work grows with decisions, not with decisions times grants. And each
    looks at its own entries: the pool is gone through once, for the index.
    """
    for _ in range(30):
        archive.decide()
    built = []
    real = Archive().record.grants().__class__
    monkeypatch.setattr(
        "meterseal_tools.audit_decisions.Grants", lambda *parts: built.append(parts) or real(*parts)
    )
    over, walked = EvidenceIndex.over, []
    monkeypatch.setattr(EvidenceIndex, "over", lambda *parts: walked.append(parts) or over(*parts))
    state = audited(archive, tmp_path)
    assert (state.findings, state.decisions, len(built), len(walked)) == ([], 30, 1, 1)


# ------------------------------------------------------------------------------------------------ certificates

CLAIMS = [
    ({"territory": (GUANGDONG,)}, "territory"),
    ({"territory": ("",)}, "territory"),
    ({"rules": bytes(8)}, "rules"),
    ({"position": 2}, "position"),
    ({"end_register": 101}, "end register"),
    ({"exponent": -2}, "exponent"),
    ({"marks": bytes(8)}, "marks"),
    ({"demo": False}, "demo"),
]


@pytest.mark.parametrize("lie, field", CLAIMS, ids=lambda part: part if isinstance(part, str) else "")
def test_a_certificate_that_says_another_thing_than_its_decision_is_named(
    archive: Archive, tmp_path: Path, lie: dict[str, Any], field: str
) -> None:
    """Each claim that follows from the decision, changed alone."""
    name = archive.certify(archive.decide(), **lie)
    assert whys(audited(archive, tmp_path), name) == f"differs from its decision in {field}"


def test_every_claim_that_differs_is_told_at_once(archive: Archive, tmp_path: Path) -> None:
    """All reasons, never only the first."""
    name = archive.certify(archive.decide(), position=3, demo=False, territory=(GUANGDONG,))
    assert whys(audited(archive, tmp_path), name) == "differs from its decision in territory, position, demo"


def test_marks_bind_the_electronic_address_that_was_read(archive: Archive, tmp_path: Path) -> None:
    """The contract's marks hash over serial, address and seal, here of a meter with another radio module."""
    name = archive.certify(archive.decide(), marks=marks_hash(archive.trial.serial, bytes(8), ""))
    assert "differs from its decision in marks" in whys(audited(archive, tmp_path), name)


@pytest.mark.parametrize("beyond_s", [1, 10 * YEAR_S])
def test_a_certificate_that_outlives_the_window_is_named(
    archive: Archive, tmp_path: Path, beyond_s: int
) -> None:
    """The window's end is the last second; the certificate of it exactly is fine, one more is not."""
    decision = archive.decide()
    assert decision.window
    fine = archive.certify(decision, expires_s=decision.window[1])
    late = archive.certify(decision, expires_s=decision.window[1] + beyond_s)
    state = audited(archive, tmp_path)
    assert whys(state, fine) == ""
    assert "is outside the decision's window" in whys(state, late)


@pytest.mark.parametrize("shift_s", [-1, 1])
def test_a_certificate_is_issued_between_decision_and_entry(
    archive: Archive, tmp_path: Path, shift_s: int
) -> None:
    """A second before its decision or a second after its own entry in the log."""
    name = archive.certify(archive.decide(), issued_s=archive.record.now_s + shift_s)
    assert "is before its decision or after its entry" in whys(audited(archive, tmp_path), name)


def test_a_certificate_that_was_issued_later_on_the_same_decision_holds(
    archive: Archive, tmp_path: Path
) -> None:
    """The registry lost power between decision and certificate, and made it good an hour later."""
    decision = archive.decide()
    archive.record.now_s += 3600
    archive.certify(decision)
    assert audited(archive, tmp_path).findings == []


NOT_GRANTED = "the newest decision before it did not grant it"


def test_a_certificate_without_any_decision_is_named(archive: Archive, tmp_path: Path) -> None:
    """The judge would grant it; nobody decided."""
    name = archive.certify(archive.trial.decide())
    assert whys(audited(archive, tmp_path), name) == NOT_GRANTED


def test_a_certificate_that_is_logged_before_its_decision_is_named(archive: Archive, tmp_path: Path) -> None:
    """First the paper, then the reason for it."""
    name = archive.certify(archive.trial.decide())
    archive.decide()
    assert whys(audited(archive, tmp_path), name) == NOT_GRANTED


@pytest.mark.parametrize("lie", [{"meter": "DEMO.99999999"}, {"result": bytes(16)}], ids=["meter", "result"])
def test_a_certificate_of_another_meter_or_result_is_named(
    archive: Archive, tmp_path: Path, lie: dict[str, Any]
) -> None:
    """A granted decision about this meter supports no other one."""
    name = archive.certify(archive.decide(), **lie)
    assert whys(audited(archive, tmp_path), name) == NOT_GRANTED


def test_a_certificate_on_a_refused_meter_is_named(archive: Archive, tmp_path: Path) -> None:
    """The first test passed; the retest, decided before the certificate, did not."""
    granted = archive.decide()
    archive.trial.run(archive.trial.seat(BAD_PPM))
    assert archive.decide().outcome == kinds.REFUSED
    name = archive.certify(granted)
    assert whys(audited(archive, tmp_path), name) == NOT_GRANTED


def test_a_certificate_on_an_honest_refusal_is_named(archive: Archive, tmp_path: Path) -> None:
    """Every field is as the decision has it, but for the outcome, which no certificate carries."""
    archive.trial.run(archive.trial.seat(BAD_PPM))
    name = archive.certify(archive.decide())
    assert whys(audited(archive, tmp_path), name) == NOT_GRANTED


def test_a_certificate_on_an_invented_decision_is_named_too(archive: Archive, tmp_path: Path) -> None:
    """Decision and certificate agree with each other and not with the judge: both are found."""
    archive.trial.run(archive.trial.seat(BAD_PPM))
    refused = archive.trial.decide()
    archive.decide(OUTCOME=kinds.GRANTED, REASONS=[])
    name = archive.certify(refused)
    state = audited(archive, tmp_path)
    assert whys(state, name) == NOT_GRANTED
    assert "another decision: refused" in whys(state, last_decision(archive))


@pytest.mark.parametrize("role", ["edge", "W1", "province", "root"])
def test_a_certificate_counts_only_under_a_registrys_key(archive: Archive, tmp_path: Path, role: str) -> None:
    """Known keys all, and none of them may say that a meter is certified."""
    name = archive.certify(archive.decide(), role=role)
    assert "no key is known for kid" in whys(audited(archive, tmp_path), name)


def test_a_certificate_in_another_registrys_name_is_named(archive: Archive, tmp_path: Path) -> None:
    """Its status list would be looked for at the other one."""
    name = archive.certify(archive.decide(), issuer="REG-XX")
    assert whys(audited(archive, tmp_path), name) == "its issuer REG-XX is not the registry that signed it"


def test_two_certificates_with_one_place_in_the_status_list_are_named(
    archive: Archive, tmp_path: Path
) -> None:
    """Withdrawing the one would withdraw the other."""
    decision = archive.decide()
    names = sorted((archive.certify(decision), archive.certify(decision, status_index=0)))
    state = audited(archive, tmp_path)
    assert whys(state, names[0]) == ""
    assert whys(state, names[1]) == f"shares its place in the status list with {names[0][:16]}"


def test_a_certificate_under_another_name_is_named(evidence: Path) -> None:
    """A copy under a name that nothing hashes to."""
    folder = load(evidence)
    raw = next(iter(folder.files["certificates"].values()))
    folder.files["certificates"]["cd" * 32] = raw
    found = [str(finding) for finding in audit(folder).findings if finding.statement == "cd" * 32]
    assert any("its bytes do not hash to its name" in line for line in found)


def test_what_people_signed_is_audited_like_everything_else(tmp_path: Path) -> None:
    """Three sign-offs with their rows, and the marks that the certificate binds: the folder holds."""
    archive = Archive(people=True).test_meter()
    archive.certify(archive.decide())
    assert archive.findings(tmp_path / "e") == []


def test_rows_that_were_changed_are_named(tmp_path: Path) -> None:
    """A row beside a sign-off says another outcome: its root covers it."""
    archive = Archive(people=True).test_meter()
    archive.decide()
    name = next(e.statement.identity for e in archive.record.pool if e.statement.typ == L.KIND_SIGNOFF)
    archive.record.blobs[name] = (archive.record.blobs[name][0] + b"\x00",)
    found = archive.findings(tmp_path / "e")
    assert any(name.hex() in line and "not what the statement" in line for line in found)


def test_evidence_that_came_late_blames_nobody(tmp_path: Path) -> None:
    """A decision made before the telegrams arrived, and one made after: both come out again, byte for byte."""
    archive = Archive().test_meter()
    [result] = archive.record.of_kind(L.KIND_RESULT)
    items = archive.record.blobs.pop(result.statement.identity)
    early = archive.decide()
    archive.record.blobs[result.statement.identity] = items
    late = archive.decide()
    assert not early.granted and late.granted
    assert archive.findings(tmp_path / "e") == []


def test_a_withdrawal_by_an_anchor_is_no_stranger(tmp_path: Path) -> None:
    """The root has no grant of its own and may withdraw all the same."""
    archive = Archive().test_meter()
    payload = {
        L.STATEMENT: identity(archive.world.grants["manufacturer"]),
        L.TAINTED_FROM_S: 0,
        L.TIME_S: archive.record.now_s,
        L.DETAIL: "",
    }
    archive.sign("root", L.KIND_WITHDRAWAL, payload)
    assert {code for code, _ in archive.decide().reasons} == {"grant.withdrawn"}
    assert archive.findings(tmp_path / "e") == []
