"""An edge with people: the box of conftest, a desk over it, its pages on a real port, and people with all they have."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pyotp
from edge.tests.batch import PACK, Bench
from edge.tests.conftest import Box
from edge.tests.site import on_port

from meterseal_edge.checkpoint import Checkpointer
from meterseal_edge.pages.app import Site, make_app
from meterseal_edge.pages.people_pages import COOKIE, TOKEN, people_routes, viewer_of
from meterseal_edge.people import credentials
from meterseal_edge.people.desk import Desk
from meterseal_edge.people.keys import PROOF
from meterseal_edge.people.roll import Account, NewAccount, Roll
from meterseal_edge.people.sheet import Sheet
from meterseal_edge.runs import catalogue
from meterseal_edge.runs.catalogue import Catalogue
from meterseal_edge.runs.figures import Judge
from meterseal_edge.runs.run import load
from meterseal_edge.runs.views import Views
from meterseal_edge.settings import Settings
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.signoff import Row, payload
from meterseal_tools.services import free_port
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import Author, build

PASSWORD = "correct horse battery"
ALL_ROLES = [kinds.VERIFIER, kinds.CHECKER, kinds.APPROVER]
# A password's hash is made to be slow; tests that are not about it use this one again.
HASH = credentials.hashed(PASSWORD)


@dataclass
class Clock:
    """The edge's clock, which a test can put forward."""

    ahead_s: float = 0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


@dataclass
class Person:
    """Somebody with an account; `key` stands for the one in their browser."""

    office: "Office"
    name: str
    secret: str
    key: PrivateKey = field(default_factory=PrivateKey.generate)

    @property
    def account(self) -> Account:
        """As the roll has it now."""
        return self.office.roll.named(self.name)

    def code(self) -> str:
        """A one-time code that was not used yet."""
        self.office.clock.ahead_s += credentials.STEP_S
        return pyotp.TOTP(self.secret).at(int(self.office.clock()))

    def author(self, role: str = "verifier") -> Author:
        """As the browser signs."""
        return Author("people", role, self.key)

    def signs(self, rows: Sequence[Row], role: int, time_s: int | None = None, **more: Any) -> bytes:
        """A sign-off over rows."""
        now_s = self.office.roll.now_s() if time_s is None else time_s
        said = payload(role, [row.encoded() for row in rows], now_s)
        tenant = {L.TENANT: more["tenant"]} if "tenant" in more else {}
        return bytes(build(self.author(), L.KIND_SIGNOFF, {**said, **tenant}))

    def notice(self, row: Row, codes: Sequence[str], **changes: Any) -> bytes:
        """A notice of a failed meter."""
        said = {L.METER: row.meter, L.RESULT: row.result, L.POSITION: row.position, L.CODES: list(codes)}
        said |= {L.TIME_S: self.office.roll.now_s()} | {getattr(L, k.upper()): v for k, v in changes.items()}
        return bytes(build(self.author("notice"), L.KIND_NOTICE, said))

    def marks(self, row: Row, *seals: str, **changes: Any) -> bytes:
        """Seal numbers of a meter."""
        said = {L.METER: row.meter, L.RESULT: row.result, L.POSITION: row.position, L.SEALS: list(seals)}
        said |= {L.TIME_S: self.office.roll.now_s()} | {getattr(L, k.upper()): v for k, v in changes.items()}
        return bytes(build(self.author("marks"), L.KIND_MARKS, said))

    def correction(self, replaced: bytes, why: str = "a slip", **changes: Any) -> bytes:
        """Something is taken back."""
        said = {L.REPLACES: replaced, L.DETAIL: why, L.TIME_S: self.office.roll.now_s()}
        said |= {getattr(L, k.upper()): v for k, v in changes.items()}
        return bytes(build(self.author("correction"), L.KIND_CORRECTION, said))

    def proof(self, cose: bytes) -> bytes:
        """That the key is this person's."""
        return self.author().sign(PROOF + self.name.encode() + b"\n" + cose)


class Office:
    """Desk, pages and people over a box."""

    def __init__(self, box: Box) -> None:
        self.box, self.clock, self.port = box, Clock(), free_port()
        key = box.folder / "edge.key"
        if not key.exists():
            box.world.keys["edge"].save(key)
        self.settings = Settings(
            folder=box.folder,
            port=1,
            site="YUHANG1",
            edge="EDGE1",
            key=key,
            anchors=Path("anchors.cbor"),
            registry="http://127.0.0.1:9",
            page_port=self.port,
            page_origin=f"http://localhost:{self.port}",
        )
        self.runs = Catalogue(box.folder / catalogue.FILE, box.store, box.keys.name_of)
        self.views = Views(self.runs, Judge(box.keys, [PACK]))
        found = Desk.open(self.settings, self.runs, self.views.judge, box.state.acknowledge)
        assert found is not None
        self.desk = found
        self.views.signed, self.views.said = found.sayings.signed, found.sayings.shown
        self.roll.clock = self.desk.throttle.clock = self.clock
        self._bench: Bench | None = None
        self.granted: list[bytes] = []

    @property
    def roll(self) -> Roll:
        """The people's file."""
        return self.desk.trail.roll

    @property
    def bench(self) -> Bench:
        """A fixture that runs batches here."""
        if self._bench is None:
            self._bench = Bench(self.box)
        return self._bench

    def hire(self, name: str, *roles: str, tenant: str = "") -> Person:
        """An account, without a signing key."""
        secret = credentials.new_secret()
        self.roll.add(NewAccount(name, roles, tenant, HASH, secret))
        return Person(self, name, secret)

    def equip(self, name: str, *roles: str, tenant: str = "", granted: Sequence[int] = ALL_ROLES) -> Person:
        """An account with a signing key and a person grant for these roles."""
        person = self.hire(name, *roles, tenant=tenant)
        self.give_key(person)
        self.grant(person.key.public.cose, granted)
        return person

    def give_key(self, person: Person) -> None:
        """The person's key is bound to the account."""
        cose = bytes(encode(person.key.public.cose))
        values = (person.key.thumbprint, cose, person.name)
        self.roll.change("UPDATE account SET key = ?, cose = ? WHERE name = ?", *values)

    def grant(self, cose: dict[int, Any], roles: Sequence[int], **changes: Any) -> None:
        """The province grants a key some roles, for water and gas; the edge learns it."""
        world = self.box.world
        said = {L.SUBJECT_KEY: cose, L.ROLES: list(roles), L.INSTITUTION: "DEMO"}
        said |= {L.QUALIFICATION: changes.get("qualification", [kinds.WATER, kinds.GAS])}
        parent = {L.PARENT: identity(world.grants["delegation"])}
        self.granted.append(world.grant("province", kinds.PERSON, {**parent, **said}))
        self.box.keys.learn(self.granted[-1:])

    def sheet(self, run: bytes) -> Sheet:
        """What there is to be signed of a run."""
        self.runs.follow()
        listed = self.runs.find(run)
        assert listed is not None
        found = load(self.box.store, listed)
        return Sheet(found, self.desk.sayings.judge.figures(found))

    @contextmanager
    def served(self) -> Iterator[str]:
        """The pages on a real port; their address."""
        heads = Checkpointer(self.box.world.author("edge"), self.box.log)
        site = Site(self.views, viewer_of(self.desk), people_routes(self.desk))
        app = make_app(self.box.state, self.box.store, heads.checkpoint, site)
        with on_port(app, self.port):
            yield self.settings.page_origin

    def visit(self, person: Person | None = None) -> "Visitor":
        """A visitor over HTTP, logged in if a person is named."""
        found = Visitor(self.settings.page_origin)
        if person is not None:
            said = {"name": person.name, "password": PASSWORD, "code": person.code()}
            answer = found.post("/api/login", said)
            assert answer.status_code == 200, answer.text
            found.csrf = answer.json()["csrf"]
        return found

    def close(self) -> None:
        """Release the files."""
        self.desk.close()
        self.runs.close()


class Visitor:
    """An HTTP client that behaves like the page: own origin, JSON, the session's token with every act."""

    def __init__(self, origin: str) -> None:
        self.origin, self.csrf = origin, ""
        self.cookies = httpx.Cookies()

    @property
    def cookie(self) -> str:
        """The session's cookie."""
        return self.cookies.get(COOKIE) or ""

    def get(self, path: str) -> httpx.Response:
        """Look."""
        return self._ask("GET", path)

    def post(self, path: str, said: Any, **headers: str) -> httpx.Response:
        """Act. `headers` with _ for -; an empty one is left out."""
        sent = {"origin": self.origin, TOKEN: self.csrf, "content-type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in sent.items() if value}
        content = said if isinstance(said, bytes) else json.dumps(said).encode()
        return self._ask("POST", path, content=content, headers=kept)

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = httpx.request(method, f"{self.origin}{path}", cookies=self.cookies, **more)
        self.cookies.update(answer.cookies)
        return answer
