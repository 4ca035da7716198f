"""One TCP or TLS connection that carries MQTT packets. Whoever makes one closes it.

Three traps of MicroPython's asyncio are met here. Two tasks that drain one stream lose each other's bytes, hence the
lock. A socket that is only dropped stays open, hence no `asyncio.open_connection`: cancelled, it drops one. And
cancelling a task that waits to write also forgets the task that waits to read the same socket: after a write that
was stuck, nothing is heard any more, and `heard` stays False until somebody closes the connection.
"""

import asyncio
import errno
import select
import socket
import ssl

from meterseal_fixture import mqtt
from meterseal_fixture.errors import BadSettings, FixtureError

ROOM_MS = 5
CHUNK = 1024


class Lost(FixtureError):
    """A connection of no use, for a reason that stays until somebody mends it: `link.tls` says that the handshake
    failed (the broker's certificate, its name, or ours), `link.refused` that the broker does not want this fixture,
    `link.silent` that it stopped answering.
    """

    code = "link.lost"


def tls_context(authority: bytes, certificate: bytes, key: bytes) -> ssl.SSLContext:
    """A client's context for mutual TLS 1.2 from three DER texts: CA certificate, own certificate, own key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED  # type: ignore[attr-defined]  # there, but not in the stubs
    context.load_verify_locations(cadata=authority)
    context.load_cert_chain(certificate, key)
    return context


def read_file(path: str) -> bytes:
    """A file of the settings; BadSettings where it cannot be read."""
    try:
        with open(path, "rb") as file:
            found: bytes = file.read()
    except OSError:
        raise BadSettings("settings", "cannot open %s; provision this board again" % path)
    return found


class Connection:
    """Begins to connect when made; `heard` turns True with each byte that comes. OSError when the peer is gone."""

    def __init__(self, host: str, port: int) -> None:
        self.heard = False
        self._host = host
        self._incoming = mqtt.Incoming()
        self._lock = asyncio.Lock()
        where = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
        self._socket = socket.socket(where[0], where[1], where[2])
        self._socket.setblocking(False)
        try:
            self._socket.connect(where[-1])
        except OSError as why:
            if why.errno != errno.EINPROGRESS:
                self._socket.close()
                raise

    async def open(self, tls=None) -> None:
        """Wait until the peer has answered. With `tls`, a context, the handshake follows at the first send."""
        room = select.poll()
        room.register(self._socket, select.POLLOUT)
        ready = list(room.poll(0))
        while not ready:
            await asyncio.sleep_ms(ROOM_MS)
            ready = list(room.poll(0))
        if ready[0][1] & (select.POLLERR | select.POLLHUP):
            raise OSError(errno.ECONNREFUSED)
        if tls is not None:
            # None as server_hostname would skip the check of the name without a word.
            self._socket = tls.wrap_socket(
                self._socket, server_hostname=self._host, do_handshake_on_connect=False
            )
            self._socket.setblocking(False)
        self._reader, self._writer = (
            asyncio.StreamReader(self._socket),
            asyncio.StreamWriter(self._socket, {}),
        )

    async def send(self, packet: bytes) -> None:
        """Hand one whole packet to the network, in one write."""
        async with self._lock:
            try:
                self._writer.write(packet)
                await self._writer.drain()
            except ValueError as why:  # mbedTLS says so when the handshake fails
                raise Lost("link.tls", why)

    async def receive(self):
        """The next packet, shaped as `mqtt.Incoming.packet` says; EOFError at the end, MqttError when it is none."""
        packet = self._incoming.packet()
        while packet is None:
            try:
                data = await self._reader.read(CHUNK)
            except ValueError as why:  # as in send
                raise Lost("link.tls", why)
            if not data:
                raise EOFError
            self.heard = True
            self._incoming.feed(data)
            packet = self._incoming.packet()
        return packet

    def close(self) -> None:
        """Close, without DISCONNECT."""
        self._socket.close()
