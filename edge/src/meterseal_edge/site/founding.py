"""`meterseal edge init`: everything that a new site needs, made in one step or not at all.

It is built in a folder beside and takes its name when it is whole. A folder with anything in it is never touched: a
second authority would lock out all that the first let in.
"""

import json
import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from meterseal_edge.errors import BadSite
from meterseal_edge.site import broker_file, identities, web_file
from meterseal_edge.site.access import EDGE, access_list
from meterseal_edge.site.authority import BROKER, CLIENT, PEM, Authority, Wish, host_name, key_pem, name
from meterseal_edge.site.broker_file import Door
from meterseal_edge.site.layout import PRIVATE_FOLDER, PUBLIC, PUBLIC_FOLDER, Layout, give, put
from meterseal_edge.site.request import is_name
from meterseal_edge.site.units import units
from meterseal_protocol.keys import PrivateKey
from meterseal_wire.encode import encode

TLS_FILES = ("tls_authority", "tls_certificate", "tls_key")


@dataclass(frozen=True)
class Plan:
    """A site to be: its names, the broker's host names (the first is the edge's), door and registry, whom to trust.

    `users` are those that edge and broker run as; "" for whoever makes the site. `anchors` is the file of the
    authority's keys, None where it comes later. `page_origin` is the page's https address for browsers elsewhere.
    `backups` is a folder that is there already; None for one in the site.
    """

    site: str
    edge: str
    hosts: tuple[str, ...]
    registry: str
    door: Door
    page_port: int = 8080
    anchors: Path | None = None
    users: tuple[str, str] = ("", "")
    backups: Path | None = None
    page_origin: str = ""


def found(folder: Path, plan: Plan) -> Layout:
    """Make the site in `folder`; BadSite, and nothing is left, where it can't be."""
    folder = folder.absolute()
    for text in (plan.site, plan.edge):
        if not is_name(text):
            raise BadSite(f"{text!r} is no name: 1 to 16 characters, none of / + # or blanks")
    for host in plan.hosts:
        host_name(host)
    if plan.backups is not None and not plan.backups.is_dir():
        raise BadSite(f"{plan.backups} is no folder: make it, and give it to the user that the edge runs as")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadSite(
            f"{folder} is there already and was left as it is; give another folder, or use `meterseal edge renew`"
        )
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        _build(Layout(part), Layout(folder), plan)
        part.rename(folder)
    except OSError as error:
        raise BadSite(f"no site was made: {error}") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Layout(folder)


def _build(made: Layout, final: Layout, plan: Plan) -> None:
    """All files below `made`, which name themselves as they will lie below `final`."""
    made.folder.mkdir(parents=True)
    made.folder.chmod(PUBLIC_FOLDER)
    for private in (
        made.authority,
        made.issued,
        made.broker,
        made.broker / broker_file.DATA,
        made.edge,
        made.state,
        made.edge / "grants",
        made.backups,
    ):
        private.mkdir(mode=PRIVATE_FOLDER)
    authority = Authority.made(plan.site)
    authority.save(made)
    _broker(made, final, plan, authority)
    _edge(made, final, plan, authority)
    if plan.page_origin:
        made.web.mkdir(mode=PRIVATE_FOLDER)
        put(made.web / web_file.FILE, web_file.web_file(final.web, plan.page_origin, plan.page_port).encode())
    for unit, text in units(final, (plan.site, plan.edge), _users(plan), _backups(final, plan)).items():
        path = made.folder / "systemd" / unit
        path.parent.mkdir(parents=True, exist_ok=True)
        put(path, text.encode(), PUBLIC)
    edge_user, broker_user = plan.users
    for owned, user in ((made.edge, edge_user), (made.backups, edge_user), (made.broker, broker_user)):
        if user:
            give(owned, user)


def _broker(made: Layout, final: Layout, plan: Plan, authority: Authority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = name(f"broker/{plan.edge}", plan.site)
    certificate = authority.issue(Wish(subject, key.public_key(), BROKER, plan.hosts))
    settings = broker_file.broker_file(final.broker, final.authority_certificate, plan.door, _users(plan)[1])
    put(made.broker / broker_file.KEY, key_pem(key))
    put(made.broker / broker_file.CERTIFICATE, certificate.public_bytes(PEM))
    put(made.broker / broker_file.REVOKED, authority.crl(()).public_bytes(PEM))
    put(made.broker / broker_file.ACCESS, access_list(plan.site, plan.edge, ()).encode())
    put(made.broker / broker_file.FILE, settings.encode())


def _edge(made: Layout, final: Layout, plan: Plan, authority: Authority) -> None:
    signing, key = PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
    signing.save(made.edge / "edge.key")
    certificate = authority.issue(Wish(name(EDGE + plan.edge, plan.site), key.public_key(), CLIENT))
    put(made.edge / "tls.key", key_pem(key))
    put(made.edge / "tls.pem", certificate.public_bytes(PEM))
    put(made.folder / "edge.cosekey", encode(signing.public.cose), PUBLIC)
    if plan.anchors is not None:
        put(made.edge / "anchors.cbor", plan.anchors.read_bytes())
    identities.save(made.identities, identities.Identities())
    put(made.settings, (json.dumps(_settings(final, plan), indent=1) + "\n").encode())


def _settings(final: Layout, plan: Plan) -> dict[str, object]:
    paths = {"folder": final.state, "key": final.edge / "edge.key", "anchors": final.edge / "anchors.cbor"}
    paths |= {"grants": final.edge / "grants", "backups": _backups(final, plan)}
    tls = (final.authority_certificate, final.edge / "tls.pem", final.edge / "tls.key")
    paths |= dict(zip(TLS_FILES, tls, strict=True))
    texts = {
        "host": plan.hosts[0],
        "site": plan.site,
        "edge": plan.edge,
        "registry": plan.registry,
        "log": "json",
    }
    if plan.page_origin:
        texts["page_origin"] = plan.page_origin
    numbers = {"port": plan.door.port, "page_port": plan.page_port}
    return {**texts, **numbers, **{field: str(path) for field, path in paths.items()}}


def _backups(final: Layout, plan: Plan) -> Path:
    return plan.backups.absolute() if plan.backups else final.backups


def _users(plan: Plan) -> tuple[str, str]:
    here = pwd.getpwuid(os.getuid()).pw_name
    return plan.users[0] or here, plan.users[1] or here
