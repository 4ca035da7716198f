"""People's requests over HTTP: cookie, token, origin and the code of every refusal. What they do is people/desk.py's.

A session's cookie is HttpOnly and SameSite=Strict, and Secure where the origin is https. Every POST has to come from
the page's own origin as JSON, and every act of somebody who is logged in brings the session's token in a header: a page
of somebody else's can send neither. Work runs beside the event loop: a hash of a password takes its time.
"""

import json
from collections.abc import Awaitable, Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from meterseal_edge.errors import EdgeError, NotTaken, PeopleFailed, StoreFailed
from meterseal_edge.pages.statics import HEADERS, page
from meterseal_edge.people import sessions
from meterseal_edge.people.desk import Desk, Json
from meterseal_edge.people.sessions import Session
from meterseal_edge.runs.views import Everybody, Viewer

COOKIE, TOKEN = "meterseal_session", "x-meterseal-csrf"
BODY_BYTES = 1 << 16
PANEL, STATIC = "sign.js", ("login.js", "signing.js", "people_words.js", "people.css")
STATUS = {
    "edge.login": 401,
    "edge.passkey": 401,
    "edge.session": 401,
    "edge.csrf": 403,
    "edge.origin": 403,
    "edge.role": 403,
    "edge.grant": 403,
    "edge.same": 403,
    "edge.run": 404,
    "edge.twice": 409,
    "edge.rows": 409,
    "edge.wait": 429,
    "edge.store": 503,
    "edge.people": 503,
}
Endpoint = Callable[[Request], Awaitable[Response]]
Answer = Callable[[Request, Json], Response]
Act = Callable[[Session, Mapping[str, str], Json], Json]
Look = Callable[[Session, Request], Response]


def people_routes(desk: Desk | None) -> list[Route]:
    """Pages and requests; without a desk the pages say that nobody can log in, and nothing else is there."""
    found = [Route("/login", page("login.html")), *(Route(f"/{name}", page(name)) for name in STATIC)]
    if desk is None:
        return [*found, Route("/api/me", nobody)]
    return [*found, Route(f"/{PANEL}", page(PANEL)), *Door(desk).routes()]


def viewer_of(desk: Desk | None) -> Callable[[Request], Viewer]:
    """Who looks: the person of the session; with people and without a session, somebody who sees no tenant's runs."""
    if desk is None:
        return lambda _request: Everybody()

    def viewer(request: Request) -> Viewer:
        try:
            return sessions.find(desk.trail.roll, request.cookies.get(COOKIE, "")).account
        except (NotTaken, PeopleFailed):
            return Passer()

    return viewer


class Passer:
    """Somebody who is not logged in: sees what belongs to no tenant, as on the wall."""

    def sees(self, tenant: str) -> bool:
        """True for the empty name alone."""
        return not tenant


async def nobody(_request: Request) -> Response:
    """What `/api/me` says at an edge without people."""
    return JSONResponse({"people": False}, headers=HEADERS)


class Door:
    """The desk behind HTTP."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.origin = desk.settings.page_origin

    def routes(self) -> list[Route]:
        """Every request that people's pages make."""
        desk, run = self.desk, "/api/runs/{run}"
        posts = {
            "/api/login": self.endpoint(self._login),
            "/api/login/passkey/begin": self.endpoint(self._begin_login),
            "/api/login/passkey": self.endpoint(self._login_by_passkey),
            "/api/logout": self.act(lambda session, _path, _said: desk.logout(session)),
            "/api/passkeys/begin": self.act(lambda session, _path, _said: desk.begin_passkey(session)),
            "/api/passkeys": self.act(lambda session, _path, said: desk.add_passkey(session, said)),
            "/api/key": self.act(lambda session, _path, said: desk.enrol(session, said)),
            "/api/alarms/seen": self.act(lambda session, _path, said: desk.see_to(session, said)),
            f"{run}/signoffs": self.act(
                lambda session, path, said: desk.sign_off(session, path["run"], said)
            ),
            f"{run}/marks": self.act(lambda session, path, said: desk.mark(session, path["run"], said)),
            f"{run}/corrections": self.act(
                lambda session, path, said: desk.correct(session, path["run"], said)
            ),
            f"{run}/notices": self.act(lambda session, path, said: desk.notify(session, path["run"], said)),
        }
        looks = {
            "/api/me": self.endpoint(self._me),
            f"{run}/sign": self.look(lambda session, r: shown(desk.sheet(session, r.path_params["run"]))),
            "/api/said/{identity}": self.look(self._bundle),
            "/api/trail": self.look(self._trail),
        }
        found = [Route(path, endpoint, methods=["POST"]) for path, endpoint in posts.items()]
        return [*found, *(Route(path, endpoint) for path, endpoint in looks.items())]

    def endpoint(self, answer: Answer) -> Endpoint:
        """A request as a call beside the event loop; a refusal as its code and sentence."""

        async def serve(request: Request) -> Response:
            try:
                said = await self._read(request) if request.method == "POST" else {}
                return await run_in_threadpool(answer, request, said)
            except (NotTaken, StoreFailed) as error:
                return refused(error)

        return serve

    def act(self, work: Act) -> Endpoint:
        """A POST by somebody who is logged in and sends the session's token."""

        def answer(request: Request, said: Json) -> Response:
            session = self._session(request)
            sessions.check_csrf(session, request.headers.get(TOKEN, ""))
            return shown(work(session, request.path_params, said))

        return self.endpoint(answer)

    def look(self, work: Look) -> Endpoint:
        """A GET by somebody who is logged in."""
        return self.endpoint(lambda request, _said: work(self._session(request), request))

    async def _read(self, request: Request) -> Json:
        """The JSON object of a POST; NotTaken unless the page's own origin sent it."""
        if request.headers.get("origin") != self.origin:
            raise NotTaken(
                "edge.origin", f"open this page as {self.origin}: only from there can anything be done"
            )
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > BODY_BYTES:
                raise NotTaken("edge.request", f"a request has at most {BODY_BYTES} bytes")
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict) or request.headers.get("content-type") != "application/json":
            raise NotTaken("edge.request", "a request is a JSON object")
        return said

    def _session(self, request: Request) -> Session:
        return sessions.find(self.desk.trail.roll, request.cookies.get(COOKIE, ""))

    def _login(self, request: Request, said: Json) -> Response:
        return self._entered(*self.desk.login(said, _address(request)))

    def _begin_login(self, _request: Request, _said: Json) -> Response:
        return shown(self.desk.passkeys.begin_login())

    def _login_by_passkey(self, request: Request, said: Json) -> Response:
        return self._entered(*self.desk.login_by_passkey(said, _address(request)))

    def _entered(self, cookie: str, session: Session) -> Response:
        found = shown({"people": True, **self.desk.me(session)})
        is_https = self.origin.startswith("https:")
        found.set_cookie(COOKIE, cookie, path="/", secure=is_https, httponly=True, samesite="strict")
        return found

    def _me(self, request: Request, _said: Json) -> Response:
        """Who is logged in; `name` is null where nobody is: to ask is no mistake."""
        try:
            return shown({"people": True, **self.desk.me(self._session(request))})
        except NotTaken:
            return shown({"people": True, "name": None})

    def _bundle(self, session: Session, request: Request) -> Response:
        raw, name = self.desk.bundle(session, request.path_params["identity"]), "signed.cbor"
        given = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(raw, media_type="application/cbor", headers={**HEADERS, **given})

    def _trail(self, session: Session, request: Request) -> Response:
        before = request.query_params.get("before", "")
        return shown(self.desk.acts(session, int(before) if before.isdecimal() else None))


def shown(value: Json) -> Response:
    """An answer as JSON, never kept by a browser."""
    return JSONResponse(value, headers=HEADERS)


def refused(error: EdgeError) -> Response:
    """A refusal: its code, which the page explains in two languages, and its sentence."""
    return JSONResponse({"code": error.code, "why": str(error)}, STATUS.get(error.code, 400), headers=HEADERS)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
