"""The counting front end's PIO program out of its own source file, and a state machine that runs it.

The assembler here is forty lines after the RP2350 datasheet's instruction encoding; what it makes is compared with what
MicroPython's own `rp2.asm_pio` made. The state machine is `rp2040-pio-emulator`, written by somebody else.

Times are counted in STEPS to a cycle of the system clock, so that an edge can lie between two.
"""

import importlib.util
import sys
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pioemu

ROOT = Path(__file__).resolve().parents[3]
FRONT = ROOT / "firmware/boards/front_rp2350"
STEPS = 16
SYNCHRONISER = 2  # system cycles: RP2350 datasheet, Input Synchronisers
ALL_ONES = 0xFFFFFFFF
DELAY_AT = 8


class Word:
    """The instruction assembled last; `[n]` adds n cycles of delay to it."""

    def __init__(self, program: list[int]) -> None:
        self.program = program

    def __getitem__(self, delay: int) -> "Word":
        self.program[-1] |= delay << DELAY_AT
        return self


class Assembler:
    """Two passes over the function, as in MicroPython: the first finds the labels."""

    def __init__(self, **options: int) -> None:
        self.options = options
        self.program: list[int] = []
        self.labels: dict[str, int] = {}

    def __call__(self, function: Callable[[], None]) -> list[int]:
        names: dict[str, Any] = {
            "x_dec": 2, "pin": 6, "noblock": 0, "isr": 6, "x": 1,
            "invert": lambda source: source | 8, "label": self.label, "jmp": self.jmp,
            "mov": lambda into, source: self.word(0xA000 | into << 5 | source),
            "push": lambda block: self.word(0x8000 | block << 5),
            "wrap_target": lambda: None, "wrap": lambda: None,
        }  # fmt: skip
        function.__globals__.update(names)
        for _ in range(2):
            self.program = []
            function()
        return self.program

    def word(self, opcode: int) -> Word:
        """One more instruction."""
        self.program.append(opcode)
        return Word(self.program)

    def label(self, name: str) -> None:
        """The place of the next instruction."""
        self.labels[name] = len(self.program)

    def jmp(self, condition: int | str, name: str = "") -> Word:
        """`jmp(label)` or `jmp(condition, label)`."""
        if isinstance(condition, str):
            condition, name = 0, condition
        return self.word(condition << 5 | self.labels.get(name, 0))


def load(name: str) -> ModuleType:
    """One file of the front end as a module of its own; `rp2` is the assembler above."""
    rp2 = ModuleType("rp2")
    rp2.PIO = type("PIO", (), {"JOIN_RX": 2})  # type: ignore[attr-defined]
    rp2.asm_pio = Assembler  # type: ignore[attr-defined]
    spec = importlib.util.spec_from_file_location(f"front_rp2350_{name}", FRONT / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get("rp2")
    sys.modules["rp2"] = rp2
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules["rp2"]
        if before:
            sys.modules["rp2"] = before
    return module


EDGES = load("edges")
DIVIDER, REST = divmod(EDGES.SYSTEM_HZ, EDGES.PIO_HZ)
TICK_STEPS = EDGES.TICK_CYCLES * DIVIDER * STEPS


class Run:
    """What one state machine stamped, and the cycles in which it counted down."""

    def __init__(self, stamps: list[int], counted: list[int], left: int) -> None:
        self.stamps, self.counted, self.left = stamps, counted, left


def seen_at(changes: Sequence[int], wobble: Sequence[int]) -> list[int]:
    """The system cycle from which each change of level (in steps) can be seen; wobble is 0 or 1 a change."""
    return [-(-at // STEPS) + SYNCHRONISER + late for at, late in zip(changes, wobble, strict=True)]


def run(visible: Sequence[int], cycles: int, x: int = ALL_ONES, drained_from: int = 0) -> Run:
    """Run the program for `cycles` instruction cycles on a pin that is low and changes at each system cycle `visible`.

    From cycle `drained_from` on, DMA takes what is in the FIFO, one word a tick at most: slower than it is.
    """

    def level(state: pioemu.State) -> int:
        return bisect_right(visible, state.clock * DIVIDER) & 1

    stamps: list[int] = []
    counted: list[int] = []
    free = drained_from
    state = pioemu.State(x_register=x)
    program = pioemu.emulate(
        EDGES.edges, stop_when=lambda _, now: now.clock >= cycles, initial_state=state, input_source=level
    )
    for before, state in program:
        if before.x_register != state.x_register:
            counted.append(before.clock)
        if state.receive_fifo and state.clock >= free:
            stamps.append(state.receive_fifo.popleft())
            free = state.clock + EDGES.TICK_CYCLES
    return Run(stamps, counted, len(state.receive_fifo))
