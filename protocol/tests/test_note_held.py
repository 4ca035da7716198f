"""Lines of notes that held are not verified again, and the answer is the one that verifying gives.

Expected values are `VerifierKey.check`'s, which keeps nothing: asked for every pair of key, text and signature.
"""

from collections.abc import Callable, Hashable
from itertools import product

import pytest

from meterseal_protocol import note_key
from meterseal_protocol.errors import Unverified
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.note import Note
from meterseal_protocol.note_key import PLAIN, TIMED, NoteSigner, VerifierKey, open_note
from meterseal_wire.suites import ED25519

Check = Callable[[VerifierKey, str, bytes], int]
TEXTS = ("edge/EDGE1\n7\nroot\n", "edge/EDGE1\n8\nroot\n")
FIRST, SECOND = (PrivateKey(bytes(31) + bytes([number]), ED25519) for number in (1, 2))
SIGNERS = (NoteSigner("w", FIRST, TIMED), NoteSigner("w", FIRST, PLAIN), NoteSigner("w", SECOND, TIMED))
VALUES = [
    signer.sign(text, time_s if signer.key.type == TIMED else 0).value
    for signer, text, time_s in product(SIGNERS, TEXTS, (100, 200))
]
ASKED = list(product((signer.key for signer in SIGNERS), TEXTS, VALUES))


def answer(check: Check, key: VerifierKey, text: str, value: bytes) -> int | None:
    """The second, or None where the line does not hold."""
    try:
        return check(key, text, value)
    except Unverified:
        return None


def differing(check: Check) -> int:
    """How many answers are not those of verifying, asked forwards and then backwards."""
    truth = {asked: answer(VerifierKey.check, *asked) for asked in ASKED}
    assert sum(found is not None for found in truth.values()) == 10  # 2 times 2 of each witness, 2 of the log
    return sum(answer(check, *asked) != truth[asked] for asked in [*ASKED, *reversed(ASKED)])


def test_what_is_kept_changes_no_answer() -> None:
    """Two keys, one of them in both types, two texts, two times: every signature under every key and text."""
    note_key._held.cache_clear()
    assert differing(note_key._held) == 0


@pytest.mark.parametrize(
    "part",
    [
        lambda key, *rest: (key.type, *rest),
        lambda key, text, value: (key.public, text, value[8:]),
        lambda *asked: (asked[0], asked[2]),
        lambda *asked: asked[:2],
        lambda key, text, value: (key, text, value[:8]),
    ],
    ids=["public key", "type and time", "text", "signature", "all but the time"],
)
def test_a_memory_that_forgets_a_part_is_found(part: Callable[[VerifierKey, str, bytes], Hashable]) -> None:
    """Planted: what held once is answered for whatever looks alike without that part."""
    kept: dict[Hashable, int] = {}

    def forgetful(key: VerifierKey, text: str, value: bytes) -> int:
        name = part(key, text, value)
        if name not in kept:
            kept[name] = key.check(text, value)
        return kept[name]

    assert differing(forgetful) > 0


@pytest.mark.parametrize("length, verified", [(4096, 1), (4097, 3)])
def test_a_line_is_verified_once_below_a_text_that_may_be_kept(length: int, verified: int) -> None:
    """Opened three times; a text of 4096 characters is kept, a longer one is not, so that memory has a bound."""
    signer = NoteSigner("log", PrivateKey.generate(ED25519))
    raw = Note("x" * (length - 1) + "\n").signed(signer.sign("x" * (length - 1) + "\n")).raw
    looks, verify = [], signer.key.public.verify

    def counted(message: bytes, signature: bytes) -> None:
        looks.append(message)
        verify(message, signature)

    signer.key.public.verify = counted
    for _ in range(3):
        assert open_note(raw, [signer.key]).signers == {signer.key: (0,)}
    assert len(looks) == verified


def test_a_line_that_does_not_hold_is_refused_each_time() -> None:
    """Nothing is kept of it, and a line that held before is not taken for it."""
    signer = NoteSigner("log", PrivateKey.generate(ED25519))
    good = Note(TEXTS[0]).signed(signer.sign(TEXTS[0]))
    bad = Note(TEXTS[1], good.signatures)
    for _ in range(2):
        assert open_note(good.raw, [signer.key]).signers
        with pytest.raises(Unverified, match="the line of log"):
            open_note(bad.raw, [signer.key])
