"""Modbus RTU frames (MODBUS over Serial Line V1.02, Application Protocol V1.1b3): what a valve or pump is told.

    unit · function · data · CRC-16 (polynomial A001 reflected, start FFFF, low byte first), at most 256 bytes

Registers are 16 bits, high byte first. An answer with the function's top bit set is an exception with one code.
"""

from meterseal_wire.errors import BadShape

READ, WRITE_ONE, WRITE_MANY = 0x03, 0x06, 0x10
EXCEPTION = 0x80
SMALLEST = 5
LARGEST = 256


def crc16(data: bytes) -> bytes:
    """The two bytes at a frame's end."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return bytes((value & 0xFF, value >> 8))


def frame(unit: int, function: int, data: bytes) -> bytes:
    """A whole frame."""
    body = bytes((unit, function)) + data
    return body + crc16(body)


def read_registers(unit: int, register: int, count: int) -> bytes:
    """Ask for `count` holding registers from `register` on."""
    return frame(unit, READ, register.to_bytes(2, "big") + count.to_bytes(2, "big"))


def write_registers(unit: int, register: int, values: list[int]) -> bytes:
    """Set holding registers from `register` on: function 06 for one, 10 for several."""
    start, content = register.to_bytes(2, "big"), b"".join([value.to_bytes(2, "big") for value in values])
    if len(values) == 1:
        return frame(unit, WRITE_ONE, start + content)
    head = start + len(values).to_bytes(2, "big") + bytes((len(content),))
    return frame(unit, WRITE_MANY, head + content)


def missing(raw: bytes) -> int:
    """How many more bytes an answer wants at least; 0 when it is complete."""
    return max(0, (SMALLEST if len(raw) < 3 else _size(raw)) - len(raw))


def _size(raw: bytes) -> int:
    if raw[1] & EXCEPTION:
        return SMALLEST
    return 3 + raw[2] + 2 if raw[1] == READ else 8


def answer(raw: bytes, unit: int, function: int) -> bytes:
    """The data of an answer to that function of that unit, or one byte of code for an exception (then check
    `is_exception`). BadShape for damage, and for whoever was not asked.
    """
    # The length first: a sound frame with a zero behind it has a fitting CRC again.
    if not SMALLEST <= len(raw) <= LARGEST or len(raw) != _size(raw) or crc16(raw[:-2]) != raw[-2:]:
        raise BadShape(0, "a damaged Modbus frame")
    if raw[0] != unit or raw[1] & ~EXCEPTION & 0xFF != function:
        raise BadShape(0, "an answer to another question")
    return raw[3:-2] if raw[1] == READ else raw[2:-2]


def is_exception(raw: bytes) -> bool:
    """True if a sound frame is an exception."""
    return bool(raw[1] & EXCEPTION)
