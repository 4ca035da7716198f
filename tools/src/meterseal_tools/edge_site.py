"""`meterseal edge init`, `enrol`, `enrolled`, `renew`, `revoke`: a site's authority, in the hands of whoever runs it.

A certificate is issued only after a person compared the fingerprint of the fixture's signing key with its label, and
typed a part of it. Exit codes: 0 done, 1 not, with one sentence, and nothing was issued or changed; 64 digits that are
wrong, or a misuse.
"""

import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from meterseal_edge.errors import BadSite
from meterseal_edge.settings import load
from meterseal_edge.site import (
    broker_file,
    enrolment,
    founding,
    identities,
    layout,
    renewal,
    request,
    revocation,
)
from meterseal_tools.boards.identity import fingerprint
from meterseal_tools.edge_acts import note
from meterseal_tools.edge_store import in_one_sentence

USAGE, DIGITS, DAYS_TEXT = 64, 8, re.compile(r"(\d{1,5})d")
TO = slice(-8, None)
STILL_OPEN = "其连接如仍打开，已无法收发 a connection that it still has can neither say nor hear anything"
NO_BROKER = "没有运行中的消息代理，启动时生效 no broker runs; it takes effect at its start"
SiteFolder = Annotated[Path, typer.Argument(metavar="FOLDER", help="the site's folder, made by `edge init`")]


def init(
    folder: SiteFolder,
    *,
    site: Annotated[str, typer.Option(help="the site's name, 1 to 16 characters")],
    edge: Annotated[str, typer.Option(help="the edge's name, 1 to 16 characters")],
    host: Annotated[list[str], typer.Option(help="name or address of the broker; the first is the edge's")],
    registry: Annotated[str, typer.Option(help="address of the registry")],
    anchors: Annotated[
        Path | None, typer.Option(help="the authority's keys, a CBOR array of COSE_Key")
    ] = None,
    port: Annotated[int, typer.Option(help="the broker's port")] = 8883,
    listen: Annotated[str, typer.Option(help="the one address to listen on; all of them unless given")] = "",
    page_port: Annotated[int, typer.Option(help="port of the edge's page, on this machine alone")] = 8080,
    edge_user: Annotated[
        str, typer.Option(help="user that the edge runs as; whoever runs this unless given")
    ] = "",
    broker_user: Annotated[str, typer.Option(help="user that mosquitto runs as")] = "",
    page_origin: Annotated[
        str,
        typer.Option(
            help="https address of the page for browsers elsewhere; nginx's settings for it are made"
        ),
    ] = "",
    backups: Annotated[
        Path | None,
        typer.Option(help="folder for backups, on another disk if you can; FOLDER/backups unless given"),
    ] = None,
) -> None:
    """Make a site: authority, broker's settings and certificate, the edge's keys and settings, systemd units."""
    door, users = broker_file.Door(port, listen), (edge_user, broker_user)
    plan = founding.Plan(
        site, edge, tuple(host), registry, door, page_port, anchors, users, backups, page_origin
    )
    with in_one_sentence("init"):
        made = founding.found(folder, plan)
    print(f"站点已建立 the site is made: {made.folder}")
    print(f"请将该密钥交授权机构发证 have this key granted: {made.folder / 'edge.cosekey'}")
    if anchors is None:
        print(f"请放入信任锚 put the authority's keys here: {made.edge / 'anchors.cbor'}")
    if page_origin:
        print(
            f"网页服务器设置（请放入证书） put the page's certificate and key beside nginx's settings: {made.web}"
        )
    print(f"单元文件 units for /etc/systemd/system: {made.folder / 'systemd'}")


def enrol(
    folder: SiteFolder,
    csr: Annotated[
        Path, typer.Argument(metavar="CSR", help="ID.tls.csr with ID.csr and ID.tls.proof beside it")
    ],
    beside: Annotated[
        bool, typer.Option("--beside", help="keep the name's other key: it is being rotated")
    ] = False,
) -> None:
    """Issue a fixture's certificate, once a person has compared its fingerprint."""
    at = layout.Layout(folder.absolute())
    with in_one_sentence("enrol"):
        asked = request.read(*request_files(csr))
        enrolment.may_be_enrolled(at, asked, beside)
    compared(asked)
    with in_one_sentence("enrol"):
        issued = enrolment.enrol(at, asked, beside)
        about = {"fixture": asked.name, "key": asked.key.thumbprint.hex(), "beside": beside}
        note(load(at.settings), "fixture enrolled", about)
    place = at.issued / f"{asked.name}.pem"
    print(f"已登记 enrolled: {asked.name}, 有效期至 valid until {issued.not_valid_after_utc:%Y-%m-%d}")
    print(
        f"装入电路板 onto the board: meterseal provision --port PORT --tls {place} {at.authority_certificate}"
    )


def request_files(csr: Path) -> tuple[bytes, bytes | None, bytes | None]:
    """The request, and beside a `.tls.csr` the signing key's request and the proof; BadSite where those are missing."""
    if not csr.name.endswith(".tls.csr"):
        return limited(csr), None, None
    stem = csr.name.removesuffix(".tls.csr")
    signing, proof = csr.with_name(f"{stem}.csr"), csr.with_name(f"{stem}.tls.proof")
    for path in (signing, proof):
        if not path.is_file():
            raise BadSite(
                f"{path} is missing; bring all files that `meterseal provision` kept for this board"
            )
    return limited(csr), limited(signing), limited(proof)


def limited(path: Path) -> bytes:
    """A file's first bytes: more than a request may have, and never a disk image."""
    with path.open("rb") as file:
        return file.read(request.REQUEST_BYTES)


def compared(asked: request.Asked) -> None:
    """A person looks at the label and types what is not shown here; exit 64 else.

    The last digits are left out on the screen, so that they can come from the label alone.
    """
    digits = asked.key.thumbprint.hex()
    shown = fingerprint(asked.key.thumbprint)[: -DIGITS - DIGITS // 4]
    print(f"夹具 fixture {asked.name}, 台位 bench {asked.bench}, 站点 site {asked.site}")
    print(f"指纹 fingerprint {shown} ???? ????")
    print("请与标签逐组比较 compare it with the label on the housing, group by group")
    typed = typer.prompt(f"请输入标签上的最后 {DIGITS} 位 type the last {DIGITS} digits from the label")
    if typed.replace(" ", "").lower() != digits[TO]:
        print("数字不符，未签发证书 those are not its last digits; nothing was issued", file=sys.stderr)
        raise typer.Exit(USAGE)


def enrolled(folder: SiteFolder) -> None:
    """List who is enrolled: name, key, and whether it is revoked."""
    with in_one_sentence("enrolled"):
        rows = identities.load(layout.Layout(folder.absolute()).identities).rows
    for row in sorted(rows, key=lambda row: (row.name, row.revoked_s)):
        print(f"{row.name}\t{fingerprint(row.key)}\t{'已吊销 revoked' if row.revoked_s else '有效 live'}")


def renew(
    folder: SiteFolder,
    within: Annotated[str, typer.Option(help="renew what ends within this, as 30d")] = "30d",
) -> None:
    """Renew certificates that end soon; run again, it renews nothing more."""
    days = DAYS_TEXT.fullmatch(within)
    if days is None:
        print(f"edge renew: --within is a number of days such as 30d, not {within}", file=sys.stderr)
        raise typer.Exit(USAGE)
    with in_one_sentence("renew"):
        at = layout.Layout(folder.absolute())
        renewed = renewal.renew(at, timedelta(days=int(days[1])))
        if renewed:
            note(load(at.settings), "certificates renewed", {"files": [path.name for path in renewed]})
    for path in renewed:
        print(f"已续期 renewed: {path}")
        if path.parent == at.issued:
            print("边缘服务器将下发给夹具 the edge sends it to the fixture when it is online")
    print(f"{len(renewed)} 张证书已续期 certificates renewed")


def revoke(folder: SiteFolder, name: Annotated[str, typer.Argument(help="the fixture's name")]) -> None:
    """Shut a fixture out at once: certificate, name and signing key."""
    with in_one_sentence("revoke"):
        at = layout.Layout(folder.absolute())
        done = revocation.revoke(at, name)
        note(load(at.settings), "fixture revoked", {"fixture": name})
    print(f"已吊销 revoked: {name}")
    if not done.told:
        print(NO_BROKER)
    elif not done.ended:
        print(STILL_OPEN)
