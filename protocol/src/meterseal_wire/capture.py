r"""Lines between a fixture and its counting front end, over UART (or a pty on the unix board).

A line is `<words>*<CRC-16 as 4 hex digits>\n`: ASCII words separated by one blank, all numbers decimal. The check
is CRC-16/CCITT-FALSE over the words. The fixture asks, the front end answers with the same first word; a line
with a bad check is dropped and asked again, since every question is idempotent except `A`, which restarts gates.

    I            -> I <board> <channels> <ticks_per_s> <resolution> <jitter> <greatest_hz>   the last may be missing
    T            -> T <ticks>                            monotonic capture clock, 64 bits
    F <ml_per_h> -> F <ml_per_h>                         set the flow; 0 closes the valve
    Z <seconds>  -> Z <start_10pa> <end_10pa> <seconds> <counts>   closed-bench check: pressures and zero counts
    S            -> S <ticks> <flow_ml_per_h> <air_mk> <air_10pa> <rh_permille> <ref_mk> <ref_10pa> then
                    <mk> <10pa> per position             temperatures in mK above 273 150, absolute pressures
    A <mask>     -> A <ticks>                            arm gates; bit 0 is the reference, bit n position n
    R            -> R <ticks> then <count> <first> <last> per channel, the reference first
    D <mask>     -> D <ticks>                            close gates; their figures stay. Where edges were taken for
                    bounce and not counted, one number of them a channel follows, the reference's first

`count` is whole intervals between the first and the last edge seen since arming; `first` and `last` are ticks
since arming, at most 32 bits.
"""


class BadLine(Exception):
    """A line that is damaged or is not an answer to what was asked. Ask again."""

    code = "capture.line"


def crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE (polynomial 1021, start FFFF) of bytes."""
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1) ^ 0x1021 if value & 0x8000 else value << 1
        value &= 0xFFFF
    return value


def line(*words: object) -> bytes:
    """Words (text or integers) as one line of bytes."""
    body = " ".join(str(word) for word in words).encode()
    return body + b"*%04X\n" % crc16(body)


def words(raw: bytes) -> list[str]:
    """The words of one line; BadLine where the check or the form is wrong."""
    body, star, check = bytes(raw).strip(b"\r\n").rpartition(b"*")
    if not star or check != b"%04X" % crc16(body):
        raise BadLine("check of %r" % (raw,))
    return body.decode().split(" ")
