"""The record over HTTP: every address answers, every refusal is a problem with a stable code."""

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from registry.tests.conftest import BAD_PPM, METER, Office, serving
from starlette.routing import Route

from meterseal_protocol import receipt
from meterseal_protocol.certificate import read as read_certificate
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.statement import read
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.trust import Trust
from meterseal_registry.entries import BUNDLE_BYTES
from meterseal_registry.errors import StoreFailed
from meterseal_registry.record import open_record
from meterseal_registry.routes import make_app
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import cose_key
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import Author, build

LARGE = 1 << 22


@pytest.fixture
def client(served: str) -> Iterator[httpx.Client]:
    """A client of the registry on a real port."""
    with httpx.Client(base_url=served) as found:
        yield found


def get(client: httpx.Client, path: str) -> bytes:
    """Body of an address that must answer."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.content


def problem(answer: httpx.Response, status: int) -> str:
    """Code of an RFC 9457 problem, after checking its form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status and body["detail"]
    # RFC 9457 section 4.2.1: with about:blank the title is the HTTP status phrase.
    assert (body["type"], body["title"]) == ("about:blank", HTTPStatus(status).phrase)
    code: str = body["code"]
    return code


def test_an_entry_answers_201_with_its_receipt_and_200_when_it_is_here(
    office: Office, client: httpx.Client
) -> None:
    """CONTRACT: POST /entries: 201 receipt; the same statement again 200, the same entry."""
    event = office.fixture.event("case_opened", "1")
    first, again = (client.post("/entries", content=event.raw) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    leaves = {receipt.check(answer.content, event.identity, office.ring).leaf for answer in (first, again)}
    assert len(leaves) == 1


def test_a_bundle_answers_one_receipt_an_item(office: Office, client: httpx.Client) -> None:
    """A bundle with a whole run: two receipts, and the decision is there."""
    items = office.run()
    body = encode([[item.raw, *item.evidence] for item in items])
    answers = scan(client.post("/bundles", content=body).content, LARGE)
    for item, raw in zip(items, answers, strict=True):
        receipt.check(raw, item.identity, office.ring)
    assert read(get(client, f"/decisions/{METER}")).kind == "decision"


def test_everything_that_was_logged_can_be_had_again(office: Office, client: httpx.Client) -> None:
    """Design section 11: entries, evidence, receipts, leaves; what an auditor exports."""
    items = office.run()
    office.offer(*items)
    leaves = scan(get(client, "/log/leaves"), LARGE)
    assert leaves["size"] == len(leaves["leaves"]) == office.record.log.size
    attempt, result = (item.identity.hex() for item in items)
    assert get(client, f"/entries/{attempt}") == items[0].raw
    assert scan(get(client, f"/entries/{result}/evidence"), LARGE) == list(items[1].evidence)
    size = leaves["size"]
    found = receipt.check(get(client, f"/receipts/{result}?size={size}"), items[1].identity, office.ring)
    assert found.root == office.root()
    assert scan(get(client, "/log/leaves?size=3"), LARGE)["size"] == 3
    assert read(get(client, "/checkpoint")).payload[L.LOG_SIZE] == size
    assert get(client, f"/rules/{office.pack.digest.hex()}") == office.pack.raw
    assert read(get(client, f"/scopes/{METER}")).payload[L.METER] == METER
    said = {L.STATEMENT: bytes(32), L.TAINTED_FROM_S: 1, L.TIME_S: 1, L.DETAIL: ""}
    withdrawal = bytes(build(office.world.author("province"), L.KIND_WITHDRAWAL, said))
    office.record.submit(withdrawal, office.now_s)
    pairs = scan(get(client, "/grants"), LARGE)
    assert [raw for raw, _ in pairs] == [*office.world.grants.values(), withdrawal]
    receipt.check(pairs[-1][1], identity(withdrawal), office.ring)


def test_the_certificate_the_status_list_and_the_trust_file_fit_together(
    office: Office, client: httpx.Client
) -> None:
    """Design section 10: status reference is list and index; the trust file carries the list."""
    office.offer(*office.run())
    certificate = read_certificate(get(client, f"/certificates/{METER}"), office.ring)
    trust = Trust.load(get(client, "/trust"))
    lists = trust.status_lists(trust.registries())
    assert lists["REG-CN", certificate.status_list].get(certificate.status_index) == 0
    assert client.get("/status/1").headers["content-type"] == "application/statuslist+cwt"


@pytest.mark.parametrize(
    "asked, status, code",
    [
        (("POST", "/entries", b"\xff"), 400, "entry.malformed"),
        (("POST", "/entries", b""), 400, "entry.malformed"),
        (("POST", "/bundles", b"\x80"), 400, "entry.malformed"),
        (("POST", "/bundles", b"\x00" * (BUNDLE_BYTES + 1)), 413, "registry.too_large"),
        (("GET", "/entries/zz", b""), 400, "registry.request"),
        (("GET", "/entries/" + "00" * 32, b""), 404, "registry.not_found"),
        (("GET", "/receipts/" + "00" * 32, b""), 404, "registry.not_found"),
        (("GET", "/log/leaves?size=-1", b""), 400, "registry.request"),
        (("GET", "/rules/00", b""), 404, "registry.not_found"),
        (("GET", "/decisions/DEMO.1", b""), 404, "registry.not_found"),
        (("GET", "/scopes/DEMO.1", b""), 404, "registry.not_found"),
        (("GET", "/certificates/DEMO.1", b""), 404, "registry.not_found"),
        (("GET", "/records/DEMO.1", b""), 404, "registry.not_found"),
        (("GET", "/status/7", b""), 404, "registry.not_found"),
        (("GET", "/status/" + "9" * 5000, b""), 400, "registry.request"),
        (("GET", "/status/x", b""), 400, "registry.request"),
        (("GET", "/log/leaves?size=" + "9" * 5000, b""), 400, "registry.request"),
        (("GET", "/receipts/" + "00" * 32 + "?size=x", b""), 400, "registry.request"),
        (("GET", "/nothing", b""), 404, "registry.not_found"),
        (("DELETE", "/beacon", b""), 405, "registry.method_not_allowed"),
        (("POST", "/check?territory=Zhejiang", b"DEMO.1"), 400, "registry.request"),
        (("POST", "/check", b"DEMO.1\n" * 100_001), 400, "registry.request"),
        (("POST", "/check", b"meter\n" + b"x" * 200_000), 400, "registry.request"),
        (("POST", "/check", b"\xff\xfe\x00"), 400, "registry.request"),
        (("POST", "/check", b""), 400, "registry.request"),
    ],
)
def test_every_refusal_is_a_problem_with_a_code(
    client: httpx.Client, asked: tuple[str, str, bytes], status: int, code: str
) -> None:
    """RFC 9457 problem details with a stable code; never a traceback to a peer (design section 13)."""
    method, path, body = asked
    assert problem(client.request(method, path, content=body), status) == code


def test_a_malformed_statement_is_named_with_its_byte(office: Office, client: httpx.Client) -> None:
    """Design section 13. ff is a break outside of any item (RFC 8949 section 3.2.1)."""
    answer = client.post("/entries", content=b"\xff")
    assert problem(answer, 400) == "entry.malformed" and "byte 0" in answer.json()["detail"]


def test_an_unknown_key_is_refused_and_nothing_is_stored(office: Office, client: httpx.Client) -> None:
    """403 with the advice to submit the grant; the log has not grown."""
    stranger = ModelFixture(Author("Y", "Z", PrivateKey.generate())).boot()
    size = office.record.log.size
    answer = client.post("/entries", content=stranger.raw)
    assert problem(answer, 403) == "entry.unknown_key" and "grant" in answer.json()["detail"]
    assert office.record.log.size == size


def test_what_a_key_may_not_say_is_refused(office: Office, client: httpx.Client) -> None:
    """A beacon from a fixture, and the registry's own decision sent back to it as somebody else's."""
    office.offer(*office.run())
    size = office.record.log.size
    beacon = {L.NUMBER: 9, L.TIME_S: 1, L.LOG_SIZE: 0, L.LOG_ROOT: bytes(32)}
    forged = build(office.world.author("W1"), L.KIND_BEACON, beacon)
    assert problem(client.post("/entries", content=forged), 403) == "entry.not_permitted"
    own = get(client, f"/decisions/{METER}")
    assert problem(client.post("/entries", content=own), 403) == "entry.not_permitted"
    assert office.record.log.size == size


def test_a_store_that_fails_answers_503_to_the_whole_bundle(
    office: Office, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was acknowledged, so the edge keeps everything and sends it again."""
    items = office.run()
    body = encode([[item.raw, *item.evidence] for item in items])

    def full(*_: object) -> None:
        raise StoreFailed("database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(office.record.entries.store, "append", full)
        assert problem(client.post("/bundles", content=body), 503) == "registry.store"
        assert problem(client.post("/entries", content=items[0].raw), 503) == "registry.store"
    assert all(isinstance(raw, bytes) for raw in scan(client.post("/bundles", content=body).content, LARGE))


def test_health_answers_while_everybody_waits_for_the_log(office: Office, served: str) -> None:
    """Starlette has 40 threads (AnyIO's default); 45 requests wait in them for the lock, and health still answers."""
    bodies = [office.fixture.event("case_opened", str(n)).raw for n in range(45)]
    answers: list[int] = []
    limits = httpx.Limits(max_connections=60)

    def send(body: bytes) -> None:
        answers.append(busy.post("/entries", content=body).status_code)

    with httpx.Client(base_url=served, timeout=30, limits=limits) as busy:
        threads = [threading.Thread(target=send, args=(body,)) for body in bodies]
        with office.record.log.lock:
            for thread in threads:
                thread.start()
            assert httpx.get(f"{served}/healthz", timeout=30).json() == {"ok": True}
            assert answers == []
        for thread in threads:
            thread.join(30)
    assert answers == [201] * len(bodies)


def test_a_registry_without_its_grant_is_alive_and_not_ready(office: Office, tmp_path: Path) -> None:
    """Whoever runs it sees why nothing it signs is believed."""
    young = open_record(replace(office.settings, folder=tmp_path / "young"))
    with serving(young) as address, httpx.Client(base_url=address) as client:
        assert client.get("/healthz").status_code == 200
        found = client.get("/readyz")
        assert (found.status_code, found.json()["code"]) == (503, "registry.not_granted")
        assert client.get("/beacon").json()["code"] == "entry.unknown_key"
        client.post("/entries", content=office.world.grants["registry"])
        assert client.get("/readyz").status_code == 200
    young.entries.store.close()


def test_the_keys_for_the_page_are_those_that_the_check_believes(
    office: Office, client: httpx.Client
) -> None:
    """An older key stays after a rotation, with its window: certificates that it signed stay valid."""
    old = PrivateKey.generate()
    grant = {L.SUBJECT_KEY: cose_key(old.public_xy), L.REGISTRY: "REG-CN", L.WINDOW: (1, 2)}
    office.record.submit(office.world.grant("root", kinds.REGISTRY, grant), office.now_s)
    keys = client.get("/.well-known/meterseal").json()["keys"]
    xy = [key["x"] + key["y"] for key in keys]
    assert xy == [office.world.keys["registry"].public_xy.hex(), old.public_xy.hex()]
    assert [key["alg"] for key in keys] == [-9, -9]
    assert [key["kid"] for key in keys] == [office.record.author.kid.hex(), old.thumbprint[:8].hex()]
    assert [key["windows"] for key in keys] == [[list(office.world.window)], [[1, 2]]]


def test_every_address_stands_in_the_reference_and_every_address_there_is_real(office: Office) -> None:
    """docs/reference/topics-and-http.md against the routes; files of the pages are not addresses of their own."""
    text = (Path(__file__).parents[2] / "docs/reference/topics-and-http.md").read_text("utf-8")
    table = text.partition("## Registry")[2].partition("\n## ")[0]
    named = {path.split("?")[0] for path in re.findall(r"`(?:GET |POST )?(/[^` ]*)", table)}
    routes = {route.path for route in make_app(office.record).routes if isinstance(route, Route)}
    shape = re.compile(r"{[^}]*}")
    real = {shape.sub("{}", path) for path in routes if not path.endswith((".js", ".css", ".svg"))}
    assert {shape.sub("{}", path) for path in named} == real


def test_the_public_record_says_the_reasons_in_both_languages(office: Office, client: httpx.Client) -> None:
    """Chinese and English for everything that an installer reads."""
    office.offer(*office.run(BAD_PPM))
    found = json.loads(get(client, f"/records/{METER}"))
    assert (found["outcome"], found["tries"], found["demo"]) == ("refused", 1, True)
    [reason] = found["reasons"]
    assert reason["code"] == "error.limit" and reason["numbers"][2:] == [27_000, 20_000]
    assert "27000 ppm" in reason["zh"] and "27000 ppm" in reason["en"]
    assert [one["meter"] for one in json.loads(get(client, "/records"))] == [METER]


def test_a_spreadsheet_is_answered_line_by_line(office: Office, client: httpx.Client) -> None:
    """Design section 2: a company with a spreadsheet; every answer comes from the pure check."""
    office.offer(*office.run())
    lines = client.post("/check", content="\ufeff表号,x\nDEMO.12345678,1\n\ndemo.99999999,2\n".encode())
    assert lines.headers["content-type"].startswith("text/csv")
    rows = lines.text.lstrip("\ufeff").split("\r\n")
    assert rows[0] == "meter,answer,codes,install_before,zh,en"
    assert rows[1].startswith("DEMO.12345678,valid,,")
    assert rows[2].startswith("DEMO.99999999,cannot_say,registry.not_found,")
    plain = client.post("/check", content="DEMO.12345678", headers={"accept": "application/json"}).json()
    assert [(row["meter"], row["answer"]) for row in plain] == [("DEMO.12345678", "valid")]
    there = client.post("/check?territory=440300", content="DEMO.12345678").text
    assert "DEMO.12345678,not_valid,certificate.territory," in there


def test_no_cell_of_the_answers_is_a_formula(client: httpx.Client) -> None:
    """A spreadsheet would run `=cmd()` from a cell; it gets a leading apostrophe."""
    answer = client.post("/check", content="meter\n=1+1\n")
    assert "\r\n'=1+1," in answer.text


def test_pages_have_a_strict_policy_and_no_foreign_address(client: httpx.Client) -> None:
    """The pages load nothing from elsewhere and run no inline script."""
    for path in (
        "/",
        "/check",
        "/m/DEMO/12345678",
        "/01/06901234567892/21/12345678",
        "/check.js",
        "/check.css",
    ):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "http://" not in answer.text and "https://" not in answer.text


def test_health_and_counts_answer(client: httpx.Client) -> None:
    """Whoever runs a registry asks these."""
    assert client.get("/healthz").json() == {"ok": True}
    assert client.get("/readyz").status_code == 200
    assert "meterseal_registry_entries " in client.get("/metrics").text
