"""A stolen fixture is shut out: by its certificate, by its name, and by its signing key, in this order and at once.

The broker gets a new list of revoked certificates and a line that denies the name every topic, and SIGHUP makes it read
both; a connection that is open then can neither say nor hear anything more, and is ended (eviction.py). The edge reads
its own list at the next batch. Running it again does the same again, so a cut in between is cured by the same command.
"""

import os
import signal
import time
from pathlib import Path
from typing import NamedTuple

from cryptography import x509

from meterseal_edge.errors import BadSite
from meterseal_edge.site import broker_file, identities
from meterseal_edge.site.access import access_list
from meterseal_edge.site.authority import PEM, Authority
from meterseal_edge.site.eviction import evict
from meterseal_edge.site.identities import Identities
from meterseal_edge.site.layout import Layout, names_of, put

PROGRAM = "mosquitto"


class Done(NamedTuple):
    """What a revocation reached: `told`, a running broker read its lists again; `ended`, an open connection is gone."""

    told: bool
    ended: bool


def revoke(layout: Layout, fixture: str) -> Done:
    """Revoke all that was enrolled under a name, tell the broker, and end the connection that it may still have."""
    told = shut_out(layout, fixture)
    return Done(told, told and evict(layout, fixture))


def shut_out(layout: Layout, fixture: str) -> bool:
    """The three locks; True if a running broker was told, False where none runs."""
    known = identities.load(layout.identities)
    if not any(row.name == fixture for row in known.rows):
        raise BadSite(f"nobody is enrolled as {fixture}; `meterseal edge enrolled` lists the names")
    after = known.revoked(fixture, int(time.time()))
    write_revocations(layout, after)
    write_access(layout, after)
    identities.save(layout.identities, after)
    return tell_broker(layout)


def write_revocations(layout: Layout, known: Identities) -> None:
    """The broker's list of revoked certificates, later than the one that is there."""
    path = layout.broker / broker_file.REVOKED
    try:
        before = x509.load_pem_x509_crl(path.read_bytes()).last_update_utc
    except (OSError, ValueError):
        before = None
    put(path, Authority.opened(layout).crl(known.revoked_serials(), before).public_bytes(PEM))


def write_access(layout: Layout, known: Identities) -> None:
    """The broker's access list, with those names denied that are revoked."""
    site, edge = names_of(layout)
    put(layout.broker / broker_file.ACCESS, access_list(site, edge, known.revoked_names()).encode())


def tell_broker(layout: Layout) -> bool:
    """SIGHUP for the broker of this site; False where none runs. A number that another process has is left alone."""
    try:
        number = int((layout.broker / broker_file.DATA / broker_file.PID).read_text())
        if Path(f"/proc/{number}/comm").read_text().strip() != PROGRAM:
            return False
        os.kill(number, signal.SIGHUP)
    except PermissionError:
        raise BadSite(
            "the broker may not be told by you; run `systemctl reload mosquitto` as root at once"
        ) from None
    except (OSError, ValueError):
        return False
    return True
