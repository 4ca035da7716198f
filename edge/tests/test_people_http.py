"""People's requests over HTTP: who may not, does not, and learns why by a code that stays."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from edge.tests.batch import BAD_PPM, GOOD_PPM
from edge.tests.conftest import Box
from edge.tests.office import PASSWORD, Office, Visitor
from edge.tests.site import on_port

from meterseal_edge.checkpoint import Checkpointer
from meterseal_edge.main import desk_of
from meterseal_edge.pages.app import Site, make_app
from meterseal_edge.pages.people_pages import BODY_BYTES, COOKIE, TOKEN, people_routes
from meterseal_edge.pages.statics import HEADERS
from meterseal_edge.people.desk import Desk
from meterseal_edge.people.roll import FILE
from meterseal_protocol.keys import PrivateKey
from meterseal_tools.services import free_port
from meterseal_wire import kinds
from meterseal_wire.encode import encode

RUN = bytes(32).hex()
ACTS = ["/api/logout", "/api/passkeys/begin", "/api/passkeys", "/api/key"]
ACTS += [f"/api/runs/{RUN}/signoffs", f"/api/runs/{RUN}/notices"]
LOOKS = [f"/api/runs/{RUN}/sign", f"/api/said/{RUN}", "/api/trail"]


@pytest.fixture
def office(box: Box) -> Iterator[Office]:
    """An office whose pages are served."""
    with closing(Office(box)) as found, found.served():
        yield found


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal, which carries a sentence and the headers of every answer."""
    said = answer.json()
    assert set(said) == {"code", "why"}
    assert said["why"]
    assert all(answer.headers[name] == value for name, value in HEADERS.items())
    return answer.status_code, said["code"]


def test_logging_in_says_who_one_is_and_gives_a_cookie_that_no_script_reads(office: Office) -> None:
    """OWASP session management: HttpOnly, SameSite=Strict, no expiry; Secure follows the origin."""
    li = office.hire("Li", "verifier", tenant="T1")
    visitor = Visitor(office.settings.page_origin)
    answer = visitor.post("/api/login", {"name": "Li", "password": PASSWORD, "code": li.code()})
    said = answer.json()
    assert (said["name"], said["roles"], said["tenant"], said["key"]) == ("Li", ["verifier"], "T1", None)
    parts = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")}
    assert {"httponly", "samesite=strict", "path=/"} <= parts
    assert not any(part.startswith(("max-age", "expires", "domain", "secure")) for part in parts)
    assert visitor.get("/api/me").json() == said


def test_over_https_the_cookie_is_secure(office: Office) -> None:
    """An edge behind TLS has an https origin in its settings."""
    settings = {**vars(office.settings), "page_origin": "https://edge.example"}
    desk = Desk.open(type(office.settings)(**settings), office.runs, office.desk.sayings.judge)
    assert desk is not None
    li, port = office.hire("Li", "verifier"), free_port()
    app = make_app(office.box.state, office.box.store, lambda: b"", Site(more=people_routes(desk)))
    with on_port(app, port), closing(desk):
        visitor = Visitor(f"http://127.0.0.1:{port}")
        desk.trail.roll.clock = office.clock
        said = {"name": "Li", "password": PASSWORD, "code": li.code()}
        assert code(visitor.post("/api/login", said)) == (403, "edge.origin")
        answer = visitor.post("/api/login", said, origin="https://edge.example")
    assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize("path", ACTS)
def test_an_act_without_the_token_or_with_anothers_is_refused(office: Office, path: str) -> None:
    """OWASP CSRF: SameSite alone is not relied on; each act brings the session's token in a header."""
    visitor, other = (
        office.visit(office.hire("Li", "verifier")),
        office.visit(office.hire("Wang", "verifier")),
    )
    before = len(office.desk.trail.page())
    for token in ("", "x", other.csrf):
        assert code(visitor.post(path, {}, **{TOKEN.replace("-", "_"): token})) == (403, "edge.csrf")
    assert len(office.desk.trail.page()) == before
    assert visitor.get("/api/me").json()["name"] == "Li"


@pytest.mark.parametrize("path", ["/api/login", "/api/login/passkey/begin", "/api/login/passkey", *ACTS])
def test_a_post_from_elsewhere_is_refused(office: Office, path: str) -> None:
    """The origin of the settings, byte for byte; login too, or somebody could be logged in as another unawares."""
    visitor = Visitor(office.settings.page_origin)
    for origin in ("", "null", "http://evil.example", "http://localhost", f"{visitor.origin}.evil"):
        assert code(visitor.post(path, {}, origin=origin)) == (403, "edge.origin")


@pytest.mark.parametrize("path", LOOKS)
def test_who_is_not_logged_in_sees_nothing_of_this(office: Office, path: str) -> None:
    """Rows, signed statements and the trail are for people with an account."""
    assert code(Visitor(office.settings.page_origin).get(path)) == (401, "edge.session")


@pytest.mark.parametrize("path", ACTS)
def test_who_is_not_logged_in_does_nothing(office: Office, path: str) -> None:
    """No session: 401, whatever token is sent."""
    assert code(Visitor(office.settings.page_origin).post(path, {})) == (401, "edge.session")


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"1", b"{", b"\xff", b"[" * 5000, b'"x"', b"x" * (BODY_BYTES + 1)],
    ids=["nothing", "list", "number", "cut", "bytes", "deep", "text", "long"],
)
def test_a_body_that_is_no_object_is_refused(office: Office, body: bytes) -> None:
    """edge.request, 400; nothing of it is read into memory beyond the bound."""
    visitor = Visitor(office.settings.page_origin)
    assert code(visitor.post("/api/login", body)) == (400, "edge.request")


def test_json_that_does_not_say_so_is_refused(office: Office) -> None:
    """A form of somebody else's page can send text/plain without asking; it can't send application/json."""
    visitor = Visitor(office.settings.page_origin)
    assert code(visitor.post("/api/login", {}, content_type="text/plain")) == (400, "edge.request")


@pytest.mark.parametrize(
    "path, said",
    [
        ("/api/login", {"name": 1, "password": "x", "code": "1"}),
        ("/api/login", {"name": "x", "password": None, "code": "1"}),
        ("/api/login", {"name": "x", "password": "x"}),
        ("/api/login/passkey", {"ticket": "x", "credential": []}),
        ("/api/login/passkey", {"credential": {}}),
        ("/api/key", {"cose": "zz", "proof": ""}),
        ("/api/key", {"cose": 7}),
        ("/api/passkeys", {"ticket": {}}),
    ],
)
def test_a_request_that_lacks_something_says_what(office: Office, path: str, said: dict[str, Any]) -> None:
    """400 with the name of the field, never a fault of ours."""
    visitor = office.visit(office.hire("Li", "verifier"))
    assert code(visitor.post(path, said)) == (400, "edge.request")


def test_a_locked_name_waits_even_with_the_right_password(office: Office) -> None:
    """429 with the seconds; a refused login of a known person stands in the trail, without the password."""
    li = office.hire("Li", "verifier")
    visitor = Visitor(office.settings.page_origin)
    for _ in range(5):
        said = {"name": "Li", "password": "hunter2 hunter2", "code": "000000"}
        assert code(visitor.post("/api/login", said)) == (401, "edge.login")
    office.clock.ahead_s -= 60  # making a code puts the clock forward: as far back as two codes go
    right = {"name": "Li", "password": PASSWORD, "code": li.code()}
    assert code(visitor.post("/api/login", right)) == (429, "edge.wait")
    office.clock.ahead_s += 60
    acts = office.desk.trail.page()
    assert [act.what for act in acts] == ["login refused"] * 5
    assert "hunter2" not in repr(acts)
    assert visitor.post("/api/login", {**right, "code": li.code()}).status_code == 200


def test_logging_out_ends_the_session_at_the_edge(office: Office) -> None:
    """A copied cookie opens nothing afterwards."""
    visitor = office.visit(office.hire("Li", "verifier"))
    kept = visitor.cookie
    assert visitor.post("/api/logout", {}).status_code == 200
    assert visitor.get("/api/me").json() == {"people": True, "name": None}
    answer = httpx.get(f"{visitor.origin}/api/trail", headers={"cookie": f"{COOKIE}={kept}"})
    assert code(answer) == (401, "edge.session")


def test_the_key_that_was_enrolled_is_what_a_grant_may_name(office: Office) -> None:
    """me: thumbprint, and what the authority granted it, with roles, media and end."""
    li = office.hire("Li", "verifier")
    visitor, cose = office.visit(li), bytes(encode(li.key.public.cose))
    answer = visitor.post("/api/key", {"cose": cose.hex(), "proof": li.proof(cose).hex()})
    assert answer.json() == {"key": li.key.thumbprint.hex()}
    assert visitor.get("/api/me").json()["granted"] == []
    office.grant(li.key.public.cose, [kinds.VERIFIER], qualification=[kinds.WATER])
    [granted] = visitor.get("/api/me").json()["granted"]
    assert (granted["roles"], granted["media"]) == ([kinds.VERIFIER], [kinds.WATER])
    assert granted["until_s"] == office.box.world.window[1]


def test_a_key_of_somebody_else_cannot_be_claimed(office: Office) -> None:
    """The proof is over the account's own name: another's proof, seen on the way, does not bind the key."""
    li, wang = office.hire("Li", "verifier"), office.hire("Wang", "verifier")
    cose = bytes(encode(li.key.public.cose))
    said = {"cose": cose.hex(), "proof": li.proof(cose).hex()}
    assert code(office.visit(wang).post("/api/key", said)) == (400, "edge.key")
    assert wang.account.key is None


def test_a_run_is_signed_over_http_and_its_bundle_can_be_fetched(office: Office) -> None:
    """sheet, sign-off, notice, said: the whole way without a browser."""
    li = office.equip("Li", "verifier")
    attempt, _ = office.bench.run(GOOD_PPM, BAD_PPM)
    visitor, run = office.visit(li), attempt.identity.hex()
    sheet = visitor.get(f"/api/runs/{run}/sign").json()
    assert [row["meter"] for row in sheet["rows"]] == ["DEMO.12345671", "DEMO.12345672"]
    assert sheet["roles"] == [{"role": 1, "code": None, "why": None}]
    assert (sheet["missing"], sheet["least_people"], sheet["may_notify"]) == ([1, 2, 3], 2, True)
    own = office.sheet(attempt.identity)
    after = visitor.post(f"/api/runs/{run}/signoffs", {"statement": li.signs(own.rows, 1).hex()}).json()
    assert (after["missing"], after["said"][0]["who"]) == ([2, 3], "Li")
    row, codes = own.failed[0]
    after = visitor.post(f"/api/runs/{run}/notices", {"statement": li.notice(row, codes).hex()}).json()
    assert [item["kind"] for item in after["said"]] == ["signoff", "notice"]
    bundle = visitor.get(f"/api/said/{after['said'][0]['identity']}")
    assert bundle.content == office.desk.sayings.bundle(bytes.fromhex(after["said"][0]["identity"]))[1]
    again = visitor.post(f"/api/runs/{run}/signoffs", {"statement": li.signs(own.rows, 1).hex()})
    assert code(again) == (409, "edge.twice")
    wrong = visitor.post(f"/api/runs/{run}/signoffs", {"statement": li.signs(own.rows[:1], 2).hex()})
    assert code(wrong) == (403, "edge.role")


@pytest.mark.parametrize("name", ["zz", "00", RUN, "é"])
def test_a_run_that_is_none_is_not_found(office: Office, name: str) -> None:
    """404, or 400 for what is no hex."""
    visitor = office.visit(office.hire("Li", "verifier"))
    assert code(visitor.get(f"/api/runs/{name}/sign"))[0] in (400, 404)
    assert code(visitor.get(f"/api/said/{name}"))[0] in (400, 404)


def test_a_tenants_people_see_and_sign_their_own_runs_alone(office: Office) -> None:
    """Issue 6: tenant views. Another's run does not exist for them, signed statements included."""
    own, _ = office.bench.run(GOOD_PPM, tenant="T1")
    others, _ = office.bench.run(GOOD_PPM, tenant="T2")
    none, _ = office.bench.run(GOOD_PPM)
    wang = office.equip("Wang", "verifier")
    sheet = office.sheet(others.identity)
    office.desk.sayings.take_signoff(wang.account, sheet, wang.signs(sheet.rows, 1, tenant="T2"))
    [signed] = office.desk.sayings.of(others.identity)
    visitor = office.visit(office.equip("Li", "verifier", tenant="T1"))
    assert visitor.get(f"/api/runs/{own.identity.hex()}/sign").json()["tenant"] == "T1"
    for run in (others, none):
        assert code(visitor.get(f"/api/runs/{run.identity.hex()}/sign")) == (404, "edge.run")
        said = {"statement": "00"}
        assert code(visitor.post(f"/api/runs/{run.identity.hex()}/signoffs", said)) == (404, "edge.run")
    assert code(visitor.get(f"/api/said/{signed.identity.hex()}")) == (404, "edge.run")


def test_the_pages_of_runs_show_what_the_session_may_see(office: Office) -> None:
    """Issue 6: tenant views. Nobody logged in: what belongs to no tenant; a tenant's people: its own; others: all."""
    for tenant in ("T1", "T2", ""):
        office.bench.run(GOOD_PPM, **({"tenant": tenant} if tenant else {}))

    def seen(visitor: Visitor) -> list[str]:
        return sorted(run["tenant"] for run in visitor.get("/api/runs").json()["runs"])

    passer = Visitor(office.settings.page_origin)
    assert seen(passer) == [""]
    assert seen(office.visit(office.hire("Li", "verifier", tenant="T1"))) == ["T1"]
    visitor = office.visit(office.hire("Chen", "engineer"))
    assert seen(visitor) == ["", "T1", "T2"]
    visitor.post("/api/logout", {})
    assert seen(visitor) == [""]


def test_the_list_of_runs_tells_which_signatures_are_missing(office: Office) -> None:
    """runs/views.py asks the desk; before anybody signed, all three roles."""
    attempt, _ = office.bench.run(GOOD_PPM)
    visitor = Visitor(office.settings.page_origin)
    [before] = visitor.get("/api/runs").json()["runs"]
    li, sheet = office.equip("Li", "verifier"), office.sheet(attempt.identity)
    office.desk.sayings.take_signoff(li.account, sheet, li.signs(sheet.rows, 1))
    [after] = visitor.get("/api/runs").json()["runs"]
    assert before["missing"] == ["verifier", "checker", "approver"]
    assert after["missing"] == ["checker", "approver"]


def test_the_trail_is_for_the_engineer_and_comes_in_pages(office: Office) -> None:
    """Everybody else gets 403."""
    assert code(office.visit(office.hire("Li", "verifier")).get("/api/trail")) == (403, "edge.role")
    visitor = office.visit(office.hire("Chen", "engineer"))
    found = visitor.get("/api/trail").json()
    assert [act["what"] for act in found["acts"]] == ["login", "login"]
    assert found["newest"]["number"] == 2
    assert [act["number"] for act in visitor.get("/api/trail?before=2").json()["acts"]] == [1]
    assert len(visitor.get("/api/trail?before=x").json()["acts"]) == 2


def test_an_alarm_is_no_tenants_to_see_to_and_one_that_is_gone_is_told(office: Office) -> None:
    """A tenant's people see alarms of their own benches, without the reason; the edge is the factory's."""
    office.box.state.alarm("W1", "chain.gap", "why")
    said = {"fixture": "W1", "code": "chain.gap"}
    assert office.visit().post("/api/alarms/seen", said).status_code == 401
    theirs = office.visit(office.hire("Wang", "operator", tenant="T1"))
    assert theirs.post("/api/alarms/seen", said).json()["code"] == "edge.role"
    own = office.visit(office.hire("Li", "operator"))
    assert [own.post("/api/alarms/seen", said).status_code for _ in range(2)] == [200, 400]
    assert office.box.state.snapshot()["alarms"] == []
    assert office.desk.trail.page()[0].what == "alarm seen to"


def test_without_an_origin_in_the_settings_there_are_no_people_at_all(box: Box) -> None:
    """The edge works as before: no file, no address that takes anything; the page says that nobody can log in."""
    with closing(Office(box)) as office:
        settings = {**vars(office.settings), "page_origin": "", "folder": box.folder / "bare"}
        assert Desk.open(type(office.settings)(**settings), office.runs, office.desk.sayings.judge) is None
    assert not (box.folder / "bare" / FILE).exists()
    port = free_port()
    heads = Checkpointer(box.world.author("edge"), box.log)
    with on_port(make_app(box.state, box.store, heads.checkpoint, Site(more=people_routes(None))), port):
        visitor = Visitor(f"http://127.0.0.1:{port}")
        assert visitor.get("/api/me").json() == {"people": False}
        assert (visitor.get("/login").status_code, visitor.get("/sign.js").status_code) == (200, 404)
        assert visitor.post("/api/login", {}).status_code == 404


def test_a_key_that_is_another_accounts_is_refused_and_a_new_one_takes_the_olds_place(office: Office) -> None:
    """One key, one account; a lost browser's key is replaced."""
    li, wang = office.equip("Li", "verifier"), office.hire("Wang", "verifier")
    wang.key = li.key
    cose = bytes(encode(li.key.public.cose))
    said = {"cose": cose.hex(), "proof": wang.proof(cose).hex()}
    assert code(office.visit(wang).post("/api/key", said)) == (400, "edge.key")
    li.key = PrivateKey.generate()
    cose = bytes(encode(li.key.public.cose))
    visitor = office.visit(li)
    assert visitor.post("/api/key", {"cose": cose.hex(), "proof": li.proof(cose).hex()}).status_code == 200
    assert li.account.key == li.key.thumbprint
    assert office.desk.trail.page()[0].what == "signing key"


def test_a_damaged_file_of_people_keeps_nobodys_statements_out(office: Office) -> None:
    """Design section 1, item 3: the edge takes statements whatever becomes of its pages; an alarm says what to do."""
    folder = office.box.folder / "damaged"
    folder.mkdir()
    (folder / FILE).write_bytes(b"not a database, not at all" * 100)
    settings = type(office.settings)(**{**vars(office.settings), "folder": folder})
    assert desk_of(settings, office.views, office.box.state) is None
    assert [alarm["code"] for alarm in office.box.state.snapshot()["alarms"]] == ["edge.people"]


def test_when_the_file_fails_later_pages_are_those_of_a_passer_and_acts_are_refused(office: Office) -> None:
    """503 with a code of its own; the wall goes on."""
    office.bench.run(GOOD_PPM)
    office.bench.run(GOOD_PPM, tenant="T1")
    visitor = office.visit(office.hire("Chen", "engineer"))
    office.roll.all("ALTER TABLE session RENAME TO lost")
    assert code(visitor.get("/api/trail")) == (503, "edge.people")
    assert code(visitor.post("/api/logout", {})) == (503, "edge.people")
    assert [run["tenant"] for run in visitor.get("/api/runs").json()["runs"]] == [""]
