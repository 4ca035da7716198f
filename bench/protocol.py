"""Sizes of what is signed, and rates against bare `cryptography` (speed.py)."""

import speed
from meterseal_wire import labels as L
from meterseal_wire.statement import Author, build
from row import Row

POINTS = 3
RESULT_GOAL, PER_METER_GOAL = 400, 200
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


class Signer:
    """Stands where a key would: an ESP256 signature is 64 bytes whatever it signs, and only sizes are taken."""

    public_xy = bytes(64)

    def sign(self, _message: bytes) -> bytes:
        """64 bytes."""
        return bytes(64)


def result_bytes(positions: int) -> int:
    """Length of a signed result of that many positions with three points each."""
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
    return len(build(Author("YUHANG1", "W1", Signer()), L.KIND_RESULT, payload, (7, 42, bytes(32))))


def rows() -> list[Row]:
    """Sizes first, then what speed.py measures."""
    return [
        Row(
            "protocol.result_bytes", result_bytes(1), "B", goal=RESULT_GOAL, note="one position, three points"
        ),
        Row(
            "protocol.result_bytes_per_meter",
            result_bytes(20) / 20,
            "B",
            goal=PER_METER_GOAL,
            note="twenty positions, three points",
        ),
        *speed.rows(),
    ]
