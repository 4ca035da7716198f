"""M-Bus telegrams on both interpreters. Plain functions with plain assert; run by pytest and by MicroPython.

GAS, WATER and COLD are captures of rscada/libmbus (BSD-3-Clause, data/mbus/LICENSE) and their values libmbus' own.
"""

from meterseal_wire.telegram import errors
from meterseal_wire.telegram.mbus import (
    ACK,
    SELECTED,
    Frame,
    FrameReader,
    long_frame,
    missing,
    parse_frame,
    req_ud2,
    select,
    selects,
    snd_nke,
    split_frame,
)
from meterseal_wire.telegram.mbus_slave import with_reading
from meterseal_wire.telegram.mbus_telegram import decode, electronic_address, holder, volume
from meterseal_wire.telegram.mbus_value import (
    bcd,
    date_text,
    decimal_text,
    moment_text,
    real32,
    signed,
    time_text,
    variable_bytes,
)


def unhex(text):
    """Bytes of hex text; MicroPython's fromhex takes no blanks in every build."""
    text = text.replace(" ", "")
    return bytes([int(text[at : at + 2], 16) for at in range(0, len(text), 2)])


GAS = unhex(
    "68 40 40 68 08 01 72 58 20 08 12 E2 30 40 03 40 00 00 00 2F 2F 4C 13 92 40 83 10 46 6D 00 00 08 16 27 00 0D 78"
    "11 34 31 38 35 30 32 38 30 32 31 39 35 37 31 30 30 47 89 40 FD 1A 01 01 FD 17 00 01 FD 67 0F 38 16"
)
WATER = unhex(
    "68 1F 1F 68 08 02 72 78 56 34 12 24 40 01 07 55 00 00 00 03 13 15 31 00 DA 02 3B 13 01 8B 60 04 37 18 02 18 16"
)
COLD = unhex(
    "68 56 56 68 08 08 72 80 03 02 10 77 04 14 16 A1 00 00 00 0C 78 80 03 02 10 0D 7C 08 44 49 20 2E 74 73 75 63 0A"
    "20 20 20 20 20 20 20 20 20 20 04 6D 27 0F 79 1A 02 7C 09 65 6D 69 74 20 2E 74 61 62 D2 0F 04 15 B7 11 00 00"
    "04 95 7F 00 00 00 00 44 15 B7 11 00 00 0F 00 04 1F 0D 16"
)
HEADER = unhex("78 56 34 12 24 40 01 07 55 00 00 00")


def answer(records):
    """A slave's frame around records given as hex text."""
    return long_frame(0x08, 1, 0x72, HEADER + unhex(records))


def refused(kind, call, *args):
    """The error of `kind` that `call` raises; fails when it raises none."""
    try:
        call(*args)
    except kind as error:
        return error
    raise AssertionError("not refused: %r" % (args,))


def only(records):
    """The one record of a telegram built from hex text."""
    found = decode(answer(records)).records
    assert len(found) == 1
    return found[0]


def test_a_gas_meters_capture_gives_identity_and_its_stored_register():
    """As libmbus has it: LGB 12082058, version 64, Gas, access 64; volume of storage 1 is 10834.092 m^3."""
    telegram = decode(GAS)
    identity = telegram.identity
    assert (identity.manufacturer, identity.id, identity.version, identity.medium) == (
        "LGB",
        "12082058",
        64,
        3,
    )
    assert (identity.medium_name, identity.access, identity.status, identity.signature) == ("Gas", 64, 0, 0)
    assert (telegram.address, telegram.control, telegram.ci, telegram.more_follow) == (1, 8, 0x72, False)
    assert volume(telegram) == (10834092, -3)
    assert [record.value_text() for record in telegram.records] == [
        "10834.092", "2016-07-22T08:00:00Z", "G0017591208205814", "1", "0", "15",
    ]  # fmt: skip


def test_the_electronic_address_is_the_eight_bytes_as_sent():
    """EN 13757-3 clause 11.3: id 4, manufacturer 2, version 1, medium 1; the bytes stand at 7 to 14 of the frame."""
    assert electronic_address(decode(GAS).identity) == unhex("58 20 08 12 E2 30 40 03")
    assert electronic_address(decode(WATER).identity) == WATER[7:15]


def test_storage_tariff_and_device_come_from_dife():
    """As libmbus decodes manual_frame3: maximum flow in storage 5; energy of tariff 2 and device 1."""
    volume_now, flow, energy = decode(WATER).records
    assert (volume_now.quantity, volume_now.number) == ("Volume", (12565, -3))
    assert (flow.function, flow.storage, flow.tariff, flow.device) == ("Maximum value", 5, 0, 0)
    assert (energy.storage, energy.tariff, energy.device) == (0, 2, 1)
    assert (energy.unit, energy.value_text()) == ("Wh", "218370")


def test_ten_dife_are_allowed_and_count_to_forty_one_bits_of_storage():
    """EN 13757-3 clause 6.3: 1 bit in the DIF, 4 in each of ten DIFE: all set is 2^41 - 1; an eleventh is refused."""
    assert only("C1 8F 8F 8F 8F 8F 8F 8F 8F 8F 0F 13 01").storage == (1 << 41) - 1
    error = refused(errors.TooManyExtensions, decode, answer("C1 8F 8F 8F 8F 8F 8F 8F 8F 8F 8F 0F 13 01"))
    assert error.code == "mbus.extensions"


def test_text_is_sent_backwards_and_plain_text_units_too():
    """As libmbus decodes the Itron Cyble: cust. ID of ten blanks, bat. time 4050, 453.5 m^3 now and stored."""
    telegram = decode(COLD)
    named = [(record.quantity, record.unit, record.value_text()) for record in telegram.records]
    assert named[1] == ("cust. ID", "-", "          ")
    assert named[3] == ("bat. time", "-", "4050")
    assert volume(telegram) == (4535, -1)


def test_a_register_that_counts_something_else_is_not_the_volume():
    """VIFE 3B counts only one direction (EN 13757-3 clause 6.5): alone it gives no volume register."""
    assert (
        refused(errors.NoRegister, volume, decode(answer("04 93 3B 01 00 00 00"))).code == "mbus.no_register"
    )
    both = decode(answer("04 93 3B 01 00 00 00 04 13 02 00 00 00"))
    assert volume(both) == (2, -3)


def test_two_current_volume_registers_are_not_guessed_between():
    """Litres and millilitres both current: which is legal is not said, so neither is taken."""
    refused(errors.NoRegister, volume, decode(answer("04 13 02 00 00 00 04 10 D0 07 00 00")))
    refused(errors.NoRegister, volume, decode(answer("44 13 02 00 00 00 84 01 13 02 00 00 00")))


def test_a_register_with_a_reported_error_is_not_read():
    """VIFE 18 is data error, 16 data overflow (EN 13757-3, record errors)."""
    record = only("04 93 18 01 00 00 00")
    assert (record.error, record.number) == ("data error", (1, -3))
    assert only("04 93 16 01 00 00 00").error == "data overflow"
    refused(errors.NoRegister, volume, decode(answer("04 93 18 01 00 00 00")))


def test_digits_that_are_not_decimal_make_no_reading():
    """Type A knows 0 to 9 and a leading F for minus; DD EB B4 DD is what an F95 shows in its error state."""
    record = only("0C 13 DD B4 EB DD")
    assert record.error == "not decimal digits"
    refused(errors.NoRegister, volume, decode(answer("0C 13 DD B4 EB DD")))


def test_a_leading_f_makes_bcd_negative():
    """Type A: F0 12 34 56 read from the top is -0123456; ten to the minus 3 in m^3."""
    assert bcd(unhex("56 34 12 F0")) == (-123456, True)
    assert only("0C 13 56 34 12 F0").value_text() == "-123.456"


def test_integers_are_twos_complement_of_any_width():
    """Type B: all ones is -1, the top bit alone is the least number."""
    for width, dif in ((1, "01"), (2, "02"), (3, "03"), (4, "04"), (6, "06"), (8, "07")):
        assert only(dif + "13" + "FF" * width).number == (-1, -3)
        assert only(dif + "13" + "00" * (width - 1) + "80").number == (-(1 << (8 * width - 1)), -3)
    assert signed(unhex("FE FF")) == -2


def test_real32_is_exact():
    """IEEE 754: 3E200000 is 0.15625 = 15625 / 10^5; 00000001 is 2^-149 = 5^149 / 10^149; FF800000 is -infinity."""
    assert real32(unhex("00 00 20 3E")) == (15625, -5)
    assert real32(unhex("00 00 00 C0")) == (-2, 0)
    assert real32(unhex("01 00 00 00")) == (5**149, -149)
    assert real32(unhex("FF FF 7F 7F")) == (0xFFFFFF << 104, 0)
    assert real32(unhex("00 00 00 80")) == (0, 0)
    assert real32(unhex("00 00 80 FF")) == "-inf"
    assert only("05 13 00 00 C0 7F").value_text() == "nan"
    assert only("05 13 00 00 20 3E").value_text() == "0.00015625"


def test_dates_and_times_of_all_types():
    """Type G 9F1C is 31 December 2012 (as in the M-Bus documentation's fields); I adds a second, J is a time."""
    assert date_text(unhex("9F 1C")) == "2012-12-31"
    assert moment_text(unhex("32 37 1F 15")) == "2008-05-31T23:50:00Z"
    assert moment_text(unhex("1E 32 37 1F 15 00")) == "2008-05-31T23:50:30Z"
    assert time_text(unhex("1E 32 17")) == "23:50:30"
    assert only("03 6D 1E 32 17").value_text() == "23:50:30"
    assert only("06 6D 1E 32 37 1F 15 00").kind == "time"
    assert only("02 FD 30 9F 1C").value_text() == "2012-12-31"


def test_a_time_of_a_length_that_no_type_has_is_a_number():
    """6C is type G alone (2 bytes), 6D is F, I or J: libmbus prints 4 bytes after 6C and 2 after 6D as integers."""
    assert only("04 6C 32 37 1F 15").number == (0x151F3732, 0)
    assert only("02 6D 9F 1C").number == (0x1C9F, 0)
    assert only("02 6C 9F 1C").value_text() == "2012-12-31"


def test_a_year_without_century_to_eighty_is_of_this_century():
    """Type F: hundreds 0 and year 81 is 1981, hundreds 1 and 81 is 2081, hundreds 0 and 80 is 2080."""
    assert moment_text(unhex("00 00 21 A1"))[:10] == "1981-01-01"
    assert moment_text(unhex("00 20 21 A1"))[:10] == "2081-01-01"
    assert moment_text(unhex("00 00 01 A1"))[:10] == "2080-01-01"


def test_a_clock_that_is_not_valid_gives_no_date():
    """Types F and I: bit 7 of the minute says that the time is not valid; libmbus prints the year 1900."""
    assert moment_text(unhex("B2 37 1F 15")) == "1900-01-00T00:00:00Z"
    assert moment_text(unhex("1E B2 37 1F 15 00")) == "1900-01-00T00:00:00Z"


def test_corrections_scale_and_shift_the_number():
    """EN 13757-3 clause 6.5: 70..77 are 10^-6..10^1, 7D is 10^3, 79 adds 10^-2 of the unit; 5 units of 10^-3 m^3."""
    assert only("01 93 72 05").number == (5, -7)
    assert only("01 93 77 05").number == (5, -2)
    assert only("01 93 7D 05").number == (5, 0)
    assert only("01 93 F2 7D 05").number == (5, -4)
    assert only("01 93 79 05").number == (15, -3)
    assert only("01 FD C9 72 05").number == (5, -4)


def test_what_follows_a_manufacturers_vif_is_left_alone():
    """VIF FF and VIFE FF hand the rest to the maker (EN 13757-3 clause 6.4): 72 is then no correction."""
    assert only("02 FF 72 05 00").number == (5, 0)
    assert only("01 93 FF 72 05").number == (5, -3)


def test_the_duration_of_an_event_stands_in_seconds_beside_the_number():
    """VIFE 52 is the duration in hours of the first exceed of the lower limit: 3 h are 10800 s."""
    record = only("01 BB 52 03")
    assert (record.unit, record.number) == ("m^3/h", (3, -3))
    assert record.modifiers == ["duration of first exceed of the lower limit: 10800 s"]


def test_a_duration_of_a_pollustat_is_the_number_that_libmbus_prints():
    """04 BE 50 71BBB000 of rscada/libmbus SEN_Pollustat: Volume flow, m^3/h, 11582321; VIFE 50 counts seconds."""
    record = only("04 BE 50 71 BB B0 00")
    assert (record.quantity, record.unit, record.number) == ("Volume flow", "m^3/h", (11582321, 0))
    assert record.modifiers == ["duration of first exceed of the lower limit: 11582321 s"]


def test_the_date_of_an_event_stands_beside_the_number():
    """VIFE 6F on a Landis+Gyr T230: 32147A18 is 26 August 2011 20:50 (type F, fields taken apart by hand)."""
    record = only("04 BB 6F 32 14 7A 18")
    assert record.modifiers == ["date (time) of end of last: 2011-08-26T20:50:00Z"]
    assert record.number == (0x187A1432, -3)


def test_variable_data_takes_the_bytes_its_length_code_says():
    """EN 13757-3:2018 table 5: C2 and D2 two bytes of BCD, E3 three bytes, F0 16, F5 48, F6 64; others reserved."""
    assert only("0D 13 C2 34 12").number == (1234, -3)
    assert only("0D 13 D2 34 12").number == (-1234, -3)
    assert only("0D 13 E3 01 02 03").value_text() == "03 02 01"
    assert only("0D 78 03 43 42 41").value_text() == "ABC"
    assert [variable_bytes(code, 0) for code in (0, 0xBF, 0xC9, 0xEF, 0xF0, 0xF4, 0xF5, 0xF6)] == [
        0, 191, 9, 15, 16, 32, 48, 64,
    ]  # fmt: skip
    for code in (0xCA, 0xDF, 0xF7, 0xFF):
        assert refused(errors.Unsupported, variable_bytes, code, 9).at == 9


def test_control_characters_of_a_meters_text_become_blanks_and_zero_ends_it():
    """An escape sequence in a name must not reach a terminal; libmbus prints blanks and stops at zero."""
    assert only("0D 78 04 42 1B 0A 41").value_text() == "A  B"
    assert only("0D 78 03 42 00 41").value_text() == "A"


def test_fillers_are_skipped_and_manufacturer_data_ends_the_records():
    """DIF 2F is a filler, 0F and 1F end the standard part; 1F says that another telegram follows (clause 6.3)."""
    telegram = decode(answer("2F 2F 01 13 05 2F 0F 0B 16"))
    assert [record.function for record in telegram.records] == [
        "Instantaneous value",
        "Manufacturer specific",
    ]
    assert (telegram.records[1].value_text(), telegram.more_follow) == ("0B 16", False)
    more = decode(answer("01 13 05 1F"))
    assert (more.records[1].function, more.more_follow) == ("More records follow", True)
    assert decode(answer("7F")).records[0].function == "Global readout request"


def test_reserved_dif_are_refused_by_name():
    """EN 13757-3 clause 6.3: 3F to 6F are reserved, and so is any other DIF that ends in F."""
    for dif in ("3F", "4F", "6F", "8F"):
        assert refused(errors.Unsupported, decode, answer(dif + "13 05")).at == 19


def test_codes_without_a_meaning_are_called_reserved():
    """EN 13757-3: VIF 6F is reserved, and so are FD 7C and FB 40; their value stays as sent."""
    for vib in ("6F", "FD 7C", "FB 40"):
        record = only("01" + vib + "05")
        assert (record.quantity, record.unit, record.number) == ("Reserved", "Reserved", (5, 0))


def test_extension_tables_give_unit_and_power():
    """EN 13757-3 tables of FD and FB: FD 46 is mV/1000, FD 5C is A, FB 11 is 1000 m^3, FB 01 is MWh, FD 6D days."""
    wanted = {
        "FD 46": ("Voltage", "V", (5, -3)), "FD 5C": ("Current", "A", (5, 0)), "FB 11": ("Volume", "m^3", (5, 3)),
        "FB 01": ("Energy", "Wh", (5, 6)), "FD 6D": ("Operating time battery", "s", (432000, 0)),
        "FB 2E": ("Frequency", "Hz", (5, -1)), "FD 28": ("Storage interval", "s", (1314871915, -2)),
        "FB 79": ("Cumul count max power", "W", (5, -2)), "FB 09": ("Energy", "J", (5, 9)),
    }  # fmt: skip
    for vib, expected in wanted.items():
        record = only("01" + vib + "05")
        assert (record.quantity, record.unit, record.number) == expected


def test_the_fixed_structure_gives_two_counters():
    """M-Bus documentation 4.8 section 6.2, its example: id 12345678, water, 1 l actual, 135 l historic."""
    telegram = decode(unhex("68 13 13 68 08 05 73 78 56 34 12 0A 00 E9 7E 01 00 00 00 35 01 00 00 3C 16"))
    assert (telegram.identity.id, telegram.identity.medium_name) == ("12345678", "Water")
    now, then = telegram.records
    assert (now.function, now.quantity, now.unit, now.number) == ("Actual value", "Volume", "l", (1, 0))
    assert (then.quantity, then.number, then.storage) == ("Volume", (135, 0), 1)
    assert volume(telegram) == (1, -3)
    assert refused(errors.Unsupported, electronic_address, telegram.identity).code == "mbus.unsupported"


def test_fixed_counters_may_be_binary_and_stored():
    """The same section: status bit 1 is binary counters, bit 2 stored at a fixed date; 100 times m^3 is unit 2E."""
    frame = long_frame(0x08, 5, 0x73, unhex("78 56 34 12 0A 03 2E 00 FF 00 00 00 FE FF FF FF"))
    first, second = decode(frame).records
    assert (first.function, first.unit, first.number) == ("Stored value", "100 m^3", (255, 0))
    assert second.number == (-2, 0)
    assert volume(decode(frame)) == (255, 2)


def test_mode_two_sends_the_same_with_the_most_significant_byte_first():
    """CI 76 is CI 72 with every number turned round (M-Bus documentation 4.8 section 6.1)."""
    turned = long_frame(0x08, 2, 0x76, unhex("12 34 56 78 40 24 01 07 55 00 00 00 03 13 00 31 15"))
    telegram = decode(turned)
    assert (telegram.identity.id, telegram.identity.manufacturer) == ("12345678", "PAD")
    assert volume(telegram) == (12565, -3)


def test_an_application_error_is_the_meters_own_with_its_name():
    """EN 13757-3, CI 70: 08 is application busy, none at all is unspecified; CODES lists what can come."""
    busy = refused(errors.MeterError, decode, unhex("68 04 04 68 08 01 70 08 81 16"))
    assert (busy.number, busy.name, busy.code) == (8, "Application busy", "mbus.meter.application_busy")
    none = refused(errors.MeterError, decode, long_frame(0x08, 1, 0x70))
    assert none.name == "Unspecified error"
    strange = refused(errors.MeterError, decode, long_frame(0x08, 1, 0x70, b"\x44"))
    assert (strange.name, strange.code) == ("Unknown error (0x44)", "mbus.meter.unknown")
    assert busy.code in errors.CODES and strange.code in errors.CODES


def test_every_cut_of_a_telegram_is_truncated_and_every_longer_one_refused():
    """A frame says its length: any shorter piece lacks bytes, any longer has bytes after its end."""
    for size in range(len(COLD)):
        assert refused(errors.Truncated, decode, COLD[:size]).code == "mbus.truncated"
    assert refused(errors.BadLength, decode, COLD + b"\x00").at == len(COLD)


def test_a_changed_byte_anywhere_is_noticed():
    """FT1.2: lengths stand twice, start and stop are fixed, the sum covers the rest; one changed byte breaks one."""
    for at in range(len(GAS)):
        damaged = GAS[:at] + bytes([GAS[at] ^ 0x01]) + GAS[at + 1 :]
        refused(errors.MBusError, decode, damaged)


def test_a_request_is_no_reading():
    """Only RSP_UD carries one: control 08 with ACD and DFC; 53 comes from a master, 48 and 09 from nobody."""
    assert refused(errors.Unsupported, decode, long_frame(0x53, 0xFE, 0x51, b"\x01\x7a\x08")).at == 4
    assert refused(errors.BadFrame, decode, long_frame(0x09, 1, 0x72, HEADER)).code == "mbus.frame"
    assert refused(errors.Unsupported, decode, ACK).at == 0
    assert refused(errors.Unsupported, decode, long_frame(0x08, 1, 0x71, HEADER)).at == 6
    assert decode(long_frame(0x38, 1, 0x72, HEADER)).records == []


def test_a_masters_frames_are_those_of_the_standard():
    """EN 13757-2: 10 40 FD 3D 16 and 10 7B FD 78 16; a selection is SND_UD with CI 52 to address FD."""
    assert snd_nke(SELECTED) == unhex("10 40 FD 3D 16")
    assert req_ud2(SELECTED) == unhex("10 7B FD 78 16")
    assert req_ud2(1, False) == unhex("10 5B 01 5C 16")
    # 53 + FD + 52 + 78 + 56 + 34 + 12 + 24 + 40 + 01 + 07 = 0x322
    chosen = select(unhex("78 56 34 12 24 40 01 07"))
    assert chosen == unhex("68 0B 0B 68 53 FD 52 78 56 34 12 24 40 01 07 22 16")
    assert parse_frame(chosen) == Frame("long", 0x53, 0xFD, 0x52, unhex("78 56 34 12 24 40 01 07"))


def test_a_selection_with_wildcards_fits_as_the_standard_says():
    """EN 13757-3 clause 11.3: F digits of the id, FFFF of the manufacturer, FF of version and medium match any."""
    own = unhex("78 56 34 12 24 40 01 07")
    for pattern in ("7856341224400107", "FFFFFFFFFFFFFFFF", "7F5634F2FFFFFF07", "78563412FFFF01FF"):
        assert selects(unhex(pattern), own)
    for pattern in (
        "7956341224400107",
        "F956341224400107",
        "78563412FF400107",
        "7856341224400106",
        "78563412",
    ):
        assert not selects(unhex(pattern), own)


def test_a_reader_gives_frames_however_the_bytes_come():
    """Three frames one byte at a time: E5, a short frame, a capture; before each end the reader asks for more."""
    stream = ACK + snd_nke(1) + GAS
    reader = FrameReader()
    seen = []
    for byte in stream:
        assert reader.missing() > 0
        reader.feed(bytes([byte]))
        frame = reader.take()
        if frame is not None:
            seen.append(frame.kind)
    assert seen == ["ack", "short", "long"]
    reader.feed(stream)
    assert [reader.take().kind for _ in range(3)] == seen
    assert reader.take() is None


def test_a_reader_forgets_everything_after_damage():
    """The line falls idle and the master asks again (EN 13757-2): what came with the damage is not read."""
    reader = FrameReader()
    reader.feed(unhex("10 40 FD 3E 16") + GAS)
    refused(errors.BadChecksum, reader.take)
    assert reader.take() is None
    reader.feed(GAS)
    assert reader.take().ci == 0x72


def test_what_is_missing_is_known_as_soon_as_the_length_is():
    """A long frame of length L has L + 6 bytes: GAS has L 64 and so 70; wrong starts are known at once."""
    assert missing(b"") == 1
    assert missing(GAS[:3]) == 67
    assert missing(GAS) == 0
    assert split_frame(GAS[:-1]) is None
    assert refused(errors.BadFrame, missing, b"\x00").code == "mbus.frame"
    assert refused(errors.BadLength, missing, unhex("68 02")).at == 1
    assert refused(errors.BadLength, missing, unhex("68 05 06")).at == 2


def test_a_template_takes_another_reading_id_and_access_number():
    """Only the register, the header and the fabrication number of the same id change, and the checksum holds."""
    made = with_reading(COLD, 4536, "00000017", 7)
    telegram = decode(made)
    assert volume(telegram) == (4536, -1)
    assert (telegram.identity.id, telegram.identity.access) == ("00000017", 7)
    assert telegram.records[0].value_text() == "17"
    changed = [at for at in range(len(COLD)) if COLD[at] != made[at]]
    # id at 7, access at 15; records from 19: 6 + 22 + 6 + 14 bytes, so the volume is at 67 and its data at 69.
    assert changed == [7, 8, 9, 10, 15, 21, 22, 23, 24, 69, len(COLD) - 2]
    assert with_reading(GAS, 10834092) == GAS


def test_a_reading_that_does_not_fit_is_the_callers_fault():
    """Eight BCD digits hold 99 999 999; a 3-byte integer of type B holds 2^23 - 1."""
    assert volume(decode(with_reading(GAS, 99999999))) == (99999999, -3)
    assert volume(decode(with_reading(WATER, (1 << 23) - 1))) == ((1 << 23) - 1, -3)
    refused(ValueError, with_reading, GAS, 100000000)
    refused(ValueError, with_reading, WATER, 1 << 23)
    refused(ValueError, with_reading, WATER, -1)
    refused(ValueError, with_reading, GAS, 1, "123")
    refused(ValueError, with_reading, GAS, 1, "12345678", 256)


def test_a_template_without_a_settable_register_is_refused():
    """A real32 register and the fixed structure cannot carry a counted reading."""
    refused(errors.Unsupported, with_reading, answer("05 13 00 00 20 3E"), 1)
    refused(errors.NoRegister, with_reading, answer("01 FD 17 00"), 1)
    fixed = unhex("68 13 13 68 08 05 73 78 56 34 12 0A 00 E9 7E 01 00 00 00 35 01 00 00 3C 16")
    refused(errors.Unsupported, with_reading, fixed, 1)


def test_decimal_text_has_every_digit():
    """Written out: 101 thousandths, minus 5 tenths, 5 hundreds, nought to the millilitre."""
    assert [decimal_text(*number) for number in ((101, -3), (-5, -1), (5, 2), (0, -3), (12, 0))] == [
        "0.101", "-0.5", "500", "0.000", "12",
    ]  # fmt: skip


def test_of_several_telegrams_the_one_with_the_current_register_is_the_holder():
    """EN 13757-3: storage 0 is the current value (DIF 03), DIF 43 a stored one; VIF 13 is litres."""
    header = bytes.fromhex("785634122440010755000000")
    none, stored, current = (
        decode(long_frame(0x08, 1, 0x72, header + rest))
        for rest in (b"\x1f", bytes.fromhex("4313e80300"), bytes.fromhex("0313153100"))
    )
    assert holder([none, stored, current]) == 2 and holder([none, current, stored]) == 1
    assert holder([none, stored]) == 1 and volume(current) == (12565, -3)
    for several in ([none], [stored, stored], []):
        try:
            holder(several)
        except errors.NoRegister:
            continue
        raise AssertionError("there is none to prefer")
