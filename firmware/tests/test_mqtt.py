"""The MQTT codec against packets written out by hand from the OASIS standard MQTT 3.1.1 (29 October 2014)."""

from meterseal_fixture import mqtt
from meterseal_fixture.mqtt import CONNACK, PINGRESP, PUBACK, PUBLISH, SUBACK, Incoming, MqttError


def hexed(text):
    return bytes.fromhex(text.replace(" ", ""))


def read(data, limit=mqtt.LIMIT):
    incoming = Incoming(limit)
    incoming.feed(data)
    return incoming.packet()


def refused(data, code, limit=mqtt.LIMIT):
    try:
        found = read(data, limit)
    except MqttError as wrong:
        assert wrong.code == code, (data, wrong.code)
        return
    raise AssertionError("%r was read as %r" % (data, found))


def test_the_smallest_connect_has_a_clean_session_and_nothing_else():
    """3.1.1 to 3.1.3: type 1, name "MQTT", level 4, flags 02, keep alive, client identifier."""
    expected = hexed("10 0e  00 04 4d 51 54 54  04  02  00 3c  00 02 57 31")
    assert mqtt.connect("W1", 60) == expected


def test_a_connect_that_keeps_its_session_has_no_flag_set():
    """3.1.2.4: clean session is bit 1 of the connect flags; keep alive 10 seconds is 00 0A (3.1.2.10)."""
    expected = hexed("10 0e  00 04 4d 51 54 54  04  00  00 0a  00 02 57 31")
    assert mqtt.connect("W1", 10, False) == expected


def test_will_user_and_password_follow_the_client_identifier_in_that_order():
    """3.1.3: client identifier, will topic, will message, user name, password.

    Flags 3.1.2.3: user 80, password 40, will retain 20, will QoS 1 08, will 04, clean session 02: EE.
    """
    found = mqtt.connect("W1", 20, True, ("s", b"off"), ("u", b"pw"))
    body = "00 04 4d 51 54 54  04  ee  00 14  00 02 57 31  00 01 73  00 03 6f 66 66  00 01 75  00 02 70 77"
    assert found == b"\x10" + bytes([10 + 4 + 3 + 5 + 3 + 4]) + hexed(body)


def test_a_will_alone_is_retained_at_qos_1():
    """3.1.2.5 to 3.1.2.7: flags 20 + 08 + 04 and clean session 02 are 2E."""
    found = mqtt.connect("W1", 20, True, ("s", b""))
    assert found == hexed("10 13  00 04 4d 51 54 54  04  2e  00 14  00 02 57 31  00 01 73  00 00")


def test_publish_at_qos_1_carries_topic_a_slash_b_and_identifier_10():
    """3.3.2.3: the standard's own example, topic "a/b" and packet identifier 10."""
    assert mqtt.publish("a/b", b"hi", 10) == hexed("32 09  00 03 61 2f 62  00 0a  68 69")


def test_publish_at_qos_0_has_no_identifier():
    """3.3.2.2: the packet identifier is only there at QoS 1 and 2."""
    assert mqtt.publish("a/b", b"hi") == hexed("30 07  00 03 61 2f 62  68 69")


def test_retain_is_the_lowest_bit():
    """3.3.1.3: RETAIN is bit 0 of byte 1."""
    assert mqtt.publish("a/b", b"", 0, True) == hexed("31 05  00 03 61 2f 62")
    assert mqtt.publish("a/b", b"", 10, True) == hexed("33 07  00 03 61 2f 62  00 0a")


def test_a_topic_is_utf_8_and_its_length_counts_bytes():
    """1.5.3: the length prefix is in bytes; U+6C34 is e6 b0 b4 (RFC 3629)."""
    assert mqtt.publish("水", b"") == hexed("30 05  00 03 e6 b0 b4")


def test_subscribe_puback_pingreq_and_disconnect():
    """3.8 (reserved flags 0010; one filter, QoS 1), 3.4, 3.12, 3.14."""
    assert mqtt.subscribe(10, "a/b") == hexed("82 08  00 0a  00 03 61 2f 62  01")
    assert mqtt.puback(10) == hexed("40 02 00 0a")
    assert hexed("c0 00") == mqtt.PINGREQ
    assert hexed("e0 00") == mqtt.DISCONNECT


def test_the_remaining_length_takes_one_to_four_bytes_as_in_the_table():
    """2.2.3, table 2.4: 127 is 7F, 128 is 80 01, 16383 is FF 7F, 16384 is 80 80 01; 2097151 is FF FF 7F
    and 2097152 is 80 80 80 01, both over our bound. The body is the 3 bytes of the topic "t" and the payload.
    """
    for length, header in (
        (127, "7f"),
        (128, "80 01"),
        (16383, "ff 7f"),
        (16384, "80 80 01"),
        (65536, "80 80 04"),
    ):
        payload = bytes(length - 3)
        packet = b"\x30" + hexed(header) + b"\x00\x01t" + payload
        assert mqtt.publish("t", payload) == packet
        assert read(packet) == (PUBLISH, "t", payload, 0, False, False)
    for header in ("ff ff 7f", "80 80 80 01"):
        refused(b"\x30" + hexed(header), "mqtt.length")


def test_connack_says_whether_a_session_was_there_and_what_the_broker_thinks():
    """3.2.2, table 3.1: 0 accepted to 5 not authorised."""
    assert read(hexed("20 02 00 00")) == (CONNACK, False, 0)
    assert read(hexed("20 02 01 00")) == (CONNACK, True, 0)
    for code in range(1, 6):
        assert read(bytes([0x20, 2, 0, code])) == (CONNACK, False, code)


def test_publish_puback_suback_and_pingresp_are_read():
    """3.3.2.3, 3.4, 3.9.3 (granted 0, 1, 2 or failure 80), 3.13."""
    assert read(hexed("32 09  00 03 61 2f 62  00 0a  68 69")) == (PUBLISH, "a/b", b"hi", 10, False, False)
    assert read(hexed("3b 09  00 03 61 2f 62  00 0a  68 69")) == (PUBLISH, "a/b", b"hi", 10, True, True)
    assert read(hexed("31 05  00 03 61 2f 62")) == (PUBLISH, "a/b", b"", 0, True, False)
    assert read(hexed("40 02 00 0a")) == (PUBACK, 10)
    assert read(hexed("90 03 00 0a 01")) == (SUBACK, 10, 1)
    assert read(hexed("90 03 00 0a 80")) == (SUBACK, 10, 0x80)
    assert read(hexed("d0 00")) == (PINGRESP,)


def test_packets_come_out_whole_however_the_bytes_are_cut():
    """A stream has no borders: four packets, cut after every byte, are the same four."""
    data = hexed("20 02 00 00  90 03 00 0a 01  32 09 00 03 61 2f 62 00 0a 68 69  d0 00")
    expected = [(CONNACK, False, 0), (SUBACK, 10, 1), (PUBLISH, "a/b", b"hi", 10, False, False), (PINGRESP,)]
    for size in range(1, len(data) + 1):
        incoming, found = Incoming(), []
        for at in range(0, len(data), size):
            incoming.feed(data[at : at + size])
            packet = incoming.packet()
            while packet is not None:
                found.append(packet)
                packet = incoming.packet()
        assert found == expected, size


def test_a_packet_that_only_a_client_sends_or_that_belongs_to_qos_2_is_refused():
    """Table 2.1: 0 and 15 are reserved; CONNECT 1, SUBSCRIBE 8, UNSUBSCRIBE 10, PINGREQ 12, DISCONNECT 14 go to the
    server; PUBREC 5, PUBREL 6, PUBCOMP 7 and UNSUBACK 11 answer what we never send.
    """
    for kind in (0, 1, 5, 6, 7, 8, 10, 11, 12, 14, 15):
        refused(bytes([kind << 4]), "mqtt.kind")


def test_reserved_flags_that_are_set_close_the_connection():
    """2.2.2, table 2.2: the low four bits of CONNACK, PUBACK, SUBACK and PINGRESP are zero."""
    for data in ("21 02 00 00", "42 02 00 0a", "92 03 00 0a 01", "d8 00"):
        refused(hexed(data), "mqtt.flags")


def test_publish_flags_that_cannot_be_are_refused():
    """3.3.1.2: QoS 3 is malformed, and 2 was never granted; 3.3.1.1: DUP is 0 at QoS 0."""
    for first in (0x34, 0x36, 0x38):
        refused(bytes([first]) + hexed("09  00 03 61 2f 62  00 0a  68 69"), "mqtt.flags")


def test_a_wrong_length_is_refused():
    """3.2.1, 3.4.1 and 3.13.1 give the lengths 2, 2 and 0; one filter's SUBACK has 3."""
    for data in ("20 01 00", "20 03 00 00 00", "40 01 00", "40 03 00 0a 00", "90 02 00 0a", "d0 01 00"):
        refused(hexed(data), "mqtt.length")
    refused(hexed("90 04 00 0a 01 01"), "mqtt.length")


def test_a_fifth_length_byte_or_a_length_over_the_bound_is_refused_before_the_body_comes():
    """2.2.3: at most four bytes; the bound is checked as soon as the header says it: no body is here."""
    refused(hexed("30 ff ff ff ff"), "mqtt.length")
    refused(hexed("30 80 80 80 80 01"), "mqtt.length", 0)
    refused(hexed("30 65"), "mqtt.length", 100)
    assert read(hexed("30 64"), 100) is None


def test_fields_that_cannot_be_are_refused():
    """3.2.2: ack flags 02, return code 6, a refusal with a session; 2.3.1: identifier 0 or half of one; 3.9.3: 03."""
    for data in (
        "20 02 02 00",
        "20 02 00 06",
        "20 02 01 05",
        "40 02 00 00",
        "90 03 00 0a 03",
        "90 03 00 00 01",
    ):
        refused(hexed(data), "mqtt.field")
    for data in ("32 05 00 03 61 2f 62", "32 06 00 03 61 2f 62 0a", "32 07 00 03 61 2f 62 00 00"):
        refused(hexed(data), "mqtt.field")


def test_a_topic_that_cannot_be_is_refused():
    """1.5.3: UTF-8, no U+0000; 3.3.2.1: no wildcards; 4.7.3: not empty, and 3.3.2: not longer than the packet."""
    for data in ("30 03 00 01 ff", "30 03 00 01 00", "30 03 00 01 23", "30 03 00 01 2b", "30 02 00 00"):
        refused(hexed(data), "mqtt.field")
    for data in ("30 00", "30 01 00", "30 03 00 02 61"):
        refused(hexed(data), "mqtt.field")


def test_a_text_over_65535_bytes_cannot_be_said():
    """1.5.3: the length prefix has two bytes."""
    try:
        mqtt.publish("t" * 65536, b"")
    except MqttError as wrong:
        assert wrong.code == "mqtt.length"
    else:
        raise AssertionError("it was said")
