"""`meterseal grant`: how an authority says who may do what: fill a form, sign it, show it, withdraw it, hand it in.

A grant counts only if it was entered before the test that rests on it (grant.late): sign, then submit, then test.

Exit codes: 0 done; 1 the registry refused one; 2 misuse; 65 a form, file or grant that can't be used; 66 no such key;
69 the registry can't be reached; 73 the file is there already.
"""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

from meterseal_edge.beacon import grants_in
from meterseal_edge.errors import RegistryAbsent
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import KeyRing, PrivateKey
from meterseal_protocol.receipt import check
from meterseal_tools.audit_log import anchor_keys
from meterseal_tools.grants.form import at_time, read_form, template
from meterseal_tools.grants.handed import registries, sign
from meterseal_tools.grants.shown import holds, signers, table_of
from meterseal_tools.grants.standing import below, read_grant
from meterseal_tools.one_sentence import NO_INPUT, NOT_USABLE, in_one_sentence, write_new
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.errors import WireError
from meterseal_wire.statement import Author, build

REFUSED, UNREACHABLE = 1, 69
WIDTH = 120
app = typer.Typer(no_args_is_help=True, help="Grants: a form to fill, sign it, show, withdraw, hand in.")
KeyFile = Annotated[Path, typer.Option(help="the issuer's key file (0600); never printed")]
Issuer = Annotated[str, typer.Option(help="the issuer's name in the registry, 16 characters at most")]
Out = Annotated[Path, typer.Option(help="the file to write; never overwritten")]
GrantFile = Annotated[Path, typer.Argument(metavar="GRANT", help="a grant, .cose")]


@app.command("template")
def print_template(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="delegation, manufacturer, type, variant, ...")],
) -> None:
    """Print the form of a kind of grant, with every field it may have, to be filled in an editor."""
    with in_one_sentence("grant template"):
        print(template(kind, datetime.now(UTC)), end="")


@app.command()
def make(
    form: Annotated[Path, typer.Argument(metavar="FORM", help="a filled form, .toml")],
    *,
    key: KeyFile,
    issuer: Issuer,
    out: Out,
    under: Annotated[
        list[Path],
        typer.Option(help="the delegation that the issuer holds, then those above; an anchor gives none"),
    ] = [],  # noqa: B006 (typer reads it and never changes it)
) -> None:
    """Sign what a form says. Under a delegation nothing wider than that is signed."""
    with in_one_sentence("grant make"):
        payload = read_form(form)
        private = _key(key)
        if under:
            payload = below(payload, [read_grant(path) for path in under], private.public)
        signed = sign(payload, issuer, private)
    write_new("grant", out, signed)
    name = kinds.GRANT_NAMES[payload[L.GRANT]]
    print(f"{out}: {name} grant {payload[L.NUMBER]} of {issuer}, to {at_time(payload[L.WINDOW][1])}")
    if not under:
        print(
            "仅当该密钥是信任锚时有效 it counts only if that key is an anchor; else sign it --under a delegation"
        )


@app.command()
def show(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="grants and withdrawals, .cose")],
    *,
    anchors: Annotated[Path | None, typer.Option(help="the trusted keys, a CBOR array of COSE_Key")] = None,
) -> None:
    """Show grants in words. A signature is checked where its signer is an anchor or holds one of these delegations."""
    with in_one_sentence("grant show"):
        known = [read_grant(file, L.KIND_WITHDRAWAL) for file in files]
        ring = signers(anchor_keys(anchors.read_bytes()) if anchors else [], known)
        console, all_hold = Console(width=max(WIDTH, Console().width)), True
        for file, statement in zip(files, known, strict=True):
            signed = holds(file.read_bytes(), statement, ring)
            all_hold &= signed is not False
            console.print(table_of(statement, signed))
    if not all_hold:
        print("grant show: a signature does not hold; ask the issuer for the file again", file=sys.stderr)
        raise typer.Exit(NOT_USABLE)


@app.command()
def withdraw(
    grant: GrantFile,
    *,
    key: KeyFile,
    issuer: Issuer,
    reason: Annotated[str, typer.Option(help="why, for everybody to read; no person's name")],
    out: Out,
    tainted_from: Annotated[
        datetime | None, typer.Option(help="tests from then on don't count (UTC); from now on unless given")
    ] = None,
) -> None:
    """Sign a withdrawal. It counts where the signer signed the grant, or holds a delegation above it."""
    now = int(time.time())
    from_s = now if tainted_from is None else int(tainted_from.replace(tzinfo=UTC).timestamp())
    with in_one_sentence("grant withdraw"):
        named = read_grant(grant)
        said = {L.STATEMENT: named.identity, L.TAINTED_FROM_S: from_s, L.TIME_S: now, L.DETAIL: reason}
        signed = bytes(build(Author(issuer, "withdrawal", _key(key)), L.KIND_WITHDRAWAL, said))
    write_new("grant", out, signed)
    what = f"{kinds.GRANT_NAMES[named.payload[L.GRANT]]} grant {named.payload[L.NUMBER]} of {named.issuer}"
    print(f"{out}: withdraws {what} for tests from {at_time(from_s)}")


@app.command()
def submit(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="grants and withdrawals, parents first")
    ],
    *,
    registry: Annotated[str, typer.Option(help="address of the registry")],
    anchors: Annotated[
        Path, typer.Option(help="the trusted keys: they grant the registry whose receipts count")
    ],
) -> None:
    """Hand grants and withdrawals in to a registry, one by one; stops at the first that is refused.

    What was entered is shown by the registry's receipt: the leaf of its log.
    """
    with in_one_sentence("grant submit"):
        known = {file: read_grant(file, L.KIND_WITHDRAWAL).identity for file in files}
        keys = registries([file.read_bytes() for file in files], anchor_keys(anchors.read_bytes()))
    address = registry.rstrip("/")
    try:
        if not len(keys):
            listed = httpx.get(f"{address}/grants", timeout=60).raise_for_status().content
            keys = registries(grants_in(listed), anchor_keys(anchors.read_bytes()))
        for file, identity in known.items():
            answer = httpx.post(f"{address}/entries", content=file.read_bytes(), timeout=60)
            _tell(file, answer, identity, keys)
    except (httpx.HTTPError, httpx.InvalidURL, RegistryAbsent) as error:
        print(f"grant submit: {registry} can't be reached: {error}; try again", file=sys.stderr)
        raise typer.Exit(UNREACHABLE) from None


def _tell(file: Path, answer: httpx.Response, identity: bytes, keys: KeyRing) -> None:
    if answer.status_code not in (httpx.codes.OK, httpx.codes.CREATED):
        print(f"grant submit: {file} was refused: {answer.text.strip()}", file=sys.stderr)
        raise typer.Exit(REFUSED)
    try:
        leaf = check(answer.content, identity, keys).leaf
    except (ProtocolError, WireError) as error:
        print(
            f"grant submit: {file}: its receipt is by no registry that these anchors grant, or does not hold: {error}",
            file=sys.stderr,
        )
        raise typer.Exit(REFUSED) from None
    again = "早已登记 entered before" if answer.status_code == httpx.codes.OK else "已登记 entered"
    print(f"{file}: {again}, 日志叶 leaf {leaf}")


def _key(path: Path) -> PrivateKey:
    try:
        return PrivateKey.load(path)
    except (OSError, ProtocolError) as error:
        print(f"grant: {' '.join(str(error).split())}", file=sys.stderr)
        raise typer.Exit(NO_INPUT) from None
