"""How many witnesses make a checkpoint witnessed, and by when an entry had been seen."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.checkpoint_text import LogHead, sign_head
from meterseal_protocol.errors import BadKey, BadNote, BadProof, ProtocolError, UnknownKey, Unverified
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.merkle import Inclusion, include, leaf_hash, subtree
from meterseal_protocol.note import Note, NoteSignature
from meterseal_protocol.note_key import TIMED, NoteSigner, VerifierKey
from meterseal_protocol.quorum import LogTrust, Quorum, Sighting, seen_s, witnessed, witnessed_not_after
from meterseal_wire.digest import sha256
from meterseal_wire.suites import ED25519

NAMES = [sha256(bytes([number])) for number in range(7)]
HASHES = [leaf_hash(name) for name in NAMES]
ROOT = subtree(HASHES, 0, 7)
LOG = NoteSigner("edge/EDGE1", PrivateKey(bytes(31) + b"\x01", ED25519))
SIGNERS = [NoteSigner(f"w{n}", PrivateKey(bytes(31) + bytes([16 + n]), ED25519), TIMED) for n in range(6)]
W = [signer.key for signer in SIGNERS]
HEAD = LogHead("edge/EDGE1", 7, ROOT)
TWO_OF_THREE = Quorum(2, tuple(W[:3]))
TRUST = LogTrust("edge/EDGE1", (LOG.key,), TWO_OF_THREE)


def checkpoint(times: dict[int, int], head: LogHead = HEAD, log: NoteSigner = LOG) -> bytes:
    """A checkpoint note by the log, cosigned by witness number n at the second given."""
    note = sign_head(log, head)
    return note.signed(*(SIGNERS[n].sign(note.text, time_s) for n, time_s in times.items())).raw


def sighting(times: dict[int, int], index: int = 4) -> Sighting:
    """Entry `index` of seven, in a checkpoint cosigned so."""
    return Sighting(checkpoint(times), include(HASHES, index, 7))


# --- quorums


@pytest.mark.parametrize(
    "times, reached",
    [
        ({}, None),
        ({0: 10}, None),
        ({0: 10, 1: 30}, 30),
        ({2: 20, 0: 10, 1: 30}, 20),
        ({0: 10, 3: 11}, None),
        ({0: 10, 1: 10, 2: 10}, 10),
    ],
)
def test_two_of_three_are_reached_when_the_second_signs(times: dict[int, int], reached: int | None) -> None:
    """Written out by hand: the second smallest of the times of members; strangers count for nothing."""
    assert TWO_OF_THREE.reached_s({W[n]: time_s for n, time_s in times.items()}) == reached


def test_groups_within_a_quorum_count_as_one_member() -> None:
    """C2SP tlog-policy's example: two of the X witnesses, and any of the Y witnesses; the later of the two."""
    quorum = Quorum(2, (Quorum(2, tuple(W[:3])), Quorum(1, tuple(W[3:6]))))
    assert quorum.reached_s({W[0]: 10, W[1]: 20, W[2]: 30}) is None
    assert quorum.reached_s({W[0]: 10, W[3]: 20, W[4]: 30}) is None
    assert quorum.reached_s({W[0]: 10, W[1]: 20, W[4]: 5}) == 20
    assert quorum.reached_s({W[0]: 10, W[1]: 20, W[4]: 50, W[5]: 40}) == 40
    assert list(quorum.witnesses()) == W


# transparency-dev/formats witness/witness_test.go (Apache-2.0), TestWitnessGroup_Satisfied; groups of none required are
# left out, since a quorum that nobody need sign is no quorum here.
@pytest.mark.parametrize(
    "quorum, signed, satisfied",
    [
        (Quorum(1, (W[0],)), {0}, True),
        (Quorum(1, (W[0],)), set(), False),
        (Quorum(1, (Quorum(1, (W[0],)),)), {0}, True),
        (Quorum(1, (Quorum(1, (W[0],)),)), set(), False),
        (Quorum(2, (W[0], Quorum(1, (W[1], W[2])))), {0, 1, 2}, True),
        (Quorum(2, (W[0], Quorum(1, (W[1], W[2])))), {0, 1}, True),
        (Quorum(2, (W[0], Quorum(1, (W[1], W[2])))), {0}, False),
        (Quorum(2, (W[0], Quorum(1, (W[1], W[2])))), {1, 2}, False),
    ],
)
def test_groups_are_satisfied_as_transparency_devs(quorum: Quorum, signed: set[int], satisfied: bool) -> None:
    """Who signed, and whether that is enough; here against notes that really are signed."""
    trust = LogTrust("edge/EDGE1", (LOG.key,), quorum)
    raw = checkpoint(dict.fromkeys(sorted(signed), 10))
    if satisfied:
        assert witnessed(raw, trust) == (HEAD, 10)
    else:
        with pytest.raises(BadProof, match="too few"):
            witnessed(raw, trust)


@pytest.mark.parametrize("least, members", [(0, (W[0],)), (2, (W[0],)), (-1, (W[0],)), (1, ()), (0, ())])
def test_a_quorum_that_nobody_or_everybody_reaches_is_none(
    least: int, members: tuple[VerifierKey, ...]
) -> None:
    """tlog-policy: 1 <= k <= n."""
    with pytest.raises(BadKey, match="no quorum"):
        Quorum(least, members)


def test_no_witness_counts_twice() -> None:
    """tlog-policy: duplicates wrap the same public key, whatever the name; also across groups; a log is none."""
    renamed = VerifierKey("another-name", TIMED, W[0].public)
    for members in ((W[0], W[0]), (W[0], renamed), (W[0], Quorum(1, (W[1], renamed))), (LOG.key,)):
        with pytest.raises(BadKey, match="twice"):
            Quorum(1, members)


@given(st.lists(st.integers(1, 100), min_size=5, max_size=5), st.integers(1, 5), st.data())
def test_liars_fewer_than_the_quorum_cannot_date_back(
    times: list[int], least: int, data: st.DataObject
) -> None:
    """The claim of the module: with fewer than `least` liars at time 1, some honest witness had signed by then."""
    liars = data.draw(st.sets(st.integers(0, 4), max_size=least - 1))
    told = {W[n]: 1 if n in liars else times[n] for n in range(5)}
    reached = Quorum(least, tuple(W[:5])).reached_s(told)
    assert reached is not None
    assert any(times[n] <= reached for n in range(5) if n not in liars)


@given(st.lists(st.integers(1, 20), min_size=6, max_size=6), st.integers(1, 6))
def test_a_quorum_is_reached_at_the_first_second_with_enough_signers(times: list[int], least: int) -> None:
    """By definition instead of by sorting: the smallest second by which `least` of them had signed."""
    quorum = Quorum(least, tuple(W))
    expected = next(second for second in range(21) if sum(time_s <= second for time_s in times) >= least)
    assert quorum.reached_s(dict(zip(W, times, strict=True))) == expected


# --- checkpoints


def test_a_witnessed_checkpoint_gives_head_and_second() -> None:
    """Log and two witnesses: the later of the two seconds."""
    assert witnessed(checkpoint({0: 1000, 2: 2000}), TRUST) == (HEAD, 2000)


def test_a_witness_that_signed_twice_counts_at_its_first_time() -> None:
    """A resubmitted checkpoint carries both lines; the entry had been seen at the first."""
    note = sign_head(LOG, HEAD)
    lines = (*note.signatures, SIGNERS[0].sign(note.text, 900), SIGNERS[0].sign(note.text, 500))
    raw = Note(note.text, (*lines, SIGNERS[1].sign(note.text, 700))).raw
    assert witnessed(raw, TRUST) == (HEAD, 700)
    alone = LogTrust("edge/EDGE1", (LOG.key,), Quorum(1, (W[0],)))
    assert witnessed(raw, alone) == (HEAD, 500)


def test_without_the_log_or_of_another_log_it_does_not_count() -> None:
    """Witnesses vouch for one history of a log that signed it; its origin is what they name."""
    text = HEAD.text
    unsigned = Note(text, tuple(signer.sign(text, 10) for signer in SIGNERS[:3])).raw
    with pytest.raises(UnknownKey, match="edge/EDGE1"):
        witnessed(unsigned, TRUST)
    other = checkpoint({0: 10, 1: 10}, LogHead("edge/EDGE2", 7, ROOT))
    with pytest.raises(BadProof, match="edge/EDGE2"):
        witnessed(other, TRUST)
    with pytest.raises(UnknownKey):
        witnessed(
            checkpoint({}, log=NoteSigner("edge/EDGE1", PrivateKey(bytes(31) + b"\x09", ED25519))), TRUST
        )


def test_a_cosignature_at_second_0_says_no_time() -> None:
    """A witness's own signer refuses second 0, so it is made here from its parts; it would date everything to 1970."""
    text = HEAD.text
    key = PrivateKey(bytes(31) + bytes([16]), ED25519)
    value = bytes(8) + key.sign(b"cosignature/v1\ntime 0\n" + text.encode())
    line = NoteSignature("w0", W[0].key_id, value)
    assert W[0].check(text, value) == 0
    raw = sign_head(LOG, HEAD).signed(line, SIGNERS[1].sign(text, 10)).raw
    with pytest.raises(BadProof, match="too few"):
        witnessed(raw, TRUST)


def test_one_forged_line_of_a_known_witness_spoils_the_note() -> None:
    """As with every note; the two good cosignatures do not outvote it."""
    forged = NoteSignature("w2", W[2].key_id, (5).to_bytes(8, "big") + bytes(64))
    note = sign_head(LOG, HEAD)
    raw = note.signed(SIGNERS[0].sign(note.text, 10), SIGNERS[1].sign(note.text, 10), forged).raw
    with pytest.raises(Unverified, match="w2"):
        witnessed(raw, TRUST)


# --- not after


def test_an_entry_had_been_seen_when_its_checkpoint_was() -> None:
    """Every leaf of the seven; a leaf elsewhere, another entry, a path of another size prove nothing."""
    for index in range(7):
        assert seen_s(NAMES[index], sighting({0: 10, 1: 20}, index), TRUST) == 20
    with pytest.raises(BadProof):
        seen_s(NAMES[3], sighting({0: 10, 1: 20}, 4), TRUST)
    path = include(HASHES, 4, 7).path
    with pytest.raises(BadProof, match="a tree of 8"):
        seen_s(NAMES[4], Sighting(checkpoint({0: 10, 1: 20}), Inclusion(4, 8, path)), TRUST)
    with pytest.raises(BadProof):
        seen_s(NAMES[4], Sighting(checkpoint({0: 10, 1: 20}), Inclusion(5, 7, path)), TRUST)


@pytest.mark.parametrize(
    "entered_s, sightings, expected",
    [
        (None, [], None),
        (500, [], 500),
        (500, [{0: 100, 1: 200}], 200),
        (150, [{0: 100, 1: 200}], 150),
        (200, [{0: 100, 1: 200}], 200),
        (None, [{0: 100, 1: 200}], 200),
        (None, [{0: 100}], None),
        (500, [{0: 100}], 500),
        (500, [{0: 400, 1: 450}, {1: 300, 2: 350}, {0: 1}], 350),
        (0, [{0: 100, 1: 200}], 0),
    ],
)
def test_not_after_is_the_earlier_of_registry_and_witnesses(
    entered_s: int | None, sightings: list[dict[int, int]], expected: int | None
) -> None:
    """Design section 1.4, written out: the registry's entry or the cosigned checkpoint, whichever is earlier."""
    found = witnessed_not_after(NAMES[4], entered_s, [sighting(times) for times in sightings], TRUST)
    assert found == expected


def test_the_order_of_sightings_changes_nothing() -> None:
    """Evidence is a set; so is this."""
    given = [
        sighting({0: 100, 1: 200}),
        sighting({1: 150, 2: 160}),
        Sighting(b"no note", include(HASHES, 4, 7)),
    ]
    found = {
        witnessed_not_after(NAMES[4], 999, order, TRUST)
        for order in (given, given[::-1], given[1:] + given[:1])
    }
    assert found == {160}


def test_sightings_that_do_not_hold_never_make_a_time_earlier() -> None:
    """Each is refused by name when asked for alone, and moves nothing among others."""
    place = include(HASHES, 4, 7)
    good = checkpoint({0: 10, 1: 20})
    broken: list[tuple[Sighting, type[ProtocolError]]] = [
        (Sighting(b"", place), BadNote),
        (Sighting(good[:-10] + b"AAAAAAAA=\n", place), Unverified),
        (Sighting(checkpoint({3: 1, 4: 1}), place), BadProof),
        (Sighting(good, include(HASHES, 5, 7)), BadProof),
        (Sighting(good, Inclusion(4, 7, place.path[:-1])), BadProof),
        (Sighting(good, Inclusion(4, 7, [*place.path, bytes(32)])), BadProof),
        (Sighting(good, Inclusion(-1, 7, place.path)), BadProof),
        (Sighting(checkpoint({0: 10, 1: 20}, LogHead("edge/EDGE1", 7, bytes(32))), place), BadProof),
    ]
    for item, error in broken:
        with pytest.raises(error):
            seen_s(NAMES[4], item, TRUST)
        assert witnessed_not_after(NAMES[4], 500, [item], TRUST) == 500
        assert witnessed_not_after(NAMES[4], None, [item], TRUST) is None
    for first, second in combinations([item for item, _ in broken], 2):
        assert witnessed_not_after(NAMES[4], 500, [first, sighting({0: 30, 1: 40}), second], TRUST) == 40


@given(st.integers(0, 600), st.integers(1, 255))
def test_no_changed_byte_of_a_sighting_moves_the_time(at: int, change: int) -> None:
    """The note of log and two witnesses, any byte changed: the same second, or nothing (a line of nobody's)."""
    raw = bytearray(checkpoint({0: 10, 1: 20}))
    raw[at % len(raw)] ^= change
    found = witnessed_not_after(NAMES[4], None, [Sighting(bytes(raw), include(HASHES, 4, 7))], TRUST)
    assert found in (None, 20)
