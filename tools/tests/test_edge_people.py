"""`meterseal edge person` and `edge trail`: people are added, listed, removed and named to the authority; acts hold."""

import re
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pyotp
import pytest
from typer.testing import CliRunner

from meterseal_edge.errors import NotTaken
from meterseal_edge.people import credentials, sessions
from meterseal_edge.people.keys import PROOF, enrol
from meterseal_edge.people.roll import FILE, Roll
from meterseal_edge.people.trail import Trail
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.testing.world import World
from meterseal_tools.cli import app
from meterseal_tools.inspect import describe
from meterseal_tools.services import write_settings
from meterseal_wire.encode import encode

PASSWORD = "correct horse battery"


class Desk:
    """An edge's settings and key, and the command."""

    def __init__(self, folder: Path, **more: object) -> None:
        self.folder, self.world = folder, World()
        (folder / "anchors.cbor").write_bytes(self.world.anchors_file)
        self.world.keys["edge"].save(folder / "edge.key")
        self.settings = write_settings(
            folder / "edge.json",
            folder=folder / "edge",
            port=1,
            site="YUHANG1",
            edge="EDGE1",
            key=folder / "edge.key",
            anchors=folder / "anchors.cbor",
            registry="http://127.0.0.1:9",
            page_port=1,
            **more,
        )

    def run(self, *arguments: object, typed: str = "") -> tuple[int, str]:
        """Exit code and output of `meterseal edge ...`, with what is typed at prompts."""
        line = ["edge", *map(str, arguments)]
        done = CliRunner().invoke(app, line, input=typed, env={"COLUMNS": "200"})
        return done.exit_code, done.output

    def add(self, name: str, *roles: str, password: str = PASSWORD) -> tuple[int, str]:
        """`person add`, the password typed twice."""
        options = [part for role in roles for part in ("--role", role)]
        return self.run("person", "add", self.settings, name, *options, typed=f"{password}\n{password}\n")

    @property
    def file(self) -> Path:
        """The people's file."""
        return self.folder / "edge" / FILE


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An edge on which people may log in."""
    return Desk(tmp_path, page_origin="https://edge.example")


def test_a_person_who_was_added_can_log_in_with_what_the_command_showed(desk: Desk) -> None:
    """The address holds the secret; the password is asked at a prompt, and stands nowhere in the output."""
    status, output = desk.add("Li", "verifier", "engineer")
    assert status == 0
    [address] = [line for line in output.splitlines() if line.startswith("otpauth://")]
    totp = pyotp.parse_uri(address)
    assert (totp.name, totp.issuer) == ("Li", "MeterSeal EDGE1")
    assert "▀" in output or "▄" in output
    assert PASSWORD not in output
    with closing(Roll(desk.file)) as roll:
        found = credentials.opens(roll, "Li", PASSWORD, totp.now())  # type: ignore[attr-defined]
    assert found.roles == ("verifier", "engineer")
    assert stat.S_IMODE(desk.file.stat().st_mode) == 0o600


def test_without_an_origin_the_command_says_that_nobody_can_log_in_yet(tmp_path: Path) -> None:
    """A person who was added and finds no page would look in the wrong place."""
    assert "page_origin" in Desk(tmp_path).add("Li", "verifier")[1]


@pytest.mark.parametrize(
    "name, roles, password, why",
    [
        ("Li", ["king"], PASSWORD, "the roles are operator, verifier"),
        ("Li", ["verifier"], "short", "a password has 12"),
        ("x" * 33, ["verifier"], PASSWORD, "a name has 1 to 32"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_nobody_is_added(
    desk: Desk, name: str, roles: list[str], password: str, why: str
) -> None:
    """Exit code 1, and the file as before."""
    status, output = desk.add(name, *roles, password=password)
    assert (status, why in output) == (1, True)
    assert "Traceback" not in output
    with closing(Roll(desk.file)) as roll:
        assert roll.accounts() == []


def test_a_name_that_is_taken_is_told_before_the_password_is_asked(desk: Desk) -> None:
    """Nobody types a password in vain."""
    desk.add("Li", "verifier")
    status, output = desk.run("person", "add", desk.settings, "Li", "--role", "checker")
    assert (status, "is there already" in output, "password" in output) == (1, True, False)


def test_people_are_listed_and_removed(desk: Desk) -> None:
    """list: name, roles, tenant. remove: the name is in no row of the file any more."""
    desk.add("Li", "verifier")
    desk.add("Wang Unusual", "checker")
    status, output = desk.run("person", "list", desk.settings)
    assert status == 0
    assert "Wang Unusual" in output and "checker" in output
    assert desk.run("person", "remove", desk.settings, "Wang Unusual")[0] == 0
    assert desk.run("person", "remove", desk.settings, "Wang Unusual")[0] == 1
    assert "Wang" not in desk.run("person", "list", desk.settings)[1]
    with closing(sqlite3.connect(desk.file)) as db:
        assert "Unusual" not in "\n".join(db.iterdump())


def test_who_lost_password_or_phone_gets_new_ones_and_keeps_the_key(desk: Desk) -> None:
    """reset: what was known opens nothing, passkeys and sessions are gone; the grant of the key stays good."""
    _, before = desk.add("Li", "verifier")
    key = PrivateKey.generate()
    cose = bytes(encode(key.public.cose))
    with closing(Roll(desk.file)) as roll:
        li = roll.named("Li")
        enrol(Trail(roll, desk.world.keys["edge"]), li, cose, key.sign(PROOF + b"Li\n" + cose))
        roll.change("INSERT INTO passkey VALUES (x'01', ?, x'a0', 0, 0)", li.id)
        cookie, _ = sessions.begin(roll, li)
    typed = "another horse battery\n" * 2
    status, after = desk.run("person", "reset", desk.settings, "Li", typed=typed)
    assert status == 0
    secrets = [pyotp.parse_uri(re.findall("otpauth://.*", output)[0]).secret for output in (before, after)]
    old, new = (pyotp.TOTP(secret).now() for secret in secrets)
    with closing(Roll(desk.file)) as roll:
        for password, code in ((PASSWORD, new), ("another horse battery", old)):
            with pytest.raises(NotTaken):
                credentials.opens(roll, "Li", password, code)
        with pytest.raises(NotTaken):
            sessions.find(roll, cookie)
        assert roll.all("SELECT * FROM passkey") == []
        found = credentials.opens(roll, "Li", "another horse battery", new)
    assert (found.id, found.key) == (li.id, key.thumbprint)
    assert "person reset" in desk.run("trail", desk.settings, "--newest", 1)[1]


def test_a_grant_request_is_the_public_key_of_the_browser(desk: Desk) -> None:
    """A COSE_Key (RFC 9052 section 7) that `inspect` shows; before there is one, a sentence."""
    desk.add("Li", "verifier")
    request = desk.folder / "li.cose_key"
    asked = ("person", "grant-request", desk.settings, "Li", "--out", request)
    assert desk.run(*asked) == (1, desk.run(*asked)[1])
    assert "no signing key yet" in desk.run(*asked)[1]
    key = PrivateKey.generate()
    cose = bytes(encode(key.public.cose))
    with closing(Roll(desk.file)) as roll:
        trail = Trail(roll, desk.world.keys["edge"])
        enrol(trail, roll.named("Li"), cose, key.sign(PROOF + b"Li\n" + cose))
    status, output = desk.run(*asked)
    assert (status, key.thumbprint.hex() in output, request.read_bytes()) == (0, True, cose)
    assert describe(cose)


def test_the_trail_holds_and_names_each_act_of_the_command(desk: Desk) -> None:
    """Exit 0 with number and newest hash; acts by the command line have no person."""
    desk.add("Li", "verifier")
    desk.run("person", "remove", desk.settings, "Li")
    status, output = desk.run("trail", desk.settings, "--newest", 5)
    lines = output.splitlines()
    assert status == 0
    assert lines[0].startswith("2 ") and " - person removed " in lines[0]
    assert lines[1].startswith("1 ") and "Li" not in lines[1]
    assert lines[2].startswith("2 acts hold; newest ")


def test_a_trail_that_was_edited_is_told_with_the_number_of_the_act(desk: Desk) -> None:
    """Exit 1."""
    desk.add("Li", "verifier")
    desk.add("Wang", "checker")
    with closing(sqlite3.connect(desk.file)) as db:
        db.execute("DROP TRIGGER act_stays")
        db.execute("UPDATE act SET about = '{}' WHERE number = 2")
        db.commit()
    status, output = desk.run("trail", desk.settings)
    assert (status, "broken at act 2" in output) == (1, True)


def test_an_edge_that_got_a_new_key_still_vouches_for_its_older_acts(desk: Desk) -> None:
    """decisions/0011: after a restore the key is another; the grant of the old one is known."""
    desk.add("Li", "verifier")
    grants = desk.folder / "edge" / "grants"
    grants.mkdir(exist_ok=True)
    for name in ("delegation", "edge"):
        (grants / f"{name}.cose").write_bytes(desk.world.grants[name])
    (desk.folder / "edge.key").unlink()
    PrivateKey.generate().save(desk.folder / "edge.key")
    desk.add("Wang", "checker")
    assert desk.run("trail", desk.settings)[0] == 0
    (grants / "edge.cose").unlink()
    for path in grants.glob("*.cose"):
        path.unlink()
    assert desk.run("trail", desk.settings)[0] == 1
