"""The demo's sixteen meters, as data: what issue 3 asks to happen is in them, and what they are fits together."""

from collections import Counter

import pytest

from meterseal_protocol.words import TABLE
from meterseal_tools.scenario import ADJUSTED, GOOD, MAKERS_OF, SEATS, Seat, seats_of
from meterseal_tools.sim.catalogue import CATALOGUE
from meterseal_tools.world import BENCHES, TYPES


def test_two_benches_hold_eight_meters_each_at_places_of_their_own() -> None:
    """Issue 3: sixteen meters on two benches; positions count from one."""
    for bench in BENCHES:
        assert [seat.position for seat in seats_of(bench.fixture)] == list(range(1, 9))
    assert len(SEATS) == 16


def test_every_meter_is_one_of_a_kind() -> None:
    """Eight digits, as the bus carries them; no two meters share an id."""
    assert len({seat.meter_id for seat in SEATS}) == 16
    assert all(len(seat.serial) == 8 and seat.serial.isdigit() for seat in SEATS)
    assert SEATS[0].meter_id == "DEMO.10020380"


def test_twelve_are_granted_and_each_of_the_others_fails_for_its_own_reason() -> None:
    """Issue 3, step 4: past its limit, one sign, silent, unknown type are refused; all else passes."""
    assert Counter(seat.expected for seat in SEATS) == {"granted": 12, "refused": 4}
    refused = {seat.because for seat in SEATS if seat.expected == "refused"}
    assert refused == {("error.limit",), ("error.same_sign",), ("position.ended",), ("meter.unknown_type",)}
    assert all(seat.because == () for seat in SEATS if seat.expected == "granted")


def test_reasons_are_codes_that_the_judge_has_words_for() -> None:
    """spec: reasons.toml is the one table."""
    assert {code for seat in SEATS for code in seat.because} <= TABLE.keys()


@pytest.mark.parametrize("seat", SEATS, ids=lambda seat: seat.meter_id)
def test_each_meter_stands_on_a_bench_of_its_medium_with_a_telegram_of_its_type(seat: Seat) -> None:
    """A water meter on W1 answers as its approved type's bus identity says: the last four bytes of the address."""
    bench = next(bench for bench in BENCHES if bench.fixture == seat.fixture)
    meter = seat.make()
    assert TYPES[seat.kind].medium == bench.medium == CATALOGUE[seat.kind].medium
    assert meter.serial == seat.serial
    assert meter.secondary_address[4:] == TYPES[seat.kind].bus_identity
    assert seat.character in MAKERS_OF


def test_registers_differ_so_that_no_two_meters_start_alike() -> None:
    """The register follows from the serial: 10020380 modulo 5000 is 380, 00025776 modulo 5000 is 776."""
    by_serial = {seat.serial: seat.make().register(0) for seat in SEATS}
    assert (by_serial["10020380"], by_serial["00025776"]) == (380, 776)
    assert len(set(by_serial.values())) == 16


def test_the_adjusted_meter_fails_before_and_passes_after() -> None:
    """It is made past its limit; adjusting gives it a good meter's curve. Its second try is the one that counts."""
    (seat,) = [seat for seat in SEATS if seat.character == ADJUSTED]
    assert (seat.expected, seat.tries) == ("granted", 2)
    worst = {
        character: MAKERS_OF[character](CATALOGUE[seat.kind], seat.serial).curve
        for character in (ADJUSTED, GOOD)
    }
    assert worst[ADJUSTED] != worst[GOOD]
