"""Sessions: who is in, for how long, and the token that every act brings."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from meterseal_edge.errors import NotTaken
from meterseal_edge.people import sessions
from meterseal_edge.people.roll import FILE, NewAccount, Roll
from meterseal_edge.people.sessions import IDLE_S, LONGEST_S


class Watch:
    """A clock that a test sets."""

    now_s = 1_790_000_000

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def watch() -> Watch:
    """Some time."""
    return Watch()


@pytest.fixture
def roll(tmp_path: Path, watch: Watch) -> Iterator[Roll]:
    """Li alone."""
    with closing(Roll(tmp_path / FILE, watch)) as found:
        found.add(NewAccount("Li", ("verifier",), "", "hash", "SECRET"))
        yield found


def is_over(roll: Roll, cookie: str) -> bool:
    """True if the cookie opens nothing."""
    try:
        return sessions.find(roll, cookie).account.name != "Li"
    except NotTaken as error:
        return error.code == "edge.session"


def test_the_cookie_opens_the_session_and_only_its_hash_is_kept(roll: Roll, tmp_path: Path) -> None:
    """Whoever reads the file can't take a session over."""
    cookie, session = sessions.begin(roll, roll.named("Li"))
    assert sessions.find(roll, cookie) == session
    kept = b"".join(path.read_bytes() for path in tmp_path.glob(f"{FILE}*"))
    assert cookie.encode() not in kept
    assert len(cookie) >= 43  # 256 bits in base64url


@pytest.mark.parametrize("cookie", ["", "x", "é\ud800", "A" * 10_000])
def test_a_cookie_that_is_none_opens_nothing(roll: Roll, cookie: str) -> None:
    """Whatever a client sends."""
    sessions.begin(roll, roll.named("Li"))
    assert is_over(roll, cookie)


def test_a_session_ends_by_itself_when_nobody_acts(roll: Roll, watch: Watch) -> None:
    """An hour without a request; each request begins the hour anew."""
    cookie, _ = sessions.begin(roll, roll.named("Li"))
    for _ in range(5):
        watch.now_s += IDLE_S - 1
        assert not is_over(roll, cookie)
    watch.now_s += IDLE_S + 1
    assert is_over(roll, cookie)


def test_a_session_ends_after_a_shift_whoever_acts(roll: Roll, watch: Watch) -> None:
    """Twelve hours at most."""
    cookie, _ = sessions.begin(roll, roll.named("Li"))
    for _ in range(LONGEST_S // 1800):
        watch.now_s += 1800
        assert not is_over(roll, cookie)
    watch.now_s += 1
    assert is_over(roll, cookie)


def test_logging_out_ends_one_session_and_no_other(roll: Roll) -> None:
    """A phone and a wall."""
    first, session = sessions.begin(roll, roll.named("Li"))
    second, _ = sessions.begin(roll, roll.named("Li"))
    sessions.end(roll, session)
    assert is_over(roll, first)
    assert not is_over(roll, second)


def test_sessions_that_ended_are_swept(roll: Roll, watch: Watch) -> None:
    """The file does not grow with every login of a year."""
    for _ in range(10):
        sessions.begin(roll, roll.named("Li"))
        watch.now_s += IDLE_S + 1
    assert len(roll.all("SELECT * FROM session")) == 1


@pytest.mark.parametrize("sent", ["", "x", "é", "\ud800"])
def test_an_act_without_the_sessions_own_token_is_refused(roll: Roll, sent: str) -> None:
    """OWASP: synchronizer token; another session's does not do either."""
    _, session = sessions.begin(roll, roll.named("Li"))
    _, other = sessions.begin(roll, roll.named("Li"))
    sessions.check_csrf(session, session.csrf)
    for token in (sent, other.csrf, session.csrf[:-1]):
        with pytest.raises(NotTaken) as caught:
            sessions.check_csrf(session, token)
        assert caught.value.code == "edge.csrf"
