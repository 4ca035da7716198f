"""`meterseal edge person` and `meterseal edge trail`: who may log in at an edge, and what people did there.

Run it as the edge's own user, beside a running edge. A password is asked at a prompt and never an argument; the secret
of one-time codes is shown once, as an address and as a QR code. Exit codes: 0 done, or the trail holds; 1 not, with
one sentence.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import segno
import typer
from rich.console import Console
from rich.table import Table

from meterseal_edge.errors import NotTaken
from meterseal_edge.keybook import Keybook
from meterseal_edge.people import credentials
from meterseal_edge.people.roll import ROLES, NewAccount
from meterseal_edge.people.trail import BY_COMMAND, Trail, broken_at, open_trail
from meterseal_edge.settings import Settings, load
from meterseal_protocol.keys import PrivateKey, PublicKey
from meterseal_tools.edge_store import SettingsFile, in_one_sentence

FAILED = 1
Name = Annotated[str, typer.Argument(help="the person's name at this edge")]
person = typer.Typer(no_args_is_help=True, help="People of an edge: add, list, remove, ask for a grant.")


@contextmanager
def opened(path: Path, verb: str) -> Iterator[tuple[Settings, Trail]]:
    """Settings and trail of an edge; what goes wrong inside becomes one line and exit code 1."""
    with in_one_sentence(verb):
        settings = load(path)
        settings.folder.mkdir(parents=True, exist_ok=True)
        kept = open_trail(settings.folder, PrivateKey.load(settings.key))
        with closing(kept.roll):
            yield settings, kept


@person.command()
def add(
    settings: SettingsFile,
    name: Name,
    role: Annotated[list[str], typer.Option(help=f"one or more of {', '.join(ROLES)}")],
    tenant: Annotated[str, typer.Option(help="the tenant whose runs alone are shown; without it, all")] = "",
) -> None:
    """Add a person; asks for the password and shows the secret of their one-time codes, once."""
    with opened(settings, "person add") as (found, trail):
        if trail.roll.by_name(name) is not None:
            raise NotTaken("edge.account", f"{name} is there already; remove that account first")
        password, secret = asked()
        with trail.roll.together():
            account = trail.roll.add(NewAccount(name, role, tenant, password, secret))
            about = {"account": account.id, "roles": role, "tenant": tenant}
            trail.write(BY_COMMAND, "person added", about)
    show_secret(secret, name, found.edge)
    print(f"{name} is added ({', '.join(role)})")
    if not found.page_origin:
        print('Nobody can log in yet: the settings have no "page_origin"')


def asked() -> tuple[str, str]:
    """A new password's hash, from a prompt, and a new secret for one-time codes."""
    password = typer.prompt("口令 password", hide_input=True, confirmation_prompt=True)
    return credentials.hashed(password), credentials.new_secret()


def show_secret(secret: str, name: str, edge: str) -> None:
    """The secret, once, for the person's authenticator."""
    address = credentials.address(secret, name, edge)
    segno.make(address).terminal(compact=True)
    print(f"{address}\n请用身份验证器扫描 Scan this with an authenticator now; it is not shown again")


@person.command()
def reset(settings: SettingsFile, name: Name) -> None:
    """A new password and new one-time codes for somebody who lost them; passkeys end, the signing key stays."""
    with opened(settings, "person reset") as (found, trail):
        account = trail.roll.named(name)
        password, secret = asked()
        with trail.roll.together():
            trail.roll.reset(account, password, secret)
            trail.write(BY_COMMAND, "person reset", {"account": account.id})
    show_secret(secret, name, found.edge)


@person.command("list")
def show(settings: SettingsFile) -> None:
    """List people: name, roles, tenant, and the thumbprint of the signing key."""
    with opened(settings, "person list") as (_, trail):
        accounts = trail.roll.accounts()
    table = Table()
    for column in ("姓名 name", "角色 roles", "委托方 tenant", "签名密钥 signing key"):
        table.add_column(column, overflow="fold")
    for account in accounts:
        table.add_row(account.name, ", ".join(account.roles), account.tenant, (account.key or b"").hex())
    Console().print(table)


@person.command()
def remove(settings: SettingsFile, name: Name) -> None:
    """Erase a person: name, password, passkeys, sessions. What they signed stays, under their key."""
    with opened(settings, "person remove") as (_, trail), trail.roll.together():
        account = trail.roll.named(name)
        trail.roll.remove(account)
        trail.write(BY_COMMAND, "person removed", {"account": account.id})
    print(f"{name} is removed. Have the authority withdraw the grant of their key")


@person.command("grant-request")
def grant_request(
    settings: SettingsFile,
    name: Name,
    out: Annotated[
        Path | None, typer.Option(help="where to write it; without it, THUMBPRINT.cose_key")
    ] = None,
) -> None:
    """Write a person's public key (CBOR COSE_Key) for the authority, which names it in a person grant."""
    with opened(settings, "person grant-request") as (found, trail):
        account = trail.roll.named(name)
        if account.cose is None or account.key is None:
            raise NotTaken(
                "edge.key", f"{name} has no signing key yet; they make it in their browser, logged in"
            )
        path = out or Path(f"{account.key.hex()[:16]}.cose_key")
        path.write_bytes(account.cose)
    print(f"{path}: the public key of {name} at {found.site}\nthumbprint {account.key.hex()}")
    print(
        f"roles      {', '.join(account.roles)}\nCompare the thumbprint with the one on the person's own page"
    )


def trail(
    settings: SettingsFile,
    newest: Annotated[int, typer.Option(help="how many acts to print, newest first")] = 0,
) -> None:
    """Verify the trail of what people did: order, hashes and the edge's signatures."""
    with opened(settings, "trail") as (found, kept):
        broken = broken_at(kept.roll, keys_of(found))
        number, chained = kept.newest()
        acts = kept.page()[:newest]
    for act in acts:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(act.at_s))
        who = act.name or (f"({act.who})" if act.who else "-")
        print(f"{act.number} {when}Z {who} {act.what} {act.about}")
    if broken is not None:
        print(
            f"the trail is broken at act {broken}: it was changed, taken out, or not signed by this edge",
            file=sys.stderr,
        )
        raise typer.Exit(FAILED)
    print(
        f"{number} acts hold; newest {chained.hex()}. Keep both elsewhere: whoever puts the whole folder back an hour "
        "leaves no mark in it"
    )


def keys_of(settings: Settings) -> list[PublicKey]:
    """The edge's key, and those that grants gave it before."""
    book = Keybook(settings.anchors.read_bytes(), settings.folder / "grants", settings.site)
    if settings.grants is not None:
        book.learn_folder(settings.grants)
    return [PrivateKey.load(settings.key).public, *book.edges(settings.edge)]
