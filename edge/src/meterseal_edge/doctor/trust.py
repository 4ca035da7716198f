"""Whom the edge believes, and whether it is believed itself: anchors, grants, the list of enrolled fixtures."""

from collections.abc import Iterator

from meterseal_edge.doctor.faults import Found, fault
from meterseal_edge.errors import EdgeError
from meterseal_edge.keybook import keys_in
from meterseal_edge.settings import Settings
from meterseal_edge.site import identities
from meterseal_edge.site.layout import IDENTITIES
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.holders import Holders
from meterseal_protocol.keys import PrivateKey
from meterseal_wire import kinds

KEY_DIGITS = 16


def trust(settings: Settings) -> Found:
    """`anchors`, `grant.edge`, `grant.fixtures`, `identities`."""
    yield from _enrolled(settings)
    try:
        holders = Holders(keys_in(settings.anchors.read_bytes()))
    except (OSError, EdgeError, ProtocolError) as error:
        yield fault("anchors", error)
        return
    holders.learn(_grants(settings))
    try:
        own = PrivateKey.load(settings.key).thumbprint
    except (OSError, ProtocolError):
        return  # modes.py says so
    holder = holders.of(own, kinds.EDGE)
    if holder is None or holder.name != settings.edge:
        yield fault("grant.edge", own.hex()[:KEY_DIGITS])
    fixtures = (holders.of(key.thumbprint, kinds.FIXTURE) for key in holders.of_kind(kinds.FIXTURE))
    if not any(one is not None and one.site == settings.site for one in fixtures):
        yield fault("grant.fixtures", settings.site)


def _grants(settings: Settings) -> Iterator[bytes]:
    for folder in (settings.folder / "grants", settings.grants):
        if folder is not None and folder.is_dir():
            yield from (path.read_bytes() for path in sorted(folder.glob("*.cose")))


def _enrolled(settings: Settings) -> Found:
    if settings.tls_certificate is not None:
        try:
            identities.load(settings.folder / IDENTITIES)
        except EdgeError as error:
            yield fault("identities", error)
