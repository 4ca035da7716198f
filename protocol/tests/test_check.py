"""Station 13: valid, not valid, cannot say now; every reason given. Expected answers: design sections 1.9 and 10."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.certificate import Certificate, issue
from meterseal_protocol.check import NO, UNSURE, YES, Answer, check, compare, spelled
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.status import INVALID, SUSPENDED, VALID, Validity, publish
from meterseal_protocol.testing.world import DAY_S, REGISTRY, START_S, World
from meterseal_protocol.trust import Trust
from meterseal_wire import kinds
from meterseal_wire import labels as L

METER = "DEMO.12082058"
WEEK_S = 7 * DAY_S
WORLD = World()


@dataclass
class Case:
    """One certificate and one trust file; a test changes what it is about."""

    status: int = VALID
    certificate: dict[str, Any] = field(default_factory=dict)
    signer: str = "registry"
    listed_s: int = START_S
    made_s: int = START_S
    lists: list[bytes] | None = None
    grants: list[bytes] = field(default_factory=lambda: [WORLD.grants["registry"]])

    def raw(self) -> bytes:
        """Certificate bytes: issued at the world's start, to be installed within 100 days, status index 2."""
        fields: dict[str, Any] = {
            "issuer": REGISTRY,
            "meter": METER,
            "issued_s": START_S,
            "expires_s": START_S + 100 * DAY_S,
            "territory": ("33",),
            "rules": bytes(8),
            "result": bytes(16),
            "position": 1,
            "end_register": 1234,
            "exponent": -3,
            "marks": bytes(8),
            "status_list": 1,
            "status_index": 2,
            "demo": True,
        }
        return issue(WORLD.author(self.signer, "record"), Certificate(**{**fields, **self.certificate}))

    def trust(self) -> Trust:
        """The trust file: one list in which entry 2 has this case's status."""
        validity = Validity(self.listed_s, self.listed_s + WEEK_S, 60)
        uri = "https://registry.example/status/1"
        own = publish(WORLD.author("registry", "status"), uri, [VALID, VALID, self.status], validity)
        return Trust(WORLD.anchors, self.grants, [own] if self.lists is None else self.lists, self.made_s)

    def ask(
        self, as_of_s: int = START_S, territory: str | None = "330110", meter: str | None = METER
    ) -> Answer:
        """The answer in Yuhang, for the meter that the path names."""
        return check(self.raw(), self.trust(), as_of_s, territory, meter)


def codes(answer: Answer) -> list[str]:
    """The codes alone."""
    return [code for code, _ in answer.reasons]


def test_a_good_certificate_is_valid_and_says_what_to_compare() -> None:
    """Meter, territory, end register with its exponent, dates, age of the list, and that the keys are for show."""
    answer = Case().ask(START_S + 60)
    assert answer == Answer(
        outcome=YES,
        reasons=(),
        meter=METER,
        territory=("33",),
        end_register=1234,
        exponent=-3,
        issued_s=START_S,
        expires_s=START_S + 100 * DAY_S,
        status_age_s=60,
        demo=True,
        marks=bytes(8),
    )


@pytest.mark.parametrize(
    "case, ask, outcome, expected",
    [
        (Case(), {"territory": "310000"}, NO, ["certificate.territory"]),
        (Case(), {"territory": ""}, NO, ["certificate.territory"]),
        (Case(), {"territory": "3"}, NO, ["certificate.territory"]),
        (Case(certificate={"territory": ()}), {}, NO, ["certificate.territory"]),
        (Case(), {"meter": "DEMO.12082059"}, NO, ["certificate.other_meter"]),
        (Case(certificate={"expires_s": START_S + 5}), {"as_of_s": START_S + 6}, NO, ["certificate.expired"]),
        (Case(certificate={"expires_s": START_S + 5}), {"as_of_s": START_S + 5}, YES, []),
        (Case(status=INVALID), {}, NO, ["status.invalid"]),
        (Case(status=SUSPENDED), {}, UNSURE, ["status.suspended"]),
        (Case(status=3), {}, UNSURE, ["status.missing"]),
        (Case(), {"as_of_s": START_S + WEEK_S}, YES, []),
        (Case(), {"as_of_s": START_S + WEEK_S + 1}, UNSURE, ["status.stale"]),
        (Case(lists=[]), {}, UNSURE, ["status.missing"]),
        (Case(certificate={"status_list": 2}), {}, UNSURE, ["status.missing"]),
        (Case(certificate={"status_index": 4}), {}, UNSURE, ["status.missing"]),
        (Case(grants=[]), {}, UNSURE, ["key.unknown"]),
        (Case(signer="edge"), {}, NO, ["certificate.signature"]),
        (Case(signer="edge", certificate={"issued_s": START_S + 1}), {}, UNSURE, ["key.unknown"]),
        (Case(signer="edge", certificate={"issuer": "REG-X"}), {}, UNSURE, ["key.unknown"]),
        (Case(certificate={"issued_s": START_S - 31 * DAY_S}), {}, UNSURE, ["key.window"]),
    ],
)
def test_each_reason_alone_gives_its_answer(
    case: Case, ask: dict[str, Any], outcome: str, expected: list[str]
) -> None:
    """One thing wrong at a time; the last moment of a window and of a list belongs to it.

    A key that no grant names is forged where the file is younger than the certificate and knows that registry: it
    would know the key. Else it may be a new key, or another registry's.
    """
    answer = case.ask(**ask)
    assert (answer.outcome, codes(answer)) == (outcome, expected)


def test_without_a_territory_or_a_meter_these_are_not_asked() -> None:
    """The caller has nothing to compare; the answer names both, so that a person can."""
    answer = Case().ask(territory=None, meter=None)
    assert answer.outcome == YES
    assert (answer.meter, answer.territory) == (METER, ("33",))


def test_all_reasons_are_given_and_not_valid_wins() -> None:
    """Never only the first; what is certain outweighs what cannot be said."""
    case = Case(status=INVALID, certificate={"expires_s": START_S + 5})
    answer = case.ask(START_S + WEEK_S + 1, "310000", "DEMO.1")
    assert answer.outcome == NO
    assert set(codes(answer)) == {
        "certificate.territory",
        "certificate.other_meter",
        "certificate.expired",
        "status.invalid",
        "status.stale",
    }


def test_an_invalid_status_is_final_even_from_a_list_that_has_ended() -> None:
    """Design section 1, point 9: invalid never becomes valid again."""
    answer = Case(status=INVALID).ask(START_S + WEEK_S + 1)
    assert answer.outcome == NO
    assert set(codes(answer)) == {"status.invalid", "status.stale"}


def test_a_suspension_in_a_list_that_has_ended_only_tells_that_it_has_ended() -> None:
    """It may have been lifted or made final since."""
    assert codes(Case(status=SUSPENDED).ask(START_S + WEEK_S + 1)) == ["status.stale"]


@pytest.mark.parametrize(
    "case",
    [
        Case(made_s=START_S + WEEK_S + 1),
        Case(certificate={"issued_s": START_S + WEEK_S + 1}),
    ],
)
def test_a_clock_that_runs_behind_is_corrected_by_what_is_proved(case: Case) -> None:
    """Design section 10: now is the greater of the clock and the latest time ever verified."""
    assert codes(case.ask(as_of_s=0)) == ["status.stale"]


def test_the_issue_of_a_newer_list_moves_the_clock_too() -> None:
    """Another list of the registry was issued after the certificate's last day."""
    later = START_S + 101 * DAY_S
    uri = "https://registry.example/status/2"
    newer = publish(WORLD.author("registry", "status"), uri, [VALID], Validity(later, later + WEEK_S, 60))
    own = Case().trust().status[0]
    answer = Case(lists=[own, newer]).ask(as_of_s=START_S)
    assert "certificate.expired" in codes(answer)
    assert answer.status_age_s == later - START_S


def test_another_registrys_list_says_nothing_about_this_certificate() -> None:
    """Both number their lists from 1; the second registry's is newer and says valid."""
    WORLD.keys["second"] = PrivateKey.generate()
    fields = {L.SUBJECT_KEY: WORLD.cose("second"), L.REGISTRY: "REG-2"}
    grants = [WORLD.grants["registry"], WORLD.grant("root", kinds.REGISTRY, fields)]
    uri = "https://second.example/status/1"
    foreign = publish(
        WORLD.author("second", "status"), uri, [0, 0, 0], Validity(START_S + 1, START_S + WEEK_S, 60)
    )
    assert codes(Case(grants=grants, lists=[foreign]).ask()) == ["status.missing"]
    withdrawn = Case(status=INVALID).trust().status[0]
    assert codes(Case(grants=grants, lists=[withdrawn, foreign]).ask()) == ["status.invalid"]


@pytest.mark.parametrize("raw", [b"", b"\xff", b"not a certificate", bytes(100), WORLD.grants["registry"]])
def test_what_is_no_certificate_is_not_valid(raw: bytes) -> None:
    """Garbage, and one of our own statements, which is no certificate either."""
    answer = check(raw, Case().trust(), START_S)
    assert (answer.outcome, codes(answer)) == (NO, ["certificate.malformed"])


def test_a_forged_signature_is_not_valid() -> None:
    """The registry's kid, somebody else's signature."""
    raw = Case().raw()
    answer = check(raw[:-1] + bytes([raw[-1] ^ 1]), Case().trust(), START_S)
    assert (answer.outcome, codes(answer)) == (NO, ["certificate.signature"])


@given(st.integers(0, len(Case().raw()) - 1), st.integers(1, 255))
def test_any_changed_byte_makes_it_not_valid(at: int, change: int) -> None:
    """Not even a changed kid is *cannot say*: the trust file knows every key this registry had by then."""
    raw = bytearray(Case().raw())
    raw[at] ^= change
    assert check(bytes(raw), Case().trust(), START_S, "33", METER).outcome == NO


@given(st.binary(max_size=100))
def test_any_bytes_get_an_answer(raw: bytes) -> None:
    """Never an exception, never a yes."""
    assert check(raw, Case().trust(), START_S).outcome != YES


@given(
    st.sampled_from([VALID, INVALID, SUSPENDED, 3]),
    st.sampled_from(["330110", "310000", None]),
    st.sampled_from([METER, "DEMO.1", None]),
    st.integers(START_S, START_S + 200 * DAY_S),
)
def test_the_outcome_is_the_worst_of_its_reasons(
    status: int, territory: str | None, meter: str | None, at_s: int
) -> None:
    """Yes exactly where nothing speaks against it; the three answers follow from the codes by this table."""
    answer = Case(status=status).ask(at_s, territory, meter)
    final = {"certificate.territory", "certificate.other_meter", "certificate.expired", "status.invalid"}
    found = set(codes(answer))
    assert answer.outcome == (NO if found & final else UNSURE if found else YES)
    assert ("status.stale" in found) == (at_s > START_S + WEEK_S)
    assert ("certificate.expired" in found) == (at_s > START_S + 100 * DAY_S)


@pytest.mark.parametrize(
    "text", ["DEMO.12082058", "demo.12082058", " DEMO.1208 2058\t", "ＤＥＭＯ．１２０８２０５８"]
)
def test_a_meter_id_is_compared_as_certificates_spell_it(text: str) -> None:
    """Design section 9: NFKC, upper case, no blanks; full-width letters are what a Chinese keyboard gives."""
    assert spelled(text) == METER
    assert Case().ask(meter=text).outcome == YES


@pytest.mark.parametrize(
    "dial, outcome, reasons",
    [
        (Fraction(1234, 1000), YES, ()),
        (Fraction(1233, 1000), UNSURE, (("dial.below", (1233, 1234)),)),
        (Fraction(1334, 1000), YES, ()),
        (Fraction(1_334_001, 1_000_000), UNSURE, (("dial.above", (1334, 1234, 100)),)),
        (None, YES, ()),
    ],
)
def test_the_dial_is_compared_with_the_end_register(
    dial: Fraction | None, outcome: str, reasons: tuple[object, ...]
) -> None:
    """Design section 10: 1.234 m3 at the end, 100 L of transport; both ends belong to what is allowed."""
    answer = compare(Case().ask(), dial)
    assert (answer.outcome, answer.reasons) == (outcome, reasons)


def test_a_no_stays_a_no_whatever_the_dial_shows() -> None:
    """The reason is added; not valid outweighs cannot say."""
    answer = compare(Case(status=INVALID).ask(), Fraction(1))
    assert (answer.outcome, codes(answer)) == (NO, ["status.invalid", "dial.below"])


def test_marks_that_differ_leave_it_open() -> None:
    """The hash over engraved serial, electronic address and seal number: bytes(8) in this certificate."""
    assert compare(Case().ask(), marks=bytes(8)).outcome == YES
    assert codes(compare(Case().ask(), marks=b"\x01" + bytes(7))) == ["certificate.marks"]


def test_what_could_not_be_read_is_not_compared() -> None:
    """Bytes that are no certificate have no end register."""
    answer = check(b"", Case().trust(), START_S)
    assert compare(answer, Fraction(1), bytes(8)) == answer


@given(register=st.integers(-(10**9), 10**9), exponent=st.integers(-6, 3), dial=st.fractions(0, 10**6))
def test_the_comparison_is_exact(register: int, exponent: int, dial: Fraction) -> None:
    """Against the definition with fractions: from the end register up to a tenth of a cubic metre above it."""
    answer = Answer(YES, (), METER, end_register=register, exponent=exponent)
    end = Fraction(register) * Fraction(10) ** exponent
    assert (compare(answer, dial).outcome == YES) == (end <= dial <= end + Fraction(1, 10))
