"""A witness: transparency-dev's witness vectors, C2SP's list of answers, and what it must never do in any order."""

import base64
import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from meterseal_protocol.checkpoint_text import LogHead, read_head, sign_head
from meterseal_protocol.errors import BadKey, BadNote
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.merkle import consistency_proof, leaf_hash, subtree
from meterseal_protocol.note import Note, NoteSignature, parse
from meterseal_protocol.note_key import TIMED, NoteSigner, VerifierKey, open_note
from meterseal_protocol.witness import Answer, Request, Seen, Witness, read_request
from meterseal_wire.suites import ED25519

NOW_S = 1_790_000_000
NOTHING = hashlib.sha256(b"").digest()
# transparency-dev/witness internal/witness/witness_test.go (Apache-2.0): a log `monkeys`, two of its checkpoints and
# the proof between them, another log's checkpoint of the same origin, a first line changed, a witness's seed.
MONKEYS = "monkeys+db4d9f7e+AULaJMvTtDLHPUcUrjdDad9vDlh/PTfC2VV60JUtCfWT"
ORIGIN = "Log Checkpoint v0"
FIVE = (
    "Log Checkpoint v0\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n\n— monkeys "
    "202ffu1mJ0hrPIodgN0YQV7uZk9CAEzh+hOQyRjkf9CDY1IOr/oiH6WkzGIy7aEF0rw/9SHiZztjDiTOb53i6CE/zQ8=\n"
)
EIGHT = (
    "Log Checkpoint v0\n8\nV8K9aklZ4EPB+RMOk1/8VsJUdFZR77GDtZUQq84vSbo=\n\n— monkeys "
    "202ffm1n5/h7F3x0D6CCysNnqiL2WBu7iubseJggohhX6JBbeLts5NWKY/g0r6yNRVN/k+QJJx1Sii0MzbMUTnmO+wA=\n"
)
BANANAS_FIVE = (
    "Log Checkpoint v0\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n\n— bananas "
    "z2OfE18+NwUjjJBXH7m+fh67bu29p1Jbypr4GFUQohgQgCeuPJZtGTvfR9Pquh2Iebfq+6bhl3G/77lsKiGIea6NAwE=\n"
)
FROG_EIGHT = (
    "Frog Checkpoint v0\n8\nV8K9aklZ4EPB+RMOk1/8VsJUdFZR77GDtZUQq84vSbo=\n\n— monkeys "
    "202ffgCVdfZmrroccRdQoEfn2TfmXHez4R++GvVrFvFiaI85O12aTV5GpNOvWsuQW77eNxQ2b7ggYeglzF/QSy/EBws=\n"
)
FIVE_TO_EIGHT = [
    bytes.fromhex(text)
    for text in (
        "b9e1d62618f7fee8034e4c5010f727ab24d8e4705cb296c374bf2025a87a10d2",
        "aac66cd7a79ce4012d80762fe8eec3a77f22d1ca4145c3f4cee022e7efcd599d",
        "89d0f753f66a290c483b39cd5e9eafb12021293395fad3d4a2ad053cfbcfdc9e",
        "29e40bb79c966f4c6fe96aff6f30acfce5f3e8d84c02215175d6e018a5dee833",
    )
]
WITNESS_SEED = base64.b64decode("AaLa/dfyBhyo/m0Z7WCi98ENVZWtrP8pxgRNrx7tIWiA")[1:]
SIGNER = NoteSigner("witness", PrivateKey(WITNESS_SEED, ED25519), TIMED)
AT_FIVE = Seen(5, base64.b64decode("41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE="))

LOG = NoteSigner("edge/EDGE1", PrivateKey(bytes(31) + b"\x01", ED25519))
HONEST = [leaf_hash(bytes([number])) for number in range(12)]
FORKED = HONEST[:6] + [leaf_hash(b"rewritten" + bytes([number])) for number in range(6)]


def monkeys() -> Witness:
    """transparency-dev's witness, knowing its one log."""
    return Witness(SIGNER, {ORIGIN: [VerifierKey.parse(MONKEYS)]})


def body(old: int, proof: list[bytes], note: str) -> bytes:
    """An add-checkpoint body, spelled as tlog-witness spells it."""
    hashes = "".join(base64.b64encode(item).decode() + "\n" for item in proof)
    return f"old {old}\n{hashes}\n{note}".encode()


def ask(old: int, proof: list[bytes], note: str, seen: Seen | None) -> Answer:
    """What the witness of `monkeys` answers."""
    return monkeys().add_checkpoint(read_request(body(old, proof, note)), seen, NOW_S)


# --- published vectors


def test_the_first_checkpoint_needs_no_proof() -> None:
    """transparency-dev's mInit; the answer is a cosignature that opens beside the log's line."""
    answer = ask(0, [], FIVE, None)
    assert (answer.status, answer.seen) == (200, AT_FIVE)
    opened = open_note(FIVE.encode() + answer.body.encode(), [VerifierKey.parse(MONKEYS), SIGNER.key])
    assert opened.signers == {VerifierKey.parse(MONKEYS): (0,), SIGNER.key: (NOW_S,)}


def test_a_tree_that_grew_is_cosigned() -> None:
    """`vanilla consistency happy path`: 5 to 8 with the published proof."""
    answer = ask(5, FIVE_TO_EIGHT, EIGHT, AT_FIVE)
    assert answer.status == 200
    assert answer.seen == Seen(8, base64.b64decode("V8K9aklZ4EPB+RMOk1/8VsJUdFZR77GDtZUQq84vSbo="))


def test_the_same_checkpoint_again_is_cosigned_again() -> None:
    """`vanilla resubmit known CP`: a fresh time over the same tree."""
    answer = ask(5, [], FIVE, AT_FIVE)
    assert (answer.status, answer.seen) == (200, AT_FIVE)


@pytest.mark.parametrize(
    "old, proof, note, seen, status",
    [
        (5, FIVE_TO_EIGHT, FROG_EIGHT, AT_FIVE, 404),
        (0, [], BANANAS_FIVE, None, 403),
        (5, FIVE_TO_EIGHT, EIGHT.replace("— monkeys 202f", "— monkeys 203f"), AT_FIVE, 403),
        (5, FIVE_TO_EIGHT, EIGHT.replace("+wA=\n", "+wE=\n"), AT_FIVE, 403),
        (8, [], FIVE, Seen(8, bytes(32)), 400),
        (0, [], EIGHT, AT_FIVE, 409),
        (4, FIVE_TO_EIGHT, EIGHT, AT_FIVE, 409),
        (5, FIVE_TO_EIGHT, EIGHT, None, 409),
        (5, [bytes(32)] * 4, EIGHT, AT_FIVE, 422),
        (5, [], EIGHT, AT_FIVE, 422),
        (5, FIVE_TO_EIGHT[:-1], EIGHT, AT_FIVE, 422),
        (5, [*FIVE_TO_EIGHT, bytes(32)], EIGHT, AT_FIVE, 422),
        (0, FIVE_TO_EIGHT, EIGHT, None, 422),
        (5, [], FIVE, Seen(5, bytes(32)), 422),
        (5, [bytes(32)], FIVE, AT_FIVE, 422),
        (5, FIVE_TO_EIGHT, EIGHT, Seen(5, bytes(32)), 422),
    ],
)
def test_everything_else_has_its_status_and_changes_nothing(
    old: int, proof: list[bytes], note: str, seen: Seen | None, status: int
) -> None:
    """tlog-witness, add-checkpoint: 404 unknown origin, 403 no good signature, 400, 409, 422, in its order."""
    answer = ask(old, proof, note, seen)
    assert (answer.status, answer.seen) == (status, None)


def test_a_conflict_tells_the_size_to_start_from() -> None:
    """The body is the size in decimal and a newline, nothing else."""
    assert ask(4, [], EIGHT, AT_FIVE).body == "5\n"
    assert ask(4, [], EIGHT, None).body == "0\n"


def test_an_empty_tree_has_one_root() -> None:
    """tlog-witness: size 0 MUST have the hash of the empty string, else 422."""
    for root, status in ((NOTHING, 200), (bytes(32), 422)):
        text = LogHead("edge/EDGE1", 0, root).text
        note = Note(text, (LOG.sign(text),)).raw.decode()
        witness = Witness(SIGNER, {"edge/EDGE1": [LOG.key]})
        assert witness.add_checkpoint(read_request(body(0, [], note)), None, NOW_S).status == status


def test_a_forged_line_beside_a_good_one_is_forbidden() -> None:
    """tlog-witness: 403 also where a line's name and id are trusted but the signature fails."""
    forged = NoteSignature("monkeys", bytes.fromhex("db4d9f7e"), bytes(64))
    note = FIVE + forged.line + "\n"
    assert ask(0, [], note, None).status == 403
    unknown = replace(forged, name="baboons")
    assert ask(0, [], FIVE + unknown.line + "\n", None).status == 200


# --- requests


def test_c2sps_example_request_reads() -> None:
    """tlog-witness, example request body: old 20852014, four hashes, two lines by the log."""
    raw = (
        "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
        "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n"
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa "
        "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "— example.com/behind-the-sofa "
        "opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n"
    ).encode()
    request = read_request(raw)
    assert (request.old, len(request.proof), request.head.size) == (20852014, 4, 20852163)
    assert request.proof[0].hex().startswith("3e544d0abc07")
    assert len(parse(request.note).signatures) == 2
    assert request.raw == raw


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"old 5",
        b"old 5\n" + FIVE.encode(),
        b"\n" + FIVE.encode(),
        b"new 5\n\n" + FIVE.encode(),
        b"old  5\n\n" + FIVE.encode(),
        b"old 05\n\n" + FIVE.encode(),
        b"old -5\n\n" + FIVE.encode(),
        b"old 9223372036854775808\n\n" + FIVE.encode(),
        b"old \xd9\xa5\n\n" + FIVE.encode(),
        b"old 5\r\n\n" + FIVE.encode(),
        b"old 5\nnot base64\n\n" + FIVE.encode(),
        b"old 5\nYmFuYW5hcw==\n\n" + FIVE.encode(),
        body(5, [bytes(32)] * 64, FIVE),
        b"old 5\n\nno note\n",
        b"old 5\n\nhello\n\n" + EIGHT.partition("\n\n")[2].encode(),
    ],
)
def test_a_body_that_is_no_request_is_refused(raw: bytes) -> None:
    """Old size line, up to 63 lines of 32 bytes, an empty line, a checkpoint; the answer to it is 400."""
    with pytest.raises(BadNote, match="request has an empty line" if b"\n\n" not in raw else "."):
        read_request(raw)
    assert len(read_request(body(5, [bytes(32)] * 63, FIVE)).proof) == 63


def test_a_witness_needs_a_key_that_carries_a_time() -> None:
    """A plain signature over a checkpoint would be a log's; and two keys of a log must differ."""
    with pytest.raises(BadKey, match="type 4"):
        Witness(LOG, {})


# --- never, in any order


def request_of(hashes: list[bytes], old: int, size: int) -> Request:
    """What a log with these leaf hashes sends, its proof right where there is one."""
    root = subtree(hashes, 0, size) if size else NOTHING
    note = sign_head(LOG, LogHead("edge/EDGE1", size, root))
    proof = consistency_proof(hashes, old, size) if 0 < old <= size else []
    return Request(old, tuple(proof), note.raw, read_head(note.text))


class Logs(RuleBasedStateMachine):
    """Two histories that part at leaf 6, offered to one witness in any order and from any old size."""

    def __init__(self) -> None:
        super().__init__()
        self.witness = Witness(SIGNER, {"edge/EDGE1": [LOG.key]})
        self.seen: Seen | None = None
        self.signed: list[LogHead] = []

    @rule(forked=st.booleans(), size=st.integers(0, 12), old=st.one_of(st.none(), st.integers(0, 12)))
    def offer(self, forked: bool, size: int, old: int | None) -> None:
        """A checkpoint of either history; mostly from what the witness remembers."""
        held = self.seen.size if self.seen else 0
        start = held if old is None else old
        request = request_of(FORKED if forked else HONEST, start, size)
        answer = self.witness.add_checkpoint(request, self.seen, NOW_S)
        if answer.status == 200:
            self.signed.append(request.head)
            self.seen = answer.seen
        elif old is None and size >= held and not self._parted(forked):
            raise AssertionError(f"an honest log was refused: {answer}")

    def _parted(self, forked: bool) -> bool:
        return any(
            head.size > 6 and head.root != subtree(FORKED if forked else HONEST, 0, head.size)
            for head in self.signed
        )

    @invariant()
    def one_root_a_size_and_no_way_back(self) -> None:
        """Whatever was offered: sizes never fall, each has one root, and all belong to one history."""
        sizes = [head.size for head in self.signed]
        assert sizes == sorted(sizes)
        assert len({head.size for head in self.signed}) == len(
            {(head.size, head.root) for head in self.signed}
        )
        roots = [
            {subtree(leaves, 0, size) if size else NOTHING for size in range(13)}
            for leaves in (HONEST, FORKED)
        ]
        assert any(all(head.root in known for head in self.signed) for known in roots)


Logs.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestLogs = Logs.TestCase


@pytest.mark.parametrize("old", range(13))
@pytest.mark.parametrize("size", range(13))
def test_every_pair_of_sizes_has_its_answer(old: int, size: int) -> None:
    """From any remembered size to any other of one history: grown or equal 200, smaller 400."""
    seen = Seen(old, subtree(HONEST, 0, old) if old else NOTHING)
    witness = Witness(SIGNER, {"edge/EDGE1": [LOG.key]})
    answer = witness.add_checkpoint(request_of(HONEST, old, size), seen, NOW_S)
    assert answer.status == (200 if old <= size else 400)


@pytest.mark.parametrize("old", range(1, 13))
@pytest.mark.parametrize("size", range(7, 13))
def test_a_history_that_was_rewritten_is_never_cosigned(old: int, size: int) -> None:
    """A tree of the other history, with the best proof that its log has: refused once the witness is past leaf 6."""
    seen = Seen(old, subtree(HONEST, 0, old))
    witness = Witness(SIGNER, {"edge/EDGE1": [LOG.key]})
    answer = witness.add_checkpoint(request_of(FORKED, old, size), seen, NOW_S)
    assert answer.status == (200 if old <= 6 and old <= size else 400 if old > size else 422)


@given(st.binary(max_size=80))
def test_any_body_is_a_request_or_a_bad_note(tail: bytes) -> None:
    """No other error reaches the one who serves it; what is read is written back the same."""
    for raw in (tail, b"old 5\n" + tail, b"old 5\n\n" + FIVE.encode() + tail):
        try:
            assert read_request(raw).raw == raw
        except BadNote:
            continue
