"""Station 4: the queue in flash. Append-only segments; a statement is kept before anybody hears of it.

Promise: when `append` returns, the record was written, flushed and read back; after a power cut at any moment the
next scan finds every record that was ever returned, and at most one torn record at a segment's end, which it
passes over. Why it holds: a record is never edited, a torn segment is never continued, after a failed write nothing
more is taken, and both small numbers (the covered place, the epoch) live in cells that survive a cut (cell.py).

Space: a segment goes when the registry has a receipt for everything in it, or, oldest first, when room is needed and
custody covers everything in it; never while an attempt that began in it is open, and never the one with the newest
record, which the next epoch must cite. Files are counted in whole blocks of the flash. A reserve stays free, so that
a run which has begun can always be signed to its end.

Custody counts under the key of the edge that gave it: with a new edge, everything is offered again that no receipt
covers. Receipts come in any order; what is persistent is the place up to which there is one for every record.

In memory stands one entry a segment, not one a record. Records are found by walking a segment's heads. A start reads
the summaries of full segments (summary.py) and walks only the newest, and those whose summary is torn or missing.

Not covered: flash that silently loses its newest record. The chain, anchored outside, shows that.
"""

import os
from binascii import crc32
from hashlib import sha256

from meterseal_fixture.cell import Cell
from meterseal_fixture.errors import NotKept, QueueFull
from meterseal_fixture.record import CHECK, HEAD, NOWHERE, Entry, pack_head, read_body, walk, write_back
from meterseal_fixture.summary import MOST_OPEN, Summary, read_summary, remove
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import split

PARCEL_BYTES = 65536
BODY_BYTES = PARCEL_BYTES - 1  # a parcel is one byte more: the array around its one item
FLASH_BLOCK = 4096
SEGMENT_BYTES = 32768
CAPACITY_BYTES = 1 << 21
RESERVE_BYTES = 3 * PARCEL_BYTES
PREFIX, SUMMARY = "seg-", "sum-"
START = (0, -1)
TAG = 4
MOST_EARLY = 64


class Record:
    """A kept statement: epoch, seq, identity (32 bytes), statement bytes and evidence items."""

    def __init__(self, entry: Entry, parts: list[bytes]) -> None:
        self.epoch, self.seq = entry.number
        self.identity = entry.identity
        self.statement = parts[0] if parts else b""
        self.evidence = parts[1:]


class _Segment:
    """A segment file: its first and last record's numbers, how many records, how many bytes; `whole` if undamaged."""

    def __init__(self, name: int) -> None:
        self.name = name
        self.first = self.last = START
        self.count = self.size = 0
        self.whole = True

    def note(self, number: tuple[int, int]) -> None:
        """One record more."""
        if not self.count:
            self.first = number
        self.last = number
        self.count += 1

    def holds(self, number: tuple[int, int]) -> bool:
        """True if a record of that number would lie here."""
        return self.count > 0 and self.first <= number <= self.last


def _raw(place: tuple[int, int]) -> bytes:
    return place[0].to_bytes(4, "big") + (place[1] + 1).to_bytes(4, "big")


def _place(raw: bytes) -> tuple[int, int]:
    return (int.from_bytes(raw[:4], "big"), int.from_bytes(raw[4:8], "big") - 1) if raw else START


def _blocks(size: int) -> int:
    return (size + FLASH_BLOCK - 1) // FLASH_BLOCK * FLASH_BLOCK


class Keep:
    """The queue in `folder`. Sizes in bytes; `capacity` is all that segments may take; `edge` is that one's key.

    `damaged` counts stretches of segments that could not be read, and segments that began to rot while open. OSError
    where the folder cannot be read.
    """

    def __init__(
        self,
        folder: str,
        capacity: int = CAPACITY_BYTES,
        segment_bytes: int = SEGMENT_BYTES,
        reserve: int = RESERVE_BYTES,
        edge: bytes = b"",
    ) -> None:
        self.folder = folder
        self._edge = sha256(edge).digest()[:TAG]
        self.capacity, self.segment_bytes, self.reserve = capacity, segment_bytes, reserve
        self.damaged = 0
        self._segments: list[_Segment] = []
        self._open: list[tuple[int, int]] = []
        self._attempts = 0
        self._head: Record | None = None
        self._sound = True
        self._covered = Cell(folder + "/covered", 8 + TAG)
        self._entered = Cell(folder + "/entered", 8)
        self._early: list[bytes] = []
        self._epoch = Cell(folder + "/epoch", 4)
        self._scan()
        self._pending = self._uncovered()

    # What stands in it.

    def head(self) -> Record | None:
        """The newest record, without its bytes."""
        return self._head

    def attempts(self) -> int:
        """How many attempts were ever signed."""
        return self._attempts

    def open_attempts(self) -> list[tuple[int, int]]:
        """(epoch, seq) of attempts that nothing has closed yet, oldest first."""
        return list(self._open)

    def covered(self) -> tuple[int, int]:
        """The highest place that custody of this edge, or receipts, cover; (0, -1) before any."""
        raw = self._covered.read()
        promised = _place(raw) if raw[8:] == self._edge else START
        return max(promised, self.entered())

    def entered(self) -> tuple[int, int]:
        """The highest place up to which the registry has a receipt for every record; (0, -1) before any."""
        return _place(self._entered.read())

    @property
    def count(self) -> int:
        """How many records custody does not cover yet."""
        return self._pending

    @property
    def full(self) -> bool:
        """True when a new attempt must not begin: what cannot go leaves less than the reserve."""
        held = sum(_blocks(segment.size) for segment in self._segments if not self._may_go(segment))
        return held + self.reserve > self.capacity

    def identity_at(self, epoch: int, seq: int) -> bytes | None:
        """Identity of the record at that place, None where there is none."""
        found = self._after((epoch, seq - 1))
        return found[1].identity if found and found[1].number == (epoch, seq) else None

    def next_after(self, number: tuple[int, int]) -> Record | None:
        """The oldest record after `number` that custody does not cover, read from flash; a damaged one is skipped."""
        found = self._after(max(number, self.covered()))
        while found:
            segment, entry = found
            body = read_body(self._path(segment), entry)
            if body is not None:
                return Record(entry, scan(body, PARCEL_BYTES))
            self.damaged += 1 if segment.whole else 0
            segment.whole = False
            found = self._after(entry.number)
        return None

    # What changes it.

    def next_epoch(self, counter=None) -> int:
        """The next epoch's number, persistent before it is used; never one that was used. With `counter`, an element's,
        not even after the flash was set back to an older image.
        """
        last = max(int.from_bytes(self._epoch.read(), "big"), self.covered()[0])
        if self._head:
            last = max(last, self._head.epoch)
        epoch = last + 1
        if counter is not None:
            # One that starts behind the flash catches up once; from then on it leads.
            given = counter.increment()
            while given < epoch:
                given = counter.increment()
            epoch = given
        self._epoch.write(epoch.to_bytes(4, "big"))
        return epoch

    def append(
        self,
        number: tuple[int, int],
        identity: bytes,
        statement: bytes,
        evidence: list[bytes] | tuple[()] = (),
        closes: tuple[int, int] | None = None,
    ) -> None:
        """Keep one record with number (epoch, seq): written, flushed, read back. QueueFull leaves all as it was.

        After NotKept nothing more is taken: what stands in flash is known again only after the next scan.
        """
        opens = scan(split(statement)[0])[L.HEADER_TYP] == L.KIND_ATTEMPT
        entry = Entry(number, identity, self._attempts + (1 if opens else 0), opens, closes or NOWHERE)
        body = encode([statement] + list(evidence))
        if not self._sound or len(body) > BODY_BYTES:
            raise NotKept("keep.not_kept", "%d bytes" % len(body) if self._sound else self.folder)
        entry.size = HEAD + len(body) + CHECK
        segment = self._segment_for(entry)
        self._make_room(_blocks(segment.size + entry.size) - _blocks(segment.size))
        self._sound = False
        write_back(
            self._path(segment), entry.offset, (pack_head(entry), body, crc32(body).to_bytes(CHECK, "big"))
        )
        self._sound = True
        if segment.name > self._newest_name():
            self._segments.append(segment)
        self._note(segment, entry)
        segment.size += entry.size
        self._pending += 1

    def cover(self, epoch: int, seq: int) -> None:
        """Custody, verified by the caller, covers everything up to (epoch, seq). Never goes back."""
        if (epoch, seq) > self.covered():
            self._covered.write(_raw((epoch, seq)) + self._edge)
            self._pending = self._uncovered()

    def enter(self, identity: bytes) -> bool:
        """A receipt, verified by the caller, is for that statement; True if whole segments could go for it.

        One that comes before its turn waits in memory, MOST_EARLY of them: the edge gives it again.
        """
        self._early = (self._early + [identity])[-MOST_EARLY:]
        found, last = self._after(self.entered()), START
        while found and found[1].identity in self._early:
            self._early.remove(found[1].identity)
            last = found[1].number
            found = self._after(last)
        if last == START:
            return False
        self._entered.write(_raw(last))
        self._pending = self._uncovered()
        return self._drop_entered()

    def _drop_entered(self) -> bool:
        gone = False
        while self._segments and self._segments[0].last <= self.entered() and self._may_go(self._segments[0]):
            self._remove_oldest()
            gone = True
        return gone

    def _make_room(self, needed: int) -> None:
        while sum(_blocks(segment.size) for segment in self._segments) + needed > self.capacity:
            oldest = self._segments[0] if self._segments else None
            if not oldest or not self._may_go(oldest):
                raise QueueFull("keep.full", "%d bytes" % self.capacity)
            self._remove_oldest()

    def _remove_oldest(self) -> None:
        try:
            os.remove(self._path(self._segments[0]))
        except OSError as wrong:
            raise NotKept("keep.not_kept", "%s: %s" % (self._path(self._segments[0]), wrong))
        remove(self._summary(self._segments.pop(0)))

    def _may_go(self, segment: _Segment) -> bool:
        if segment is self._segments[-1] or segment.last > self.covered():
            return False
        keeps = self._open + ([(self._head.epoch, self._head.seq)] if self._head else [])
        return not any(segment.holds(number) for number in keeps)

    def _segment_for(self, entry: Entry) -> _Segment:
        """The newest segment if it is undamaged and has room, else a new one; sets the entry's offset."""
        newest = self._segments[-1] if self._segments else None
        if newest and newest.whole and (not newest.size or newest.size + entry.size <= self.segment_bytes):
            entry.offset = newest.size
            return newest
        if newest and newest.whole and self._head:
            places, counts = (newest.first, newest.last), (newest.count, newest.size, self._attempts)
            Summary(places, counts, self._open, self._head.identity).write(self._summary(newest))
        return _Segment(self._newest_name() + 1)

    def _newest_name(self) -> int:
        return self._segments[-1].name if self._segments else 0

    def _note(self, segment: _Segment, entry: Entry) -> None:
        segment.note(entry.number)
        self._head = Record(entry, [])
        self._attempts = max(self._attempts, entry.attempts)
        if entry.opens:
            self._open.append(entry.number)
        if entry.closes in self._open:
            self._open.remove(entry.closes)

    # Reading back.

    def _path(self, segment: _Segment) -> str:
        return "%s/%s%08d" % (self.folder, PREFIX, segment.name)

    def _summary(self, segment: _Segment) -> str:
        return "%s/%s%08d" % (self.folder, SUMMARY, segment.name)

    def _scan(self) -> None:
        found = [entry[0][len(PREFIX) :] for entry in os.ilistdir(self.folder) if entry[0].startswith(PREFIX)]
        for name in sorted(int(digits) for digits in found if digits.isdigit()):
            segment = _Segment(name)
            self._segments.append(segment)
            segment.size = os.stat(self._path(segment))[6]
            if not self._recalled(segment):
                with open(self._path(segment), "rb") as file:
                    for entry in walk(file, True):
                        self._found(segment, entry)

    def _recalled(self, segment: _Segment) -> bool:
        """True if its summary told what a full segment holds."""
        told = read_summary(self._summary(segment), segment.size)
        last = self._segments[-2].last if len(self._segments) > 1 else START
        if told is None or not last < told.first <= told.last or len(told.open) >= MOST_OPEN:
            return False
        segment.first, segment.last, segment.count = told.first, told.last, told.count
        self._attempts, self._open = max(self._attempts, told.attempts), told.open
        self._head = Record(Entry(told.last, told.identity, told.attempts, False, NOWHERE), [])
        return True

    def _found(self, segment: _Segment, entry: Entry | None) -> None:
        # Numbers only grow: what stands lower is an old file's block that a crashed file system put here.
        newest = (self._head.epoch, self._head.seq) if self._head else START
        if entry and entry.number > newest:
            self._note(segment, entry)
        else:
            segment.whole = False
            self.damaged += 1

    def _after(self, number: tuple[int, int]) -> tuple[_Segment, Entry] | None:
        """The oldest record whose number is higher, and its segment."""
        for segment in self._segments:
            if segment.last > number:
                with open(self._path(segment), "rb") as file:
                    for entry in walk(file, False):
                        if entry and entry.number > number:
                            return segment, entry
        return None

    def _uncovered(self) -> int:
        covered, found = self.covered(), 0
        for segment in self._segments:
            if segment.count and segment.first > covered:
                found += segment.count
            elif segment.last > covered:
                with open(self._path(segment), "rb") as file:
                    found += sum(
                        1 for entry in walk(file, True) if entry and covered < entry.number <= segment.last
                    )
        return found
