"""The chain that a fixture signs: numbers, links, and what a failing store does to them."""

from doubles import Folder

from meterseal_fixture.chronicle import Chronicle
from meterseal_fixture.keep import Keep, NotKept
from meterseal_fixture.result import abandoned_payload
from meterseal_fixture.signer.software_p256 import SoftwareSigner, verify
from meterseal_wire import labels as L
from meterseal_wire.errors import BadShape
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity, sig_structure, split
from meterseal_wire.statement import Author

AUTHOR = Author("W1", "WATER-1", SoftwareSigner(bytes(31) + b"\x05"))


def event(text):
    return {L.EVENT: "test", L.DETAIL: text}


def kept(keep):
    found, place = [], (0, -1)
    while True:
        record = keep.next_after(place)
        if record is None:
            return found
        found.append(record)
        place = (record.epoch, record.seq)


def chain_of(record):
    return scan(split(record.statement)[0])[L.HEADER_CHAIN]


def test_the_first_epoch_is_1_and_its_first_statement_cites_nothing():
    """Design section 6; chain.GENESIS is 32 zero bytes."""
    with Folder() as path:
        chronicle = Chronicle(AUTHOR, Keep(path))
        assert chronicle.sign(L.KIND_EVENT, event("a")) == (1, 0)
        assert chronicle.last_head is None
        assert chain_of(kept(chronicle.keep)[0]) == [1, 0, bytes(32)]


def test_each_statement_cites_the_one_before_and_is_signed_by_the_author():
    """Three in a row: seq 0, 1, 2, prev the identity of the one before, signatures that verify."""
    with Folder() as path:
        chronicle = Chronicle(AUTHOR, Keep(path))
        assert [chronicle.sign(L.KIND_EVENT, event(text)) for text in "abc"] == [(1, 0), (1, 1), (1, 2)]
        records = kept(chronicle.keep)
        for before, after in zip(records, records[1:]):
            assert chain_of(after)[2] == identity(before.statement) == before.identity
        for record in records:
            protected, _, payload, signature = split(record.statement)
            assert verify(AUTHOR.signer.public_xy, sig_structure(protected, payload), signature)


def test_a_new_start_opens_a_new_epoch_on_the_head_that_is_held():
    """Design section 6: epochs form one chain too."""
    with Folder() as path:
        first = Chronicle(AUTHOR, Keep(path))
        first.sign(L.KIND_EVENT, event("a"))
        first.sign(L.KIND_EVENT, event("b"))
        second = Chronicle(AUTHOR, Keep(path))
        assert second.last_head == (1, 1)
        assert second.sign(L.KIND_EVENT, event("c")) == (2, 0)
        *_, before, after = kept(second.keep)
        assert chain_of(after) == [2, 0, before.identity]


def test_an_epoch_that_signed_nothing_is_never_used_again():
    """Its number was given out before the power went: the next is 2, and cites nothing still."""
    with Folder() as path:
        Chronicle(AUTHOR, Keep(path))
        second = Chronicle(AUTHOR, Keep(path))
        assert second.sign(L.KIND_EVENT, event("a")) == (2, 0)
        assert chain_of(kept(second.keep)[0]) == [2, 0, bytes(32)]


def test_a_payload_out_of_shape_is_never_signed():
    """Nobody signs what the other side must refuse; numbers and store stay as they were."""
    with Folder() as path:
        chronicle = Chronicle(AUTHOR, Keep(path))
        try:
            chronicle.sign(L.KIND_EVENT, {L.EVENT: "test"})
        except BadShape:
            assert (chronicle.seq, kept(chronicle.keep)) == (-1, [])
        else:
            raise AssertionError("a statement without its field was signed")


def test_what_the_store_refuses_uses_up_no_number():
    """The store fails once; the next statement has the number and the link that the lost one would have had."""

    class Failing(Keep):
        fails = True

        def append(self, *arguments, **more):
            if self.fails:
                raise NotKept("keep.not_kept", "test")
            super().append(*arguments, **more)

    with Folder() as path:
        keep = Failing(path)
        chronicle = Chronicle(AUTHOR, keep)
        try:
            chronicle.sign(L.KIND_EVENT, event("a"))
        except NotKept:
            keep.fails = False
        assert chronicle.sign(L.KIND_EVENT, event("b")) == (1, 0)
        assert chain_of(kept(keep)[0]) == [1, 0, bytes(32)]


def test_an_abandonment_closes_its_attempt_in_the_store():
    """`closes` reaches the store: an attempt that is open before is not open afterwards."""
    with Folder() as path:
        chronicle = Chronicle(AUTHOR, Keep(path))
        attempt = {L.MODE: 1, L.COUNTER: 1, L.PLAN: bytes(32), L.OPERATOR: b"", L.BEACON: bytes(32)}
        attempt.update({L.CLOCK: (1, 1, 1), L.POSITIONS: [], L.BENCH_CHECKS: (0, 0, 0, 0)})
        place = chronicle.sign(L.KIND_ATTEMPT, attempt, [b"plan"])
        assert chronicle.keep.open_attempts() == [place] and chronicle.keep.attempts() == 1
        chronicle.sign(L.KIND_ABANDONED, abandoned_payload(place, 5, []), closes=place)
        assert chronicle.keep.open_attempts() == []
