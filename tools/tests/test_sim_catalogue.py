"""The captured telegrams that the simulated meters answer with."""

import pytest

from meterseal_tools.sim.catalogue import CATALOGUE, telegram
from meterseal_tools.sim.errors import BadSetup
from meterseal_wire import kinds

# libmbus' own decoding of the same frames (*.norm.xml): id, medium byte of EN 13757-3, volume in millilitres.
LIBMBUS = {
    "itron_cyble": (10020380, 0x16, 453_500_000),
    "itron_bm": (11490378, 0x16, 54_321_000),
    "ram": (25776, 0x07, 10_116_000),
    "padpuls": (12345678, 0x07, 12_565_000),
    "waterstar": (4990254, 0x06, 332_000),
    "siemens": (8021382, 0x06, 101_000),
    "lgb": (12082058, 0x03, 10_834_092_000),
    "els": (12345678, 0x03, 28_504_270_000),
}
# Where the volume's digits stand in each frame, read off the hex: (offset, length, binary or BCD).
VOLUME = {
    "itron_cyble": (69, 4, "binary"),
    "itron_bm": (27, 4, "binary"),
    "ram": (21, 4, "binary"),
    "padpuls": (21, 3, "binary"),
    "waterstar": (33, 4, "binary"),
    "siemens": (21, 4, "bcd"),
    "lgb": (23, 4, "bcd"),
    "els": (21, 4, "bcd"),
}


def volume_units(name, frame):
    """The volume record's number in a telegram of that type."""
    at, length, coding = VOLUME[name]
    digits = frame[at : at + length][::-1]
    return int.from_bytes(digits, "big") if coding == "binary" else int(digits.hex())


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_every_template_is_a_sound_frame_with_the_id_and_medium_that_libmbus_reads(name):
    """Length and checksum by EN 13757-2, id and medium against libmbus."""
    frame = telegram(CATALOGUE[name].telegram)
    assert frame[0] == frame[3] == 0x68 and frame[1] == frame[2] == len(frame) - 6
    assert sum(frame[4:-2]) & 0xFF == frame[-2] and frame[-1] == 0x16
    assert int(frame[7:11][::-1].hex()) == LIBMBUS[name][0]
    assert frame[14] == LIBMBUS[name][1]


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_the_register_exponent_is_that_of_the_volume_record(name):
    """Record number times 10 to the exponent of a cubic metre is the volume that libmbus reads."""
    data = CATALOGUE[name]
    assert volume_units(name, telegram(data.telegram)) * data.register_unit_ul == LIBMBUS[name][2] * 1000


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_gas_types_are_built_on_gas_telegrams_and_water_types_on_water(name):
    """EN 13757-3 medium: 0x03 gas; 0x06, 0x07, 0x16 water."""
    data = CATALOGUE[name]
    assert (telegram(data.telegram)[14] == 0x03) == (data.medium == kinds.GAS)


def test_a_telegram_that_is_not_there_is_refused_by_name():
    """A wrong name is the caller's mistake and says so."""
    with pytest.raises(BadSetup, match="no telegram nosuch"):
        telegram("nosuch")
