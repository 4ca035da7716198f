"""`meterseal plan`: plans of both methods from pack and type, their house values, the grant that edge and fixture want.

Expected figures: spec/rules.md's rules by hand, as in protocol/tests/test_rules.py.
"""

from pathlib import Path

import pytest
from edge.tests.test_granting import PLAN
from typer.testing import CliRunner, Result

from meterseal_edge import granting
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_protocol.rules import load_pack
from meterseal_protocol.statement import read
from meterseal_protocol.testing.world import World, water_type_fields
from meterseal_tools.cli import app
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.point import STATIC
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity


@pytest.fixture(scope="module")
def world() -> World:
    """An authority with a type of water meters."""
    return World()


class Office:
    """A folder with a type grant in it."""

    def __init__(self, folder: Path, world: World) -> None:
        self.folder, self.world = folder, world
        self.type = self.file("type.cose", world.grant("province", kinds.TYPE, water_type_fields()))

    def file(self, name: str, content: bytes) -> Path:
        """A file."""
        path = self.folder / name
        path.write_bytes(content)
        return path

    def run(self, *arguments: object) -> Result:
        """`meterseal plan ...`, wide enough for its table."""
        return CliRunner().invoke(app, ["plan", *map(str, arguments)], env={"COLUMNS": "160"})

    def make(self, *options: object, name: str = "plan.cbor") -> tuple[Result, Path]:
        """A plan from jjg162 for the type."""
        return self.run(
            "make", "jjg162", self.type, "--out", self.folder / name, *options
        ), self.folder / name


@pytest.fixture
def office(tmp_path: Path, world: World) -> Office:
    """Nothing made yet."""
    return Office(tmp_path, world)


def test_a_flying_plan_is_the_packs_and_is_shown_in_both_languages(office: Office) -> None:
    """0.95 Q3 for 10 s is 660 pulses of 10 mL and one more; five steady seconds within two minutes; no run-in."""
    done, path = office.make()
    assert done.exit_code == 0, done.output
    plan = scan(path.read_bytes())
    assert plan[L.PLAN_POINTS][0] == [2_375_000, 661, 6_610_000, 30_000, 1]
    assert L.RUN_IN not in plan and L.METHOD not in plan and L.MODE not in plan
    assert plan[L.STABILITY][:2] == [5000, 120_000]
    digest = sha256(path.read_bytes()).hex()
    for language, words in (
        ("en", ("flying start", "2.375 m³/h", "6.61 L")),
        ("zh", ("动态法", "被检表", "次数")),
    ):
        said = office.run("show", path, "--language", language)
        assert said.exit_code == 0 and all(word in said.output for word in (digest, *words)), said.output


def test_a_static_plan_has_its_house_values_and_is_for_its_mode_alone(office: Office) -> None:
    """A minute's run-in at 0.95 Q3, 40 s of settling, 8 steady seconds in 150, 1.5 times 220 L, 220 L and 88 L."""
    options = (
        "--run-in",
        60,
        "--settle",
        40,
        "--stable",
        8,
        "--within",
        150,
        "--volume",
        "3/2",
        "--mode",
        "check",
    )
    done, path = office.make("--method", "static", *options)
    assert done.exit_code == 0, done.output
    plan = scan(path.read_bytes())
    assert (plan[L.METHOD], plan[L.MODE], plan[L.RUN_IN]) == (STATIC, kinds.CHECK, [2_375_000, 60_000])
    assert [row[2:4] for row in plan[L.PLAN_POINTS]] == [
        [330_000_000, 40_000],
        [330_000_000, 40_000],
        [132_000_000, 40_000],
    ]
    assert plan[L.STABILITY][:2] == [8000, 150_000]
    again, other = office.make("--method", "static", *options, name="again.cbor")
    assert again.exit_code == 0 and other.read_bytes() == path.read_bytes()
    said = office.run("show", path, "--language", "zh").output
    assert all(word in said for word in ("静态启停法", "check", "2.375 m³/h, 60 s", "标准表"))


@pytest.mark.parametrize(
    "options, code, why",
    [
        (("--settle", 29), 65, "settle_ms 29000 is less than the rules' 30000"),
        (("--stable", 4), 65, "stable_ms 4000 is less"),
        (("--stable", 130), 65, "cannot be steady for 130000 ms within 120000"),
        (("--volume", "0.9"), 65, "9/10 of the rules' volume"),
        (("--volume", "much"), 64, "much"),
        (("--run-in", -1), 64, "0 seconds or more"),
        (("--method", "tank"), 64, "there is no method tank; give flying, static"),
        (("--mode", "fun"), 64, "there is no mode fun"),
    ],
)
def test_a_house_value_below_the_rules_is_refused(
    office: Office, options: tuple[object, ...], code: int, why: str
) -> None:
    """One sentence, and no file."""
    done, path = office.make(*options)
    assert done.exit_code == code and why in done.output and not path.exists()


def test_a_variant_needs_the_type_that_it_varies(office: Office) -> None:
    """JJF 1015: what the improved type leaves out is the first one's. Its pulses of 20 mL make half as many counts."""
    base = office.type.read_bytes()
    fields = {L.VARIANT_OF: identity(base), L.CLAUSES: ["6.3"], L.METER_PULSE_UL: [20_000, 1]}
    own = {label: water_type_fields()[label] for label in (L.MAKER, L.TYPE)}
    variant = office.file("variant.cose", office.world.grant("province", kinds.TYPE, {**own, **fields}))
    out = office.folder / "variant.cbor"
    alone = office.run("make", "jjg162", variant, "--out", out)
    assert alone.exit_code == 65 and "that it varies" in alone.output and not out.exists()
    both = office.run("make", "jjg162", variant, office.type, "--out", out)
    assert both.exit_code == 0 and scan(out.read_bytes())[L.PLAN_POINTS][0][1] == 331


def test_what_is_no_type_no_plan_or_not_there_is_one_sentence(office: Office) -> None:
    """Another grant, another file, a pack for gas, a file that stands already."""
    out = office.folder / "plan.cbor"
    delegation = office.file("d.cose", office.world.grants["delegation"])
    for wrong, code, why in (
        (delegation, 65, "no type grant"),
        (office.file("junk", b"junk"), 65, "plan make"),
        (office.folder / "nowhere", 66, "No such file"),
    ):
        done = office.run("make", "jjg162", wrong, "--out", out)
        assert done.exit_code == code and why in done.output and len(done.output.splitlines()) == 1
    assert office.run("make", "jjg577", office.type, "--out", out).exit_code == 65
    assert office.run("show", delegation).exit_code == 65
    out.write_bytes(b"mine")
    done, _ = office.make()
    assert done.exit_code == 73 and out.read_bytes() == b"mine"


def test_the_grant_names_the_plans_and_the_edge_takes_them(office: Office) -> None:
    """As `meterseal edge plan put` looks at it: under an anchor, this very document, the same rules."""
    paths = [office.make(name="a")[1], office.make("--method", "static", name="b")[1]]
    key = office.folder / "root.key"
    office.world.keys["root"].save(key)
    out = office.folder / "rules.cose"
    arguments = ("--key", key, "--issuer", "SAMR", "--number", 7, "--out", out)
    done = office.run("grant", "jjg162", *paths, *arguments)
    assert done.exit_code == 0, done.output
    signed = out.read_bytes()
    payload = read(signed).payload
    assert (payload[L.NUMBER], payload[L.RULES]) == (7, load_pack("jjg162").digest)
    anchors = KeyRing()
    anchors.add(PublicKey.from_cose(office.world.keys["root"].public.cose))
    for path in paths:
        assert granting.plan_of(anchors, signed, path.read_bytes())[0] == granting.PLAN
    foreign = office.file("foreign", PLAN)
    refused = office.run("grant", "jjg162", foreign, *arguments[:-1], office.folder / "no.cose")
    assert refused.exit_code == 65 and "other rules" in refused.output
