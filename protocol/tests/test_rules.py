"""Rule packs: what ships is what its YAML says, values are those of the regulations, and bad packs are refused."""

import copy
import re
import runpy
import sys
from fractions import Fraction
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from meterseal_protocol.errors import BadPack
from meterseal_protocol.rules import Pack, load_pack, plan_for, shipped
from meterseal_protocol.rules import pack as pack_module
from meterseal_protocol.rules.meter_type import MeterType
from meterseal_protocol.rules.pack import compile_pack
from meterseal_protocol.rules.schema import FIELDS
from meterseal_protocol.testing.trial import with_values
from meterseal_protocol.testing.world import gas_type_fields, water_type_fields
from meterseal_wire import labels as L
from meterseal_wire.point import STATIC
from meterseal_wire.scan import scan

COMPILER = Path(__file__).parents[1] / "spec" / "compile_packs.py"
NAMES = ("jjg1190", "jjg162", "jjg577", "r137", "r49")


def document(name: str) -> dict[str, Any]:
    """A pack as its YAML says it."""
    text = (files("meterseal_protocol.rules") / "packs" / f"{name}.yaml").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def changed(name: str, field: str, value: Any) -> dict[str, Any]:
    """The same with one field replaced."""
    found = copy.deepcopy(document(name))
    found["values"][field] = value
    return found


def meter(payload: dict[int, Any]) -> MeterType:
    """A type grant's numbers."""
    found = MeterType.read(payload)
    assert found is not None
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_pack_is_what_its_yaml_compiles_to(name: str) -> None:
    """Compiled here again; the digest is SHA-256 of those bytes."""
    pack, raw = load_pack(name), compile_pack(document(name))
    assert pack.raw == raw and pack.digest == sha256(raw).digest()
    assert scan(raw, 65536) == document(name)


def test_the_compilers_check_finds_the_shipped_packs_up_to_date(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`compile_packs.py --check` ends with 0 and names both digests."""
    monkeypatch.setattr(sys, "argv", [str(COMPILER), "--check"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(COMPILER), run_name="__main__")
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert all(load_pack(name).digest.hex() in printed for name in NAMES)


def rows(name: str) -> list[tuple[str, dict[str, Any]]]:
    """Every value record of a pack with its field."""
    values = document(name)["values"]
    return [
        (field, item)
        for field, found in values.items()
        for item in (found if isinstance(found, list) else [found])
    ]


@pytest.mark.parametrize("name", NAMES)
def test_what_was_not_found_in_a_source_is_marked_to_be_confirmed(name: str) -> None:
    """A checked value names its regulation; every other says so. The density table names its paper."""
    for field, item in rows(name):
        if item["checked"]:
            assert item["source"] == document(name)["edition"], field
        elif field != "density_table":
            assert item["source"] == "to be confirmed", field


# What domain.md calls checked, and nothing else may be: fields of each pack.
CHECKED = {
    "jjg162": {
        "q2_over_q1", "q4_over_q3", "limits", "warm_above_mk", "standard_share", "least_outlet_gauge_10pa",
        "inlet_pipe_dn", "outlet_pipe_dn", "limited_use",
    },
    "jjg577": {
        "qt_over_qmax", "limits", "same_sign", "air_temperature", "least_humidity_permille",
        "most_humidity_permille", "most_difference_mk", "soak_hours", "limited_use",
    },
    "jjg1190": {"qt_over_qmax", "limits"},
    "r137": {"limits"},
    "r49": {"q2_over_q1", "q4_over_q3", "limits", "warm_above_mk"},
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_exactly_the_checked_values_are_marked_so(name: str) -> None:
    """The list above; of gas's same-sign rules, only that of class 1.0 was found."""
    assert {field for field, item in rows(name) if item["checked"]} == CHECKED[name]
    if name == "jjg577":
        signs = [item for field, item in rows(name) if field == "same_sign"]
        assert [(item["value"]["class_tenths"], item["checked"]) for item in signs] == [
            (10, True),
            (15, False),
        ]


@pytest.mark.parametrize(
    "name, accuracy_class, expected",
    [
        ("jjg162", 10, [(3, 3), (1, 2)]),
        ("jjg162", 20, [(5, 5), (2, 3)]),
        ("r49", 10, [(3, 3), (1, 2)]),
        ("r49", 20, [(5, 5), (2, 3)]),
        *((name, 10, [(2, 2), (1, 1)]) for name in ("jjg577", "jjg1190", "r137")),
        *((name, 15, [(3, 3), (Fraction(3, 2), Fraction(3, 2))]) for name in ("jjg577", "jjg1190", "r137")),
    ],
)
def test_limits_are_those_of_the_regulation(
    name: str, accuracy_class: int, expected: list[tuple[Fraction, Fraction]]
) -> None:
    """Per cent, normal and above 30 degrees, lower zone first: the tables of domain.md, water and gas."""
    found = [(zone.limit * 100, zone.warm_limit * 100) for zone in load_pack(name).zones(accuracy_class)]
    assert found == expected


def test_water_flows_follow_from_q3_and_the_ratio() -> None:
    """Q3 2.5 m3/h, R 100: Q1 25 L/h, Q2 1.6 times that, Q4 3125 L/h (JJG 162-2019)."""
    pack, water = load_pack("jjg162"), meter(water_type_fields())
    found = [pack.flow(symbol, water) for symbol in ("q1", "q2", "q3", "q4")]
    assert found == [25_000, 40_000, 2_500_000, 3_125_000]


def test_the_transitional_flow_of_gas_is_a_tenth_of_the_greatest() -> None:
    """A G4 with qmax 6 m3/h, qmin 0.04 m3/h: q_t 0.6 m3/h (JJG 577-2012)."""
    pack, gas = load_pack("jjg577"), meter(gas_type_fields())
    assert [pack.flow(symbol, gas) for symbol in ("qmin", "qt", "qmax")] == [40_000, 600_000, 6_000_000]


def test_a_water_plan_states_flows_counts_volume_settling_and_repeats() -> None:
    """0.95 Q3 for 10 s is 6.597 L, 660 pulses of 10 mL and one more; 1.05 Q2 and 1.05 Q1 with 100 pulses, 1 L."""
    plan = scan(plan_for(load_pack("jjg162"), water_type_fields()))
    assert plan == {
        L.MEDIUM: 1,
        L.RULES: load_pack("jjg162").digest,
        L.PLAN_POINTS: [
            [2_375_000, 661, 6_610_000, 30_000, 1],
            [42_000, 100, 1_000_000, 30_000, 1],
            [26_250, 100, 1_000_000, 30_000, 1],
        ],
        L.STABILITY: [5000, 120_000, BANDS],
    }


def test_a_static_plan_lets_through_what_the_register_can_tell() -> None:
    """A litre a register unit: a quarter of 2 % wants 200 L, a quarter of 5 % wants 80 L, a tenth more each; so many
    counts of the reference at least, too. Method 2 is static.
    """
    plan = scan(plan_for(load_pack("jjg162"), water_type_fields(), STATIC))
    assert plan[L.METHOD] == 2
    assert [row[:3] for row in plan[L.PLAN_POINTS]] == [
        [2_375_000, 200, 220_000_000],
        [42_000, 200, 220_000_000],
        [26_250, 80, 88_000_000],
    ]


def test_a_finer_register_makes_a_static_point_as_short_as_any_other() -> None:
    """10^-6 m3: pulses and time decide; 0.95 Q3 for 10 s is 6.597222 L, 100 pulses of 10 mL are 1 L; a tenth more."""
    plan = scan(plan_for(load_pack("jjg162"), {**water_type_fields(), L.REGISTER_EXPONENT: -6}, STATIC))
    assert [row[2] for row in plan[L.PLAN_POINTS]] == [7_256_945, 1_100_000, 1_100_000]


def test_no_plan_names_a_method_that_no_fixture_has() -> None:
    """Method 3 is the collecting tank: its arithmetic exists, its driver does not."""
    with pytest.raises(BadPack, match="method 3"):
        plan_for(load_pack("jjg162"), water_type_fields(), 3)


def test_a_pack_that_asks_for_a_run_in_gets_it_at_its_greatest_flow() -> None:
    """A minute at 0.95 Q3; a pack that asks for no stability gets none."""
    pack = with_values(load_pack("jjg162"), {"run_in_ms": 60_000, "stable_ms": 0})
    plan = scan(plan_for(pack, water_type_fields()))
    assert plan[L.RUN_IN] == [2_375_000, 60_000] and L.STABILITY not in plan


def test_a_gas_plan_runs_five_cycles_at_least() -> None:
    """Five cycles of 1.2 L are 60 pulses of 0.1 L; 0.95 qmax for 10 s is 15.83 L, 159 pulses and one more."""
    plan = scan(plan_for(load_pack("jjg577"), gas_type_fields()))
    assert [row[:3] for row in plan[L.PLAN_POINTS]] == [
        [5_700_000, 160, 16_000_000],
        [1_200_000, 60, 6_000_000],
        [42_000, 60, 6_000_000],
    ]


@pytest.mark.parametrize("field", ["limit", "class", "medium", "pulse"])
def test_no_plan_is_made_for_a_type_that_the_pack_does_not_know(field: str) -> None:
    """A class without limits, the other medium, flows or pulses of nothing."""
    wrong = {
        "limit": {L.ACCURACY_CLASS: 30},
        "class": {L.FLOWS_ML_PER_H: [2_500_000, 0]},
        "medium": {L.MEDIUM: 2},
        "pulse": {L.METER_PULSE_UL: [0, 1]},
    }[field]
    with pytest.raises(BadPack, match="choose another pack"):
        plan_for(load_pack("jjg162"), {**water_type_fields(), **wrong})


BANDS = [[2_250_000, 2_500_000], [40_000, 44_000], [25_000, 27_500]]
"""0.9 to 1 Q3, 1 to 1.1 Q2 and Q1 in mL/h (domain facts, draft)."""


def draft(value: Any) -> dict[str, Any]:
    """A value record."""
    return {"value": value, "source": "to be confirmed", "checked": False}


def zone(low: str, high: str) -> dict[str, Any]:
    """A zone of class 2."""
    return draft({"class_tenths": 20, "from": low, "to": high, "limit_ppm": 1, "warm_limit_ppm": 1})


@pytest.mark.parametrize(
    "zones, code",
    [
        ([zone("q1", "q2"), zone("q3", "q4")], "rules.gap"),
        ([zone("q1", "q3"), zone("q2", "q4")], "rules.overlap"),
        ([zone("q2", "q4")], "rules.gap"),
        ([zone("q1", "q2")], "rules.gap"),
        ([zone("q1", "q1"), zone("q1", "q4")], "rules.gap"),
        ([zone("q1", "q4"), zone("q1", "q4")], "rules.overlap"),
        ([], "rules.field"),
    ],
    ids=["gap", "overlap", "no start", "no end", "empty zone", "twice", "none"],
)
def test_zones_that_leave_a_gap_or_overlap_are_refused(zones: list[dict[str, Any]], code: str) -> None:
    """A flow has exactly one limit: zones of a class follow each other from Q1 to Q4, each fault with its code."""
    with pytest.raises(BadPack) as refused:
        compile_pack(changed("jjg162", "limits", zones))
    assert refused.value.code == code


def test_zones_that_follow_each_other_are_accepted() -> None:
    """The other side of the refusals above."""
    other = zone("q1", "q4")
    other["value"]["class_tenths"] = 10
    raw = compile_pack(changed("jjg162", "limits", [zone("q1", "q2"), other, zone("q2", "q4")]))
    assert len(Pack.load(raw).zones(20)) == 2


def test_a_field_in_another_unit_is_refused_with_the_right_one() -> None:
    """settle_s where settle_ms is due: a factor of a thousand is not guessed."""
    wrong = document("jjg162")
    wrong["values"]["settle_s"] = wrong["values"].pop("settle_ms")
    with pytest.raises(
        BadPack, match="unknown field settle_s; its unit must be that of settle_ms"
    ) as refused:
        compile_pack(wrong)
    assert refused.value.code == "rules.unit"


def test_an_unknown_field_is_refused() -> None:
    """A field that nobody reads would be a rule that nobody keeps."""
    with pytest.raises(BadPack, match="unknown field moon_phase"):
        compile_pack(changed("jjg162", "moon_phase", draft(1)))


def test_a_missing_field_is_refused() -> None:
    """Every rule is stated; there are no defaults."""
    wrong = document("jjg577")
    del wrong["values"]["most_tries"]
    with pytest.raises(BadPack, match="lacks most_tries"):
        compile_pack(wrong)


SIGN = {"class_tenths": 20, "from": "q1", "rule": "one_within", "share": [1, 2], "most_ppm": 0}


@pytest.mark.parametrize(
    "field, value",
    [
        ("most_tries", draft(-1)),
        ("most_tries", draft("2")),
        ("most_tries", draft(True)),
        ("most_tries", 2),
        ("most_tries", {"value": 2, "source": "x"}),
        ("most_tries", {"value": 2, "source": 7, "checked": False}),
        ("most_tries", {"value": 2, "source": "x", "checked": 1}),
        ("standard_share", draft([1, 0])),
        ("standard_share", draft([1])),
        ("points", draft([])),
        ("points", [draft({"at": "qmax", "least": [1, 1], "most": [1, 1], "target": [1, 1]})]),
        ("points", [draft([1])]),
        ("points", []),
        ("density_table", draft("00")),
        ("signoff_roles", draft(3)),
        ("signoff_roles", draft([1, -1])),
        ("certificate_fields", draft(["meter", 7])),
        ("same_sign", [draft({**SIGN, "class_tenths": 30})]),
        ("same_sign", [draft({**SIGN, "rule": "most_within"})]),
        ("house_limits", [zone("q1", "q2")]),
    ],
)
def test_a_value_that_is_none_is_refused(field: str, value: Any) -> None:
    """Wrong kinds, missing sources, flows of the other medium, another density table."""
    with pytest.raises(BadPack):
        compile_pack(changed("jjg162", field, value))


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {},
        {"name": 1, "edition": "x", "medium": 1, "values": {}},
        {**document("jjg162"), "medium": 3},
        {**document("jjg162"), "medium": []},
    ],
)
def test_a_document_that_is_no_pack_is_refused(wrong: Any) -> None:
    """Name and edition are text, medium is 1 or 2."""
    with pytest.raises(BadPack):
        compile_pack(wrong)


@pytest.mark.parametrize("raw", [b"", b"\xa0\x00", b"\x18\x05"])
def test_bytes_that_are_not_canonical_cbor_are_no_pack(raw: bytes) -> None:
    """Nothing, a trailing byte, a 5 in two bytes (RFC 8949 section 4.2.1)."""
    with pytest.raises(BadPack, match="canonical CBOR"):
        Pack.load(raw)


@pytest.mark.parametrize("name", ["jjg999", "../packs/jjg162", ""])
def test_only_shipped_packs_can_be_loaded_by_name(name: str) -> None:
    """A name is no path."""
    with pytest.raises(BadPack):
        load_pack(name)


def test_the_house_limit_is_another_field_than_the_legal_one() -> None:
    """Tighter house limits change the digest and no legal limit."""
    house = [zone("q1", "q2"), zone("q2", "q4")]
    other = Pack.load(compile_pack(changed("jjg162", "house_limits", house)))
    assert other.digest != load_pack("jjg162").digest
    assert other.zones(20) == load_pack("jjg162").zones(20)


def band(low: list[int], target: list[int], high: list[int]) -> list[dict[str, Any]]:
    """A plan of one point."""
    return [draft({"at": "q3", "least": low, "target": target, "most": high})]


@pytest.mark.parametrize(
    "target, fits", [([9, 10], True), ([1, 1], True), ([899, 1000], False), ([11, 10], False)]
)
def test_a_points_target_lies_within_its_band(target: list[int], fits: bool) -> None:
    """0.9 to 1 times Q3: both ends belong to it, a thousandth beyond does not."""
    document = changed("jjg162", "points", band([9, 10], target, [1, 1]))
    if fits:
        compile_pack(document)
        return
    with pytest.raises(BadPack, match="outside of its band"):
        compile_pack(document)


def room(most_qmax: int) -> dict[str, Any]:
    """A row of air temperatures."""
    return draft({"most_qmax_ml_per_h": most_qmax, "least_mk": 18_000, "most_mk": 22_000})


def test_rows_of_air_temperature_ascend() -> None:
    """The first row that reaches the meter's qmax is the one: two that reach as far would be two rules."""
    compile_pack(changed("jjg577", "air_temperature", [room(1), room(2)]))
    for rows_ in ([room(2), room(1)], [room(1), room(1)]):
        with pytest.raises(BadPack) as refused:
            compile_pack(changed("jjg577", "air_temperature", rows_))
        assert refused.value.code == "rules.overlap"


def test_the_packs_that_ship_are_listed() -> None:
    """The five that issue 4 names."""
    assert tuple(shipped()) == NAMES


def test_every_single_value_has_words_in_both_languages() -> None:
    """fields.toml: a rule that schema.py knows, the media it is for, zh and en that differ from the name."""
    for name, row in FIELDS.items():
        assert set(row) == {"rule", "media", "judge", "zh", "en"}, name
        assert row["rule"] in ("count", "counts", "fraction", "text", "texts")
        assert set(row["media"]) <= {1, 2} and row["media"]
        assert re.search("[\u4e00-\u9fff]", row["zh"]) and row["en"] != name


def test_what_no_judge_reads_is_read_by_no_judge() -> None:
    """`judge = false` in fields.toml, and house limits: the judge's sources don't name them; the others they do."""
    source = "".join(
        path.read_text("utf-8") for path in Path(pack_module.__file__).parents[1].glob("judge/*.py")
    )
    for name in [name for name, row in FIELDS.items() if not row["judge"]] + ["house_limits"]:
        assert f'"{name}"' not in source
