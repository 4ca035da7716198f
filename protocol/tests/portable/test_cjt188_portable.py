"""CJ/T 188 telegrams on both interpreters. Plain functions with plain assert; run by pytest and by MicroPython.

The captures are quoted in public: each names where. The standard itself could not be read here.
"""

from meterseal_wire.telegram import cjt188
from meterseal_wire.telegram import cjt188_errors as errors
from meterseal_wire.telegram.cjt188 import (
    ANY,
    ANYONE,
    CURRENT,
    Frame,
    address_bytes,
    build,
    enter_verification,
    field,
    identified,
    leave_verification,
    missing,
    parse_frame,
    read_address,
    read_current,
    split_frame,
)
from meterseal_wire.telegram.cjt188_reading import clock, decode, register, volume_meter
from meterseal_wire.telegram.cjt188_slave import Meter, answer
from meterseal_wire.telegram.errors import MBusError, TelegramError


def unhex(text):
    """Bytes of hex text; MicroPython's fromhex takes no blanks in every build."""
    text = text.replace(" ", "")
    return bytes([int(text[at : at + 2], 16) for at in range(0, len(text), 2)])


# cnblogs.com/yangykaifa/p/7010777.html and hftangyu.com/563.html explain question and answer byte by byte.
ASKED = unhex("FE FE FE FE 68 10 44 33 22 11 00 33 78 01 03 1F 90 00 80 16")
# The same answer with the sum that its bytes have; those pages end it with 08 by mistake, others with 13.
ANSWERED = unhex(
    "68 10 44 33 22 11 00 33 78 81 16 1F 90 00 00 77 66 55 2C 00 77 66 55 2C 31 01 22 11 05 15 20 21 84 13 16"
)
# A gateway's source quotes the question with an open address and the answer of a meter without settlement and clock.
OPEN = unhex("FE FE 68 10 AA AA AA AA AA AA AA 01 03 90 1F AA 7B 16")
NO_CLOCK = unhex(
    "FE FE 68 10 45 41 10 05 15 33 78 81 16 90 1F AA 00 59 59 00 2C FF FF FF FF 2C FF FF FF FF FF FF FF 00 00 C2 16"
)
# A unit test of a C# class FrameCJT188_2004: question and answer of meter 00201510270588.
ASKED_2004 = unhex("68 10 88 05 27 10 15 20 00 01 03 90 1F 01 25 16")
ANSWERED_2004 = unhex(
    "68 10 88 05 27 10 15 20 00 81 16 90 1F 01 00 00 00 00 2C 00 00 00 00 2C 06 20 17 09 01 17 20 00 00 8E 16"
)
# An answer to "read address", with AA as its kind, from a Java helper's comments.
ADDRESS = unhex("68 AA 01 00 00 05 08 00 00 83 03 0A 81 00 31 16")


def refused(kind, call, *args):
    """The error of `kind` that `call` raises; fails when it raises none."""
    try:
        call(*args)
    except kind as error:
        return error
    raise AssertionError("not refused: %r" % (args,))


def said(data, meter=0x10, control=0x81):
    """A meter's frame around a data field given as hex text."""
    return build(Frame(meter, address_bytes("78330011223344"), control, unhex(data)))


GOOD = "1F 90 00 00 77 66 55 2C 00 77 66 55 2C 31 01 22 11 05 15 20 21 84"


def test_the_answer_explained_in_public_has_the_values_explained_there():
    """556677.00 in unit 2C, 2015-05-11 22:01:31, number 0011223344, maker 7833, status 21 84."""
    reading = decode(b"\xfe\xfe\xfe\xfe" + ANSWERED)
    assert reading.digits == "78330011223344"
    assert reading.current == (55667700, -2)
    assert reading.settlement == (55667700, -2)
    assert reading.clock == "2015-05-11T22:01:31"
    assert reading.status == b"\x21\x84"
    assert (reading.meter, reading.serial, reading.units) == (0x10, 0, (0x2C, 0x2C))


def test_the_sum_that_some_pages_print_is_refused():
    """68+10+44+33+22+11+33+78+81+16+1F+90 = 313, 2 * (77+66+55+2C) = 2BC, 31+1+22+11+5+15+20+21+84 = 144: 713."""
    error = refused(errors.BadChecksum, decode, ANSWERED[:-2] + b"\x08\x16")
    assert (error.code, error.at) == ("cjt188.checksum", len(ANSWERED) - 2)


def test_our_question_is_the_one_explained_in_public():
    """Byte for byte, behind four FE."""
    frame = parse_frame(ASKED)
    assert (frame.meter, frame.digits(), frame.control) == (0x10, "78330011223344", 0x01)
    assert (frame.identifier, frame.low_first, frame.serial, frame.data) == (CURRENT, True, 0, b"")
    assert build(frame, 4) == ASKED
    assert read_current(0x10, address_bytes("78330011223344")) == ASKED[1:]


def test_a_question_in_the_other_byte_order_is_built_too():
    """90 1F with SER AA and an open address, behind two FE."""
    assert build(parse_frame(OPEN), 2) == OPEN
    assert read_current(0x10, ANYONE, 0xAA, False)[1:] == OPEN
    assert parse_frame(OPEN).digits() == "AA" * 7
    assert read_current(0x10, address_bytes("00201510270588"), 1, False)[3:] == ASKED_2004


def test_a_meter_without_clock_and_settlement_still_gives_its_register():
    """FF in both fields; the register bytes 00 59 59 00 are 00595900, so 5959.00 m^3."""
    reading = decode(NO_CLOCK)
    assert (reading.current, reading.settlement, reading.clock) == ((595900, -2), None, None)
    assert reading.digits == "78331505104145"


def test_an_answer_of_2004_is_read_alike():
    """06 20 17 09 01 17 20: 2017-01-09 17:20:06."""
    reading = decode(ANSWERED_2004)
    assert (reading.digits, reading.current, reading.clock) == (
        "00201510270588",
        (0, -2),
        "2017-01-09T17:20:06",
    )


def test_an_answer_to_read_address_is_a_frame_but_no_reading():
    """83 and 810A; the kind AA is what such meters echo."""
    frame = parse_frame(ADDRESS)
    assert (frame.digits(), frame.identifier, frame.control) == ("00000805000001", 0x810A, 0x83)
    assert refused(errors.Unsupported, decode, ADDRESS).code == "cjt188.unsupported"


def test_questions_of_ours_by_hand():
    """Sums by hand: 68+AA+7*AA+03+03+0A+81 = 0x649; 68+10+1+04+03+01+A1 = 0x122; with 02 for 01: 0x123."""
    own = address_bytes("00000000000001")
    assert read_address() == unhex("FE FE FE 68 AA AA AA AA AA AA AA AA 03 03 0A 81 00 49 16")
    assert enter_verification(0x10, own) == unhex("FE FE FE 68 10 01 00 00 00 00 00 00 04 03 01 A1 00 22 16")
    assert leave_verification(0x10, own) == unhex("FE FE FE 68 10 01 00 00 00 00 00 00 04 03 02 A1 00 23 16")


def test_every_cut_of_a_telegram_is_truncated_and_says_how_much_is_missing():
    """Of 35 bytes the first 11 tell the length: before that 13 is all that can be asked for."""
    for length in range(len(ANSWERED)):
        part = ANSWERED[:length]
        assert split_frame(part) is None
        assert refused(errors.Truncated, parse_frame, part).code == "cjt188.truncated"
        assert missing(part) == (13 - length if length < 11 else 35 - length)
    assert missing(b"\xfe\xfe") == 13
    assert missing(ANSWERED) == 0


def test_every_wrong_byte_is_refused():
    """One byte of the frame changed by 1: start, stop, length, sum, or a sum that no longer fits."""
    for place in range(len(ANSWERED)):
        broken = bytearray(ANSWERED)
        broken[place] = (broken[place] + 1) & 0xFF
        error = refused(errors.Cjt188Error, decode, bytes(broken))
        assert error.code in errors.CODES


def test_start_stop_and_tail_have_names():
    """No 68 after the preamble; another end byte; bytes behind it."""
    assert refused(errors.BadFrame, decode, b"\xfe\x67").at == 1
    assert refused(errors.BadFrame, decode, ANSWERED[:-1] + b"\x17").at == 34
    assert refused(errors.BadLength, decode, ANSWERED + b"\x00").at == 35


def test_digits_above_nine_are_refused_where_they_count():
    """An address byte 4A, an AA in an answer, a register byte A5; in a question AA is a wildcard."""
    broken = Frame(0x10, unhex("4A332211003378"), 0x81, unhex(GOOD))
    assert refused(errors.BadDigits, decode, build(broken, 0)).at == 2
    wild = Frame(0x10, unhex("AA332211003378"), 0x81, unhex(GOOD))
    assert refused(errors.BadDigits, decode, build(wild, 0)).at == 2
    assert (
        refused(errors.BadDigits, decode, said(GOOD.replace("00 77 66 55 2C 00", "A5 77 66 55 2C 00"))).at
        == 17
    )


def test_where_the_digit_is_wrong_is_said():
    """Behind three FE the register begins at 3 + 11 + 3 = 17; its third byte stands at 19."""
    broken = said(GOOD.replace("00 77 66 55 2C 00", "00 77 6B 55 2C 00"))
    assert broken[19] == 0x6B
    assert refused(errors.BadDigits, decode, broken).at == 19


def test_units_of_volume_are_scaled_and_others_refused():
    """29 to 2B are 1, 10, 100 litres, 2C to 2E 1, 10, 100 m^3; 05 is kWh. 1234.56 of each."""
    wanted = {0x29: -5, 0x2A: -4, 0x2B: -3, 0x2C: -2, 0x2D: -1, 0x2E: 0}
    for unit, power in wanted.items():
        assert register(unhex("56 34 12 00") + bytes((unit,))) == (123456, power)
    assert refused(errors.Unsupported, register, unhex("56 34 12 00 05"), 14).at == 18


def test_a_meter_that_answers_abnormally_is_named_with_its_status():
    """Bit 6 of the control code; SER and two status bytes, or anything else."""
    error = refused(errors.MeterRefused, decode, said("00 04 00", control=0xC1))
    assert (error.code, error.status) == ("cjt188.meter", b"\x04\x00")
    assert refused(errors.MeterRefused, decode, said("00", control=0xC1)).status is None
    assert refused(errors.MeterRefused, decode, said("", control=0xC1)).status is None
    frame = parse_frame(said("", control=0xC1))
    assert (frame.identifier, frame.serial, frame.data) == (None, None, b"")


def test_a_question_is_no_answer():
    """Bit 7 of the control code is 0; with bit 6 it is nothing at all."""
    assert refused(errors.BadFrame, decode, ASKED).code == "cjt188.frame"
    assert refused(errors.BadFrame, parse_frame, said("00 04 00", control=0x41)).at == 12


def test_other_meters_and_other_lengths_are_refused():
    """Kind 20 is heat, whose 901F has other fields; 1A and 3A are outside water and gas; 18 and 20 bytes are no 19."""
    for kind in (0x20, 0x1A, 0x3A, 0x40, 0x00):
        assert refused(errors.Unsupported, decode, said(GOOD, meter=kind)).code == "cjt188.unsupported"
    for kind in (0x10, 0x19, 0x30, 0x39, ANY):
        assert volume_meter(kind)
        assert decode(said(GOOD, meter=kind)).meter == kind
    for data in (GOOD[:-3], GOOD + " 00"):
        assert refused(errors.BadLength, decode, said(data)).code == "cjt188.length"
    assert refused(errors.BadLength, parse_frame, said("1F 90")).at == 13


def test_an_identifier_is_read_in_either_order():
    """901F and A101 both ways; what is unknown both ways counts as low byte first."""
    assert identified(b"\x1f\x90") == (0x901F, True)
    assert identified(b"\x90\x1f") == (0x901F, False)
    assert identified(b"\xa1\x01") == (0xA101, False)
    assert identified(b"\x01\xa1") == (0xA101, True)
    assert identified(b"\x20\xd1") == (0xD120, True)


def test_a_clock_is_a_moment_of_the_calendar_or_none():
    """Bytes ss mm hh DD MM YY CC, Gregorian: 2000 and 2024 have a 29 February, 2023 and 2100 have none."""
    for text, wanted in (
        ("59 59 23 29 02 24 20", "2024-02-29T23:59:59"),
        ("00 00 00 29 02 00 20", "2000-02-29T00:00:00"),
        ("00 00 00 29 02 23 20", None),
        ("00 00 00 29 02 00 21", None),
        ("00 00 00 31 04 23 20", None),
        ("00 00 00 31 12 23 20", "2023-12-31T00:00:00"),
        ("00 00 00 01 13 23 20", None),
        ("00 00 00 00 12 23 20", None),
        ("00 00 00 01 00 23 20", None),
        ("60 00 00 01 01 23 20", None),
        ("00 60 00 01 01 23 20", None),
        ("00 00 24 01 01 23 20", None),
        ("00 00 00 0A 01 23 20", None),
        ("00 00 00 00 00 00 00", None),
        ("99 99 99 99 99 99 99", None),
    ):
        assert clock(unhex(text)) == wanted, text


def test_a_frame_that_cannot_be_is_the_callers_fault():
    """Six address bytes, 256 bytes of data, thirteen digits or a letter."""
    for frame in (Frame(0x10, bytes(6), 0x81, unhex(GOOD)), Frame(0x10, bytes(7), 0x81, bytes(256))):
        refused(ValueError, build, frame)
    for digits in ("7833001122334", "7833001122334A", "783300112233445"):
        refused(ValueError, address_bytes, digits)


def test_frames_compare_by_what_they_say():
    """Equal fields, equal frame and hash; the preamble is no part of it."""
    one, other = parse_frame(ASKED), parse_frame(ASKED[4:])
    assert one == other and hash(one) == hash(other)
    assert one != parse_frame(OPEN)
    assert repr(one) == repr(other)


def test_both_families_of_telegram_errors_have_one_root():
    """A station that reads either kind of meter catches TelegramError."""
    assert issubclass(errors.Cjt188Error, TelegramError)
    assert issubclass(MBusError, TelegramError)
    assert not issubclass(errors.Cjt188Error, MBusError)
    assert len(set(errors.CODES)) == len(errors.CODES) == 7


METER = Meter(0x30, "35260000000042", 123456789, unhex("31 01 22 11 05 15 20"), b"\x04\x00")


def asked(question):
    """What METER answers."""
    return answer(METER, question)[0]


def test_the_simulated_meter_answers_in_the_order_of_the_question():
    """1234567.89 L are 1234.56 m^3 on its display: 56 34 12 00 2C; SER and byte order come back."""
    own = address_bytes("35260000000042")
    for low_first, pair in ((True, b"\x1f\x90"), (False, b"\x90\x1f")):
        said_back = asked(read_current(0x30, own, 7, low_first))
        assert said_back[3 + 11 : 3 + 19] == pair + b"\x07" + unhex("56 34 12 00 2C")
        reading = decode(said_back)
        assert (reading.current, reading.clock, reading.status) == (
            (123456, -2),
            "2015-05-11T22:01:31",
            b"\x04\x00",
        )
        assert (reading.serial, reading.digits) == (7, "35260000000042")


def test_verification_mode_shows_litres_and_ends():
    """Eight digits in steps of 0.01 L show of 1234567.89 L the last eight: 234567.89 L."""
    own = address_bytes("35260000000042")
    back, finer = answer(METER, enter_verification(0x30, own, 3))
    assert parse_frame(back).fields() == (0x30, own, 0x84, field(cjt188.ENTER_VERIFICATION, 3))
    assert decode(answer(finer, read_current(0x30, own))[0]).current == (23456789, -5)
    assert decode(answer(finer.at(150), read_current(0x30, own))[0]).current == (150, -5)
    back, normal = answer(finer, leave_verification(0x30, own))
    assert parse_frame(back).control == 0x84
    assert decode(answer(normal, read_current(0x30, own))[0]).current == (123456, -2)
    assert not METER.verifying


def test_an_open_address_and_kind_reach_the_simulated_meter():
    """AA stands for any two digits and any kind; read address is the question for it."""
    assert parse_frame(asked(read_address())).digits() == "35260000000042"
    assert parse_frame(asked(read_address(0x30))).control == 0x83
    half = address_bytes("35260000000042")[:1] + ANYONE[1:]
    assert decode(asked(read_current(ANY, half))).digits == "35260000000042"


def test_a_simulated_meter_is_silent_for_others_and_for_damage():
    """Another address, another kind, a damaged question, its own answer."""
    own = address_bytes("35260000000042")
    whole = read_current(0x30, own)
    for question in (
        read_current(0x30, address_bytes("35260000000043")),
        read_current(0x10, own),
        whole[:-2] + b"\x00\x16",
        whole[:-1],
        b"",
        asked(whole),
    ):
        assert answer(METER, question) == (None, METER)


def test_a_question_that_the_simulated_meter_does_not_know_gets_an_abnormal_answer():
    """Control C0 plus function, SER and status: a valve command, a read of another register, data where none is due."""
    own = address_bytes("35260000000042")
    for control, data in (
        (0x04, field(0xA017, 5, b"\x55")),
        (0x01, field(0xD120, 5)),
        (0x04, field(0xA101, 5, b"\x01")),
    ):
        back, after = answer(METER, build(Frame(0x30, own, control, data)))
        error = refused(errors.MeterRefused, decode, back)
        assert (error.status, after.verifying) == (b"\x04\x00", False)
        assert parse_frame(back).control == 0xC0 | control
