"""`meterseal grant`: from an empty folder to a bench whose result counts, by what an officer types alone."""

import re
from pathlib import Path
from typing import Any

import pycddl
import pytest
from edge.tests.secured import csr, openssl_key
from tools.tests.board_bench import run

from meterseal_protocol.keys import PrivateKey, PublicKey
from meterseal_protocol.statement import read
from meterseal_protocol.testing.trial import Trial
from meterseal_tools.grants.fields import FIELDS, KINDS, VARIANT, optional, wanted
from meterseal_tools.grants.form import read_form
from meterseal_tools.grants.handed import sign
from meterseal_tools.services import Service, free_port, write_settings
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan

CDDL = (Path(__file__).parents[2] / "protocol/spec/meterseal.cddl").read_text("utf-8")
WHEN = "valid_from = 2026-01-01T00:00:00Z\nvalid_to = 2029-01-01T00:00:00Z\n"
# Who signs, the form. What they say is what the model world says in code, so a trial on them must be granted.
FORMS = {
    "delegation": (
        "root",
        """kind = "delegation"
subject_key = "province.cosekey"
measures = [1, 4, 5, 7, 8, 9]
territory = ["33"]
depth = 1""",
    ),
    "registry": ("root", 'kind = "registry"\nsubject_key = "registry.cosekey"\nregistry = "REG-CN"'),
    "rules jjg162": ("root", 'kind = "rules"\nrules = "jjg162"\nrules_name = "jjg162"'),
    "manufacturer": (
        "province",
        """kind = "manufacturer"
maker = "DEMO"
media = ["water", "gas"]
nominal_range = [15, 60]
sites = ["YUHANG1"]
territory = ["33"]""",
    ),
    "type water": (
        "province",
        """kind = "type"
maker = "DEMO"
type = "2026F101-33"
medium = "water"
nominal = 20
accuracy_class = 20
flows_ml_per_h = [2500000, 100]
meter_pulse_ul = 10000
register_exponent = -3
cycle_volume_ul = 10000
update_interval_ms = 0
bus_identity = "2d480307\"""",
    ),
    "standard W1": (
        "province",
        """kind = "standard"
standard = "REF-W1"
management = "assessed"
traceability = ["DEMO: model reference"]
calibration = [[20000, 1000, 1500], [400000, "2000/2", 800], [3200000, 1000, 800]]""",
    ),
    "fixture W1": (
        "province",
        """kind = "fixture"
subject_key = "W1.csr"
fixture = "W1"
bench = "BENCH-W1"
site = "YUHANG1"
position_count = 8
standards = ["REF-W1"]
assurance = 0""",
    ),
    "edge": ("province", 'kind = "edge"\nsubject_key = "edge.cosekey"\nedge = "EDGE1"\nsite = "YUHANG1"'),
}
PERSON = """kind = "person"
subject_key = "{0}.cosekey"
roles = ["{0}"]
qualification = ["water", "gas"]
institution = "DEMO\""""
FORMS |= {f"person {role}": ("province", PERSON.format(role)) for role in ("verifier", "checker", "approver")}
ISSUERS = {"root": "SAMR-DEMO", "province": "ZJ-DEMO", "nobody": "NOBODY", "absent": "X"}


class Officer:
    """A folder with keys of every role, their public halves, and what is typed there."""

    def __init__(self, folder: Path, trial: Trial) -> None:
        self.folder, self.number = folder, 0
        for role, key in trial.world.keys.items():
            key.save(folder / f"{role}.key")
            assert run("keys", "public", folder / f"{role}.key", folder / f"{role}.cosekey").exit_code == 0
        (folder / "W1.csr").write_bytes(csr(openssl_key(trial.world.keys["W1"]), "W1"))

    def form(self, text: str, when: str = WHEN) -> Path:
        """A filled form."""
        self.number += 1
        path = self.folder / f"form{self.number}.toml"
        path.write_text(f"number = {self.number}\n{when}demo = true\n{text}\n")
        return path

    def make(self, name: str, text: str, signer: str = "province", under: str = "", when: str = WHEN) -> Any:
        """`grant make`; `under` is the name of a delegation that was made."""
        words = [
            "--key",
            self.folder / f"{signer}.key",
            "--issuer",
            ISSUERS[signer],
            "--out",
            self.file(name),
        ]
        more = ["--under", self.file(under)] if under else []
        return run("grant", "make", self.form(text, when), *words, *more)

    def file(self, name: str) -> Path:
        """A grant's file."""
        return self.folder / f"{name.replace(' ', '-')}.cose"

    def whole_chain(self) -> None:
        """Every grant of FORMS, parents first."""
        for name, (signer, text) in FORMS.items():
            done = self.make(name, text, signer, "" if signer == "root" else "delegation")
            assert done.exit_code == 0, done.stderr


@pytest.fixture
def trial() -> Trial:
    """A water meter's way; nothing is entered yet."""
    return Trial()


@pytest.fixture
def officer(tmp_path: Path, trial: Trial) -> Officer:
    """In an empty folder."""
    return Officer(tmp_path, trial)


def test_a_result_counts_on_grants_that_were_typed(officer: Officer, trial: Trial) -> None:
    """The judge grants a certificate on them, and refuses when the manufacturer's is left out."""
    officer.whole_chain()
    made = {name: officer.file(name).read_bytes() for name in FORMS}
    trial.world.grants.clear()
    trial.world.grants |= made
    decision = trial.begin().run().decide()
    assert (decision.outcome, decision.reasons) == (kinds.GRANTED, ())
    other = Trial(keys=trial.world.keys)
    other.world.grants.clear()
    other.world.grants |= {name: raw for name, raw in made.items() if name != "manufacturer"}
    assert "grant.missing" in [code for code, _ in other.begin().run().decide().reasons]


def test_a_real_registry_takes_them_and_a_withdrawal(officer: Officer, trial: Trial, tmp_path: Path) -> None:
    """`keys anchors`, `grant submit`, twice; then `grant withdraw`. A grant under nobody's key is refused, exit 1."""
    officer.whole_chain()
    anchors = tmp_path / "anchors.cbor"
    assert run("keys", "anchors", anchors, tmp_path / "root.cosekey").exit_code == 0
    assert anchors.read_bytes() == trial.world.anchors_file
    (tmp_path / "state").mkdir()
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    named = {"registry": "REG-CN", "base_url": address, "beacon_s": 20}
    settings = write_settings(
        *(tmp_path / "registry.json",),
        folder=tmp_path / "state",
        port=port,
        key=tmp_path / "registry.key",
        anchors=anchors,
        **named,
    )
    service = Service("meterseal_registry", settings, f"{address}/healthz")
    service.start()
    try:
        files = [officer.file(name) for name in FORMS]
        to = ["--registry", address, "--anchors", anchors]
        first = run("grant", "submit", *files, *to)
        assert first.exit_code == 0, first.output + first.stderr
        told = [int(leaf) for leaf in re.findall(r"已登记 entered, 日志叶 leaf (\d+)", first.output)]
        assert len(told) == len(FORMS) and told == sorted(set(told))
        assert f"entered before, 日志叶 leaf {told[0]}" in run("grant", "submit", files[0], *to).output
        assert run("keys", "anchors", tmp_path / "other.cbor", tmp_path / "edge.cosekey").exit_code == 0
        other = run("grant", "submit", files[0], *to[:3], tmp_path / "other.cbor")
        assert other.exit_code == 1 and "by no registry that these anchors grant" in other.stderr
        withdrawal = tmp_path / "w.cose"
        words = ["--key", tmp_path / "province.key", "--issuer", "ZJ-DEMO", "--out", withdrawal]
        done = run("grant", "withdraw", officer.file("fixture W1"), "--reason", "seal broken", *words)
        assert done.exit_code == 0, done.stderr
        assert run("grant", "submit", withdrawal, *to).exit_code == 0
        PrivateKey.generate().save(tmp_path / "nobody.key")
        assert officer.make("stray", FORMS["edge"][1], "nobody").exit_code == 0
        refused = run("grant", "submit", officer.file("stray"), *to)
        assert refused.exit_code == 1 and "entry.unknown_key" in refused.stderr
    finally:
        service.stop()
    away = run("grant", "submit", files[0], *to)
    assert away.exit_code == 69 and "can't be reached" in away.stderr


@pytest.mark.parametrize("kind", [*KINDS, VARIANT])
def test_a_template_as_it_comes_is_a_grant_that_the_cddl_knows(officer: Officer, kind: str) -> None:
    """pycddl, an independent CDDL tool. The files that the examples name are laid beside the form."""
    (officer.folder / "subject.cosekey").write_bytes((officer.folder / "W1.cosekey").read_bytes())
    (officer.folder / "log.cosekey").write_bytes((officer.folder / "edge.cosekey").read_bytes())
    assert officer.make("type", FORMS["type water"][1]).exit_code == 0
    (officer.folder / "plan.cbor").write_bytes(b"a plan")
    form = run("grant", "template", kind)
    assert form.exit_code == 0
    whole = re.sub(r"(?m)^# (\w+ = )", r"\1", form.output)  # what may be left out is filled too
    for number, text in enumerate((form.output, whole)):
        path = officer.folder / f"{kind}{number}.toml"
        path.write_text(text)
        out = officer.folder / f"{kind}{number}.cose"
        done = run(
            "grant", "make", path, "--key", officer.folder / "root.key", "--issuer", "SAMR", "--out", out
        )
        assert done.exit_code == 0, done.stderr
        rule = {"witness": "log-witness", "reference_material": "reference-material"}.get(kind, kind)
        raw = encode(read(out.read_bytes()).payload)
        pycddl.Schema(f"start = {rule}\n{CDDL}").validate_cbor(raw)
        assert run("grant", "show", out).exit_code == 0
    labels = {
        field.label
        for field in (
            *wanted(KINDS.get(kind, kinds.TYPE), kind == VARIANT),
            *optional(KINDS.get(kind, kinds.TYPE), kind == VARIANT),
        )
    }
    assert labels == set(read(out.read_bytes()).payload) - {L.GRANT, L.NUMBER, L.WINDOW, L.DEMO}


def test_every_field_has_words_in_both_languages() -> None:
    """And its name is that of the label table."""
    for field in FIELDS.values():
        assert re.search("[\u4e00-\u9fff]", field.zh) and re.search("[a-z]{3}", field.en)
        assert getattr(L, field.name.upper()) == field.label


WIDER = [
    ("territory", 'territory = ["33", "44"]', "territory is 33, 44, and it has 33"),
    ("media", 'media = ["water", "gas"]', "media is water, gas, and it has water"),
    ("nominal_range", "nominal_range = [15, 300]", "nominal_range is 15, 300, and it has 15, 60"),
    ("sites", 'sites = ["YUHANG1", "ELSEWHERE"]', "sites is YUHANG1, ELSEWHERE, and it has YUHANG1"),
    ("maker", 'maker = "OTHER"', "maker is OTHER, and it has DEMO"),
]
NARROW = {
    "territory": 'territory = ["3301"]',
    "media": 'media = ["water"]',
    "nominal_range": "nominal_range = [15, 40]",
    "sites": 'sites = ["YUHANG1"]',
    "maker": 'maker = "DEMO"',
}
BOUNDED = (
    'kind = "delegation"\nsubject_key = "province.cosekey"\nmeasures = [5]\nterritory = ["33"]\ndepth = 1\n'
    'maker = "DEMO"\nmedia = ["water"]\nnominal_range = [15, 60]\nsites = ["YUHANG1"]'
)


def narrow_form(**changes: str) -> str:
    """A manufacturer's form that stays within BOUNDED, but for what is changed."""
    return "\n".join(['kind = "manufacturer"', *(NARROW | changes).values()])


@pytest.mark.parametrize("name, line, says", WIDER)
def test_nothing_wider_than_the_issuers_own_is_signed(
    officer: Officer, name: str, line: str, says: str
) -> None:
    """Each dimension of spec/grant.md, one at a time, beside a form that stays within."""
    assert officer.make("root", BOUNDED, "root").exit_code == 0
    assert officer.make("within", narrow_form(), under="root").exit_code == 0
    done = officer.make("wider", narrow_form(**{name: line}), under="root")
    assert done.exit_code == 65 and says in done.stderr and "grant.widened" in done.stderr
    assert not officer.file("wider").exists()


@pytest.mark.parametrize(
    "text, when, says",
    [
        (narrow_form(), WHEN.replace("2029", "2030"), "valid_from and valid_to are not within its own"),
        (
            'kind = "tenant"\ntenant = "A"\nmaker = "DEMO"\nbenches = []',
            WHEN,
            "none of its measures (5 两检合一 two verifications in one) gives",
        ),
        (BOUNDED, WHEN, "depth is 1, and it has 1"),
        (
            BOUNDED.replace("[5]", "[5, 7]").replace("depth = 1", "depth = 0"),
            WHEN,
            "measures is 5 两检合一 two verifications in one; 7 ",
        ),
        (FORMS["rules jjg162"][1], WHEN, "given by an anchor alone"),
    ],
)
def test_nor_for_longer_by_another_measure_or_what_only_an_anchor_gives(
    officer: Officer, text: str, when: str, says: str
) -> None:
    """The same words as the judge's: grant.widened."""
    assert officer.make("root", BOUNDED, "root").exit_code == 0
    done = officer.make("wider", text, under="root", when=when)
    assert done.exit_code == 65 and says in done.stderr, done.stderr


def test_what_is_wider_further_up_is_found_where_it_is_given(officer: Officer) -> None:
    """A province whose own delegation is wider than the root's allowed: nobody below it can give that."""
    top = BOUNDED.replace("province.cosekey", "checker.cosekey")
    assert officer.make("top", top, "root").exit_code == 0
    stolen = BOUNDED.replace("depth = 1", "depth = 0").replace('["33"]', '["44"]')
    parent = read(officer.file("top").read_bytes()).identity
    payload = {**read_form(officer.form(stolen)), L.PARENT: parent}
    officer.file("low").write_bytes(sign(payload, "ZJ", PrivateKey.load(officer.folder / "checker.key")))
    form = officer.form(narrow_form(territory='territory = ["44"]'))
    words = ["--key", officer.folder / "province.key", "--issuer", "ZJ"]
    low, above = officer.file("low"), officer.file("top")
    alone = run("grant", "make", form, *words, "--under", low, "--out", officer.file("one"))
    assert alone.exit_code == 0
    both = run("grant", "make", form, *words, "--under", low, "--under", above, "--out", officer.file("two"))
    assert both.exit_code == 65 and "territory is 44, and it has 33" in both.stderr
    turned = run(
        "grant", "make", form, *words, "--under", above, "--under", low, "--out", officer.file("three")
    )
    assert turned.exit_code == 65 and "give them in order" in turned.stderr


def test_who_does_not_hold_the_delegation_signs_nothing_under_it(officer: Officer) -> None:
    """Another key, and a grant that is no delegation."""
    officer.whole_chain()
    other = officer.make("a", FORMS["edge"][1], "root", "delegation")
    assert other.exit_code == 65 and "names another key than this one" in other.stderr
    level = officer.make("b", FORMS["edge"][1], "province", "manufacturer")
    assert level.exit_code == 65 and "is no delegation" in level.stderr


GOOD = FORMS["manufacturer"][1]
BAD = [
    (GOOD + "\nsite = 1", "site is no field of this grant; it has kind, number"),
    (GOOD.replace('maker = "DEMO"\n', ""), "maker is missing; see `meterseal grant template manufacturer`"),
    (GOOD.replace('"water", "gas"', '"beer"'), "media: 'beer' is none of water, gas"),
    (GOOD.replace('["YUHANG1"]', '"YUHANG1"'), "sites: 'YUHANG1' is not a list"),
    (GOOD.replace("YUHANG1", "A" * 17), "has more than 16 characters"),
    (GOOD.replace("[15, 60]", "[15]"), "nominal_range: 1 values are given and 2 wanted"),
    (GOOD.replace("[15, 60]", "[15, -1]"), "nominal_range: -1 is no whole number from 0"),
    (GOOD.replace("manufacturer", "king"), "kind 'king' is none of delegation, manufacturer"),
    (GOOD + "\nnumber = 7", "cannot be read as TOML"),
    (FORMS["type water"][1].replace("= 10000\nreg", "= 1.5\nreg"), "meter_pulse_ul: 1.5 is no exact number"),
    (FORMS["type water"][1].replace("2d480307", "2d48"), "bus_identity: 2 bytes are given and 4 wanted"),
    (FORMS["fixture W1"][1].replace("W1.csr", "W9.csr"), "W9.csr cannot be read: No such file"),
    (FORMS["fixture W1"][1].replace("W1.csr", "form1.toml"), "neither a file of these kinds nor hex"),
]


@pytest.mark.parametrize("text, says", BAD)
def test_a_form_that_is_wrong_gets_one_sentence_and_signs_nothing(
    officer: Officer, text: str, says: str
) -> None:
    """Design section 13: what, and what to do; exit 65."""
    done = officer.make("bad", text, "root")
    assert (done.exit_code, done.stderr.count("\n")) == (65, 1), done.stderr
    assert says in done.stderr
    assert not officer.file("bad").exists()


def test_demo_is_true_or_false(officer: Officer) -> None:
    """A text would count as true whatever it says."""
    form = officer.form(GOOD)
    form.write_text(form.read_text().replace("demo = true", 'demo = "no"'))
    words = ["--key", officer.folder / "root.key", "--issuer", "SAMR", "--out", officer.file("bad")]
    done = run("grant", "make", form, *words)
    assert done.exit_code == 65 and "demo is true or false" in done.stderr


@pytest.mark.parametrize("when", ["", WHEN.replace("2029", "2025"), WHEN.replace("Z", "")])
def test_a_window_is_two_times_with_their_zone_in_order(officer: Officer, when: str) -> None:
    """A time without its zone would be another one somewhere else."""
    assert officer.make("bad", GOOD, "root", when=when).exit_code == 65


def test_what_is_there_is_never_overwritten_and_a_missing_key_is_named(officer: Officer) -> None:
    """Exit 73 and 66; so is a rule pack that does not ship."""
    assert officer.make("a", GOOD, "root").exit_code == 0
    before = officer.file("a").read_bytes()
    assert officer.make("a", GOOD, "root").exit_code == 73
    assert officer.file("a").read_bytes() == before
    assert officer.make("b", GOOD, "absent").exit_code == 66
    pack = officer.make("c", FORMS["rules jjg162"][1].replace('= "jjg162"', '= "jjg999"', 1), "root")
    assert pack.exit_code == 66 and "the packs that ship are" in pack.stderr


def test_a_signature_is_shown_as_it_is(officer: Officer, tmp_path: Path) -> None:
    """Holds under the anchors and the delegation given; unknown without; a changed byte ends with 65."""
    officer.whole_chain()
    assert run("keys", "anchors", tmp_path / "a.cbor", tmp_path / "root.cosekey").exit_code == 0
    files = [officer.file("delegation"), officer.file("manufacturer")]
    good = run("grant", "show", *files, "--anchors", tmp_path / "a.cbor")
    assert good.exit_code == 0 and good.output.count("the signature holds") == 2
    assert "signature not checked" in run("grant", "show", files[1]).output
    raw = bytearray(files[1].read_bytes())
    raw[-1] ^= 1
    files[1].write_bytes(raw)
    bad = run("grant", "show", *files, "--anchors", tmp_path / "a.cbor")
    assert bad.exit_code == 65 and "DOES NOT HOLD" in bad.output


def test_a_public_half_is_the_keys_own_and_no_secret(officer: Officer) -> None:
    """RFC 9052 section 7: a COSE_Key map without -4."""
    key = scan((officer.folder / "edge.cosekey").read_bytes())
    private = PrivateKey.load(officer.folder / "edge.key")
    assert PublicKey.from_cose(key) == private.public and -4 not in key
