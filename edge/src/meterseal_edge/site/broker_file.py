"""mosquitto.conf of a site, each line on purpose.

Only mutual TLS, 1.2 or later (MicroPython's limit is 1.2). The certificate's common name is user name and client id:
nobody can end another's connection, or take over the edge's session, by its client id. Queues hold a day of a busy
bench while the edge is away; mosquitto's own bound of 1000 dropped 4000 of 5000 (docs/decisions/0004).
"""

from dataclasses import dataclass
from pathlib import Path

FILE, ACCESS, CERTIFICATE, KEY, REVOKED, PID, DATA = (
    "mosquitto.conf",
    "access",
    "broker.pem",
    "broker.key",
    "revoked.crl",
    "mosquitto.pid",
    "data",
)
PACKET_BYTES, QUEUED_MESSAGES, QUEUED_BYTES, INFLIGHT, CONNECTIONS = 131072, 100_000, 268_435_456, 400, 500
CIPHERS = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305"
TEXT = """\
# Made by `meterseal edge init`. Access list, certificates and revocations are read again at SIGHUP.
listener {port}{listen}
cafile {authority}
certfile {folder}/broker.pem
keyfile {folder}/broker.key
crlfile {folder}/revoked.crl
require_certificate true
use_identity_as_username true
use_username_as_clientid true
tls_version tlsv1.2
ciphers {ciphers}
max_connections {connections}
allow_anonymous false
acl_file {folder}/access
user {user}
pid_file {folder}/data/mosquitto.pid
set_tcp_nodelay true
persistence true
persistence_location {folder}/data/
autosave_interval 30
persistent_client_expiration 14d
max_packet_size {packet}
max_queued_messages {messages}
max_queued_bytes {queued}
max_inflight_messages {inflight}
log_dest stderr
log_type error
log_type warning
log_type notice
log_type information
"""


@dataclass(frozen=True)
class Door:
    """Where the broker listens: `port`, and `listen`, an address of this machine ("" for all)."""

    port: int
    listen: str = ""


def broker_file(folder: Path, authority: Path, door: Door, user: str) -> str:
    """The whole file for a broker whose files lie in `folder`, run as `user`."""
    return TEXT.format(
        port=door.port,
        listen=f" {door.listen}" if door.listen else "",
        folder=folder,
        authority=authority,
        user=user,
        ciphers=CIPHERS,
        connections=CONNECTIONS,
        packet=PACKET_BYTES,
        messages=QUEUED_MESSAGES,
        queued=QUEUED_BYTES,
        inflight=INFLIGHT,
    )
