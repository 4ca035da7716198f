"""The door: password and one-time code, each wrong in its own way, all alike to whoever stands outside."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyotp
import pytest

from meterseal_edge.errors import NotTaken
from meterseal_edge.people import credentials
from meterseal_edge.people.credentials import address, hashed, new_secret, opens
from meterseal_edge.people.roll import FILE, NewAccount, Roll

PASSWORD = "correct horse battery"
KEPT = hashed(PASSWORD)
# RFC 6238 appendix B: the ASCII secret 12345678901234567890; its last six digits of SHA-1's TOTP at these seconds.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
VECTORS = [(1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")]


class Watch:
    """A clock that a test sets."""

    now_s = 1111111109

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def watch() -> Watch:
    """Set to the first vector."""
    return Watch()


@pytest.fixture
def roll(tmp_path: Path, watch: Watch) -> Iterator[Roll]:
    """Li, with RFC 6238's secret."""
    with closing(Roll(tmp_path / FILE, watch)) as found:
        found.add(NewAccount("Li", ("verifier",), "", KEPT, SECRET))
        yield found


def refused(roll: Roll, name: str = "Li", password: str = PASSWORD, code: str = "081804") -> str:
    """The sentence of a refusal, whose code is edge.login."""
    with pytest.raises(NotTaken) as caught:
        opens(roll, name, password, code)
    assert caught.value.code == "edge.login"
    return str(caught.value)


@pytest.mark.parametrize("at_s, code", VECTORS)
def test_the_codes_are_those_of_the_rfc(roll: Roll, watch: Watch, at_s: int, code: str) -> None:
    """RFC 6238 appendix B."""
    watch.now_s = at_s
    assert opens(roll, "Li", PASSWORD, code).name == "Li"


def test_a_code_opens_once(roll: Roll, watch: Watch) -> None:
    """RFC 6238 section 5.2: the verifier must not accept the second attempt of the OTP."""
    opens(roll, "Li", PASSWORD, "081804")
    refused(roll)
    watch.now_s += 30
    refused(roll)


def test_an_older_code_than_the_one_used_stays_shut(roll: Roll, watch: Watch) -> None:
    """The window reaches back one step: a code seen over the shoulder before must not work after a newer one."""
    totp = pyotp.TOTP(SECRET)
    watch.now_s += 30
    opens(roll, "Li", PASSWORD, totp.at(watch.now_s))
    refused(roll, code=totp.at(watch.now_s - 30))


@pytest.mark.parametrize("steps, good", [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_clocks_may_differ_by_one_step(roll: Roll, watch: Watch, steps: int, good: bool) -> None:
    """RFC 6238 section 5.2: at most one time step is allowed for delay; ours one each way."""
    code = pyotp.TOTP(SECRET).at(watch.now_s + 30 * steps)
    if good:
        assert opens(roll, "Li", PASSWORD, code)
    else:
        refused(roll, code=code)


def test_of_two_who_come_at_once_with_one_code_one_gets_in(roll: Roll) -> None:
    """The step is taken in one statement."""
    found: list[str] = []

    def come() -> None:
        try:
            found.append(opens(roll, "Li", PASSWORD, "081804").name)
        except NotTaken:
            found.append("refused")

    threads = [threading.Thread(target=come) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["Li", "refused", "refused", "refused"]


def test_whatever_was_wrong_the_sentence_is_the_same(roll: Roll) -> None:
    """OWASP ASVS 2.2: no telling which names exist."""
    said = {
        refused(roll, name="Nobody"),
        refused(roll, name="Nobody", password="nobody has this password"),
        refused(roll, password="wrong horse battery"),
        refused(roll, password=PASSWORD + "x"),
        refused(roll, password=""),
        refused(roll, code="000000"),
        refused(roll, code=""),
        refused(roll, code="０８１８０４"),
        refused(roll, code="08180"),
    }
    assert said == {credentials.WRONG}
    assert opens(roll, "Li", PASSWORD, "081 804")


def test_a_name_that_nobody_has_costs_a_hash_too(roll: Roll, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time tells names as well: the hasher is asked once, whoever comes. Counted, not timed."""
    asked: list[str] = []
    honest = credentials._is_right

    def counted(kept: str, password: str) -> bool:
        asked.append(kept)
        return honest(kept, password)

    monkeypatch.setattr(credentials, "_is_right", counted)
    refused(roll, name="Nobody")
    refused(roll, password="wrong")
    assert asked == [credentials.NOBODY, KEPT]
    assert not credentials.HASHER.check_needs_rehash(credentials.NOBODY)  # the same memory, time and lanes


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 257])
def test_a_password_too_short_or_endless_is_not_taken(password: str) -> None:
    """NIST SP 800-63B: length is what counts; the upper bound keeps a hash from being work without end."""
    with pytest.raises(NotTaken, match="a password has 12 to 256 characters"):
        hashed(password)


def test_a_password_of_the_longest_kind_is_not_cut(tmp_path: Path, watch: Watch) -> None:
    """256 characters are all looked at, and a 257th is not ignored."""
    longest = "x" * 255 + "y"
    with closing(Roll(tmp_path / "long.sqlite", watch)) as roll:
        roll.add(NewAccount("Li", ("verifier",), "", hashed(longest), SECRET))
        refused(roll, password=longest + "z")
        refused(roll, password="x" * 256)
        assert opens(roll, "Li", longest, "081804")


def test_what_is_kept_is_argon2id_with_a_salt_of_its_own() -> None:
    """RFC 9106 section 4: second recommended option: t=3, p=4, m=64 MiB."""
    again = hashed(PASSWORD)
    assert again.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert again != KEPT


def test_the_address_is_what_authenticators_read() -> None:
    """Key URI format of otpauth: secret, issuer, and the account's name."""
    secret = new_secret()
    assert len(secret) == 32
    found = pyotp.parse_uri(address(secret, "Li Wei", "EDGE1"))
    assert (found.secret, found.name, found.issuer) == (secret, "Li Wei", "MeterSeal EDGE1")
