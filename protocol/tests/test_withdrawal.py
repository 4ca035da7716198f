"""Withdrawals, wrong levels, variants, tenants, firmware, two roles: each reason, and one just on the other side."""

from typing import Any

import pytest

from meterseal_protocol.judge import decide
from meterseal_protocol.testing.trial import Trial
from meterseal_protocol.testing.world import EDGE, MAKER, WATER_BENCH, WATER_TYPE, water_type_fields
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import build

FIRMWARE = sha256(b"model firmware")  # what the model fixture says that it runs


def withdraw(trial: Trial, name: str, from_s: int, role: str = "province") -> None:
    """Enter the withdrawal of one of the world's grants, tainted from a second on."""
    payload = {
        L.STATEMENT: identity(trial.world.grants[name]),
        L.TAINTED_FROM_S: from_s,
        L.TIME_S: trial.record.now_s,
        L.DETAIL: "found wrong",
    }
    trial.record.enter(build(trial.world.author(role), L.KIND_WITHDRAWAL, payload))


def ran() -> tuple[Trial, int, int]:
    """A good trial that has run, and its interval: the beacon's second and the result's entry."""
    trial = Trial().begin()
    begin_s = trial.record.now_s
    trial.run()
    return trial, begin_s, trial.record.of_kind(L.KIND_RESULT)[-1].entered_s


GRANTS = {
    "manufacturer": "grant.withdrawn",
    "type water": "grant.withdrawn",
    f"standard {WATER_BENCH}": "grant.withdrawn",
    f"fixture {WATER_BENCH}": "fixture.suspended",
}


@pytest.mark.parametrize("name", GRANTS)
def test_a_withdrawal_reaches_back_to_the_second(name: str) -> None:
    """Tainted from the beacon's second on: refused; one second later it straddles; after the entry it does not hurt."""
    trial, begin_s, end_s = ran()
    assert not trial.codes() & {"time.straddles", *GRANTS.values()}
    for from_s, expected in (
        (end_s + 1, None),
        (end_s, "time.straddles"),
        (begin_s + 1, "time.straddles"),
        (begin_s, GRANTS[name]),
    ):
        again, _, _ = ran()
        withdraw(again, name, from_s)
        found = again.codes() & {"time.straddles", *GRANTS.values()}
        assert found == ({expected} if expected else set()), from_s


def test_the_withdrawal_of_a_delegation_takes_everything_below_it() -> None:
    """The root takes the province's delegation back."""
    trial, begin_s, _ = ran()
    withdraw(trial, "delegation", begin_s, "root")
    assert "grant.withdrawn" in trial.codes()


@pytest.mark.parametrize(
    "role, counts",
    [("province", True), ("root", True), ("registry", False), ("edge", False), (WATER_BENCH, False)],
)
def test_only_the_signer_or_one_above_it_withdraws(role: str, counts: bool) -> None:
    """The province signed the maker's grant, the root stands above; whoever else says so says nothing."""
    trial, begin_s, _ = ran()
    withdraw(trial, "manufacturer", begin_s, role)
    assert ("grant.withdrawn" in trial.codes()) is counts


def test_a_withdrawal_counts_once_it_is_logged_and_not_before() -> None:
    """The same log prefix gives the same decision, byte for byte, whatever came later."""
    trial, begin_s, _ = ran()
    trial.record.scope(trial.meter)
    evidence, at_s = trial.record.evidence(trial.meter), trial.record.now_s
    before = trial.judge(at_s)
    withdraw(trial, "manufacturer", begin_s)
    trial.record.enter(trial.world.grant("root", kinds.RULES, {L.RULES: bytes(32), L.RULES_NAME: "later"}))
    assert decide(evidence, trial.record.grants(), trial.packs, at_s).payload() == before.payload()
    assert "grant.withdrawn" in trial.codes()


def payload_of(trial: Trial, name: str) -> dict[int, Any]:
    """A grant's fields but its number."""
    found: dict[int, Any] = scan(scan(trial.world.grants[name]).value[2])
    return {label: value for label, value in found.items() if label != L.NUMBER}


@pytest.mark.parametrize("role", [WATER_BENCH, "edge", "registry"])
def test_a_grant_signed_at_the_wrong_level_has_a_code_of_its_own(role: str) -> None:
    """Fixture, edge and registry hold keys, and none of them may give a grant."""

    def author(trial: Trial) -> bytes:
        payload = {**payload_of(trial, "manufacturer"), L.GRANT: kinds.MANUFACTURER, L.NUMBER: 99}
        return bytes(build(trial.world.author(role), L.KIND_GRANT, payload))

    trial = Trial()
    trial.world.grants["manufacturer"] = author(trial)
    assert "grant.level" in trial.begin().run().codes()
    assert "grant.level" not in Trial().begin().run().codes()


# --- variants


def variant(trial: Trial, parent: bytes, **changes: Any) -> bytes:
    """An improved type that names the type it varies; `changes` are its own fields."""
    fields: dict[int, Any] = {
        L.MAKER: MAKER,
        L.TYPE: WATER_TYPE,
        L.VARIANT_OF: parent,
        L.CLAUSES: ["6.3 register"],
        L.PARENT: identity(trial.world.grants["delegation"]),
    }
    fields |= {getattr(L, name): value for name, value in changes.items()}
    return trial.world.grant("province", kinds.TYPE, fields)


def with_variant(**changes: Any) -> Trial:
    """A trial whose meter's type is a variant of a type with another number."""
    trial = Trial()
    base = {
        **water_type_fields(),
        L.TYPE: "2020F001-33",
        L.PARENT: identity(trial.world.grants["delegation"]),
    }
    trial.world.grants["type base"] = trial.world.grant("province", kinds.TYPE, base)
    parent = changes.pop("parent", identity(trial.world.grants["type base"]))
    del trial.world.grants["type water"]
    trial.world.grants["type variant"] = variant(trial, parent, **changes)
    return trial


def test_a_variant_inherits_what_it_leaves_out() -> None:
    """JJF 1015: only the changed parts are evaluated again; class, flows and pulse are those of the base."""
    assert with_variant().begin().run().decide().granted


def test_a_variant_has_what_it_says_itself() -> None:
    """Class 1 where the base has class 2: 2 % at Q3 is beyond it."""
    trial = with_variant(ACCURACY_CLASS=10).begin()
    assert "error.limit" in trial.run(trial.seat((15_000, 4_000, -8_000))).codes()
    trial = with_variant().begin()
    assert "error.limit" not in trial.run(trial.seat((15_000, 4_000, -8_000))).codes()


@pytest.mark.parametrize("parent", [bytes(32), None])
def test_a_variant_of_nothing_is_no_type(parent: bytes | None) -> None:
    """An identity that is no grant, and one that is no type."""
    trial = Trial()
    named = identity(trial.world.grants["manufacturer"]) if parent is None else parent
    del trial.world.grants["type water"]
    trial.world.grants["type variant"] = variant(trial, named)
    assert {"grant.missing", "meter.unknown_type"} <= trial.begin().run().codes()


def test_a_variant_falls_with_what_it_varies() -> None:
    """The base is withdrawn: the variant's inherited clauses stand on nothing."""
    trial = with_variant().begin()
    begin_s = trial.record.now_s
    trial.run()
    withdraw(trial, "type base", begin_s)
    assert "grant.withdrawn" in trial.codes()


# --- tenants


@pytest.mark.parametrize(
    "fields, code",
    [
        ({L.MAKER: MAKER, L.BENCHES: [f"BENCH-{WATER_BENCH}"]}, None),
        ({L.MAKER: "OTHER", L.BENCHES: [f"BENCH-{WATER_BENCH}"]}, "grant.scope"),
        ({L.MAKER: MAKER, L.BENCHES: ["BENCH-9"]}, "grant.scope"),
        (None, "grant.missing"),
    ],
)
def test_a_tenant_runs_its_makers_meters_on_its_benches(
    fields: dict[int, Any] | None, code: str | None
) -> None:
    """Measure 7: shared platforms; the attempt names the tenant."""
    trial = Trial()
    if fields is not None:
        parent = identity(trial.world.grants["delegation"])
        trial.world.grants["tenant"] = trial.world.grant(
            "province", kinds.TENANT, {L.TENANT: "T1", L.PARENT: parent, **fields}
        )
    trial.begin().run(tenant="T1")
    found = trial.codes() & {"grant.scope", "grant.missing"}
    assert found == ({code} if code else set())


# --- firmware


def with_firmware(digest: bytes | None, board: str = "model") -> Trial:
    """A trial whose pack asks for granted firmware; the model fixture runs FIRMWARE on board 'model'."""
    trial = Trial(rules={"firmware_needed": 1})
    if digest is not None:
        fields = {
            L.FIRMWARE_DIGEST: digest,
            L.FIRMWARE_VERSION: "0.1.0",
            L.BOARD: board,
            L.FIRMWARE_FLOOR: 0,
            L.PARENT: identity(trial.world.grants["delegation"]),
        }
        trial.world.grants["firmware"] = trial.world.grant("province", kinds.FIRMWARE, fields)
    return trial


@pytest.mark.parametrize(
    "digest, board, unknown",
    [
        (FIRMWARE, "model", False),
        (bytes(32), "model", True),
        (FIRMWARE, "rp2350", True),
        (None, "model", True),
    ],
)
def test_firmware_must_be_granted_where_the_pack_asks_for_it(
    digest: bytes | None, board: str, unknown: bool
) -> None:
    """Digest and board of the boot statement, both."""
    assert ("firmware.unknown" in with_firmware(digest, board).begin().run().codes()) is unknown


def test_withdrawn_firmware_counts_for_nothing() -> None:
    """From the beacon's second on; the pack need not ask for grants at all."""
    trial = with_firmware(FIRMWARE).begin()
    begin_s = trial.record.now_s
    trial.run()
    withdraw(trial, "firmware", begin_s)
    assert "firmware.withdrawn" in trial.codes()


def test_firmware_is_not_asked_for_by_the_shipped_packs() -> None:
    """firmware_needed is 0 there: a draft."""
    assert "firmware.unknown" not in Trial().begin().run().codes()


# --- one key, two roles


def test_a_key_in_two_roles_is_found() -> None:
    """The bench's key is granted as an edge's as well."""
    trial = Trial()
    fields = {
        L.SUBJECT_KEY: trial.world.cose(WATER_BENCH),
        L.EDGE: EDGE,
        L.SITE: "YUHANG1",
        L.PARENT: identity(trial.world.grants["delegation"]),
    }
    trial.world.grants["edge too"] = trial.world.grant("province", kinds.EDGE, fields)
    found = trial.begin().run().decide()
    assert ("key.two_roles", (kinds.FIXTURE, kinds.EDGE)) in found.reasons
    assert "key.two_roles" not in Trial().begin().run().codes()
