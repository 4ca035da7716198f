"""The record over HTTP: every address answers, every refusal is a problem with a stable code."""

import json
from collections.abc import Iterator

import httpx
import pytest
from registry.tests.conftest import BAD_PPM, METER, Office

from meterseal_protocol import receipt
from meterseal_protocol.certificate import read as read_certificate
from meterseal_protocol.statement import read
from meterseal_protocol.trust import Trust
from meterseal_registry.entries import BUNDLE_BYTES
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan

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
    assert body["status"] == status and body["title"] and body["detail"]
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
    assert [pair[0] for pair in scan(get(client, "/grants"), LARGE)] == list(office.world.grants.values())


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
    office.now_s = 0  # the routes ask the real clock
    lines = client.post("/check", content="\ufeff表号,x\nDEMO.12345678,1\n\ndemo.99999999,2\n".encode())
    assert lines.headers["content-type"].startswith("text/csv")
    rows = lines.text.lstrip("\ufeff").split("\r\n")
    assert rows[0] == "meter,answer,codes,install_before,zh,en"
    assert rows[1].startswith("DEMO.12345678,")
    assert rows[2].startswith("DEMO.99999999,cannot_say,registry.not_found,")
    plain = client.post("/check", content="DEMO.12345678", headers={"accept": "application/json"}).json()
    assert [row["meter"] for row in plain] == ["DEMO.12345678"]


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
