"""Fuzz target: a meter's CJ/T 188 telegram. A frame is built again byte for byte, or one named error."""

from collections.abc import Callable

from meterseal_wire.telegram import cjt188
from meterseal_wire.telegram.cjt188 import Frame, address_bytes, build, missing, parse_frame, split_frame
from meterseal_wire.telegram.cjt188_errors import CODES, Cjt188Error
from meterseal_wire.telegram.cjt188_reading import decode
from meterseal_wire.telegram.cjt188_slave import Meter, answer

DIGITS = "78330011223344"
METER = Meter(0x10, DIGITS, 123_456_789)
OWN = address_bytes(DIGITS)


def one(data: bytes) -> None:
    """Take `data` as it is, and with length and checksum made right so that the data field is reached."""
    _taken(data)
    _taken(_framed(data))


def _framed(body: bytes) -> bytes:
    head = (body[:10] if body[:1] == b"\x68" else b"\x68" + body[:9]).ljust(10, b"\0")
    inner = body[11:-2][:255]
    whole = head + bytes((len(inner),)) + inner
    return whole + bytes((cjt188.checksum(whole), cjt188.STOP))


def _taken(data: bytes) -> None:
    try:
        whole = not missing(data)
        assert whole == (split_frame(data) is not None), "what is missing and what is split disagree"
        frame = parse_frame(data)
        assert build(frame, 0) == data.lstrip(b"\xfe"), "taken, and spelled differently again"
        mantissa, power = decode(data).current
        assert 0 <= mantissa < 10**8 and -5 <= power <= 0, (
            f"{mantissa} * 10^{power} is not eight digits of volume"
        )
    except Cjt188Error as error:
        assert error.code in CODES, f"code {error.code} is not listed"
        assert 0 <= error.at <= len(data), f"error at byte {error.at} of {len(data)}"
    back, _ = answer(METER, data)
    assert back is None or parse_frame(back).digits() == DIGITS, "an answer of another meter"


def seeds() -> list[bytes]:
    """Published frames (sources in tests/portable/test_cjt188_portable.py), every request and every answer."""
    published = [
        "FEFEFEFE681044332211003378811 61F900000776655 2C007766552C310122110515202184 1316".replace(" ", ""),
        "FEFEFE6810180212202000008116901F0000020000 2C000200002C0000000000000000FF8516".replace(" ", ""),
        "68104433221100337801031F90008016",
        "FEFEFE6810120000000000008303810A009B16",
    ]
    makes: tuple[Callable[..., bytes], ...] = (
        cjt188.read_current,
        cjt188.enter_verification,
        cjt188.leave_verification,
    )
    asked = [
        make(kind, OWN, 5, low_first)
        for kind in (0x10, 0x30)
        for make in makes
        for low_first in (True, False)
    ]
    asked += [cjt188.read_address(), build(Frame(0x10, OWN, cjt188.READ, b"\x01\x02\x03"))]
    answers = [answer(METER, question)[0] for question in asked]
    return [*map(bytes.fromhex, published), *asked, *filter(None, answers)]
