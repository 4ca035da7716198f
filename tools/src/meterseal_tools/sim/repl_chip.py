"""What a simulated board has around its interpreter: a chip's number and, where one is fitted, a secure element.

The element is the strict one that firmware/tests drives the driver against (element.py there); what a real one keeps
without power (configuration, locks, keys, counters) lies in a file beside the board, so it outlives every restart.
"""

from dataclasses import dataclass
from pathlib import Path

# Runs in MicroPython before its REPL. A machine module comes first, because the unix port's own has no unique_id.
NUMBER = """
import sys, vfs
class machine:
    @staticmethod
    def unique_id():
        return bytes.fromhex("%s")
sys.modules["machine"] = machine
del machine
"""

# The element's own imports come from this computer, before the board's root is put over it, and leave no module behind.
# Simulated time passes as this machine's does, since the driver sleeps outside of it.
ELEMENT = """
def fit(search, kept):
    import json, time
    sys.path[:0] = search
    from element import Clock, Element
    del sys.path[:len(search)]
    for name in list(sys.modules):
        if name == "element" or name.startswith("meterseal_"):
            del sys.modules[name]
    outside, part = vfs.VfsPosix(), Element(Clock())
    def state():
        keys = {str(slot): hex(key) for slot, key in part.keys.items()}
        return json.dumps([part.config.hex(), keys, part.counters, part.drawn])
    def keep():
        with outside.open(kept, "w") as file:
            file.write(state())
    try:
        with outside.open(kept, "r") as file:
            config, keys, part.counters, part.drawn = json.loads(file.read())
        part.config[:] = bytes.fromhex(config)
        part.keys = {int(slot): int(key, 16) for slot, key in keys.items()}
    except OSError:
        keep()
    class I2C:
        def __init__(self, number, sda, scl, freq):
            part.hz = freq
            self.last = time.ticks_us()
        def writeto(self, address, data):
            return self.pass_on(part.writeto, address, data)
        def readfrom_into(self, address, buffer):
            return self.pass_on(part.readfrom_into, address, buffer)
        def pass_on(self, work, *given):
            now = time.ticks_us()
            part.clock.now += time.ticks_diff(now, self.last)
            self.last = now
            before = state()
            try:
                return work(*given)
            finally:
                if state() != before:
                    keep()
    class Pin:
        OUT = 1
        def __init__(self, number):
            pass
    class esp32:
        PCNT = object
    machine, network = sys.modules["machine"], object()
    machine.I2C, machine.Pin, machine.UART, machine.WDT = I2C, Pin, object, object
    sys.modules["network"], sys.modules["esp32"] = network, esp32
fit(%r, %r)
del fit
"""


@dataclass(frozen=True)
class Chip:
    """The chip's number in hex; `element`, a file for what a fitted element keeps, with `search`, where its simulation
    and what that imports lie.
    """

    unique_id: str = "e66138528350be34"
    element: Path | None = None
    search: tuple[Path, ...] = ()

    def setup(self) -> str:
        """What the interpreter runs before the board's root is mounted."""
        fitted = ELEMENT % ([str(path) for path in self.search], str(self.element)) if self.element else ""
        return NUMBER % self.unique_id + fitted
