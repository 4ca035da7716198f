"""CJ/T 188 under hostile bytes, and every capture that public sources quote.

Values are read off the hex text by eye, or made from decimal text and CPython's datetime.
"""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_wire.telegram import cjt188_errors as errors
from meterseal_wire.telegram.cjt188 import (
    IDENTIFIERS,
    Frame,
    address_bytes,
    build,
    field,
    identified,
    missing,
    parse_frame,
    read_current,
    split_frame,
)
from meterseal_wire.telegram.cjt188_reading import clock, decode
from meterseal_wire.telegram.cjt188_slave import Meter, answer

# Answers to 901F as public repositories and pages quote them (tests and comments of their decoders); register in
# hundredths of a cubic metre as their own text or the bytes' order give it.
CAPTURES = {
    "python doctest, SER 96": (
        "68100102030405060781169 01F9600555505 2C005555052C0000000000000000002616",
        "07060504030201",
        5555500,
    ),
    "java helper, meter 192": (
        "6810920100100000008116901F01002222002C000000002C000000000000000000FE16",
        "00000010000192",
        222200,
    ),
    "java helper, nonsense for a clock": (
        "6810010023091820008116901F01600000002C600000002C602020000000000000DC16",
        "00201809230001",
        60,
    ),
    "java frame, meter 805000001": (
        "FEFEFE6810010000050800008116901F00002301002C000000002C0000000000000000004816",
        "00000805000001",
        12300,
    ),
    "java frame, status 00FF": (
        "FEFEFE6810180212202000008116901F00000200002C000200002C0000000000000000FF8516",
        "00002020120218",
        200,
    ),
    "lua script, status 0023": (
        "FEFEFE6810180000404092008116901F00290000002C290000002C000000000000000023B516",
        "00924040000018",
        29,
    ),
    "c++ comment, 1F 90": (
        "68105054771118000081161F900000000000 2C000000002C0000000000000000005A16",
        "00001811775450",
        0,
    ),
    "qt thread, SER 04": (
        "FEFE681026130607003378 81161F9004006800002C000000002C0000000000000000007316",
        "78330007061326",
        6800,
    ),
    "java comment, 2017-08-19": (
        "681069000107172000 81161F9002000000002C000000002C59541619081720 1301EF16",
        "00201707010069",
        0,
    ),
}
GOOD = bytes.fromhex("00776655 2C 00776655 2C 31012211051520 2184")
OWN = address_bytes("78330011223344")
SOUND = build(Frame(0x10, OWN, 0x81, field(0x901F, 0, GOOD)))


@pytest.mark.parametrize("name", sorted(CAPTURES))
def test_every_quoted_capture_gives_its_meter_and_its_register(name: str) -> None:
    """Each has a good sum, so it is no invention of a page; address and register read off its text."""
    text, digits, hundredths = CAPTURES[name]
    reading = decode(bytes.fromhex(text.replace(" ", "")))
    assert (reading.digits, reading.current) == (digits, (hundredths, -2))


@pytest.mark.parametrize("name", sorted(CAPTURES))
def test_a_quoted_capture_is_built_again_byte_for_byte(name: str) -> None:
    """The encoder is checked by strangers' bytes: what was parsed comes out as it stood, preamble apart."""
    raw = bytes.fromhex(CAPTURES[name][0].replace(" ", ""))
    assert build(parse_frame(raw), 0) == raw.lstrip(b"\xfe")


def refusal(data: bytes) -> errors.Cjt188Error | None:
    """The Cjt188Error of decoding, None for a reading; any other exception fails the test."""
    try:
        decode(data)
    except errors.Cjt188Error as error:
        return error
    return None


def named(data: bytes) -> bool:
    """True for a reading, or for an error with a published code and an offset inside what was given."""
    error = refusal(data)
    return error is None or (error.code in errors.CODES and 0 <= error.at <= len(data) and bool(error.why))


@given(st.binary(max_size=300))
def test_random_bytes_end_in_one_error_or_a_reading(data: bytes) -> None:
    """The promise of the package: nothing but a TelegramError with its code and its byte."""
    assert named(data)


@given(st.integers(0, 255), st.binary(min_size=7, max_size=7), st.integers(0, 255), st.binary(max_size=255))
def test_random_fields_in_a_sound_frame_are_read_or_refused(
    meter: int, address: bytes, control: int, data: bytes
) -> None:
    """The same behind a good sum; a frame that is taken is built again to the same bytes."""
    head = bytes((0x68, meter)) + address + bytes((control, len(data))) + data
    raw = head + bytes((sum(head) % 256, 0x16))
    assert named(raw)
    try:
        frame = parse_frame(raw)
    except errors.Cjt188Error:
        return
    assert build(frame, 0) == raw


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_reading_with_some_bytes_replaced_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    """A meter that lies inside a sound frame."""
    data = bytearray(field(0x901F, 0, GOOD))
    for at, byte in changes:
        data[at % len(data)] = byte
    assert named(build(Frame(0x10, OWN, 0x81, bytes(data))))


@given(st.binary(max_size=60), st.integers(0, 4))
def test_a_frame_is_split_exactly_when_nothing_is_missing(noise: bytes, preamble: int) -> None:
    """`missing` and `split_frame` agree on every beginning of a line."""
    data = b"\xfe" * preamble + noise
    try:
        wanted = missing(data)
    except errors.BadFrame:
        with pytest.raises(errors.BadFrame):
            split_frame(data)
        return
    if wanted:
        assert split_frame(data) is None
        return
    try:
        found = split_frame(data)
    except errors.Cjt188Error:
        return
    assert found is not None


@given(st.integers(0, len(SOUND)))
def test_what_is_missing_is_enough_to_go_on(length: int) -> None:
    """Reading exactly as many bytes as asked for never runs past the frame."""
    assert length + missing(SOUND[:length]) <= len(SOUND)


@given(st.integers(0, 99999999), st.sampled_from([0x29, 0x2A, 0x2B, 0x2C, 0x2D, 0x2E]))
def test_a_register_is_its_digits_with_two_decimals(steps: int, unit: int) -> None:
    """The bytes made from the decimal text, two digits each, the last pair first."""
    text = f"{steps:08d}"
    raw = bytes.fromhex(text[6:8] + text[4:6] + text[2:4] + text[0:2])
    reading = decode(build(Frame(0x30, OWN, 0x81, field(0x901F, 0, raw + bytes((unit,)) + GOOD[5:]))))
    scale = {0x29: -5, 0x2A: -4, 0x2B: -3, 0x2C: -2, 0x2D: -1, 0x2E: 0}[unit]
    assert reading.current == (steps, scale)


@given(st.datetimes(min_value=dt.datetime(1, 1, 1), max_value=dt.datetime(9999, 12, 31)))  # noqa: DTZ001
def test_a_clock_is_the_moment_it_was_made_from(moment: dt.datetime) -> None:
    """CPython's datetime as the oracle of every field."""
    raw = bytes.fromhex(moment.strftime("%S%M%H%d%m") + f"{moment.year % 100:02d}{moment.year // 100:02d}")
    assert clock(raw) == moment.replace(microsecond=0).isoformat()


@given(st.binary(min_size=7, max_size=7))
def test_a_clock_is_never_a_moment_that_does_not_exist(raw: bytes) -> None:
    """Whatever seven bytes say: None, or text that CPython's datetime accepts."""
    found = clock(raw)
    if found is not None and not found.startswith("0000"):
        assert dt.datetime.fromisoformat(found).isoformat() == found


def test_no_identifier_is_another_one_read_backwards() -> None:
    """Otherwise the order on the line could not be told."""
    backwards = {code >> 8 | (code & 0xFF) << 8 for code in IDENTIFIERS}
    assert not backwards & set(IDENTIFIERS)


@given(st.binary(min_size=2, max_size=2))
def test_an_identifier_goes_out_in_the_order_it_came_in(pair: bytes) -> None:
    """Whatever two bytes: number and order together are the bytes."""
    identifier, low_first = identified(pair)
    assert field(identifier, 0, b"", low_first)[:2] == pair


@given(st.integers(0, 10**11), st.integers(0, 255), st.booleans())
def test_the_simulated_meter_tells_its_volume_to_the_last_whole_step(
    centilitres: int, serial: int, low_first: bool
) -> None:
    """Display: whole hundredths of a cubic metre, eight digits; both by integer arithmetic on the decimal text."""
    meter = Meter(0x10, "78330011223344", centilitres)
    back, after = answer(meter, read_current(0x10, OWN, serial, low_first))
    reading = decode(back)
    shown = f"{centilitres:020d}"[:-3][-8:]
    assert (reading.current, reading.serial, after) == ((int(shown), -2), serial, meter)


@given(st.binary(max_size=80))
def test_a_simulated_meter_never_fails(question: bytes) -> None:
    """Noise gets silence, never an exception."""
    meter = Meter(0x10, "78330011223344", 0)
    back, after = answer(meter, question)
    assert (back, after) == (None, meter) or parse_frame(back).digits() == meter.digits


@given(st.integers(0, 255), st.binary(max_size=40))
def test_a_simulated_meter_answers_any_sound_question_with_a_sound_frame(control: int, data: bytes) -> None:
    """Every control code and data field, rightly framed: silence, or an answer of the same function and SER."""
    meter = Meter(0x10, "78330011223344", 0)
    head = bytes((0x68, 0x10)) + OWN + bytes((control, len(data))) + data
    back, _ = answer(meter, head + bytes((sum(head) % 256, 0x16)))
    if back is not None:
        frame = parse_frame(back)
        assert frame.control & 0x9F == 0x80 | control & 0x1F
        assert frame.serial == data[2]
