"""Sizes of what is signed, beside the same content in other forms (forms.py); rates are speed.py's."""

import segno
from segno import consts

import forms
import speed
from meterseal_protocol import qr
from meterseal_protocol.certificate import Certificate, issue
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.statement import read
from meterseal_wire import labels as L
from meterseal_wire.statement import Author, build
from row import Row

POINTS = 3
RESULT_GOAL, PER_METER_GOAL, QR_GOAL = 400, 200, 12
BASE = "https://meterseal.example.org"
METER = "DEMO.1208205812345"
URL_CHARACTERS = 59
# An ordinary water point: Q3 of a DN 15 meter for four minutes, capture clock of 1 MHz.
POINT = [
    0,
    0,
    1,
    160,
    230_400_000,
    16_000,
    230_412_345,
    160,
    20_150,
    20_210,
    30_150,
    30_090,
    240_000,
    2_480_000,
    2_512_000,
]


def result(positions: int) -> bytes:
    """A signed result of that many positions with three points each."""
    seats = [
        {
            L.POSITION: number,
            L.POINTS: [[point, *POINT[1:]] for point in range(POINTS)],
            L.END_REGISTER: 1_234_567,
            L.TIGHTNESS: [160_000, 159_800, 60],
        }
        for number in range(1, positions + 1)
    ]
    payload = {
        L.ATTEMPT: [7, 41],
        L.POSITIONS: seats,
        L.CONDITIONS: [[20_000, 20_150, 20_300], [20_000, 20_150, 20_300], [10_120, 10_130, 10_140]],
        L.EVIDENCE_ROOT: bytes(32),
    }
    return bytes(
        build(Author("YUHANG1", "W1", PrivateKey.generate()), L.KIND_RESULT, payload, (7, 42, bytes(32)))
    )


def size_rows() -> list[Row]:
    """A result of one position, and of twenty a meter; the same in other forms, without a goal."""
    one, twenty = result(1), result(20)
    found = [
        Row("protocol.result_bytes", len(one), "B", goal=RESULT_GOAL, note="one position, three points"),
        Row(
            "protocol.result_bytes_per_meter",
            len(twenty) / 20,
            "B",
            goal=PER_METER_GOAL,
            note="twenty positions, three points",
        ),
    ]
    for name, made in (("jws", forms.jws), ("dcc", forms.dcc)):
        many = len(made(read(twenty))) / 20
        note = f"the same as {forms.TITLES[name]}; of twenty positions {many:.0f} B a meter"
        found.append(Row(f"protocol.result_{name}_bytes", len(made(read(one))), "B", note=note))
    return found


def qr_row() -> Row:
    """Version of a certificate's QR code at level M with an address of 59 characters."""
    certificate = Certificate(
        issuer="REG-CN",
        meter=METER,
        issued_s=1_795_000_000,
        expires_s=1_826_536_000,
        territory=("33",),
        rules=bytes(range(8)),
        result=bytes(range(16)),
        position=20,
        end_register=123_456,
        exponent=-3,
        marks=bytes(range(8)),
        status_list=1,
        status_index=1_000_000,
        demo=False,
    )
    raw = issue(Author("REG-CN", "record", PrivateKey.generate()), certificate)
    address, _, fragment = qr.url(BASE, raw, METER).partition("#")
    address = (address + "#").ljust(URL_CHARACTERS, "#")[:URL_CHARACTERS]
    symbol = segno.make(
        [(address, consts.MODE_BYTE), (fragment, consts.MODE_ALPHANUMERIC)],  # type: ignore[arg-type]
        error="m",
        boost_error=False,
    )
    return Row(
        "protocol.qr_version", int(symbol.version), "", goal=QR_GOAL, note=f"{len(raw)} bytes, level M"
    )


def rows() -> list[Row]:
    """Sizes first, then what speed.py measures."""
    return [*size_rows(), *speed.rows(), qr_row()]
