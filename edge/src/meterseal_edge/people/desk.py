"""The desk at which people are served: what each request of a page does, without a word of HTTP.

pages/people_pages.py brings the requests here; it has looked at session and token before. Values in and out are JSON's;
bytes are hex. Every act stands in the trail, refused logins of known people too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from meterseal_edge.errors import NotTaken
from meterseal_edge.people import credentials, keys, sessions
from meterseal_edge.people.corrections import take_correction
from meterseal_edge.people.passkeys import Passkeys
from meterseal_edge.people.roll import ENGINEER, NAME_CHARACTERS, Account
from meterseal_edge.people.said import ROLE_OF, Said, Sayings
from meterseal_edge.people.seals import newest, take_marks
from meterseal_edge.people.sessions import Session
from meterseal_edge.people.sheet import Sheet
from meterseal_edge.people.throttle import Throttle
from meterseal_edge.people.trail import Trail, open_trail
from meterseal_edge.runs.catalogue import Catalogue
from meterseal_edge.runs.figures import Judge
from meterseal_edge.runs.run import load
from meterseal_edge.settings import Settings
from meterseal_protocol.keys import PrivateKey
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.tree import tree_hash

Json = dict[str, Any]
SeenTo = Callable[[str, str], bool]


def nothing_there(_fixture: str, _code: str) -> bool:
    """No alarm is on the list."""
    return False


@dataclass(frozen=True)
class Desk:
    """Everything that people's requests need, wired once."""

    settings: Settings
    trail: Trail
    passkeys: Passkeys
    throttle: Throttle
    sayings: Sayings
    runs: Catalogue
    seen_to: SeenTo

    @classmethod
    def open(
        cls, settings: Settings, runs: Catalogue, judge: Judge, seen_to: SeenTo = nothing_there
    ) -> "Desk | None":
        """The desk over `people.sqlite` in the edge's folder; None where the settings name no page origin."""
        if not settings.page_origin:
            return None
        trail = open_trail(settings.folder, PrivateKey.load(settings.key))
        passkeys = Passkeys(trail, settings.page_origin, urlsplit(settings.page_origin).hostname or "")
        return cls(
            settings, trail, passkeys, Throttle(trail.roll.clock), Sayings(trail, judge), runs, seen_to
        )

    def close(self) -> None:
        """Release the people's file."""
        self.trail.roll.close()

    def login(self, said: Mapping[str, Any], address: str) -> tuple[str, Session]:
        """(cookie, session) for name, password and code; NotTaken else, and each failure makes the next wait."""
        name = text(said, "name")[:NAME_CHARACTERS]
        tried = (f"name {name}", f"address {address}")
        self.throttle.begin(tried)
        try:
            account = credentials.opens(self.trail.roll, name, text(said, "password"), text(said, "code"))
        except NotTaken:
            known = self.trail.roll.by_name(name)
            if known is not None:
                self.trail.write(known.id, "login refused", {"address": address})
            raise
        self.throttle.passed(*tried)
        return self._begin(account, "login", address)

    def login_by_passkey(self, said: Mapping[str, Any], address: str) -> tuple[str, Session]:
        """(cookie, session) for a passkey's answer; NotTaken else."""
        account = self.passkeys.opens(text(said, "ticket"), mapping(said, "credential"))
        return self._begin(account, "login by passkey", address)

    def _begin(self, account: Account, what: str, address: str) -> tuple[str, Session]:
        with self.trail.roll.together():
            self.trail.write(account.id, what, {"address": address})
            return sessions.begin(self.trail.roll, account)

    def logout(self, session: Session) -> Json:
        """The session ends."""
        with self.trail.roll.together():
            sessions.end(self.trail.roll, session)
            self.trail.write(session.account.id, "log out", {})
        return {}

    def me(self, session: Session) -> Json:
        """Who is logged in, what their key is and what grants let it sign."""
        account, now_s = session.account, self.trail.roll.now_s()
        granted = self.sayings.judge.granted(account.key, now_s) if account.key else []
        [count] = self.trail.roll.one("SELECT count(*) FROM passkey WHERE account = ?", account.id) or (0,)
        return {
            "name": account.name,
            "account": account.id,
            "roles": account.roles,
            "tenant": account.tenant,
            "csrf": session.csrf,
            "key": account.key.hex() if account.key else None,
            "granted": [_granted(payload) for payload in granted],
            "passkeys": count,
        }

    def begin_passkey(self, session: Session) -> Json:
        """What the browser needs to make a passkey."""
        return self.passkeys.begin_add(session.account)

    def add_passkey(self, session: Session, said: Mapping[str, Any]) -> Json:
        """Keep the passkey that the browser made."""
        self.passkeys.add(session.account, text(said, "ticket"), mapping(said, "credential"))
        return {}

    def enrol(self, session: Session, said: Mapping[str, Any]) -> Json:
        """Bind the browser's signing key to the account."""
        key = keys.enrol(self.trail, session.account, octets(said, "cose"), octets(said, "proof"))
        return {"key": key.thumbprint.hex()}

    def sheet(self, session: Session, run: str) -> Json:
        """What there is to be signed of a run, who signed it, and what this person may sign."""
        account, sheet = session.account, self._sheet(session.account, run)
        doubts = {role: self.sayings.against(account, sheet, role) for role in self._roles(account, sheet)}
        signers = self.sayings.signers(sheet)
        rows = sheet.rows if sheet.is_for_signing else []
        return {
            "run": run,
            "tenant": sheet.run.listed.tenant,
            "now_s": self.trail.roll.now_s(),
            "rows": [_row(row) for row in rows],
            "root": tree_hash([row.encoded() for row in rows]).hex(),
            "roles": [_role(role, doubt) for role, doubt in doubts.items()],
            "missing": [role for role in sheet.roles if not signers.get(role)],
            "least_people": sheet.least_people,
            "failed": [{**_row(row), "codes": codes} for row, codes in sheet.failed],
            "seals": newest(self.sayings, sheet.run.listed.identity),
            "may_notify": self.sayings.may_notify(account, sheet),
            "said": [_said(item) for item in self.sayings.of(sheet.run.listed.identity)],
        }

    def sign_off(self, session: Session, run: str, said: Mapping[str, Any]) -> Json:
        """Take a sign-off of a run."""
        sheet = self._sheet(session.account, run)
        self.sayings.take_signoff(session.account, sheet, octets(said, "statement"))
        return self.sheet(session, run)

    def notify(self, session: Session, run: str, said: Mapping[str, Any]) -> Json:
        """Take a notice of a failed meter."""
        sheet = self._sheet(session.account, run)
        self.sayings.take_notice(session.account, sheet, octets(said, "statement"))
        return self.sheet(session, run)

    def mark(self, session: Session, run: str, said: Mapping[str, Any]) -> Json:
        """Take the seal numbers of a meter that passed."""
        take_marks(
            self.sayings, session.account, self._sheet(session.account, run), octets(said, "statement")
        )
        return self.sheet(session, run)

    def correct(self, session: Session, run: str, said: Mapping[str, Any]) -> Json:
        """Take back something that this person signed."""
        sheet = self._sheet(session.account, run)
        take_correction(self.sayings, session.account, sheet, octets(said, "statement"))
        return self.sheet(session, run)

    def see_to(self, session: Session, said: Mapping[str, Any]) -> Json:
        """Take an alarm off the list, since this person saw to it."""
        account, fixture, code = session.account, text(said, "fixture"), text(said, "code")
        if not account.sees(""):
            raise NotTaken("edge.role", "alarms are seen to by people who belong to no tenant")
        if not self.seen_to(fixture, code):
            raise NotTaken("edge.alarm", "there is no such alarm any more")
        self.trail.write(account.id, "alarm seen to", {"fixture": fixture, "code": code})
        return {}

    def bundle(self, session: Session, identity: str) -> bytes:
        """One signed statement with its rows, as the registry gets it and `meterseal inspect` shows it."""
        run, found = self.sayings.bundle(unhex(identity))
        self._listed(session.account, run)
        return found

    def acts(self, session: Session, before: int | None) -> Json:
        """A page of the trail, newest first; for the metrology engineer."""
        if ENGINEER not in session.account.roles:
            raise NotTaken("edge.role", "the trail is for the metrology engineer")
        found = self.trail.page(before)
        number, newest = self.trail.newest()
        acts = [
            {
                "number": a.number,
                "at_s": a.at_s,
                "who": a.who,
                "name": a.name,
                "what": a.what,
                "about": a.about,
            }
            for a in found
        ]
        return {"acts": acts, "newest": {"number": number, "hash": newest.hex()}}

    def _roles(self, account: Account, sheet: Sheet) -> list[int]:
        mine = {ROLE_OF[name] for name in account.roles if name in ROLE_OF}
        return sorted(mine & {*sheet.roles, kinds.SUPERVISING})

    def _sheet(self, account: Account, run: str) -> Sheet:
        found = load(self.runs.store, self._listed(account, unhex(run)))
        return Sheet(found, self.sayings.judge.figures(found))

    def _listed(self, account: Account, run: bytes) -> Any:
        self.runs.follow()
        listed = self.runs.find(run)
        if listed is None or not account.sees(listed.tenant):
            raise NotTaken("edge.run", "there is no such run at this edge, or it is another tenant's")
        return listed


def text(said: Mapping[str, Any], name: str) -> str:
    """A text of a request; NotTaken where it has none."""
    value = said.get(name)
    if not isinstance(value, str):
        raise NotTaken("edge.request", f'the request lacks "{name}"')
    return value


def mapping(said: Mapping[str, Any], name: str) -> Json:
    """An object of a request; NotTaken where it has none."""
    value = said.get(name)
    if not isinstance(value, dict):
        raise NotTaken("edge.request", f'the request lacks "{name}"')
    return value


def octets(said: Mapping[str, Any], name: str) -> bytes:
    """Bytes of a request, which come as hex; NotTaken where it has none."""
    return unhex(text(said, name))


def unhex(value: str) -> bytes:
    """Bytes from hex; NotTaken for anything else."""
    try:
        return bytes.fromhex(value)
    except ValueError:
        raise NotTaken("edge.request", "bytes are written in hex") from None


def _row(row: Any) -> Json:
    shown: Sequence[str] = ("position", "meter", "outcome", "largest_ppm")
    return {"result": row.result.hex(), **{name: getattr(row, name) for name in shown}}


def _role(role: int, doubt: NotTaken | None) -> Json:
    return {"role": role, "code": doubt.code if doubt else None, "why": str(doubt) if doubt else None}


def _said(item: Said) -> Json:
    kind = L.KIND_NAMES[item.typ]
    found = {"identity": item.identity.hex(), "kind": kind, "role": item.role, "position": item.position}
    stands = {"entered": bool(item.entered), "taken_back": bool(item.taken_back), "text": item.text}
    return {
        **found,
        "who": item.who,
        "account": item.account,
        "key": item.key.hex(),
        "at_s": item.at_s,
        **stands,
    }


def _granted(payload: Mapping[int, Any]) -> Json:
    return {
        "number": payload[L.NUMBER],
        "roles": payload.get(L.ROLES, [kinds.SUPERVISING]),
        "media": payload.get(L.QUALIFICATION, []),
        "until_s": payload[L.WINDOW][1],
    }
