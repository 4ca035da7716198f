"""An M-Bus slave: a meter's bus interface, answering with its captured telegram and the register of this moment.

EN 13757-2 link layer and EN 13757-3 network layer, as far as a master that reads meters uses it: SND_NKE, selection
by secondary address with wildcards, REQ_UD2 with its frame count bit, REQ_UD1, other SND_UD. A repeated frame count
bit gets the same telegram again, as the standard wants: a master that never toggles it reads a stale register.
With `leading` telegrams it answers over several: those have no records of their own, say that more follow (DIF 1F), and
come before the one with the register.
"""

from dataclasses import dataclass

from meterseal_tools.sim.meter import Meter
from meterseal_wire.telegram import mbus
from meterseal_wire.telegram.mbus_slave import with_reading

FCB, FCV = 0x20, 0x10
SND_NKE, SND_UD = mbus.SND_NKE, mbus.SND_UD & ~FCV
REQ_UD1, REQ_UD2 = mbus.REQ_UD1 & ~FCV, mbus.REQ_UD2 & ~FCV
GARBAGE = bytes([0x0F, 0xAA])
HEADER, VARIABLE, MORE_FOLLOW = slice(7, 19), 0x72, b"\x1f"


@dataclass
class BusFaults:
    """What a slave does wrong with its next telegrams: that many with a bad checksum; that many bytes of garbage
    before each answer; never an answer.
    """

    bad_checksums: int = 0
    garbage: int = 0
    silent: bool = False


class Slave:
    """The bus side of one meter. `answer` is called with every valid frame on the line, addressed to it or not."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.faults = BusFaults()
        self.primary = meter.template[5]
        self.access = meter.template[15]
        self.selected = False
        self.leading = 0
        self._sent = 0
        self._last_fcb: int | None = None
        self._last = b""

    def answer(self, frame: mbus.Frame, tick: int) -> bytes:
        """What it sends at that tick; empty where it stays quiet."""
        raw = self._answer(frame, tick)
        if not raw or self.faults.silent or self.meter.silent:
            return b""
        if self.faults.bad_checksums and len(raw) > 1:
            self.faults.bad_checksums -= 1
            raw = raw[:-2] + bytes([raw[-2] ^ 0x5A, raw[-1]])
        return (GARBAGE * self.faults.garbage)[: self.faults.garbage] + raw

    def _answer(self, frame: mbus.Frame, tick: int) -> bytes:
        control = frame.control & ~(FCB | FCV)
        if frame.address == mbus.SELECTED and control == SND_UD and frame.ci == mbus.CI_SELECT:
            return self._select(frame.data)
        if not self._addressed(frame.address):
            return b""
        if control == SND_NKE:
            return self._reset(frame.address)
        if control == REQ_UD2:
            return self._respond(frame, tick)
        return mbus.ACK if control in (SND_UD, REQ_UD1) and frame.address != mbus.ALL else b""

    def _addressed(self, address: int) -> bool:
        if address == mbus.SELECTED:
            return self.selected
        return address in (self.primary, mbus.ALL_WITH_ANSWER, mbus.ALL)

    def _select(self, wanted: bytes) -> bytes:
        self.selected = mbus.selects(wanted, self.meter.secondary_address)
        self._last_fcb, self._sent = None, 0
        return mbus.ACK if self.selected else b""

    def _reset(self, address: int) -> bytes:
        self._last_fcb, self._sent = None, 0
        self.selected = False
        return b"" if address == mbus.ALL else mbus.ACK

    def _respond(self, frame: mbus.Frame, tick: int) -> bytes:
        if frame.address == mbus.ALL:
            return b""
        fcb = frame.control & FCB
        if not (frame.control & FCV and fcb == self._last_fcb):
            ahead = self._sent % (self.leading + 1) < self.leading
            self._last = self.head() if ahead else self.telegram(tick)
            self._last_fcb, self._sent = fcb, self._sent + 1
        return self._last

    def head(self) -> bytes:
        """RSP_UD with the template's header, and that more records follow in the next telegram."""
        header = self.telegram(0)[HEADER]
        return bytes(mbus.long_frame(mbus.RSP_UD, self.primary, VARIABLE, header + MORE_FOLLOW))

    def telegram(self, tick: int) -> bytes:
        """RSP_UD with the register at `tick` and the next access number."""
        self.access = (self.access + 1) & 0xFF
        return bytes(
            with_reading(
                self.meter.template, self.meter.register(tick), id=self.meter.shown_id, access=self.access
            )
        )
