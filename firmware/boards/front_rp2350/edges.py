"""The PIO program that stamps rising edges, and what its figures follow from.

One state machine a channel, all eight with this one program and started in the same clock cycle. Every way through
the program takes TICK_CYCLES instruction cycles from one `x_dec` to the next, so X counts time and never waits:

    low, no edge    jmp(x_dec) 1, jmp(pin) 1, jmp("low") 3
    low, edge       jmp(x_dec) 1, jmp(pin) 1, mov 1, push 2
    high            jmp(x_dec) 1, jmp(pin) 4, taken or not

The pin is looked at once a tick. An edge is seen where one look finds it low and the next high: both halves of a
pulse must last longer than one tick (LEAST_HALF_NS says it with the synchroniser's wobble of one system cycle).
A stamp is the number of the look that found the pin high, so it is late by up to one tick: resolution 1.

`push(noblock)` into a full FIFO loses the stamp, not the time, and sets RXSTALL in FDEBUG, which `board.py` asks.

Sources: RP2350 datasheet, chapter PIO (Instruction Set; Clock Dividers; Input Synchronisers: two system cycles, and
an edge within its set-up time is seen one cycle later). firmware/tests/cpython/test_pio.py runs
this very program cycle by cycle.
"""
# The names of PIO's assembler are put in place by the decorator.
# ruff: noqa: F821
# mypy: disable-error-code="name-defined"

from rp2 import PIO, asm_pio

SYSTEM_HZ = 150_000_000
TICK_CYCLES = 5
TICKS_PER_S = 1_000_000
PIO_HZ = TICK_CYCLES * TICKS_PER_S  # a whole divider of SYSTEM_HZ: 30, so no fractional divider that wobbles
LEAST_HALF_NS = 1007  # one tick of 1000 ns and one system cycle of 6.67 ns


@asm_pio(fifo_join=PIO.JOIN_RX)
def edges():
    """X counts down from 2**32 - 1; a stamp is its complement, so it counts up."""
    wrap_target()
    label("low")
    jmp(x_dec, "looked_low")
    label("looked_low")
    jmp(pin, "rise")
    jmp("low")[2]
    label("rise")
    mov(isr, invert(x))
    push(noblock)[1]
    label("high")
    jmp(x_dec, "looked_high")
    label("looked_high")
    jmp(pin, "high")[3]
    wrap()
