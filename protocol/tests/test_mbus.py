"""Every public M-Bus telegram against libmbus' own decoding of it, and hostile bytes.

Frames and expected values: rscada/libmbus f09d613 (BSD-3-Clause), in data/mbus with its licence. The .xml files
declare ISO-8859-1 but hold UTF-8; libmbus prints six decimals and drops an id's leading zeros.
"""

import re
import struct
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_wire.telegram import errors
from meterseal_wire.telegram.mbus import ACK, FrameReader, long_frame, missing, split_frame
from meterseal_wire.telegram.mbus_record import Record
from meterseal_wire.telegram.mbus_slave import with_reading
from meterseal_wire.telegram.mbus_telegram import decode, electronic_address, volume
from meterseal_wire.telegram.mbus_units import EXTENSION_FB, EXTENSION_FD, PRIMARY, TABLES, meaning
from meterseal_wire.telegram.mbus_value import decimal_text, real32

DATA = Path(__file__).parent / "data" / "mbus"
FRAMES = sorted((DATA / "frames").glob("*.hex"))
ERROR_FRAMES = sorted((DATA / "error-frames").glob("*.hex"))
NAMED_ERRORS = sorted((DATA / "error-frames").glob("*.xml"))
UNSUPPORTED = sorted((DATA / "unsupported-frames").glob("*.hex"))

# The eight water and gas telegrams that the bench simulator uses: register in its own steps and the step's power of
# ten, from the volume printed by libmbus and the step of the VIF (13 is 10^-3 m^3, 14 10^-2, 15 10^-1).
TEMPLATES = {
    "LGB_G350": (10834092, -3),
    "itron_cyble_m-bus_v1.4_cold_water": (4535, -1),
    "ACW_Itron-BM-plus-m": (54321, -3),
    "ram_modularis": (10116, -3),
    "siemens_water": (101, -3),
    "EFE_Engelmann-WaterStar": (332, -3),
    "oms_frame1": (2850427, -2),
    "manual_frame3": (12565, -3),
}

# Codes for the frames beside which libmbus names no error: what is wrong with each, found by reading its bytes.
REFUSED = {
    "premature_end_of_dif1": "mbus.truncated",  # the last byte, 8B, announces a DIFE
    "too_long_var_vif": "mbus.truncated",  # a plain text VIF of 243 bytes
    "too_many_vife": "mbus.extensions",  # eleven VIFE
    "too_short_header": "mbus.truncated",  # five of twelve header bytes
    "invalid_length": "mbus.length",  # length 0
    "invalid_length2": "mbus.truncated",  # a fixed structure of 15 bytes instead of 16
    "manual_frame4": "mbus.unsupported",  # SND_UD of a master: set the primary address
    "manual_frame5": "mbus.unsupported",  # SND_UD of a master: set the identification
    "manual_frame6": "mbus.unsupported",  # SND_UD of a master: set the complete identification
}


def frame(path: Path) -> bytes:
    return bytes.fromhex(path.read_text("ascii"))


def xml(path: Path) -> ET.Element:
    return ET.fromstring(re.sub(r"<\?xml.*?\?>", "", path.read_text("utf-8")))


def expected(path: Path) -> ET.Element:
    return xml(path.with_name(path.stem + ".norm.xml"))


def named(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=[path.stem for path in paths])


def as_libmbus(record: Record, printed: str) -> str:
    """Our value in the form in which libmbus printed its own; equal text where it is the same value.

    libmbus computes in binary64 and prints six decimals, so a number agrees when it is within half a digit of the
    last decimal or within 2^-50 of its size.
    """
    text: str = record.value_text()
    if record.number is None:
        return text
    ours, theirs = Fraction(text), Fraction(printed)
    close = abs(ours - theirs) <= Fraction(1, 2 * 10**6) + abs(theirs) / 2**50
    return printed if close else text


def test_all_the_public_frames_are_here() -> None:
    """README of the shared data: 40 frames, 10 error frames of which six name the error, 5 unsupported ones."""
    assert [len(found) for found in (FRAMES, ERROR_FRAMES, NAMED_ERRORS, UNSUPPORTED)] == [40, 10, 6, 5]


@named(FRAMES)
def test_the_slave_is_the_one_that_libmbus_names(path: Path) -> None:
    """Every field of libmbus' SlaveInformation but the product name, which is its own table and not in the frame."""
    identity = decode(frame(path)).identity
    ours = {
        "Id": f"{int(identity.id, 16):X}",
        "Manufacturer": identity.manufacturer,
        "Version": None if identity.version is None else str(identity.version),
        "Medium": identity.medium_name,
        "AccessNumber": str(identity.access),
        "Status": f"{identity.status:02X}",
        "Signature": None if identity.signature is None else f"{identity.signature:04X}",
    }
    slave = expected(path).find("SlaveInformation")
    assert slave is not None
    assert ours == {name: slave.findtext(name) for name in ours}


@named(FRAMES)
def test_every_record_is_the_one_that_libmbus_prints(path: Path) -> None:
    """Function, storage number, tariff, device, unit, quantity and value of each DataRecord, where it prints them."""
    wanted = expected(path).findall("DataRecord")
    records = decode(frame(path)).records
    assert len(records) == len(wanted)
    for record, printed in zip(records, wanted, strict=True):
        value = printed.findtext("Value")  # None beside a reserved VIF: libmbus then prints an empty record
        ours = {
            "Function": record.function,
            "StorageNumber": str(record.storage),
            "Tariff": str(record.tariff),
            "Device": str(record.device),
            "Unit": record.unit,
            "Quantity": record.quantity,
            "Value": record.value_text() if value is None else as_libmbus(record, value),
        }
        theirs = {child.tag: child.text or "" for child in printed}
        assert theirs or record.quantity == "Reserved"
        assert {name: ours[name] for name in theirs} == theirs


@named(ERROR_FRAMES)
def test_an_error_frame_is_refused_by_name(path: Path) -> None:
    """Each is refused by libmbus or reports it as the meter's error; the code is one of those that we publish."""
    with pytest.raises(errors.MBusError) as refused:
        decode(frame(path))
    assert refused.value.code in errors.CODES
    assert isinstance(refused.value, errors.MeterError) == path.with_suffix(".xml").exists()


@named(NAMED_ERRORS)
def test_the_meters_own_error_has_libmbus_name(path: Path) -> None:
    """The Error element beside the frame."""
    with pytest.raises(errors.MeterError) as refused:
        decode(frame(path.with_suffix(".hex")))
    assert refused.value.name == xml(path).findtext("SlaveInformation/Error")


@named([path for path in ERROR_FRAMES + UNSUPPORTED if not path.with_suffix(".xml").exists()])
def test_what_is_wrong_with_a_frame_is_named(path: Path) -> None:
    """REFUSED says for each what its bytes show."""
    with pytest.raises(errors.MBusError) as refused:
        decode(frame(path))
    assert refused.value.code == REFUSED[path.stem]


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_the_register_of_each_template_is_found(name: str) -> None:
    """The volume that libmbus prints for it, in the steps of its VIF."""
    assert volume(decode(frame(DATA / "frames" / f"{name}.hex"))) == TEMPLATES[name]


@pytest.mark.parametrize("name", sorted(TEMPLATES))
@given(advance=st.integers(0, 100000), id=st.integers(0, 99999999), access=st.integers(0, 255))
def test_a_template_advances_and_keeps_its_layout(name: str, advance: int, id: int, access: int) -> None:  # noqa: A002
    """A slave is its template with another reading: other records, manufacturer, version and medium stay."""
    template = frame(DATA / "frames" / f"{name}.hex")
    before, units = decode(template), TEMPLATES[name][0] + advance
    after = decode(with_reading(template, units, f"{id:08d}", access))
    assert volume(after) == (units, TEMPLATES[name][1])
    assert (after.identity.id, after.identity.access) == (f"{id:08d}", access)
    assert electronic_address(after.identity)[4:] == electronic_address(before.identity)[4:]
    own = str(int(before.identity.id))
    for old, new in zip(before.records, after.records, strict=True):
        assert (old.quantity, old.unit, old.storage, old.at, old.end) == (
            new.quantity, new.unit, new.storage, new.at, new.end,
        )  # fmt: skip
        if old.quantity == "Fabrication No":
            assert new.value_text() == (str(id) if old.value_text() == own else old.value_text())


def refusal(call: Callable[[], object]) -> errors.MBusError | None:
    """The MBusError that a call raises, None when it returns; any other exception fails the test."""
    try:
        call()
    except errors.MBusError as error:
        return error
    return None


def read_all(data: bytes) -> None:
    """Everything a caller does with a telegram: decode, print each value, look for the register."""
    telegram = decode(data)
    for record in telegram.records:
        assert isinstance(record.value_text(), str)
    volume(telegram)


@given(st.binary(max_size=400))
def test_random_bytes_end_in_one_error_or_a_telegram(data: bytes) -> None:
    """The promise of errors.py: nothing but MBusError, its code published, its offset inside what was given."""
    error = refusal(lambda: read_all(data))
    assert error is None or (error.code in errors.CODES and 0 <= error.at <= len(data))


@given(st.sampled_from([0x70, 0x72, 0x73, 0x76, 0x77]), st.binary(max_size=252))
def test_random_user_data_in_a_sound_frame_decodes_or_is_refused(ci: int, data: bytes) -> None:
    """The same behind a good checksum, where the records' own bytes are hostile."""
    sent = long_frame(0x08, 1, ci, data)
    error = refusal(lambda: read_all(sent))
    assert error is None or (error.code in errors.CODES and 0 <= error.at <= len(sent))


@given(st.binary(max_size=240))
def test_random_records_behind_a_real_header_decode_or_are_refused(data: bytes) -> None:
    """The same behind LGB_G350's own header, so that every example reaches the records."""
    sent = long_frame(0x08, 1, 0x72, frame(DATA / "frames" / "LGB_G350.hex")[7:19] + data)
    error = refusal(lambda: read_all(sent))
    assert error is None or error.code in errors.CODES


@given(
    st.sampled_from(FRAMES),
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_mutated_telegrams_with_a_good_checksum_decode_or_are_refused(
    path: Path, changes: list[tuple[int, int]]
) -> None:
    """A meter that lies inside a sound frame: real telegrams with up to four bytes of user data replaced."""
    whole = frame(path)
    data = bytearray(whole[7:-2])
    for at, byte in changes:
        data[at % len(data)] = byte
    error = refusal(lambda: read_all(long_frame(whole[4], whole[5], whole[6], bytes(data))))
    assert error is None or error.code in errors.CODES


@given(st.lists(st.sampled_from([ACK, frame(FRAMES[0]), frame(FRAMES[1])]), max_size=6), st.integers(1, 50))
def test_a_stream_gives_the_same_frames_in_pieces_of_any_size(frames: list[bytes], piece: int) -> None:
    """What is sent one after the other is read one after the other, whatever a read returns."""
    stream = b"".join(frames)
    reader = FrameReader()
    seen = []
    for at in range(0, len(stream), piece):
        reader.feed(stream[at : at + piece])
        while (found := reader.take()) is not None:
            seen.append(found)
    assert seen == [split_frame(sent)[0] for sent in frames]


@given(st.binary(max_size=300), st.integers(1, 30))
def test_a_reader_of_noise_raises_nothing_else_and_asks_for_more_only_when_it_must(
    noise: bytes, piece: int
) -> None:
    """`missing` is 0 exactly when `take` gives a frame or raises; both end with the noise."""
    reader = FrameReader()
    for at in range(0, len(noise), piece):
        reader.feed(noise[at : at + piece])
        for _ in range(piece + 300):
            wanted = reader.missing()
            try:
                found = reader.take()
            except errors.MBusError:
                assert wanted == 0
                break
            assert (found is None) == (wanted > 0)
            if found is None:
                break


@given(st.binary(max_size=300))
def test_a_frame_is_split_exactly_when_nothing_is_missing(data: bytes) -> None:
    """`missing` and `split_frame` agree on every input: 0 for a whole or a damaged frame, more for a part of one."""
    error = refusal(lambda: missing(data))
    if error is None and missing(data):
        assert split_frame(data) is None
    else:
        assert (
            error is not None
            or refusal(lambda: split_frame(data)) is not None
            or split_frame(data) is not None
        )


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_real32_agrees_with_the_machines_own_floats(number: float) -> None:
    """CPython's struct and Fraction as the oracle: the decimal pair is the very number, not a rounding of it."""
    mantissa, power = real32(struct.pack("<f", number))
    assert mantissa * Fraction(10) ** power == Fraction(number)


@given(st.integers(-(10**20), 10**20), st.integers(-12, 6))
def test_decimal_text_is_the_number(mantissa: int, power: int) -> None:
    """Fraction reads the text back to mantissa times ten to the power."""
    assert Fraction(decimal_text(mantissa, power)) == mantissa * Fraction(10) ** power


def test_the_largest_real32_is_printed_whole() -> None:
    """(2 - 2^-23) * 2^127 has 39 digits: the oracle is CPython's own conversion of the same float."""
    assert decimal_text(*real32(bytes.fromhex("FFFF7F7F"))) == str(int(sys.float_info.radix**128 - 2**104))


@pytest.mark.parametrize("extension", [None, 0xFD, 0xFB])
def test_no_code_has_two_meanings(extension: int | None) -> None:
    """Rows of one table do not overlap, so the order of look-up says nothing."""
    rows, durations = TABLES[extension]
    spans = [range(row[0], row[0] + row[1]) for row in rows]
    spans += [range(row[0], row[0] + len(row[1])) for row in durations]
    codes = [code for span in spans for code in span]
    assert len(codes) == len(set(codes))
    assert max(codes) <= 0x7F


def test_every_primary_code_is_known_but_those_that_are_reserved() -> None:
    """EN 13757-3 clause 6.4: 6F is reserved; 7B and 7D only announce a table, 7C is plain text."""
    unknown = [code for code in range(0x80) if meaning(None, code)[0] == "Reserved"]
    assert unknown == [0x6F, 0x7B, 0x7C, 0x7D]
    assert len(PRIMARY) + len(EXTENSION_FD) + len(EXTENSION_FB) > 90
