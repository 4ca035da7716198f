"""The whole way in real processes: broker, edge, command line, a run over MQTT, a sign-off, the registry's receipt."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyotp
import pytest
from edge.tests.batch import GOOD_PPM, PLAN, seat
from edge.tests.office import PASSWORD, Visitor
from edge.tests.site import Site, served, wait_until
from typer.testing import CliRunner

from meterseal_edge.people.keys import PROOF
from meterseal_edge.people.roll import FILE, Roll
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.signoff import Row, payload
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_tools.broker import start_broker
from meterseal_tools.cli import app
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import Author, build


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site whose edge has people; it is not started yet."""
    with start_broker(tmp_path / "broker") as broker:
        found = Site(tmp_path, broker)
        path = tmp_path / "edge.json"
        settings = json.loads(path.read_text())
        path.write_text(json.dumps({**settings, "page_origin": f"http://localhost:{found.page_port}"}))
        yield found
        found.close()


def hired(site: Site) -> str:
    """The secret of Li's codes, as the command prints it, beside the running edge."""
    line = ["edge", "person", "add", str(site.folder / "edge.json"), "Li", "--role", "verifier"]
    done = CliRunner().invoke(app, line, input=f"{PASSWORD}\n{PASSWORD}\n")
    [address] = [part for part in done.output.splitlines() if part.startswith("otpauth://")]
    return str(pyotp.parse_uri(address).secret)


def test_a_signoff_goes_from_the_page_to_the_registry_and_survives_a_kill(site: Site) -> None:
    """Issue 6, point 7; the registry is away at first, and the edge is killed in between: nothing is lost."""
    key = PrivateKey.generate()
    fields = {L.SUBJECT_KEY: key.public.cose, L.ROLES: [1], L.QUALIFICATION: [kinds.WATER]}
    fields |= {L.INSTITUTION: "DEMO", L.PARENT: identity(site.world.grants["delegation"])}
    (site.grants / "li.cose").write_bytes(site.world.grant("province", kinds.PERSON, fields))
    site.edge.start()
    fixture = ModelFixture(site.world.author("W1"))
    fixture.boot()
    attempt = fixture.attempt([seat(1, GOOD_PPM)], PLAN, bytes(32))
    fixture.result([seat(1, GOOD_PPM)])
    for item in fixture.signed:
        site.offer("W1", item)
    wait_until(lambda: site.summary()["durable"] == 3, "the run")
    visitor = Visitor(f"http://localhost:{site.page_port}")
    said = {"name": "Li", "password": PASSWORD, "code": pyotp.TOTP(hired(site)).now()}
    visitor.csrf = visitor.post("/api/login", said).json()["csrf"]
    cose = bytes(encode(key.public.cose))
    author = Author("people", "verifier", key)
    proof = author.sign(PROOF + b"Li\n" + cose)
    assert visitor.post("/api/key", {"cose": cose.hex(), "proof": proof.hex()}).status_code == 200
    run = f"/api/runs/{attempt.identity.hex()}"
    sheet = visitor.get(f"{run}/sign").json()
    rows = [Row(**{**row, "result": bytes.fromhex(row["result"])}) for row in sheet["rows"]]
    raw = build(author, L.KIND_SIGNOFF, payload(1, [row.encoded() for row in rows], sheet["now_s"]))
    taken = visitor.post(f"{run}/signoffs", {"statement": raw.hex()}).json()
    assert [(item["who"], item["entered"]) for item in taken["said"]] == [("Li", False)]
    site.edge.kill()
    with served(site.registry, site.registry_port):
        site.edge.start()
        wait_until(lambda: identity(raw) in site.registry.entered, "the sign-off's entry")
        wait_until(lambda: visitor.get(f"{run}/sign").json()["said"][0]["entered"], "the receipt")
    with closing(Roll(site.folder / "edge" / FILE)) as roll:
        acts = [row[0] for row in roll.all("SELECT what FROM act ORDER BY number")]
    assert acts == ["person added", "login", "signing key", "signoff"]
