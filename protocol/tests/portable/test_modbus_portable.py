"""Modbus RTU against bytes of others: the CRC's check value, and the frames of public examples."""

from meterseal_wire.errors import WireError
from meterseal_wire.modbus import answer, crc16, frame, is_exception, missing, read_registers, write_registers


def refused(raw, unit=1, function=3):
    try:
        answer(raw, unit, function)
    except WireError:
        return True
    return False


def test_the_crc_has_its_check_value():
    """CRC-16/MODBUS in the catalogue of parametrised CRC algorithms: 4B37 over "123456789", low byte first here."""
    assert crc16(b"123456789") == b"\x37\x4b"


def test_questions_are_those_of_public_examples():
    """01 03 00 00 00 0A C5 CD is the usual first example; 01 06 00 01 00 03 98 0B and 01 10 00 01 00 02 04 00 0A 01 02
    92 30 are those of simplymodbus.ca for functions 06 and 16 with unit 11 made 01: body of the specification,
    section 6.6 and 6.12.
    """
    assert read_registers(1, 0, 10) == bytes.fromhex("01030000000ac5cd")
    assert write_registers(1, 1, [3]) == bytes.fromhex("010600010003980b")
    assert write_registers(1, 1, [10, 258])[:-2] == bytes.fromhex("01100001000204000a0102")
    assert write_registers(0x11, 1, [3]) == bytes.fromhex("1106000100039a9b")


def test_an_answer_is_read_and_what_is_missing_is_known():
    """Specification section 6.3: two registers 022B and 0000 of unit 1."""
    raw = frame(1, 3, bytes.fromhex("04022b0000"))
    assert answer(raw, 1, 3) == bytes.fromhex("022b0000") and not is_exception(raw)
    assert [missing(raw[:size]) > 0 for size in range(len(raw))] == [True] * len(raw) and missing(raw) == 0
    wrote = write_registers(1, 1, [3])
    assert answer(wrote, 1, 6) == bytes.fromhex("00010003") and missing(wrote) == 0


def test_an_exception_is_told_apart():
    """Section 7: function with its top bit, one code."""
    raw = frame(1, 0x83, b"\x02")
    assert is_exception(raw) and answer(raw, 1, 3) == b"\x02" and missing(raw) == 0


def test_damage_and_others_are_refused():
    """Every flipped bit, every cut, another unit, another function."""
    raw = frame(1, 3, bytes.fromhex("04022b0000"))
    for at in range(len(raw)):
        for bit in range(8):
            assert refused(raw[:at] + bytes((raw[at] ^ 1 << bit,)) + raw[at + 1 :])
        assert refused(raw[:at])
    assert refused(raw, 2) and refused(raw, 1, 6) and refused(raw + b"\x00")
