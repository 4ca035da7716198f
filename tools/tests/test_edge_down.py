"""`meterseal edge plan|tenant|firmware`: what an operator puts, lists and drops; every refusal is one sentence."""

from pathlib import Path

import pytest
from edge.tests.test_granting import PLAN, rules, tenant
from typer.testing import CliRunner

from meterseal_protocol.testing.world import World
from meterseal_tools.cli import app
from meterseal_tools.firmware import build, repository
from meterseal_tools.services import write_settings
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import build as build_statement


class Desk:
    """An edge's settings, a world, and files."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.world = folder, World()
        (folder / "anchors.cbor").write_bytes(self.world.anchors_file)
        grants = folder / "edge" / "grants"
        grants.mkdir(parents=True)
        (grants / "d.cose").write_bytes(self.world.grants["delegation"])
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
        )

    def file(self, name: str, content: bytes) -> Path:
        """A file."""
        path = self.folder / name
        path.write_bytes(content)
        return path

    def run(self, *arguments: object) -> tuple[int, list[str]]:
        """Exit code and lines of `meterseal edge KIND VERB SETTINGS ...`."""
        kind, verb, *more = map(str, arguments)
        done = CliRunner().invoke(app, ["edge", kind, verb, str(self.settings), *more])
        return done.exit_code, done.output.splitlines()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Nothing put yet."""
    return Desk(tmp_path)


def test_a_plan_is_put_listed_by_its_digest_and_dropped(desk: Desk) -> None:
    """The digest is what an order on the panel may name; the name is the file's."""
    code, said = desk.run("plan", "put", desk.file("g", rules(desk.world)), desk.file("p", PLAN))
    name = sha256(PLAN).hex()[:16]
    assert (code, said) == (0, [f"{name} put; the edge sends it to every fixture that lacks it"])
    code, rows = desk.run("plan", "list")
    assert code == 0 and len(rows) == 1
    assert rows[0].split()[:3] == [name, sha256(PLAN).hex(), "test"]
    assert desk.run("plan", "drop", name) == (0, [f"{name} dropped; fixtures keep what they have"])
    assert desk.run("plan", "list") == (0, [])
    done = CliRunner().invoke(app, ["edge", "trail", str(desk.settings), "--newest", "9"])
    assert [line.split("Z - ")[1].split(" {")[0] for line in done.output.splitlines()[:-1]] == [
        "plan dropped",
        "plan put",
    ]
    assert "2 acts hold" in done.output


def test_an_act_whose_trail_cannot_be_written_is_done_and_told(desk: Desk) -> None:
    """A revocation must not wait for a disk; the trail's gap is said, in both languages."""
    (desk.folder / "edge" / "people.sqlite").write_bytes(b"no file of SQLite")
    code, said = desk.run("plan", "put", desk.file("g", rules(desk.world)), desk.file("p", PLAN))
    assert code == 0 and len(desk.run("plan", "list")[1]) == 1
    assert any("it is done, and not in the trail" in line for line in said)


def test_what_has_ended_or_was_withdrawn_is_not_put(desk: Desk) -> None:
    """The judge would refuse whatever is measured by it; a withdrawal is known where the edge has heard of it."""
    ended = desk.file("g", rules(desk.world, WINDOW=[1, 2]))
    code, said = desk.run("plan", "put", ended, desk.file("p", PLAN))
    assert code == 1 and "does not stand now: grant.window" in said[0]
    good = desk.file("g", rules(desk.world))
    about = {L.STATEMENT: identity(good.read_bytes()), L.TAINTED_FROM_S: 1, L.TIME_S: 1, L.DETAIL: ""}
    raw = build_statement(desk.world.author("root"), L.KIND_WITHDRAWAL, about)
    (desk.folder / "edge" / "grants" / "w.cose").write_bytes(raw)
    assert "grant.withdrawn" in desk.run("plan", "put", good, desk.file("p", PLAN))[1][0]
    assert desk.run("plan", "list") == (0, [])


def test_a_tenants_delegation_is_found_at_the_edge_or_given(desk: Desk) -> None:
    """The edge learns delegations from the registry; before it has, a file does."""
    grant = desk.file("g", tenant(desk.world))
    assert desk.run("tenant", "put", grant)[0] == 0
    assert desk.run("tenant", "list")[1][0].split()[1:3] == ["ALPHA", "B1"]
    desk.run("tenant", "drop", sha256(grant.read_bytes()).hex()[:16])
    (desk.folder / "edge" / "grants" / "d.cose").unlink()
    code, said = desk.run("tenant", "put", grant)
    assert code == 1 and "--delegation" in said[0]
    given = desk.file("d", desk.world.grants["delegation"])
    assert desk.run("tenant", "put", grant, "--delegation", given)[0] == 0


def test_a_built_image_is_put_with_its_grant_and_listed(desk: Desk, tmp_path: Path) -> None:
    """The same folder that `meterseal firmware build` made and `meterseal flash` takes."""
    image = build(repository(), "unix", tmp_path / "image", 1)
    fields = {
        L.FIRMWARE_DIGEST: image.digest,
        L.FIRMWARE_VERSION: image.version,
        L.BOARD: "unix/sim-1",
        L.FIRMWARE_FLOOR: 1,
    }
    grant = desk.file("g", desk.world.grant("root", kinds.FIRMWARE, fields))
    code, said = desk.run("firmware", "put", grant, image.folder)
    assert code == 0, said
    [row] = desk.run("firmware", "list")[1]
    assert row.startswith(f"unix/sim-1  {image.version}  ") and row.endswith(image.digest.hex())
    slot = image.folder / "a" / "start.mpy"
    slot.write_bytes(slot.read_bytes() + b"x")
    code, said = desk.run("firmware", "put", grant, image.folder)
    assert (code, len(said)) == (1, 1) and "build the image again" in said[0]
    assert desk.run("firmware", "list")[1] == [row]


@pytest.mark.parametrize(
    "arguments, why",
    [
        (("plan", "put", "forged", "plan"), "does not hold under an anchor"),
        (("plan", "put", "good", "other"), "does not name this plan"),
        (("plan", "put", "good", "nowhere"), "No such file"),
        (("plan", "drop", "nothing"), "there is no nothing.plan"),
        (("tenant", "put", "good"), "no tenant grant"),
        (("firmware", "put", "good", "nowhere"), "nowhere"),
    ],
)
def test_whatever_is_wrong_is_one_sentence_and_nothing_is_put(
    desk: Desk, arguments: tuple[str, ...], why: str
) -> None:
    """Design section 13: one sentence that says what and what to do; exit code 1."""
    desk.file("good", rules(desk.world))
    desk.file("forged", rules(desk.world, "province"))
    desk.file("plan", PLAN)
    desk.file("other", PLAN[:-1])
    paths = [
        desk.folder / name if name in ("good", "forged", "plan", "other", "nowhere") else name
        for name in arguments[2:]
    ]
    code, said = desk.run(*arguments[:2], *paths)
    assert (code, len(said)) == (1, 1), said
    assert why in said[0] and said[0].startswith(f"edge {arguments[0]} {arguments[1]}: ")
    assert not list((desk.folder / "edge").glob("down/*"))


def test_damaged_files_stand_in_the_list(desk: Desk) -> None:
    """They are sent to nobody, and somebody should know."""
    (desk.folder / "edge" / "down").mkdir()
    (desk.folder / "edge" / "down" / "x.plan").write_bytes(b"")
    assert desk.run("plan", "list") == (0, ["x.plan cannot be read; drop it and put it again"])
