"""Ending a connection that the broker still has under a name: another of that name connects, and is gone again.

MQTT 3.1.1 section 3.1.4: a broker ends the older of two clients of one id, and the id is the certificate's common
name. So a certificate of that name, made for this and forgotten at once, ends whoever has it open; the clean session
drops what was queued for it. The broker has read the list of revoked certificates by then, since a handshake takes
several of its rounds; who was ended does not come back. A broker that can't be reached from here leaves the connection
open, silenced.
"""

import contextlib
import socket
import ssl
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from meterseal_edge.site.authority import CLIENT, PEM, Authority, Wish, key_pem, name
from meterseal_edge.site.layout import Layout, address_of, names_of, put

WAIT_S = 5
# CONNECT of MQTT 3.1.1: level 4, clean session, no keep alive, client id "x", which the broker replaces.
CONNECT = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01x"
ACCEPTED, DISCONNECT = b"\x20\x02\x00\x00", b"\xe0\x00"


def evict(layout: Layout, fixture: str) -> bool:
    """End the connection under a name; True once the broker has let another in its place."""
    site, _ = names_of(layout)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = Authority.opened(layout).issue(Wish(name(fixture, site), key.public_key(), CLIENT, days=1))
    context = ssl.create_default_context(cafile=layout.authority_certificate)
    with tempfile.TemporaryDirectory() as folder:
        pair = Path(folder, "pair.pem")
        put(pair, certificate.public_bytes(PEM) + key_pem(key))
        context.load_cert_chain(pair)
    with contextlib.suppress(OSError):
        return _taken_over(context, address_of(layout))
    return False


def _taken_over(context: ssl.SSLContext, address: tuple[str, int]) -> bool:
    with (
        socket.create_connection(address, WAIT_S) as opened,
        context.wrap_socket(opened, server_hostname=address[0]) as secured,
    ):
        secured.sendall(CONNECT)
        answer = secured.recv(len(ACCEPTED))
        secured.sendall(DISCONNECT)
    return answer == ACCEPTED
