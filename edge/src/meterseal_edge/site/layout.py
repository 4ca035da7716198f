"""Where everything of a site lies, who may read it, and how a file is put there: whole or not at all.

`FOLDER/ca.pem`, `ca.der`: the authority's certificate, for everybody.
`FOLDER/authority/`, 0700: its key, the certificates that it issued; nothing that runs needs this folder.
`FOLDER/broker/`, 0700: mosquitto's settings, access list, certificate, key, revocations, and its data.
`FOLDER/edge/`, 0700: the edge's settings, keys, certificate, anchors; its state below.
`FOLDER/backups/`, 0700: the edge's backups, unless they go elsewhere.
`FOLDER/web/`: nginx's settings for the page, where one was asked for; its certificate and key come beside them.
`FOLDER/systemd/`: units to be copied to /etc/systemd/system.
"""

import json
import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meterseal_edge.errors import BadSite
from meterseal_edge.folder import sync

PRIVATE, PUBLIC = 0o600, 0o644
PRIVATE_FOLDER, PUBLIC_FOLDER = 0o700, 0o755
IDENTITIES = "identities.json"
RENEWED = "certificates"
TOLD = {"site": str, "edge": str, "host": str, "port": int}


@dataclass(frozen=True)
class Layout:
    """Paths of a site's files below `folder`."""

    folder: Path

    @property
    def authority(self) -> Path:
        """The authority's own folder."""
        return self.folder / "authority"

    @property
    def authority_key(self) -> Path:
        """Its private key, PEM."""
        return self.authority / "ca.key"

    @property
    def authority_certificate(self) -> Path:
        """Its certificate, PEM; DER beside it, as boards want it."""
        return self.folder / "ca.pem"

    @property
    def issued(self) -> Path:
        """Newest certificate of each fixture, NAME.pem."""
        return self.authority / "issued"

    @property
    def broker(self) -> Path:
        """What mosquitto reads and writes."""
        return self.folder / "broker"

    @property
    def edge(self) -> Path:
        """What the edge reads."""
        return self.folder / "edge"

    @property
    def settings(self) -> Path:
        """The edge's settings."""
        return self.edge / "edge.json"

    @property
    def state(self) -> Path:
        """What the edge writes."""
        return self.edge / "state"

    @property
    def renewed(self) -> Path:
        """Renewed certificates of fixtures, NAME.der, for the edge to send."""
        return self.state / RENEWED

    @property
    def web(self) -> Path:
        """What nginx reads, where the page has an address of its own."""
        return self.folder / "web"

    @property
    def backups(self) -> Path:
        """Where the edge's backups go unless told otherwise."""
        return self.folder / "backups"

    @property
    def identities(self) -> Path:
        """Who is enrolled and who is revoked; a running edge reads it."""
        return self.state / IDENTITIES


def put(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Write a file whole: on disk and under its name, with this mode, or not at all. It belongs to its folder's owner.

    That owner may be a broken broker while root writes here: everything is done to the open file, never to a name again
    before the last step, so a link put in its way is not followed.
    """
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fchmod(handle, mode)  # whatever the umask takes
        if os.geteuid() == 0:
            owner = path.parent.stat()
            os.fchown(handle, owner.st_uid, owner.st_gid)
        os.fsync(handle)
    part.replace(path)
    sync(path.parent)


def private_folder(path: Path) -> None:
    """A folder of its parent's owner, for nobody else, unless it is there."""
    if path.exists():
        return
    path.mkdir(mode=PRIVATE_FOLDER)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def give(folder: Path, user: str) -> None:
    """A folder and all in it to a user of this machine; BadSite where that can't be."""
    try:
        owner = pwd.getpwnam(user)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    except (LookupError, PermissionError) as error:
        raise BadSite(
            f"{folder.name} cannot be given to {user}: {error}. Make that user, and run as root"
        ) from None


def names_of(layout: Layout) -> tuple[str, str]:
    """Names of site and edge, from the edge's settings; BadSite where they can't be read."""
    told = _told(layout)
    return told["site"], told["edge"]


def address_of(layout: Layout) -> tuple[str, int]:
    """Host and port by which the edge calls the broker."""
    told = _told(layout)
    return told["host"], told["port"]


def _told(layout: Layout) -> dict[str, Any]:
    try:
        told = json.loads(layout.settings.read_text("utf-8"))
        return {name: kind(told[name]) for name, kind in TOLD.items()}
    except (OSError, ValueError, KeyError, TypeError):
        raise BadSite(f"{layout.folder} is no site; make one with `meterseal edge init`") from None
