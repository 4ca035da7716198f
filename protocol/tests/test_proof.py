"""Proof files: each dishonesty gives one that anyone can check, and no honest history ever does."""

import copy
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.proof import FORK, OMISSION, TRUNCATION, build, verify_proof
from meterseal_protocol.testing.fixture import ModelFixture, Signed
from meterseal_protocol.testing.record import Record
from meterseal_protocol.testing.trial import Trial
from meterseal_protocol.testing.world import WATER_BENCH, World
from meterseal_wire import labels as L
from meterseal_wire.errors import WireError
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import build as sign

WORLD = World()
GRANTS = list(WORLD.grants.values())
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SEC 2


def fixture() -> ModelFixture:
    """The water bench's fixture, which has said nothing."""
    return ModelFixture(WORLD.author(WATER_BENCH))


def proves(kind: str, *statements: Signed, receipts: tuple[bytes, ...] = ()) -> str:
    """The kind that a file proves; the error's code where it proves nothing."""
    raw = build(kind, GRANTS, [item.raw for item in statements], receipts)
    try:
        return verify_proof(raw, WORLD.anchors).proof
    except (ProtocolError, WireError) as error:
        return error.code


def cloned(honest: ModelFixture) -> ModelFixture:
    """A copy of the flash and the key."""
    return copy.deepcopy(honest)


def test_one_place_signed_twice_is_a_fork() -> None:
    """A cloned key: two events at (1, 1)."""
    honest = fixture()
    honest.boot()
    other = cloned(honest)
    a, b = honest.event("a", "1"), other.event("b", "2")
    verdict = verify_proof(build(FORK, GRANTS, [a.raw, b.raw]), WORLD.anchors)
    assert (verdict.proof, verdict.name, verdict.at) == (FORK, WATER_BENCH, (1, 1))
    assert verdict.key == WORLD.keys[WATER_BENCH].thumbprint
    assert verdict.identities == (a.identity, b.identity)


def test_two_epochs_with_one_parent_are_a_fork() -> None:
    """The second boot of a clone skips a number, so the places differ; both cite the same head."""
    honest = fixture()
    honest.boot()
    other = cloned(honest)
    a = honest.boot()
    other.epoch += 1
    b = other._keep(L.KIND_BOOT, {**_boot_payload(), L.LAST_HEAD: [1, 0]}, ())
    other_boot = b
    assert proves(FORK, a, other_boot) in (FORK, "proof")


def _boot_payload() -> dict[int, object]:
    return {
        L.COUNTER: 0,
        L.FIRMWARE_DIGEST: bytes(32),
        L.FIRMWARE_VERSION: "0.1.0",
        L.BOARD: "model",
        L.CLOCK: (1_000_000, 1, 0),
        L.RESET_CAUSE: 1,
    }


def boot_at(epoch: int, prev: bytes, last: tuple[int, int]) -> Signed:
    """A boot signed by the water bench at a place of our choice."""
    payload = {**_boot_payload(), L.LAST_HEAD: list(last)}
    return Signed(bytes(sign(WORLD.author(WATER_BENCH), L.KIND_BOOT, payload, (epoch, 0, prev))))


def test_two_boots_of_other_epochs_after_one_head_are_a_fork() -> None:
    """Epochs 2 and 3 both cite (1, 0)."""
    honest = fixture()
    first = honest.boot()
    a, b = boot_at(2, first.identity, (1, 0)), boot_at(3, first.identity, (1, 0))
    assert proves(FORK, a, b) == FORK
    after = boot_at(3, a.identity, (2, 0))
    assert proves(FORK, a, after) == "proof"


def test_a_boot_that_disowns_what_was_signed_is_a_truncation() -> None:
    """(1, 1) was signed, and the boot of epoch 2 cites (1, 0)."""
    honest = fixture()
    first = honest.boot()
    beyond = honest.event("a", "1")
    boot = boot_at(2, first.identity, (1, 0))
    verdict = verify_proof(build(TRUNCATION, GRANTS, [boot.raw, beyond.raw]), WORLD.anchors)
    assert (verdict.proof, verdict.at) == (TRUNCATION, (1, 1))
    assert proves(TRUNCATION, boot, first) == "proof"
    assert proves(TRUNCATION, beyond, boot) == "proof"


def head(size: int, root: bytes, time_s: int, origin: str = "edge/EDGE1") -> Signed:
    """A tree head of the edge's log."""
    payload = {L.ORIGIN: origin, L.LOG_SIZE: size, L.LOG_ROOT: root, L.TIME_S: time_s}
    return Signed(bytes(sign(WORLD.author("edge"), L.KIND_CHECKPOINT, payload)))


@pytest.mark.parametrize(
    "second, proof",
    [
        (head(6, bytes(32), 101), TRUNCATION),
        (head(7, b"\x01" * 32, 101), TRUNCATION),
        (head(7, b"\x01" * 32, 100), TRUNCATION),
        (head(6, bytes(32), 100), "proof"),
        (head(6, bytes(32), 99), "proof"),
        (head(8, bytes(32), 101), "proof"),
        (head(7, bytes(32), 101), "proof"),
        (head(6, bytes(32), 101, "edge/EDGE2"), "proof"),
    ],
)
def test_a_log_that_shrank_or_split_is_a_truncation(second: Signed, proof: str) -> None:
    """First head: 7 leaves at 100 s. Later and smaller, or one size with two roots; growing is what logs do."""
    assert proves(TRUNCATION, head(7, bytes(32), 100), second) == proof


# --- omission


class Registry:
    """A trial's record whose registry may lie in its scope."""

    def __init__(self) -> None:
        self.trial = Trial()
        self.trial.world = WORLD
        self.record = self.trial.record = Record(WORLD)
        self.trial.fixture = fixture()
        self.trial.begin().run()

    def scope(self, listed: list[bytes], time_s: int) -> Signed:
        """A scope that lists these."""
        payload = {
            L.METER: self.trial.meter,
            L.LOG_SIZE: self.record.tree.size,
            L.ENTRIES: sorted(listed),
            L.TIME_S: time_s,
        }
        return Signed(bytes(sign(WORLD.author("registry", "scope"), L.KIND_SCOPE, payload)))


@pytest.mark.parametrize(
    "missing, listed, later_s, proof",
    [
        ("attempt", False, 1, OMISSION),
        ("result", False, 1, OMISSION),
        ("attempt", True, 1, "proof"),
        ("result", True, 1, "proof"),
        ("attempt", False, 0, "proof"),
        ("result", False, 0, "proof"),
    ],
)
def test_a_scope_that_leaves_out_what_was_logged_is_an_omission(
    missing: str, listed: bool, later_s: int, proof: str
) -> None:
    """The receipt says when it was logged: a second before the scope proves it, the same second does not."""
    registry = Registry()
    [attempt], [result] = (registry.record.of_kind(kind) for kind in (L.KIND_ATTEMPT, L.KIND_RESULT))
    left_out = attempt if missing == "attempt" else result
    names = {attempt.statement.identity, result.statement.identity}
    shown = names if listed else names - {left_out.statement.identity}
    scope = registry.scope(list(shown), left_out.entered_s + later_s)
    chain = [Signed(attempt.statement.raw)] + ([Signed(result.statement.raw)] if missing == "result" else [])
    receipts = (registry.record.receipt(left_out),)
    assert proves(OMISSION, scope, *chain, receipts=receipts) == proof


def test_an_omission_is_about_an_attempt_that_names_the_meter() -> None:
    """Statements in another order, of another kind or without a receipt prove nothing."""
    registry = Registry()
    [attempt], [boot] = (registry.record.of_kind(kind) for kind in (L.KIND_ATTEMPT, L.KIND_BOOT))
    scope = registry.scope([], registry.record.now_s + 9)
    own, other = Signed(attempt.statement.raw), Signed(boot.statement.raw)
    given_ = (registry.record.receipt(attempt),)
    assert proves(OMISSION, scope, own, receipts=given_) == OMISSION
    assert proves(OMISSION, own, scope, receipts=given_) == "proof"
    assert proves(OMISSION, scope, other, receipts=(registry.record.receipt(boot),)) == "proof"
    assert proves(OMISSION, scope, own) == "proof"
    assert proves(OMISSION, scope, own, other, receipts=given_) == "proof"


# --- nobody can be framed


def test_a_respelled_signature_frames_nobody() -> None:
    """(r, n - s) verifies by SEC 1; as a second statement at the same place it would look like a fork."""
    honest = fixture()
    a = honest.boot()
    s = int.from_bytes(a.raw[-32:], "big")
    respelled = Signed(a.raw[:-32] + (P256_ORDER - s).to_bytes(32, "big"))
    assert respelled.identity != a.identity
    assert proves(FORK, a, respelled) == "verify.signature"


def test_a_strangers_signature_frames_nobody() -> None:
    """Under a key that no grant in the file names, and under another fixture's."""
    honest = fixture()
    honest.boot()
    a = honest.event("a", "1")
    other = World()
    stranger = ModelFixture(other.author(WATER_BENCH))
    stranger.boot()
    assert proves(FORK, a, stranger.event("b", "2")) == "verify.unknown_key"
    gas = ModelFixture(WORLD.author("G1"))
    gas.boot()
    assert proves(FORK, a, gas.event("b", "2")) == "proof"


def test_grants_that_lead_nowhere_prove_nothing() -> None:
    """Other anchors, and the delegation left out."""
    honest = fixture()
    honest.boot()
    a, b = cloned(honest).event("a", "1"), honest.event("b", "2")
    raw = build(FORK, GRANTS, [a.raw, b.raw])
    assert verify_proof(raw, WORLD.anchors).proof == FORK
    with pytest.raises(ProtocolError):
        verify_proof(raw, [PrivateKey.generate().public])
    with pytest.raises(ProtocolError):
        verify_proof(build(FORK, GRANTS[1:], [a.raw, b.raw]), WORLD.anchors)


@pytest.mark.parametrize(
    "raw", [b"", b"\xa0", b"\x80", build("theft", [], []), build(FORK, [], []), build(FORK, [], [b"", b""])]
)
def test_what_is_no_proof_file_is_refused_by_name(raw: bytes) -> None:
    """Never an exception of another kind."""
    with pytest.raises((ProtocolError, WireError)):
        verify_proof(raw, WORLD.anchors)


lives = st.lists(st.sampled_from(["boot", "event", "cut"]), min_size=1, max_size=7)


def lived(life: list[str]) -> list[Signed]:
    """An honest fixture's statements. A cut loses what was being written, which nobody has seen."""
    honest = fixture()
    seen = [honest.boot()]
    for step in life:
        if step == "cut":
            before = (honest.epoch, honest.seq, honest.head)
            honest.event("lost", "in the dark")
            honest.epoch, honest.seq, honest.head = before
            seen.append(honest.boot())
        else:
            seen.append(honest.boot() if step == "boot" else honest.event("e", str(len(seen))))
    return seen


@settings(max_examples=25)
@given(life=lives)
def test_no_honest_history_yields_a_proof(life: list[str]) -> None:
    """Every ordered pair of an honest fixture's statements, as each kind of proof: nothing is proved."""
    for a, b in permutations(lived(life), 2):
        assert proves(FORK, a, b) == "proof"
        assert proves(TRUNCATION, a, b) == "proof"


def test_every_flipped_byte_is_found_or_changes_nothing() -> None:
    """A proof file with one byte changed: refused, or the very same verdict."""
    honest = fixture()
    honest.boot()
    a, b = cloned(honest).event("a", "1"), honest.event("b", "2")
    needed = [WORLD.grants[name] for name in ("delegation", f"fixture {WATER_BENCH}")]
    raw = build(FORK, needed, [a.raw, b.raw])
    verdict = verify_proof(raw, WORLD.anchors)
    for place in range(0, len(raw), 7):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        try:
            assert verify_proof(changed, WORLD.anchors) == verdict, place
        except (ProtocolError, WireError):
            continue
    assert identity(a.raw) in verdict.identities
