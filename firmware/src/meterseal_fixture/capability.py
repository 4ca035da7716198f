"""What each front end can do, and how much a board keeps. One row each; nothing else states these figures.

The front end's answer to `I` is made from its row, and the fixture signs that answer in its boot (label CLOCK), so
what the judge computes with is what stands here. docs/hardware.md shows the same table; a test compares them.

How the figures of rp2350-pio follow (firmware/tests/cpython/test_pio.py shows them on an emulator):

- resolution 1: the pin is looked at once a tick, so a stamp is late by up to one tick.
- jitter 1: the input synchroniser may show an edge one system cycle late, 1/150 tick, rounded up to a whole one.
- 10 000 Hz a channel, all channels at once: the program itself follows to just under 500 kHz; what limits is the ring
  of 1024 stamps, which at 10 kHz leaves the interpreter 101 ms between two looks (it looks every 5 ms).
- 500 Hz where bounce is rejected, as each edge is then taken by itself: an estimate, 8 x 500 edges a second leave
  250 us each. No board has shown it.

esp32s3-pcnt counts without stamps: for the static start-stop method only, never for a point that is timed by pulses.
Its ticks are the interpreter's milliseconds. Its resolution is the longest that may lie between two looks: a unit goes
round at 32 000, which takes 3.2 s at the greatest rate, and a later look is noticed (`counters`). PCNT itself follows
far faster; the rate is what leaves the interpreter that time. Jitter: a look is late by up to one millisecond.

A queue keeps `runs_kept` signed runs: (2 MiB - 192 KiB reserve) // 1536 = 1237, a result with its attempt being about
1.5 KiB for eight positions and three points (150 bytes a meter, design section 5, and heads). Evidence, kept in the
same queue until it has custody, takes its own place on top.
"""

RESULT_BYTES = 1536


class Row:
    """One front end: channels with the reference, ticks a second, resolution and jitter in ticks, greatest rates in
    Hz (edges taken all at once; one by one, where bounce is rejected: 0 where it cannot be). Whether it stamps edges is
    whether it could reject bounce: both need each edge's time.
    """

    def __init__(self, name: str, channels: int, clock: tuple[int, int, int], rates: tuple[int, int]) -> None:
        self.name = name
        self.channels = channels
        self.ticks_per_s, self.resolution, self.jitter = clock
        self.rate_hz, self.rate_one_by_one_hz = rates
        self.stamps = self.rate_one_by_one_hz > 0

    def clock(self) -> tuple[int, int, int]:
        """(ticks a second, resolution, jitter), as the front end says it and the boot signs it."""
        return (self.ticks_per_s, self.resolution, self.jitter)


RP2350_PIO = Row("rp2350-pio", 8, (1_000_000, 1, 1), (10_000, 500))
ESP32S3_PCNT = Row("esp32s3-pcnt", 4, (1000, 3200, 1), (10_000, 0))
FRONT_ENDS = (RP2350_PIO, ESP32S3_PCNT)


def runs_kept(queue_bytes: int, reserve_bytes: int, result_bytes: int = RESULT_BYTES) -> int:
    """How many runs a queue holds before one of them must have custody; the reserve lets a run be signed to its end."""
    return (queue_bytes - reserve_bytes) // result_bytes
