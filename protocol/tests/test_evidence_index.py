"""An index gives what a walk over the whole pool gives; the walk is written out here, rule by rule and plainly."""

from collections.abc import Iterable
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterseal_protocol.evidence import MONTH_S, Entry, EvidenceIndex, select
from meterseal_protocol.keys import PublicKey
from meterseal_protocol.signoff import Row, rows_of
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.testing.looked import Looked
from meterseal_protocol.testing.people import correction, mark, says, sign_off
from meterseal_protocol.testing.record import Record
from meterseal_protocol.testing.runs import Seat, plan_document
from meterseal_protocol.testing.world import GAS_BENCH, MAKER, WATER_BENCH, World, fresh_keys
from meterseal_wire import kinds
from meterseal_wire import labels as L

SERIALS = ("12082058", "12082059")
METERS = [f"{MAKER}.{serial}" for serial in SERIALS]
PLAN = plan_document(bytes(32), [[2_500_000, 100, 1_000_000, 0, 1]])
KEYS = fresh_keys()
DAY_S = 86_400


class Story:
    """Two fixtures, two meters and people, each doing what a list of numbers says."""

    def __init__(self) -> None:
        self.world = World(keys=KEYS)
        self.record = Record(self.world)
        self.fixtures = [ModelFixture(self.world.author(name)) for name in (WATER_BENCH, GAS_BENCH)]
        self.beacon = self.record.beacon().statement.identity
        for fixture in self.fixtures:
            self.record.enter(fixture.boot().raw)

    def act(self, what: int, who: int, serial: str) -> None:
        """One of the things that happen."""
        self.record.now_s += DAY_S
        acts = (
            self.attempt,
            self.result,
            self.boot,
            self.check,
            self.twin,
            self.people,
            self.lottery,
            self.mend,
            self.sight,
            self.heir,
        )
        acts[what % len(acts)](self.fixtures[who], Seat(1, serial))

    def attempt(self, fixture: ModelFixture, seat: Seat, mode: int = kinds.VERIFY) -> None:
        """Intent."""
        found = fixture.attempt([seat], PLAN, self.beacon, mode=mode)
        self.record.enter(found.raw, found.evidence)

    def result(self, fixture: ModelFixture, seat: Seat) -> None:
        """Of the place before, whatever stands there and whoever signed it."""
        found = fixture.result([seat])
        self.record.enter(found.raw, found.evidence)

    def boot(self, fixture: ModelFixture, _seat: Seat) -> None:
        """The next epoch, and a new beacon."""
        self.record.enter(fixture.boot().raw)
        self.beacon = self.record.beacon().statement.identity

    def check(self, fixture: ModelFixture, seat: Seat) -> None:
        """A check run, with its result or left open."""
        self.attempt(fixture, Seat(1, "99999999"), kinds.CHECK)
        if seat.serial == SERIALS[0]:
            self.result(fixture, seat)

    def twin(self, fixture: ModelFixture, seat: Seat) -> None:
        """A clone signs at the place where the fixture will sign next; or the key is handed over."""
        clone = ModelFixture(fixture.author, fixture.epoch, fixture.seq, fixture.head)
        name = "key rotated" if seat.serial == SERIALS[0] else "note"
        self.record.enter(clone.event(name, "").raw)

    def people(self, _fixture: ModelFixture, seat: Seat) -> None:
        """Sign-off and marks of the newest result; a scope."""
        results = self.record.of_kind(L.KIND_RESULT)
        for result in results[-1:]:
            row = Row(result.statement.identity, 1, seat.meter, kinds.PASSED, 0)
            for item in (*sign_off(self.world, [row], 1, {"checker": 2}), mark(self.world, row, 1)):
                self.record.enter(item.raw, item.evidence)
        self.record.scope(seat.meter)

    def lottery(self, _fixture: ModelFixture, seat: Seat) -> None:
        """A sampling from three days ago to tomorrow, and a second measurement under its number."""
        now_s = self.record.now_s
        head = {L.NUMBER: 3, L.MAKER: MAKER, L.WINDOW: [now_s - 3 * DAY_S, now_s + DAY_S]}
        self.record.enter(says(self.world, "province", L.KIND_SAMPLING, {**head, L.SEED: bytes(32)}).raw)
        said = {L.METER: seat.meter, L.RESULT: bytes(32), L.POSITION: 1, L.OUTCOME: 1, L.TIME_S: 1}
        extra = {L.INSTITUTION: "x", L.NUMBER: 3}
        self.record.enter(says(self.world, "registry", L.KIND_REMEASUREMENT, {**said, **extra}).raw)

    def mend(self, _fixture: ModelFixture, _seat: Seat) -> None:
        """A correction of the newest thing that a person said, by the oldest one."""
        said = self.record.of_kind(L.KIND_SIGNOFF, L.KIND_MARKS)
        if said:
            item = correction(
                self.world, "approver", said[-1].statement.identity, 1, said[0].statement.identity
            )
            self.record.enter(item.raw)

    def sight(self, fixture: ModelFixture, _seat: Seat) -> None:
        """What the fixture signed last had been seen; whether it holds is not asked here."""
        said = {L.NOTE: b"", L.INCLUSION: [1, 0, []], L.STATEMENT: fixture.signed[-1].identity}
        self.record.enter(says(self.world, "edge", L.KIND_SIGHTING, said).raw)

    def heir(self, fixture: ModelFixture, seat: Seat) -> None:
        """A rotation to the other bench's key, whose boot follows it or does not."""
        [other] = [found for found in self.fixtures if found is not fixture]
        after = fixture.hand_over(KEYS[other.author.subject])
        self.record.enter(fixture.signed[-1].raw)
        if seat.serial == SERIALS[0]:
            self.record.enter(after.boot().raw)


def plainly(
    meter: str, pool: Iterable[Entry], size: int, blobs: dict[bytes, tuple[bytes, ...]]
) -> set[bytes]:
    """Identities that the module's docstring names, by going through everything for each line of it."""
    known = [entry for entry in pool if entry.leaf < size]

    def of(*typs: int) -> list[Entry]:
        return [entry for entry in known if entry.statement.typ in typs]

    def cited(entry: Entry) -> tuple[bytes, int, int]:
        epoch, seq = entry.statement.payload[L.ATTEMPT]
        return entry.key, epoch, seq

    attempts = [
        e for e in of(L.KIND_ATTEMPT) if any(p[L.METER] == meter for p in e.statement.payload[L.POSITIONS])
    ]
    ends = of(L.KIND_RESULT, L.KIND_ABANDONED)
    closers = [e for e in ends if cited(e) in {a.place for a in attempts}]
    results = [e for e in closers if e.statement.typ == L.KIND_RESULT]
    chained = [e for e in known if e.statement.chain]
    top: dict[tuple[bytes, int], int] = {}
    for e in (*attempts, *closers):
        top[e.place[:2]] = max(top.get(e.place[:2], 0), e.place[2])
    for c in closers:
        for e in chained:
            if e.key == c.key and cited(c)[1] <= e.place[1] < c.place[1]:
                top[e.place[:2]] = max(top.get(e.place[:2], 0), e.place[2])
    for key, epoch in list(top):
        later = [e.place[1] for e in chained if e.key == key and e.place[1] > epoch]
        if later:
            top.setdefault((key, min(later)), 0)
    chosen = [e for e in chained if e.place[2] <= top.get(e.place[:2], -1)]
    links = {e.statement.identity for e in chosen}
    chosen += [e for e in of(L.KIND_SIGHTING) if e.statement.payload[L.STATEMENT] in links]
    beacons = {a.statement.payload[L.BEACON] for a in attempts}
    chosen += [e for e in of(L.KIND_BEACON) if e.statement.identity in beacons]
    chosen += [e for e in of(L.KIND_SCOPE) if e.statement.payload[L.METER] == meter][-1:]
    chosen += _people(meter, known, results, blobs)
    maker = meter.split(".", maxsplit=1)[0]
    drawn = [e for e in of(L.KIND_SAMPLING) if e.statement.payload[L.MAKER] == maker and _covers(e, results)]
    numbers = {e.statement.payload[L.NUMBER] for e in drawn}
    chosen += drawn
    chosen += [e for e in of(L.KIND_REMEASUREMENT) if e.statement.payload.get(L.NUMBER) in numbers]
    keys = {a.key for a in attempts}
    chosen += [e for e in of(L.KIND_EVENT) if e.key in keys and e.statement.payload[L.EVENT] == "key rotated"]
    for e in of(L.KIND_EVENT):
        if e.statement.payload[L.EVENT] == "key rotated" and L.SUBJECT_KEY in e.statement.payload:
            named = PublicKey.from_cose(e.statement.payload[L.SUBJECT_KEY]).thumbprint
            boots = [b for b in of(L.KIND_BOOT) if b.key == named and _prev(b) == e.statement.identity]
            chosen += [e, *boots] if boots and named in keys else []
    for e in chained:
        others = [o for o in chained if o.key == e.key and o.statement.identity != e.statement.identity]
        boots = (
            e.statement.typ == L.KIND_BOOT and e.statement.chain[2] != bytes(32)
            if e.statement.chain
            else False
        )
        same = [o for o in others if o.place == e.place or (boots and _same_parent(o, e))]
        if e.key in keys and same:
            chosen.append(e)
    for r in results:
        opened = next(a for a in attempts if a.place == cited(r))
        for b in of(L.KIND_BEACON):
            if b.statement.identity == opened.statement.payload[L.BEACON]:
                since = b.statement.payload[L.TIME_S] - MONTH_S
                chosen += [
                    e for e in of(L.KIND_BOOT) if e.key == r.key and e.leaf < r.leaf and e.entered_s >= since
                ]
    for key in keys:
        first = min(a.leaf for a in attempts if a.key == key)
        checks = [
            e for e in of(L.KIND_ATTEMPT) if e.key == key and e.statement.payload[L.MODE] == kinds.CHECK
        ]
        done = {cited(e) for e in ends if e.statement.typ == L.KIND_RESULT}
        since = max((c.leaf for c in checks if c.leaf < first and c.place in done), default=first)
        checks = [c for c in checks if c.leaf >= since]
        chosen += [
            b
            for b in of(L.KIND_BEACON)
            if b.statement.identity in {c.statement.payload[L.BEACON] for c in checks}
        ]
        chosen += checks + [e for e in ends if cited(e) in {c.place for c in checks}]
    begun = {e.place for e in of(L.KIND_ATTEMPT)}
    chosen += [e for e in ends if cited(e) not in begun and cited(e)[1:] in {a.place[1:] for a in attempts}]
    return {e.statement.identity for e in chosen}


def _prev(entry: Entry) -> bytes:
    return entry.statement.chain[2] if entry.statement.chain else b""


def _same_parent(one: Entry, other: Entry) -> bool:
    both = one.statement.chain, other.statement.chain
    return (
        one.statement.typ == L.KIND_BOOT
        and both[0] is not None
        and both[1] is not None
        and both[0][2] == both[1][2]
    )


def _covers(sampling: Entry, results: list[Entry]) -> bool:
    start, end = sampling.statement.payload[L.WINDOW]
    return any(start <= result.entered_s <= end for result in results)


def _people(
    meter: str, known: list[Entry], results: list[Entry], blobs: dict[bytes, tuple[bytes, ...]]
) -> list[Entry]:
    about = (L.KIND_MARKS, L.KIND_NOTICE, L.KIND_REMEASUREMENT)
    said = [e for e in known if e.statement.typ in about and e.statement.payload[L.METER] == meter]
    names = {e.statement.identity for e in results}
    for e in known:
        rows = rows_of(blobs.get(e.statement.identity, ())) if e.statement.typ == L.KIND_SIGNOFF else []
        if any(row.meter == meter and row.result in names for row in rows):
            said.append(e)
    while True:
        mine = {e.statement.identity for e in said}
        more = [
            e
            for e in known
            if e.statement.typ == L.KIND_CORRECTION and e.statement.payload[L.REPLACES] in mine
        ]
        instead = {e.statement.payload.get(L.REPLACEMENT) for e in more}
        may = (L.KIND_SIGNOFF, L.KIND_MARKS, L.KIND_NOTICE)
        more += [e for e in known if e.statement.identity in instead and e.statement.typ in may]
        more = [e for e in more if e.statement.identity not in mine]
        if not more:
            return said
        said += more


def told(acts: Iterable[tuple[int, int, int]]) -> Story:
    """A story of these acts."""
    story = Story()
    for what, who, which in acts:
        story.act(what, who, SERIALS[which])
    return story


def indexed(story: Story, shuffler: Random) -> EvidenceIndex:
    """An index fed in any order; evidence items come with their statement or after everything."""
    index, pool = EvidenceIndex(), list(story.record.pool)
    shuffler.shuffle(pool)
    late = []
    for entry in pool:
        items = story.record.blobs.get(entry.statement.identity, ())
        if items and shuffler.random() < 0.5:
            late.append((entry.statement.identity, items))
            items = ()
        index.add(entry, items)
    for identity, items in late:
        index.add_items(identity, items)
    return index


ACTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1), st.integers(0, 1)), max_size=14)


@settings(max_examples=120, deadline=None)
@given(acts=ACTS, cut=st.integers(0, 6), shuffler=st.randoms(use_true_random=False))
def test_index_selection_and_the_plain_walk_agree(
    acts: list[tuple[int, int, int]], cut: int, shuffler: Random
) -> None:
    """At any log size, for both meters and one that nobody knows, in any order of arrival."""
    story = told(acts)
    record, index = story.record, indexed(story, shuffler)
    size = max(0, record.tree.size - cut)
    for meter in (*METERS, "DEMO.0"):
        found = index.select(meter, size)
        assert found == select(meter, record.pool, size, record.blobs)
        wanted = plainly(meter, record.pool, size, record.blobs)
        assert {entry.statement.identity for entry in found.entries} == wanted
        late = sorted(record.blobs)[: cut % 3]
        early = {name: items for name, items in record.blobs.items() if name not in late}
        assert index.select(meter, size, late) == select(meter, record.pool, size, early)


@cache
def busy() -> Story:
    """A run with everything around it, so that the property above is not about nothing."""
    acts = [
        (3, 0, 0),
        (0, 0, 0),
        (1, 0, 0),
        (8, 0, 0),
        (5, 0, 0),
        (6, 0, 0),
        (7, 0, 0),
        (3, 0, 1),
        (2, 0, 0),
        (4, 0, 0),
        (4, 0, 1),
    ]
    return told(acts)


@pytest.mark.parametrize(
    "kind, least",
    [
        (L.KIND_BOOT, 2),
        (L.KIND_ATTEMPT, 3),
        (L.KIND_RESULT, 2),
        (L.KIND_EVENT, 1),
        (L.KIND_SIGNOFF, 1),
        (L.KIND_MARKS, 1),
        (L.KIND_SCOPE, 1),
        (L.KIND_CORRECTION, 1),
        (L.KIND_SAMPLING, 1),
        (L.KIND_REMEASUREMENT, 1),
        (L.KIND_SIGHTING, 1),
    ],
)
def test_every_kind_is_picked_where_it_concerns_the_meter(kind: int, least: int) -> None:
    """And none of it concerns the other meter, which was never tested."""
    record = busy().record
    assert len(select(METERS[0], record.pool, record.tree.size, record.blobs).of_kind(kind)) >= least
    assert select(METERS[1], record.pool, record.tree.size, record.blobs).entries == ()


def test_evidence_knows_which_part_of_the_chains_must_be_whole() -> None:
    """Boot, check, run and the next boot are links; the check after the run, alone in its place, is not."""
    record = busy().record
    evidence = select(METERS[0], record.pool, record.tree.size, record.blobs)
    links = {entry.place[1:] for entry in evidence.links}
    assert links == {(1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (2, 0)}
    assert (1, 5) in {entry.place[1:] for entry in evidence.entries}


def looked_at(story: Story, meter: str) -> int:
    """How many entries are looked at to pick a meter's evidence from an index over all that happened."""
    pool = [Looked(e.statement, e.key, e.leaf, e.entered_s) for e in story.record.pool]
    index = EvidenceIndex.over(pool, story.record.blobs)
    Looked.at.clear()
    index.select(meter, story.record.tree.size)
    return len(Looked.at)


def test_what_is_looked_at_does_not_grow_with_the_pool() -> None:
    """One run with people, marks and a scope; then sixteen times as much about another meter on another bench."""
    one = [(0, 0, 0), (1, 0, 0), (5, 0, 0)]
    other = [(0, 1, 1), (1, 1, 1), (5, 1, 1), (3, 1, 1), (2, 1, 1)]
    alone, crowded = told([*one, *other]), told([*one, *other * 16])
    assert len(crowded.record.pool) > 10 * len(alone.record.pool) - 100
    assert looked_at(crowded, METERS[0]) == looked_at(alone, METERS[0]) < len(alone.record.pool)
