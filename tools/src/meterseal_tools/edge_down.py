"""`meterseal edge plan|tenant|firmware put|list|drop`: what an edge sends down to its fixtures.

`put` looks at the grant first and lays the item into the edge's folder `down`; a running edge sees it within seconds
and sends it to whichever fixture lacks it. Nothing needs to be stopped. Exit codes: 0 done; 1 not, with one sentence,
and the folder is as it was.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from meterseal_edge import granting, offers
from meterseal_edge.errors import BadOffer
from meterseal_edge.granting import FIRMWARE, PLAN, TENANT, Firmware
from meterseal_edge.offers import Offers
from meterseal_edge.settings import Settings, load
from meterseal_edge.standing import Standing
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_protocol.statement import read
from meterseal_tools.boards.image import MANIFEST, SLOT, BadImage
from meterseal_tools.boards.image import load as load_image
from meterseal_tools.edge_acts import note
from meterseal_tools.edge_store import SettingsFile, in_one_sentence
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity

ANCHORS_BYTES = 1 << 20
GrantFile = Annotated[Path, typer.Argument(metavar="GRANT", help="the authority's grant, *.cose")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="the first column of `list`")]


def anchors_of(settings: Settings) -> KeyRing:
    """The keys that this edge trusts from outside."""
    ring = KeyRing()
    for key in scan(settings.anchors.read_bytes(), ANCHORS_BYTES):
        ring.add(PublicKey.from_cose(key))
    return ring


@contextmanager
def in_words(verb: str) -> Iterator[None]:
    """As `in_one_sentence`, for images too."""
    with in_one_sentence(verb):
        try:
            yield
        except BadImage as wrong:
            raise BadOffer(str(wrong)) from None


def known_at(settings: Settings) -> list[bytes]:
    """Grants and withdrawals that the edge has learnt, or was given to begin with."""
    folders = [settings.folder / "grants", *([settings.grants] if settings.grants else [])]
    return [path.read_bytes() for folder in folders for path in sorted(folder.glob("*.cose"))]


def laid(settings: Settings, item: list[Any]) -> str:
    """Put it, and say where it lies; BadOffer where its grant has ended or was withdrawn."""
    grant, above = (item[2], []) if item[0] == FIRMWARE else (item[1], item[2] if item[0] == TENANT else [])
    known = [*known_at(settings), *above, grant]
    codes = Standing(list(anchors_of(settings)), lambda: known).against(grant, int(time.time()))
    if codes:
        raise BadOffer(
            f"the grant does not stand now: {', '.join(codes)}. Ask the authority for one that does"
        )
    path = offers.put(settings.folder / offers.FOLDER, item, int(time.time()))
    note(settings, f"{item[0]} put", {"name": path.stem, "grant": identity(grant).hex()})
    return f"{path.stem} put; the edge sends it to every fixture that lacks it"


def put_plan(
    settings: SettingsFile,
    grant: GrantFile,
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="the plan document, CBOR")],
) -> None:
    """Send a plan that a rules grant names to every fixture."""
    with in_words("plan put"):
        found = load(settings)
        item = granting.plan_of(anchors_of(found), grant.read_bytes(), plan.read_bytes())
        print(laid(found, item))


def put_tenant(
    settings: SettingsFile,
    grant: GrantFile,
    delegation: Annotated[
        list[Path] | None,
        typer.Option(help="a delegation above the grant; those that the edge has need none"),
    ] = None,
) -> None:
    """Let a tenant's meters onto the benches that its grant names."""
    with in_words("tenant put"):
        found = load(settings)
        known = [*known_at(found), *(path.read_bytes() for path in delegation or [])]
        print(laid(found, granting.tenant_of(anchors_of(found), grant.read_bytes(), known)))


def put_firmware(
    settings: SettingsFile,
    grant: GrantFile,
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="the folder of `meterseal firmware build`")],
) -> None:
    """Offer a firmware to every fixture of its grant's board; it takes the place of the one offered before."""
    with in_words("firmware put"):
        found, built = load(settings), load_image(image)
        inside = [
            file for file in built.files if file.path.startswith(SLOT) and not file.path.endswith(MANIFEST)
        ]
        files = {file.path.removeprefix(SLOT): built.content(file) for file in inside}
        manifest = (built.folder / SLOT / MANIFEST).read_bytes()
        print(laid(found, granting.firmware_of(anchors_of(found), grant.read_bytes(), manifest, files)))


def rows(kind: str, found: Offers) -> list[str]:
    """A line for each item of a kind: its name, and what it is."""
    if kind == FIRMWARE:
        return [firmware_row(one) for one in found.firmware.values()]
    return [
        f"{Path(one.file).stem}  {said(one.item)}  {one.name}" for one in found.granted if one.kind == kind
    ]


def firmware_row(one: Firmware) -> str:
    """Board, version, number and size of files, digest."""
    size = sum(map(len, one.files.values()))
    return f"{one.board}  {one.version}  {len(one.files)} files, {size} bytes  {one.digest.hex()}"


def said(item: list[Any]) -> str:
    """What a plan or a tenant is: digest of the document and name of the rules, or the tenant and its benches."""
    fields = read(item[1]).payload
    if item[0] == PLAN:
        return f"{sha256(item[2]).hex()}  {fields[L.RULES_NAME]}"
    return f"{fields[L.TENANT]}  {', '.join(fields[L.BENCHES])}"


def listing(kind: str) -> Callable[[Path], None]:
    """`list` for a kind."""

    def command(settings: SettingsFile) -> None:
        with in_words(f"{kind} list"):
            found = Offers(load(settings).folder / offers.FOLDER)
            found.look()
        for row in rows(kind, found):
            print(row)
        for name in found.damaged:
            print(f"{name} cannot be read; drop it and put it again")

    command.__doc__ = f"Show what stands in the folder: each {kind}."
    return command


def dropping(kind: str) -> Callable[[Path, str], None]:
    """`drop` for a kind."""

    def command(settings: SettingsFile, name: Name) -> None:
        with in_words(f"{kind} drop"):
            found = load(settings)
            offers.drop(found.folder / offers.FOLDER, name, kind)
            note(found, f"{kind} dropped", {"name": name})
        print(f"{name} dropped; fixtures keep what they have")

    command.__doc__ = f"Send a {kind} to no more fixtures."
    return command


def group(kind: str, put: Callable[..., None]) -> typer.Typer:
    """The three verbs of a kind."""
    found = typer.Typer(no_args_is_help=True, help=f"What fixtures get: each {kind}, with its grant.")
    found.command("put")(put)
    found.command("list")(listing(kind))
    found.command("drop")(dropping(kind))
    return found


GROUPS = {
    PLAN: group(PLAN, put_plan),
    TENANT: group(TENANT, put_tenant),
    FIRMWARE: group(FIRMWARE, put_firmware),
}
