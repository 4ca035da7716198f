"""Enrolling a fixture: its request was read and a person compared the fingerprint; now it gets its certificate.

One signing key a name: another one wants the first to be revoked, or to be kept beside it on purpose (a key that is
being rotated). The certificate is issued before the edge is told, so a cut between leaves a fixture that can connect
and is refused by name; the same command then ends well.
"""

from cryptography import x509

from meterseal_edge.errors import BadSite
from meterseal_edge.site import identities
from meterseal_edge.site.authority import CLIENT, DAYS, PEM, Authority, Wish, name
from meterseal_edge.site.identities import Identities
from meterseal_edge.site.layout import Layout, names_of, put
from meterseal_edge.site.request import Asked
from meterseal_edge.site.revocation import tell_broker, write_access


def may_be_enrolled(layout: Layout, asked: Asked, beside: bool = False) -> Identities:
    """Who is enrolled now; BadSite where this request must not be granted, whatever a person says."""
    site, _ = names_of(layout)
    if asked.site != site:
        raise BadSite(f"the request is for site {asked.site!r}, and this is {site}")
    known = identities.load(layout.identities)
    key = asked.key.thumbprint
    if known.is_revoked(key):
        raise BadSite(f"this key was revoked; {asked.name} needs a new one (`meterseal provision --new-key`)")
    others = [row for row in known.live(asked.name) if row.key != key]
    if others and not beside:
        raise BadSite(
            f"{asked.name} is enrolled with another key; run `meterseal edge revoke` first, or use --beside to rotate"
        )
    elsewhere = [row.name for row in known.rows if row.key == key and row.name != asked.name]
    if elsewhere:
        raise BadSite(f"this key is enrolled as {elsewhere[0]}; a key has one name")
    return known


def enrol(layout: Layout, asked: Asked, beside: bool = False, days: int = DAYS) -> x509.Certificate:
    """Issue the fixture's certificate, and let the edge and the broker know it."""
    known = may_be_enrolled(layout, asked, beside)
    wish = Wish(name(asked.name, asked.site, asked.bench), asked.public, CLIENT, days=days)
    certificate = Authority.opened(layout).issue(wish)
    put(layout.issued / f"{asked.name}.pem", certificate.public_bytes(PEM))
    grown = known.issued(asked.name, asked.key.thumbprint, certificate.serial_number)
    identities.save(layout.identities, grown)
    if known.revoked_names() != grown.revoked_names():
        write_access(layout, grown)
        tell_broker(layout)
    return certificate
