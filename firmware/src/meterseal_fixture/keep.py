"""Station 4: the queue in flash. Append-only segments; a statement is kept before anybody hears of it.

Promise: when `append` returns, the record was written, flushed and read back; after a power cut at any moment the
next scan finds every record that was ever returned, and at most one torn record at a segment's end, which it
passes over. Why it holds: a record is never edited, a torn segment is never continued, after a failed write nothing
more is taken, and the small numbers (the epoch, what others promised: promises.py) live in cells that survive a cut.

Space: a segment goes when the registry has a receipt for everything in it, or, oldest first, when room is needed and
custody covers everything in it; never while an attempt that began in it is open, and never the one with the newest
record, which the next epoch must cite. Files are counted in whole blocks of the flash. A reserve stays free, so that
a run which has begun can always be signed to its end.

With a new edge everything is offered again that no receipt covers (promises.py). Receipts come in any order; what is
persistent is the place up to which there is one for every record.

In memory stands one entry a segment, not one a record. Records are found by walking a segment's heads. A start reads
the summaries of full segments (summary.py) and walks only the newest, and those whose summary is torn or missing.

Not covered: flash that silently loses its newest record. The chain, anchored outside, shows that.
"""

import os
from binascii import crc32

from meterseal_fixture.aside import Aside
from meterseal_fixture.cell import Cell
from meterseal_fixture.errors import NotKept, QueueFull
from meterseal_fixture.promises import Promises
from meterseal_fixture.record import (
    CHECK,
    HEAD,
    NOWHERE,
    Entry,
    Record,
    pack_head,
    read_body,
    walk,
    write_back,
)
from meterseal_fixture.segment import START, Segment, blocks
from meterseal_fixture.summary import MOST_OPEN, Summary, read_summary, remove
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import split

PARCEL_BYTES = 65536
BODY_BYTES = PARCEL_BYTES - 1  # a parcel is one byte more: the array around its one item
SEGMENT_BYTES = 32768
CAPACITY_BYTES = 1 << 21
RESERVE_BYTES = 3 * PARCEL_BYTES
PREFIX, SUMMARY = "seg-", "sum-"
MOST_EARLY = 64


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
        self.capacity, self.segment_bytes, self.reserve = capacity, segment_bytes, reserve
        self.damaged = 0
        self._segments: list[Segment] = []
        self._open: list[tuple[int, int]] = []
        self._attempts = 0
        self._head: Record | None = None
        self._sound = True
        self.aside = Aside(folder + "/aside")
        self._promises = Promises(folder, edge)
        self._cited = self._promises.gone()
        self._early: list[bytes] = []
        self._epoch = Cell(folder + "/epoch", 4)
        self._scan()
        self._pending = self._uncovered()

    # What stands in it.

    def head(self) -> Record | None:
        """The newest record, without its bytes."""
        return self._head

    def cited(self) -> Record | None:
        """The newest record that was not set aside, without its bytes: what the next epoch cites."""
        return self._cited

    def refused(self) -> bytes:
        """The SHA-256 of what was refused, while no boot has been signed since; else empty."""
        head = self._head
        return self.aside.name if head and self.aside.end_of((head.epoch, head.seq)) else b""

    def attempts(self) -> int:
        """How many attempts were ever signed."""
        return self._attempts

    def open_attempts(self) -> list[tuple[int, int]]:
        """(epoch, seq) of attempts that nothing has closed yet, oldest first."""
        return list(self._open)

    def covered(self) -> tuple[int, int]:
        """The highest place that custody of this edge, or receipts, cover; (0, -1) before any."""
        return self._promises.covered()

    def entered(self) -> tuple[int, int]:
        """The highest place up to which the registry has a receipt for every record; (0, -1) before any."""
        return self._promises.entered()

    @property
    def count(self) -> int:
        """How many records custody does not cover yet."""
        return self._pending

    @property
    def free(self) -> int:
        """Bytes that may still be taken before no new attempt begins; below 0 where that is so already."""
        held = sum(blocks(segment.size) for segment in self._segments if not self._may_go(segment))
        return self.capacity - self.reserve - held

    @property
    def full(self) -> bool:
        """True when a new attempt must not begin: what cannot go leaves less than the reserve."""
        return self.free < 0

    def identity_at(self, epoch: int, seq: int) -> bytes | None:
        """Identity of the record at that place, None where there is none."""
        found = self._after((epoch, seq - 1))
        return found[1].identity if found and found[1].number == (epoch, seq) else None

    def next_after(self, number: tuple[int, int]) -> Record | None:
        """The oldest record after `number` that custody does not cover, read from flash; a damaged one is skipped."""
        found = self._next(max(number, self.covered()))
        while found:
            segment, entry = found
            body = read_body(self._path(segment), entry)
            if body is not None:
                return Record(entry, scan(body, PARCEL_BYTES))
            self.damaged += 1 if segment.whole else 0
            segment.whole = False
            found = self._next(entry.number)
        return None

    def suspect(self) -> tuple[tuple[int, int], bytes, bool] | None:
        """The oldest place that custody does not cover, what is offered there, and whether that is a statement.

        Where the record cannot be read any more it is a text that names the place, which the edge refuses.
        """
        covered = self.covered()
        found = self._next(covered)
        if not found:
            return None
        segment, entry = found
        epoch, seq = entry.number
        place = (epoch, covered[1] + 1 if epoch == covered[0] else 0)
        body = read_body(self._path(segment), entry) if place == (epoch, seq) else None
        if body is None:
            return place, encode(["missing", place[0], place[1]]), False
        return place, scan(body, PARCEL_BYTES)[0], True

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
        self._make_room(blocks(segment.size + entry.size) - blocks(segment.size))
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
            self._promises.cover((epoch, seq))
            self._pending = self._uncovered()

    def set_aside(self, place: tuple[int, int], name: bytes) -> bool:
        """The edge refused what is offered at that place, the oldest uncovered one: it and all behind it is not offered
        again, and the record before it is what the next epoch cites. False where that is not there any more.
        """
        head, gone = self._head, self._promises.gone()
        before = self.identity_at(*self.covered()) or (gone and (gone.epoch, gone.seq) == self.covered())
        stretch = (place, (head.epoch, head.seq)) if head else None
        if not stretch or not before or not self.aside.add(stretch, name, self.entered()):
            return False
        for segment in self._segments:
            if segment.last >= place:
                remove(self._summary(segment))
        self._segments, self._open = [], []
        self._head, self._cited = None, gone
        self._scan()
        self._pending = self._uncovered()
        return True

    def enter(self, identity: bytes) -> bool:
        """A receipt, verified by the caller, is for that statement; True if whole segments could go for it.

        One that comes before its turn waits in memory, MOST_EARLY of them: the edge gives it again.
        """
        self._early = (self._early + [identity])[-MOST_EARLY:]
        found, last = self._next(self.entered()), START
        while found and found[1].identity in self._early:
            self._early.remove(found[1].identity)
            last = found[1].number
            found = self._next(last)
        if last == START:
            return False
        self._promises.enter(last)
        self._pending = self._uncovered()
        return self._drop_entered()

    def _drop_entered(self) -> bool:
        gone = False
        while self._segments and self._segments[0].last <= self.entered() and self._may_go(self._segments[0]):
            self._remove_oldest()
            gone = True
        return gone

    def _make_room(self, needed: int) -> None:
        while sum(blocks(segment.size) for segment in self._segments) + needed > self.capacity:
            oldest = self._segments[0] if self._segments else None
            if not oldest or not self._may_go(oldest):
                raise QueueFull("keep.full", "%d bytes" % self.capacity)
            self._remove_oldest()

    def _remove_oldest(self) -> None:
        # Its last record may have to be cited, should the edge refuse the one behind it.
        last = self._segments[0].last
        found = self._after((last[0], last[1] - 1)) if last == self.covered() else None
        if found and found[1].number == last:
            self._promises.went(found[1])
        try:
            os.remove(self._path(self._segments[0]))
        except OSError as wrong:
            raise NotKept("keep.not_kept", "%s: %s" % (self._path(self._segments[0]), wrong))
        remove(self._summary(self._segments.pop(0)))

    def _may_go(self, segment: Segment) -> bool:
        if segment is self._segments[-1] or segment.last > self.covered():
            return False
        keeps = self._open + ([(self._head.epoch, self._head.seq)] if self._head else [])
        return not any(segment.holds(number) for number in keeps)

    def _segment_for(self, entry: Entry) -> Segment:
        """The newest segment if it is undamaged and has room, else a new one; sets the entry's offset."""
        newest = self._segments[-1] if self._segments else None
        if newest and newest.whole and (not newest.size or newest.size + entry.size <= self.segment_bytes):
            entry.offset = newest.size
            return newest
        if newest and newest.whole and self._head:
            places, counts = (newest.first, newest.last), (newest.count, newest.size, self._attempts)
            Summary(places, counts, self._open, self._head.identity).write(self._summary(newest))
        return Segment(self._newest_name() + 1)

    def _newest_name(self) -> int:
        return self._segments[-1].name if self._segments else 0

    def _note(self, segment: Segment, entry: Entry) -> None:
        segment.note(entry.number)
        self._head = Record(entry, [])
        self._attempts = max(self._attempts, entry.attempts)
        if self.aside.end_of(entry.number):
            return
        self._cited = self._head
        if entry.opens:
            self._open.append(entry.number)
        if entry.closes in self._open:
            self._open.remove(entry.closes)

    # Reading back.

    def _path(self, segment: Segment) -> str:
        return "%s/%s%08d" % (self.folder, PREFIX, segment.name)

    def _summary(self, segment: Segment) -> str:
        return "%s/%s%08d" % (self.folder, SUMMARY, segment.name)

    def _scan(self) -> None:
        found = [entry[0][len(PREFIX) :] for entry in os.ilistdir(self.folder) if entry[0].startswith(PREFIX)]
        for name in sorted(int(digits) for digits in found if digits.isdigit()):
            segment = Segment(name)
            self._segments.append(segment)
            segment.size = os.stat(self._path(segment))[6]
            if not self._recalled(segment):
                with open(self._path(segment), "rb") as file:
                    for entry in walk(file, True):
                        self._found(segment, entry)

    def _recalled(self, segment: Segment) -> bool:
        """True if its summary told what a full segment holds."""
        told = read_summary(self._summary(segment), segment.size)
        last = self._segments[-2].last if len(self._segments) > 1 else START
        if told is None or not last < told.first <= told.last or len(told.open) >= MOST_OPEN:
            return False
        segment.first, segment.last, segment.count = told.first, told.last, told.count
        self._attempts, self._open = max(self._attempts, told.attempts), told.open
        self._head = Record(Entry(told.last, told.identity, told.attempts, False, NOWHERE), [])
        if not self.aside.end_of(told.last):
            self._cited = self._head
        return True

    def _found(self, segment: Segment, entry: Entry | None) -> None:
        # Numbers only grow: what stands lower is an old file's block that a crashed file system put here.
        newest = (self._head.epoch, self._head.seq) if self._head else START
        if entry and entry.number > newest:
            self._note(segment, entry)
        else:
            segment.whole = False
            self.damaged += 1

    def _after(self, number: tuple[int, int]) -> tuple[Segment, Entry] | None:
        """The oldest record whose number is higher, and its segment."""
        for segment in self._segments:
            if segment.last > number:
                with open(self._path(segment), "rb") as file:
                    for entry in walk(file, False):
                        if entry and entry.number > number:
                            return segment, entry
        return None

    def _next(self, number: tuple[int, int]) -> tuple[Segment, Entry] | None:
        """The same, what was set aside passed over."""
        found = self._after(number)
        end = self.aside.end_of(found[1].number) if found else None
        while found and end:
            found = self._after(end)
            end = self.aside.end_of(found[1].number) if found else None
        return found

    def _uncovered(self) -> int:
        covered, found = self.covered(), 0
        for segment in self._segments:
            if segment.count and segment.first > covered and not self._has_aside(segment):
                found += segment.count
            elif segment.last > covered:
                with open(self._path(segment), "rb") as file:
                    found += sum(
                        1
                        for entry in walk(file, True)
                        if entry
                        and covered < entry.number <= segment.last
                        and not self.aside.end_of(entry.number)
                    )
        return found

    def _has_aside(self, segment: Segment) -> bool:
        return any(first <= segment.last and last >= segment.first for first, last in self.aside.stretches)
