"""MQTT 3.1.1 (OASIS, 29 October 2014) as bytes: what a fixture sends and what a broker may answer. No I/O, no clock.

A packet is built whole, header and body in one bytes object, because two writes cost a round of delayed
acknowledgement. What comes in is fed in pieces of any size and taken out a packet at a time; the length is checked
when the header is there, before memory is spent on the body. The fixture subscribes to one filter at QoS 1 and sends
at QoS 0 or 1, so every packet of QoS 2 and every packet that only a client may send is refused by name.

Not covered, because a fixture needs none of it: unsubscribing, sending with DUP (`link.py` says why), a will that is
not retained at QoS 1.
"""

from meterseal_fixture.errors import FixtureError

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP = 2, 3, 4, 9, 13
PINGREQ = b"\xc0\x00"
# Takes the last will back (3.14.4). `link.py` never sends it: whatever way a fixture goes, its will says so.
DISCONNECT = b"\xe0\x00"
# A parcel of 65536 bytes and its topic. A broker that announces more is refused, however much it would send.
LIMIT = 65536 + 256
LONGEST = 268435455
REFUSED_FILTER = 0x80
WILL_AT_QOS_1_RETAINED = 0x2C
ACCEPTED_CODES = (0, 1, 2, 3, 4, 5)


class MqttError(FixtureError):
    """The peer's bytes break MQTT 3.1.1, or what we asked for cannot be said in it. Close the connection (4.8).

    Codes: mqtt.length, mqtt.kind (a packet that must not come), mqtt.flags, mqtt.field.
    """

    code = "mqtt"


def connect(client: str, keepalive_s: int, clean: bool = True, will=None, login=None) -> bytes:
    """CONNECT (3.1). `will` is (topic, payload bytes), retained at QoS 1; `login` is (user, password bytes)."""
    flags = 2 if clean else 0
    rest = _text(client)
    if will is not None:
        flags |= WILL_AT_QOS_1_RETAINED
        rest += _text(will[0]) + _counted(will[1])
    if login is not None:
        flags |= 0xC0
        rest += _text(login[0]) + _counted(login[1])
    return _packet(0x10, b"\x00\x04MQTT\x04" + bytes([flags]) + keepalive_s.to_bytes(2, "big") + rest)


def publish(topic: str, payload: bytes, identifier: int = 0, retain: bool = False) -> bytes:
    """PUBLISH (3.3). Identifier 0 sends at QoS 0, any other at QoS 1."""
    head = _text(topic)
    if identifier:
        head += identifier.to_bytes(2, "big")
    return _packet(0x30 | (2 if identifier else 0) | (1 if retain else 0), head + payload)


def subscribe(identifier: int, topic: str) -> bytes:
    """SUBSCRIBE (3.8) to one filter at QoS 1."""
    return _packet(0x82, identifier.to_bytes(2, "big") + _text(topic) + b"\x01")


def puback(identifier: int) -> bytes:
    """PUBACK (3.4)."""
    return b"\x40\x02" + identifier.to_bytes(2, "big")


class Incoming:
    """Bytes in, packets out. `limit` bounds the remaining length, and with it the memory that is held."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Bytes as they came, in order."""
        self._rest += data

    def packet(self):
        """The next whole packet, None while it is not whole; MqttError when it never can be.

        (CONNACK, session present, return code), (PUBLISH, topic, payload, identifier or 0, retain, dup),
        (PUBACK, identifier), (SUBACK, identifier, granted QoS or 0x80), (PINGRESP,).
        """
        start, length = _remaining_length(self._rest, self.limit)
        if start == 0 or len(self._rest) < start + length:
            return None
        first, body = self._rest[0], self._rest[start : start + length]
        self._rest = self._rest[start + length :]
        return READERS[first >> 4](first & 15, body)


def _remaining_length(data: bytes, limit: int) -> tuple[int, int]:
    # (where the body starts, its length); (0, 0) while the header is not whole. 2.2.3, table 2.4.
    if data and data[0] >> 4 not in READERS:
        raise MqttError("mqtt.kind", data[0] >> 4)
    length = 0
    for at in range(1, min(len(data), 5)):
        length |= (data[at] & 127) << 7 * (at - 1)
        if length > limit or (at == 4 and data[at] > 127):
            raise MqttError("mqtt.length", length)
        if data[at] < 128:
            return at + 1, length
    return 0, 0


def _read_connack(flags: int, body: bytes):
    _fixed(flags, 0, body, 2)
    # 3.2.2.1 to 3.2.2.3: seven reserved bits are zero; a refusal never has a session.
    if body[0] > 1 or body[1] not in ACCEPTED_CODES or (body[0] and body[1]):
        raise MqttError("mqtt.field", "connack")
    return CONNACK, body[0] == 1, body[1]


def _read_publish(flags: int, body: bytes):
    qos = flags >> 1 & 3
    # 3.3.1.1 and 3.3.1.2: DUP is zero at QoS 0, 3 is reserved, and nothing was granted above 1.
    if qos > 1 or (flags & 8 and qos == 0):
        raise MqttError("mqtt.flags", "publish")
    topic, at = _read_topic(body)
    if qos == 0:
        return PUBLISH, topic, body[at:], 0, bool(flags & 1), False
    return PUBLISH, topic, body[at + 2 :], _identifier(body[at : at + 2]), bool(flags & 1), bool(flags & 8)


def _read_topic(body: bytes) -> tuple[str, int]:
    at = 2 + int.from_bytes(body[:2], "big")
    try:
        topic = str(body[2:at], "utf-8")
    except ValueError:
        raise MqttError("mqtt.field", "topic")
    # 4.7.3: at least one character, no null; 3.3.2.1: no wildcards.
    if len(body) < at or not topic or "\x00" in topic or "#" in topic or "+" in topic:
        raise MqttError("mqtt.field", "topic")
    return topic, at


def _read_puback(flags: int, body: bytes):
    _fixed(flags, 0, body, 2)
    return PUBACK, _identifier(body)


def _read_suback(flags: int, body: bytes):
    _fixed(flags, 0, body, 3)
    if body[2] > 2 and body[2] != REFUSED_FILTER:
        raise MqttError("mqtt.field", "suback")
    return SUBACK, _identifier(body[:2]), body[2]


def _read_pingresp(flags: int, body: bytes):
    _fixed(flags, 0, body, 0)
    return (PINGRESP,)


READERS = {
    CONNACK: _read_connack,
    PUBLISH: _read_publish,
    PUBACK: _read_puback,
    SUBACK: _read_suback,
    PINGRESP: _read_pingresp,
}


def _fixed(flags: int, expected: int, body: bytes, length: int) -> None:
    # 2.2.2: reserved flags that differ close the connection.
    if flags != expected:
        raise MqttError("mqtt.flags", flags)
    if len(body) != length:
        raise MqttError("mqtt.length", len(body))


def _identifier(data: bytes) -> int:
    # 2.3.1: two bytes, not zero.
    identifier = int.from_bytes(data, "big")
    if len(data) != 2 or identifier == 0:
        raise MqttError("mqtt.field", "identifier")
    return identifier


def _packet(first: int, body: bytes) -> bytes:
    if len(body) > LONGEST:
        raise MqttError("mqtt.length", len(body))
    header = bytearray([first])
    left = len(body)
    while left > 127:
        header.append(left & 127 | 128)
        left >>= 7
    header.append(left)
    return bytes(header) + body


def _text(text: str) -> bytes:
    return _counted(text.encode())


def _counted(data: bytes) -> bytes:
    if len(data) > 65535:
        raise MqttError("mqtt.length", len(data))
    return len(data).to_bytes(2, "big") + data
