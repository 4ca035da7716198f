"""One rotten record never blocks the queue: what the edge refused is set aside, and the next epoch goes on before it.

Design sections 6 and 13, protocol/spec/chain.md "What was refused". The edge here signs with its own key and links by
the wire's own rule, which its vectors hold.
"""

import os

from doubles import Folder
from flash import Written
from test_chronicle import AUTHOR, chain_of, event
from test_down import EDGE, Settings

from meterseal_fixture.aside import MOST, Aside
from meterseal_fixture.chronicle import Chronicle
from meterseal_fixture.down import Down
from meterseal_fixture.keep import Keep
from meterseal_fixture.record import HEAD
from meterseal_fixture.signer.software_p256 import verify
from meterseal_wire import labels as L
from meterseal_wire.chain import DUPLICATE, FORK, LINKED, Head, link
from meterseal_wire.digest import sha256
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity, split
from meterseal_wire.statement import build

BOOT = {
    L.COUNTER: 0,
    L.FIRMWARE_DIGEST: bytes(32),
    L.FIRMWARE_VERSION: "1",
    L.BOARD: "unix/sim-1",
    L.CLOCK: (1000000, 1, 1),
    L.RESET_CAUSE: 1,
}


def boot(chronicle):
    """The first statement of the epoch, as startup.py signs it."""
    payload = dict(BOOT)
    if chronicle.last_head:
        payload[L.LAST_HEAD] = chronicle.last_head
    if chronicle.refused:
        payload[L.REFUSED] = chronicle.refused
    return chronicle.sign(L.KIND_BOOT, payload)


def started(path):
    found = Chronicle(AUTHOR, Keep(path, edge=Settings.edge_key))
    boot(found)
    return found


def said(chronicle, count):
    for number in range(count):
        chronicle.sign(L.KIND_EVENT, event("%d" % number))


def refused(place, name, key=None, author=EDGE):
    fields = {L.KEY: key or AUTHOR.thumbprint, L.EPOCH: place[0], L.SEQ: place[1], L.STATEMENT: name}
    fields[L.CODE] = "wire.shape"
    return build(author, L.KIND_REFUSED, fields)


def hear(chronicle, raw):
    """What `down` makes of a statement from above."""
    down = Down(Settings, chronicle, verify, lambda _word, _text: None)
    down.take(encode([raw]))
    down.act()
    return down.refused


def rot(path, number):
    """Flip a bit in the body of the record at that place."""
    keep = Keep(path)
    segment, entry = keep._after((number[0], number[1] - 1))
    assert entry.number == number
    name = "%s/seg-%08d" % (path, segment.name)
    with open(name, "rb") as file:
        raw = bytearray(file.read())
    raw[entry.offset + HEAD + 9] ^= 1
    with open(name, "wb") as file:
        file.write(raw)


def offers(keep):
    """What is offered, in order: places and statements; what cannot be read first, as offer.py does."""
    found, place = [], (0, -1)
    suspect = keep.suspect()
    if suspect and not suspect[2]:
        found.append((suspect[0], suspect[1]))
    while True:
        record = keep.next_after(place)
        if record is None:
            return found
        place = (record.epoch, record.seq)
        found.append((place, record.statement))


def kept(keep, number, **more):
    return Written(number, **more).append(keep)


class EdgeModel:
    """Links what is offered by the wire's rule, and refuses what it cannot read or believe."""

    def __init__(self):
        self.head, self.boots, self.held, self.forks = None, [], {}, 0

    def hear(self, raw):
        """What it answers: a custody's place, a `refused`, or nothing."""
        following = (self.head.epoch, self.head.seq + 1) if self.head else None
        try:
            protected, _, payload, _signature = split(raw)
            chain = scan(protected)[L.HEADER_CHAIN]
        except Exception:  # noqa: BLE001 - whatever is wrong with the bytes, they are refused
            return refused(following, sha256(raw)) if following else None
        name, place = identity(raw), (chain[0], chain[1])
        verdict = link(self.head, tuple(chain), name, self.held.get(place))
        self.forks += verdict == FORK
        if verdict == DUPLICATE:
            return self.head.epoch, self.head.seq
        if verdict != LINKED:
            return None
        self.head, self.held[place] = Head(chain[0], chain[1], name), name
        if chain[1] == 0:
            self.boots.append(scan(payload))
        return chain[0], chain[1]


def hasty(_chronicle, raw):
    """The planted fault: obeys whatever is refused by the hash of what it offers, and does not look at the place."""
    fields = scan(split(raw)[2])
    suspect = _chronicle.keep.suspect()
    return (suspect[0], fields[L.STATEMENT]) if sha256(suspect[1]) == fields[L.STATEMENT] else None


def drained(chronicle, edge, rounds=6, hear=hear):
    """Offer all to the edge until nothing waits; how many epochs were opened anew."""
    anew = 0
    for _ in range(rounds):
        for _, raw in offers(chronicle.keep):
            answer = edge.hear(raw)
            if isinstance(answer, tuple):
                chronicle.keep.cover(*answer)
            elif answer:
                found = hear(chronicle, answer)
                if found and chronicle.keep.set_aside(*found):
                    chronicle.begin()
                    boot(chronicle)
                    anew += 1
                    break
        if chronicle.keep.count == 0:
            return anew
    raise AssertionError("still waiting: %d" % chronicle.keep.count)


def test_a_record_that_rotted_in_flash_is_refused_and_everything_after_goes_on():
    """Five records, the third rots, the power goes: the edge holds two, refuses the third, and a boot cites the second
    and names the hash of what was refused. What is signed from then on links.
    """
    with Folder() as path:
        said(started(path), 4)
        rot(path, (1, 2))
        chronicle, edge = started(path), EdgeModel()
        assert drained(chronicle, edge) == 1
        assert (edge.head.epoch, edge.head.seq) == (3, 0)
        assert edge.boots[-1][L.LAST_HEAD] == [1, 1] and len(edge.boots) == 2
        assert edge.boots[-1][L.REFUSED] == sha256(encode(["missing", 1, 2]))
        said(chronicle, 3)
        assert drained(chronicle, edge) == 0 and edge.head.seq == 3


def known_there(path):
    """An edge that holds three records, a fixture that heard of the first alone, and whose second one rots then."""
    chronicle, edge = started(path), EdgeModel()
    said(chronicle, 2)
    for _, raw in offers(chronicle.keep):
        edge.hear(raw)
    chronicle.keep.cover(1, 0)
    rot(path, (1, 1))
    return Chronicle(AUTHOR, Keep(path, edge=Settings.edge_key)), edge


def test_what_the_edge_has_already_is_not_disowned_though_it_rots_here():
    """Custody was lost on the way: the edge names a later place, nothing is closed, the next duplicate covers."""
    with Folder() as path:
        chronicle, edge = known_there(path)
        boot(chronicle)
        assert drained(chronicle, edge) == 0
        assert edge.forks == 0 and (edge.head.epoch, edge.head.seq) == (2, 0)


def test_a_fixture_that_does_not_look_at_the_place_signs_a_fork_and_is_caught():
    """The planted fault on the same story: its new boot cites a head behind which the edge holds something else."""
    with Folder() as path:
        chronicle, edge = known_there(path)
        boot(chronicle)
        try:
            drained(chronicle, edge, hear=hasty)
        except AssertionError:
            assert edge.forks > 0
            return
        raise AssertionError("not caught")


def test_a_record_that_was_signed_wrongly_is_refused_by_its_own_hash():
    """The bytes stand in flash as they were written: nothing is rotten here, only false."""
    with Folder() as path:
        chronicle = started(path)
        said(chronicle, 3)
        chronicle.keep.cover(1, 0)
        place, raw, whole = chronicle.keep.suspect()
        assert place == (1, 1) and whole
        assert hear(chronicle, refused((1, 1), sha256(raw))) == ((1, 1), sha256(raw))


def test_a_power_cut_between_the_two_steps_changes_nothing():
    """aside.py: the stretch is on record before the boot is signed, so the next start signs that boot."""
    with Folder() as path:
        chronicle, edge = started(path), EdgeModel()
        said(chronicle, 3)
        rot(path, (1, 1))
        chronicle.keep.cover(*edge.hear(offers(chronicle.keep)[0][1]))
        place, raw, whole = chronicle.keep.suspect()
        assert place == (1, 1) and not whole
        assert chronicle.keep.set_aside(*hear(chronicle, edge.hear(raw)))
        again = started(path)
        assert (again.epoch, again.last_head, again.refused) == (2, (1, 0), sha256(raw))
        assert chain_of(again.keep.next_after((0, -1))) == [2, 0, edge.head.identity]
        assert again.keep.count == 1 and again.keep.refused() == b""
        assert drained(again, edge) == 0
        assert started(path).last_head == (2, 0)


def test_what_was_set_aside_is_never_offered_again_not_even_to_another_edge():
    """A new edge is offered everything without a receipt; what the boot disowned would be a fork there."""
    with Folder() as path:
        chronicle, edge = started(path), EdgeModel()
        said(chronicle, 3)
        rot(path, (1, 1))
        drained(chronicle, edge)
        other = Keep(path, edge=b"another edge")
        assert [place for place, _ in offers(other)] == [(1, 0), (2, 0)]
        for _, raw in offers(other):
            other.enter(identity(raw))
        assert other.entered() == (2, 0) and offers(Keep(path, edge=b"a third edge")) == []


def test_an_attempt_in_the_stretch_is_not_open_and_one_whose_end_lies_in_it_is():
    """The first one the edge will never see; the second one has a number without a result, so it must be abandoned."""
    with Folder() as path:
        keep = Keep(path)
        kept(keep, (1, 0))
        kept(keep, (1, 1), opens=True)
        kept(keep, (1, 2), closes=(1, 1))
        kept(keep, (1, 3), opens=True)
        keep.cover(1, 1)
        assert keep.open_attempts() == [(1, 3)]
        assert keep.set_aside((1, 2), bytes(32))
        for found in (keep, Keep(path)):
            assert found.open_attempts() == [(1, 1)] and found.attempts() == 2
            assert (found.cited().epoch, found.cited().seq) == (1, 1)


def test_the_edge_must_name_what_is_offered_next_at_a_place_not_beyond_it():
    """Another key, another signer, another hash, a place that is covered, a place beyond: an edge that holds the record
    itself names the place behind it, and nothing must be closed then.
    """
    with Folder() as path:
        chronicle = started(path)
        said(chronicle, 3)
        chronicle.keep.cover(1, 0)
        name = sha256(chronicle.keep.suspect()[1])
        assert hear(chronicle, refused((1, 1), name, key=bytes(32))) is None
        assert hear(chronicle, refused((1, 1), name, author=AUTHOR)) is None
        assert hear(chronicle, refused((1, 1), bytes(32))) is None
        assert hear(chronicle, refused((1, 0), name)) is None
        assert hear(chronicle, refused((1, 2), name)) is None
        assert hear(chronicle, refused((1, 1), name)) == ((1, 1), name)


def test_the_record_before_may_be_gone_and_is_cited_all_the_same():
    """Its segment went for a receipt; place and identity stay in a cell."""
    with Folder() as path:
        keep = Keep(path, 1 << 17, 4096, 8192)
        written = [kept(keep, (1, seq), size=1500) for seq in range(6)]
        for one in written[:4]:
            keep.enter(one.identity)
        assert keep.identity_at(1, 3) is None
        assert keep.set_aside((1, 4), bytes(32))
        for found in (keep, Keep(path, 1 << 17, 4096, 8192)):
            assert (found.cited().epoch, found.cited().seq) == (1, 3)
            assert found.cited().identity == written[3].identity


def test_a_stretch_inside_or_right_behind_another_makes_that_longer():
    """The boot itself may rot before it is covered: then everything from the first place on is one stretch."""
    with Folder() as path:
        found = Aside(path + "/aside")
        assert found.add(((1, 2), (2, 0)), b"a" * 32, (0, -1))
        assert found.add(((2, 0), (3, 4)), b"b" * 32, (0, -1))
        again = Aside(path + "/aside")
        assert again.stretches == [((1, 2), (3, 4))] and again.name == b"b" * 32
        assert again.end_of((1, 1)) is None and again.end_of((3, 5)) is None
        assert again.end_of((1, 2)) == again.end_of((2, 7)) == again.end_of((3, 4)) == (3, 4)


def test_so_many_stretches_are_remembered_and_receipts_let_them_go():
    """One more than MOST changes nothing; one that receipts have passed makes room."""
    with Folder() as path:
        found = Aside(path + "/aside")
        for epoch in range(1, MOST + 1):
            assert found.add(((epoch, 5), (epoch, 9)), bytes(32), (0, -1))
        assert not found.add(((MOST + 1, 5), (MOST + 1, 9)), bytes(32), (0, -1))
        assert len(Aside(path + "/aside").stretches) == MOST
        assert found.add(((MOST + 1, 5), (MOST + 1, 9)), bytes(32), (2, 0))
        assert Aside(path + "/aside").stretches[0] == ((2, 5), (2, 9))


def test_a_store_without_damage_offers_no_text_of_its_own():
    """What can be read is offered as it is; nothing waits, nothing is suspected."""
    with Folder() as path:
        assert Keep(path).suspect() is None
        chronicle = started(path)
        assert chronicle.keep.suspect() == ((1, 0), chronicle.keep.next_after((0, -1)).statement, True)
        assert "aside.0" not in os.listdir(path) and "aside.1" not in os.listdir(path)
