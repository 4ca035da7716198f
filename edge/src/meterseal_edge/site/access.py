"""mosquitto's access list: a name speaks on its own topics and hears its own, and the edge has its part.

`%u` is the certificate's common name (`use_identity_as_username`), so one pattern pins every fixture, those of tomorrow
too. A revoked name gets a line of its own: its certificate is refused at the next handshake, and until then the
connection that it may still have can neither say nor hear anything.
"""

from collections.abc import Sequence

from meterseal_edge.inbox import PREFIX

EDGE = "edge/"  # before the edge's name: no fixture's may have a slash in it (request.is_name)

FIXTURES = """\
# Every fixture, by the common name of its certificate.
pattern write {site}/%u/up
pattern write {site}/%u/state
pattern write {site}/%u/live
pattern read {site}/%u/down
"""
OWN = """\
# The edge.
user {edge}
topic read {site}/+/up
topic read {site}/+/state
topic read {site}/+/live
topic write {site}/+/down
"""
REVOKED = """\
# Revoked.
user {name}
topic deny #
"""


def access_list(site: str, edge: str, revoked: Sequence[str]) -> str:
    """The whole file, for an edge's name and the names that are revoked."""
    below = f"{PREFIX}/{site}"
    parts = [REVOKED.format(name=name) for name in revoked]
    return "\n".join([OWN.format(site=below, edge=EDGE + edge), *parts, FIXTURES.format(site=below)])
