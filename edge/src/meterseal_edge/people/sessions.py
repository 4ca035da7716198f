"""Sessions: 256 random bits in the browser's cookie, their hash in the people's file, an end at the edge."""

import hmac
import secrets
from dataclasses import dataclass

from meterseal_edge.errors import NotTaken
from meterseal_edge.people.roll import Account, Roll
from meterseal_wire.digest import sha256

TOKEN_BYTES = 32
LONGEST_S, IDLE_S = 12 * 3600, 3600
TOUCH_S = 60


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is in: `csrf` comes back in a header with every act."""

    account: Account
    csrf: str
    token: bytes


def begin(roll: Roll, account: Account) -> tuple[str, Session]:
    """(what the cookie holds, the session). Ended sessions are swept on the way."""
    cookie, csrf, now_s = secrets.token_urlsafe(TOKEN_BYTES), secrets.token_urlsafe(TOKEN_BYTES), roll.now_s()
    token = sha256(cookie.encode("ascii"))
    with roll.together():
        roll.change("DELETE FROM session WHERE made_s < ? OR seen_s < ?", now_s - LONGEST_S, now_s - IDLE_S)
        roll.change("INSERT INTO session VALUES (?, ?, ?, ?, ?)", token, account.id, csrf, now_s, now_s)
    return cookie, Session(account, csrf, token)


def find(roll: Roll, cookie: str) -> Session:
    """The session that a cookie names; NotTaken where there is none, or it ended."""
    token, now_s = sha256(cookie.encode("utf-8", "replace")), roll.now_s()
    row = roll.one("SELECT account, csrf, made_s, seen_s FROM session WHERE token = ?", token)
    account = roll.by_id(row[0]) if row else None
    if row is None or account is None or now_s - row[2] > LONGEST_S or now_s - row[3] > IDLE_S:
        raise NotTaken("edge.session", "log in first")
    if now_s - row[3] > TOUCH_S:
        roll.change("UPDATE session SET seen_s = ? WHERE token = ?", now_s, token)
    return Session(account, row[1], token)


def check_csrf(session: Session, sent: str) -> None:
    """NotTaken unless an act carries the session's own token: a page of somebody else's cannot know it."""
    if not hmac.compare_digest(session.csrf.encode("ascii"), sent.encode("utf-8", "replace")):
        raise NotTaken("edge.csrf", "this page is from an older session; load it again")


def end(roll: Roll, session: Session) -> None:
    """Log out."""
    roll.change("DELETE FROM session WHERE token = ?", session.token)
