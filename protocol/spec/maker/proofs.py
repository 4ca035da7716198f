"""Subject proof (proof.md): two signatures that exclude each other, and what looks like it and proves nothing.

Keys, grants and statements are those of the testing world with keys that never change. What a proof says (kind, name,
place) is written here by hand; key and identities are of the bytes.
"""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from maker.case import FixedKey, accept, refuse
from meterseal_protocol.proof import FORK, OMISSION, TRUNCATION, build
from meterseal_protocol.testing.fixture import CLOCK, ModelFixture, Signed
from meterseal_protocol.testing.trial import Trial
from meterseal_protocol.testing.world import EDGE, REGISTRY, ROLES, WATER_BENCH
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.statement import Author
from meterseal_wire.statement import build as sign

PAGE = "proof.md, "
NOTHING, SIGNATURE, UNKNOWN = "proof", "verify.signature", "verify.unknown_key"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SEC 2
TRIAL = Trial(keys={role: FixedKey(role) for role in ROLES}).begin().run()
WORLD, RECORD = TRIAL.world, TRIAL.record
ROOT, STRANGER = FixedKey("root"), FixedKey("a stranger")
DELEGATION = WORLD.grants["delegation"]
FIXTURE_GRANTS = (DELEGATION, WORLD.grants[f"fixture {WATER_BENCH}"])
EDGE_GRANTS = (DELEGATION, WORLD.grants["edge"])
BOTH_GRANTS = (*FIXTURE_GRANTS, WORLD.grants["registry"])


def fixture() -> ModelFixture:
    """The water bench's fixture, which has said nothing."""
    return ModelFixture(WORLD.author(WATER_BENCH))


HONEST = fixture()
FIRST = HONEST.boot()
CLONE = copy.deepcopy(HONEST)
A, B = HONEST.event("a", "1"), CLONE.event("b", "2")


def boot_at(epoch: int, prev: Signed, last: tuple[int, int]) -> Signed:
    """A boot of the water bench at (epoch, 0) that cites `prev` at `last`."""
    payload = {
        L.COUNTER: 0,
        L.FIRMWARE_DIGEST: bytes(32),
        L.FIRMWARE_VERSION: "0.1.0",
        L.BOARD: "model",
        L.CLOCK: CLOCK,
        L.RESET_CAUSE: 1,
        L.LAST_HEAD: last,
    }
    return Signed(bytes(sign(WORLD.author(WATER_BENCH), L.KIND_BOOT, payload, (epoch, 0, prev.identity))))


def respelled(item: Signed) -> Signed:
    """The same signature as (r, n - s), which SEC 1 would accept."""
    s = int.from_bytes(item.raw[-32:], "big")
    return Signed(item.raw[:-32] + (P256_ORDER - s).to_bytes(32, "big"))


def head(size: int, root: int, time_s: int, origin: str = f"edge/{EDGE}") -> Signed:
    """A tree head of the edge's log."""
    payload = {L.ORIGIN: origin, L.LOG_SIZE: size, L.LOG_ROOT: bytes(31) + bytes([root]), L.TIME_S: time_s}
    return Signed(bytes(sign(WORLD.author("edge"), L.KIND_CHECKPOINT, payload)))


def given(raw: bytes, anchor: FixedKey = ROOT) -> dict[str, Any]:
    """A proof file and the one key that is trusted."""
    return {"file": raw.hex(), "anchors": [anchor.cose_hex]}


def proof(
    kind: str, grants: Sequence[bytes], statements: Sequence[Signed], receipts: Sequence[bytes] = ()
) -> dict[str, Any]:
    """A proof file as the input of a case."""
    return given(build(kind, grants, [item.raw for item in statements], receipts))


def proves(kind: str, name: str, role: str, at: tuple[int, int], clash: Sequence[Signed]) -> dict[str, Any]:
    """What must come out."""
    identities = [item.identity.hex() for item in clash]
    return {"proof": kind, "signer": name, "key": FixedKey(role).thumbprint.hex(), "at": [*at]} | {
        "identities": identities
    }


def cases() -> Iterator[dict[str, Any]]:
    """Every case of the subject."""
    for part in (fork_cases, frame_cases, truncation_cases, log_cases, omission_cases, file_cases):
        yield from part()


def fork_cases() -> Iterator[dict[str, Any]]:
    """Forks, and two statements that are none."""
    rule = f"{PAGE}fork"
    yield accept(
        "fork of one place",
        rule,
        "two events at (1, 1)",
        proof(FORK, FIXTURE_GRANTS, (A, B)),
        **proves(FORK, WATER_BENCH, WATER_BENCH, (1, 1), (A, B)),
    )
    second, third = boot_at(2, FIRST, (1, 0)), boot_at(3, FIRST, (1, 0))
    yield accept(
        "fork of one parent",
        rule,
        "epochs 2 and 3 both follow (1, 0)",
        proof(FORK, FIXTURE_GRANTS, (second, third)),
        **proves(FORK, WATER_BENCH, WATER_BENCH, (2, 0), (second, third)),
    )
    after = boot_at(3, second, (2, 0))
    rows = (
        ("fork of two places", (FIRST, A), "they follow each other"),
        ("fork of epochs in order", (second, after), "each cites the one before"),
        ("fork of one statement", (A, A), "the same bytes twice"),
        ("fork of three", (A, B, FIRST), "two, not more"),
    )
    for name, statements, why in rows:
        yield refuse(name, rule, why, proof(FORK, FIXTURE_GRANTS, statements), NOTHING)
    receipt = RECORD.receipt(RECORD.pool[0])
    spare = proof(FORK, FIXTURE_GRANTS, (A, B), (receipt,))
    yield refuse("fork with a receipt", rule, "it needs none", spare, NOTHING)


def frame_cases() -> Iterator[dict[str, Any]]:
    """Nobody is made a liar by what others signed or respelled."""
    strange = ModelFixture(Author("YUHANG1", WATER_BENCH, STRANGER))
    strange.boot()
    other = ModelFixture(WORLD.author("G1"))
    other.boot()
    person = ModelFixture(WORLD.author("verifier"))
    person.boot()
    gas = (*FIXTURE_GRANTS, WORLD.grants["fixture G1"])
    people = (*FIXTURE_GRANTS, WORLD.grants["person verifier"])
    rows: tuple[tuple[int, str, dict[str, Any], str, str], ...] = (
        (
            2,
            "fork by a respelled signature",
            proof(FORK, FIXTURE_GRANTS, (A, respelled(A))),
            "one accepted spelling",
            SIGNATURE,
        ),
        (
            2,
            "fork by a stranger",
            proof(FORK, FIXTURE_GRANTS, (A, strange.event("b", "2"))),
            "no grant names its key",
            UNKNOWN,
        ),
        (
            2,
            "fork of a changed statement",
            proof(FORK, FIXTURE_GRANTS, (A, Signed(A.raw.replace(b"a1", b"a2")))),
            "one byte is not what was signed",
            SIGNATURE,
        ),
        (
            3,
            "fork of two fixtures",
            proof(FORK, gas, (A, other.event("b", "2"))),
            "each has a chain of its own",
            NOTHING,
        ),
        (
            3,
            "fork by a person",
            proof(FORK, people, (person.event("a", "1"), _twin(person))),
            "the key is granted, and not as a fixture's",
            NOTHING,
        ),
        (
            1,
            "fork without the delegation",
            proof(FORK, FIXTURE_GRANTS[1:], (A, B)),
            "the fixture's grant leads nowhere",
            NOTHING,
        ),
        (
            1,
            "fork under another anchor",
            given(build(FORK, FIXTURE_GRANTS, [A.raw, B.raw]), STRANGER),
            "the reader trusts somebody else",
            NOTHING,
        ),
    )
    for rule, name, file, why, code in rows:
        yield refuse(name, f"{PAGE}rule {rule}", why, file, code)


def _twin(author: ModelFixture) -> Signed:
    """Another event at the place of the last one."""
    author.seq -= 1
    author.head = author.signed[0].identity
    return author.event("b", "2")


def truncation_cases() -> Iterator[dict[str, Any]]:
    """A fixture that disowns what it signed, and boots that disown nothing."""
    rule, boot = f"{PAGE}truncation", boot_at(2, FIRST, (1, 0))
    yield accept(
        "truncation by a boot",
        rule,
        "(1, 1) was signed, and the next boot cites (1, 0)",
        proof(TRUNCATION, FIXTURE_GRANTS, (boot, A)),
        **proves(TRUNCATION, WATER_BENCH, WATER_BENCH, (1, 1), (boot, A)),
    )
    rows = (
        ("truncation of what is cited", (boot, FIRST), "the cited statement itself"),
        ("truncation upside down", (A, boot), "the boot comes first"),
        ("truncation of what came later", (boot_at(2, A, (1, 1)), boot_at(3, A, (2, 0))), "behind the boot"),
        ("truncation by the first boot", (FIRST, A), "it cites nothing"),
    )
    for name, statements, why in rows:
        yield refuse(name, rule, why, proof(TRUNCATION, FIXTURE_GRANTS, statements), NOTHING)


def log_cases() -> Iterator[dict[str, Any]]:
    """Two tree heads of one log."""
    rule, seven, split = f"{PAGE}truncation", head(7, 0, 100), head(7, 1, 101)
    yield accept(
        "truncation of a log with two roots",
        rule,
        "one size, two roots",
        proof(TRUNCATION, EDGE_GRANTS, (seven, split)),
        **proves(TRUNCATION, EDGE, "edge", (7, 7), (seven, split)),
    )
    rows = (
        ("truncation of a log that grew", head(8, 1, 101), "growing is what logs do"),
        ("truncation of a log at rest", head(7, 0, 101), "the same tree, signed again"),
        ("truncation of two logs", head(7, 1, 101, "edge/EDGE2"), "two origins"),
    )
    for name, second, why in rows:
        yield refuse(name, rule, why, proof(TRUNCATION, EDGE_GRANTS, (seven, second)), NOTHING)


def scope(listed: Sequence[bytes], time_s: int, meter: str = TRIAL.meter) -> Signed:
    """A registry's scope of a meter that lists these."""
    payload = {L.METER: meter, L.LOG_SIZE: RECORD.tree.size, L.ENTRIES: sorted(listed), L.TIME_S: time_s}
    return Signed(bytes(sign(WORLD.author("registry", "scope"), L.KIND_SCOPE, payload)))


def omission_cases() -> Iterator[dict[str, Any]]:
    """A scope that leaves out an attempt, or what closed it; and scopes that don't."""
    [attempt], [result] = (RECORD.of_kind(kind) for kind in (L.KIND_ATTEMPT, L.KIND_RESULT))
    began, ended = Signed(attempt.statement.raw), Signed(result.statement.raw)
    of_attempt, of_result = RECORD.receipt(attempt), RECORD.receipt(result)
    rule, late_s = f"{PAGE}omission", result.entered_s + 1
    empty, half = scope([], late_s), scope([began.identity], late_s)
    full = scope([began.identity, ended.identity], late_s)
    yield accept(
        "omission of an attempt",
        rule,
        "logged before the scope was signed, and not in it",
        proof(OMISSION, BOTH_GRANTS, (empty, began), (of_attempt,)),
        **proves(OMISSION, REGISTRY, "registry", (RECORD.tree.size, attempt.leaf), (empty, began)),
    )
    yield accept(
        "omission of a result",
        rule,
        "the attempt is in the scope, its end is not",
        proof(OMISSION, BOTH_GRANTS, (half, began, ended), (of_result,)),
        **proves(OMISSION, REGISTRY, "registry", (RECORD.tree.size, result.leaf), (half, ended)),
    )
    same_s, other = scope([], attempt.entered_s), scope([], late_s, "DEMO.00000001")
    rows = (
        ("omission of nothing", (full, began), (of_attempt,), "the scope lists it"),
        ("omission of no end", (full, began, ended), (of_result,), "the scope lists both"),
        ("omission within one second", (same_s, began), (of_attempt,), "which came first is not said"),
        (
            "omission from another meter's scope",
            (other, began),
            (of_attempt,),
            "the attempt does not name it",
        ),
        ("omission without a receipt", (empty, began), (), "nobody says that it was logged"),
        ("omission with another's receipt", (empty, began), (of_result,), "it is the result's"),
        ("omission of what closes nothing", (half, began, A), (of_result,), "an event ends no attempt"),
    )
    for name, statements, receipts, why in rows:
        yield refuse(name, rule, why, proof(OMISSION, BOTH_GRANTS, statements, receipts), NOTHING)


def file_cases() -> Iterator[dict[str, Any]]:
    """What is no proof file."""
    rule = f"{PAGE}Example"
    raw = build(FORK, FIXTURE_GRANTS, [A.raw, B.raw])
    fields: dict[str, Any] = {"proof": FORK, "grants": [], "statements": [], "receipts": []}
    rows = (
        ("file of another kind", build("theft", (), ()), "fork, truncation, omission", NOTHING),
        ("file with a field more", bytes(encode({**fields, "why": "x"})), "four fields", NOTHING),
        ("file with a field less", bytes(encode({"proof": FORK, "grants": []})), "four fields", NOTHING),
        (
            "file with a number for a grant",
            bytes(encode({**fields, "grants": [1]})),
            "byte strings",
            NOTHING,
        ),
        ("file that is an array", b"\x80", "a map", NOTHING),
        ("file that goes on", raw + b"\x00", "nothing behind it", "wire.trailing"),
        ("file that is cut", raw[:-1], "all of it", "wire.truncated"),
        ("file with a long head", b"\xb8\x04" + raw[1:], "deterministic CBOR", "wire.not_shortest"),
    )
    for name, file, why, code in rows:
        yield refuse(name, rule, why, given(file), code)
