"""The tray's order, and the bus address that a scanned serial fills in."""

from meterseal_fixture.errors import Refused
from meterseal_fixture.tray import Tray, bus_of


def code_of(act, *given):
    try:
        act(*given)
    except Refused as why:
        return why.code
    return "accepted"


def filled(places, *meters):
    tray = Tray(places)
    for meter in meters:
        tray.put(meter)
    return tray


def test_positions_are_filled_in_order_and_a_full_tray_refuses():
    """Three places."""
    tray = filled(3, "A.1", "A.2", "A.3")
    assert tray.rows() == [[1, "A.1"], [2, "A.2"], [3, "A.3"]]
    assert code_of(tray.put, "A.4") == "scan.full"
    assert code_of(tray.put, "A.2") == "scan.double"
    assert tray.rows() == [[1, "A.1"], [2, "A.2"], [3, "A.3"]]


def test_back_takes_out_what_came_last():
    """Twice back, then its place is filled again; back on an empty tray does nothing."""
    tray = filled(3, "A.1", "A.2", "A.3")
    tray.back()
    tray.back()
    assert tray.put("A.9") == 2 and tray.rows() == [[1, "A.1"], [2, "A.9"]]
    tray.back()
    tray.back()
    tray.back()
    assert tray.rows() == [] and tray.put("A.5") == 1


def test_a_position_that_is_named_is_filled_next_and_may_replace():
    """Position 2 is left empty by going to 3; going back to 1 replaces, and the next free one is 2."""
    tray = filled(4, "A.1")
    tray.go_to(3)
    assert tray.put("A.3") == 3
    tray.go_to(1)
    assert tray.put("A.9") == 1 and tray.put("A.2") == 2 and tray.put("A.4") == 4
    assert tray.rows() == [[1, "A.9"], [2, "A.2"], [3, "A.3"], [4, "A.4"]]
    assert [code_of(tray.go_to, number) for number in (0, 5)] == ["scan.position"] * 2
    tray.go_to(3)
    assert code_of(tray.put, "A.4") == "scan.double" and tray.put("A.3") == 3


def test_an_open_bus_address_gets_the_serials_digits():
    """EN 13757-3: identification 12345678 is 78 56 34 12 as sent. CJ/T 188-2018: kind, then seven bytes, lowest first;
    what the order names stays.
    """
    mbus = bytes((0xFF, 0xFF, 0xFF, 0xFF, 0x77, 0x04, 0x14, 0x16))
    assert bus_of(mbus, "DEMO.12345678") == bytes((0x78, 0x56, 0x34, 0x12, 0x77, 0x04, 0x14, 0x16))
    assert bus_of(mbus, "DEMO.X-0012345678")[:4] == bytes((0x78, 0x56, 0x34, 0x12))
    cjt = bytes((0x10, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0x11, 0x33))
    assert bus_of(cjt, "DEMO.9876543210") == bytes((0x10, 0x10, 0x32, 0x54, 0x76, 0x98, 0x11, 0x33))
    named = bytes((1, 2, 3, 4, 0xFF, 0xFF, 0xFF, 0xFF))
    assert bus_of(named, "DEMO.X") == named


def test_a_serial_with_too_few_digits_leaves_no_address_to_guess():
    """Seven digits, a letter among the last eight, the dot among them."""
    mbus = bytes((0xFF,) * 4) + bytes(4)
    for meter in ("D.1234567", "DEMO.1234A678", "DEMO.X"):
        assert code_of(bus_of, mbus, meter) == "scan.serial", meter
