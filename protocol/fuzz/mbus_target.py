"""Fuzz target: a meter's M-Bus answer. `decode` and `volume` give exact numbers or one MBusError."""

from pathlib import Path

from meterseal_wire.telegram.errors import CODES, MBusError
from meterseal_wire.telegram.mbus import checksum
from meterseal_wire.telegram.mbus_telegram import decode, volume

DATA = Path(__file__).parents[1] / "tests" / "data" / "mbus"
LONG_HEAD = 4


def one(data: bytes) -> None:
    """Decode `data` as it is, and with its lengths and checksum made right so that the records are reached."""
    _decoded(data)
    _decoded(_framed(data))


def _framed(body: bytes) -> bytes:
    inner = body[LONG_HEAD:-2][:255] if body[:1] == b"\x68" else body[:255]
    return bytes((0x68, len(inner), len(inner), 0x68)) + inner + bytes((checksum(inner), 0x16))


def _decoded(data: bytes) -> None:
    try:
        telegram = decode(data)
        for record in telegram.records:
            # A global readout request has no data: both offsets are 0.
            assert record.at <= record.end <= len(data), f"record {record.at} to {record.end} of {len(data)}"
            assert record.at or record.number is None, f"a number {record.number} out of no data"
            assert isinstance(record.value_text(), str)
        mantissa, power = volume(telegram)
    except MBusError as error:
        assert error.code in CODES, f"code {error.code} is not listed"
        assert 0 <= error.at <= len(data), f"error at byte {error.at} of {len(data)}"
        return
    assert isinstance(mantissa, int) and isinstance(power, int), "a volume that is not exact"


def seeds() -> list[bytes]:
    """The public telegrams of libmbus (see tests/data/mbus), the good and the bad."""
    return [bytes.fromhex(path.read_text("ascii")) for path in sorted(DATA.glob("*/*.hex"))]
