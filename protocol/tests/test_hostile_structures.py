"""Well-formed CBOR of the wrong meaning, signed or not, through every reader: one named error, never a traceback.

Random bytes rarely get past the scanner, so these inputs are built: headers and claims from the labels that the
readers look for, with values of every type. They are rightly signed where a signature is looked at, so that what is
behind it is reached. Expected (design section 13): a value, or a WireError or ProtocolError with a code.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol import certificate, checkpoint, receipt, status
from meterseal_protocol.check import YES, check
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import KeyRing, PrivateKey
from meterseal_protocol.statement import read
from meterseal_protocol.trust import Trust
from meterseal_protocol.verify import verify, verify_foreign
from meterseal_wire import labels as L
from meterseal_wire.digest import cose_key
from meterseal_wire.encode import LARGEST, Tag, encode
from meterseal_wire.errors import WireError
from meterseal_wire.kinds import KINDS
from meterseal_wire.sign1 import identity, join, sig_structure
from meterseal_wire.statement import Author

KEY = PrivateKey(bytes(31) + b"\x07")
KID = Author("REG-CN", "log", KEY).kid
IDENTITY = bytes(32)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(-LARGEST, LARGEST),
    st.sampled_from([b"", bytes(8), bytes(16), bytes(32), KID, "", "33", "REG-CN", "a" * 17, "e\u0301"]),
)
names = (
    st.sampled_from(["bits", "lst", "anchors", "x"])
    | st.integers(-3, 7)
    | st.sampled_from([65533, 65534, -70002])
)
inner = scalars | st.lists(scalars, max_size=4) | st.dictionaries(names, scalars, max_size=3)
anything = inner | st.lists(inner, max_size=10) | st.dictionaries(names, inner, max_size=5)

# Headers whose every label is right most of the time, so that the next check is reached too.
headers = st.fixed_dictionaries(
    {L.HEADER_ALG: st.just(-9) | inner, L.HEADER_KID: st.just(KID) | inner},
    optional={
        L.HEADER_CRIT: inner,
        L.HEADER_CWT_CLAIMS: st.just({1: "REG-CN", 2: "log"}) | inner,
        L.HEADER_TYP: st.sampled_from([*KINDS, L.KIND_CERTIFICATE, status.TYP]) | inner,
        L.HEADER_CHAIN: st.just([1, 0, bytes(32)]) | inner,
        L.HEADER_VDS: st.just(1) | inner,
    },
)
claims = st.fixed_dictionaries(
    {},
    optional={
        L.CLAIM_ISS: st.just("REG-CN") | inner,
        L.CLAIM_SUB: st.just("DEMO.1") | inner,
        L.CLAIM_EXP: st.just(2) | inner,
        L.CLAIM_IAT: st.just(1) | inner,
        L.CLAIM_STATUS_LIST: st.just({"bits": 2, "lst": status.compress(b"\x00")}) | inner,
        L.CLAIM_CERTIFICATE: st.lists(inner, min_size=10, max_size=10) | anything,
    },
)
payloads = claims | st.dictionaries(st.integers(9, 98), inner, max_size=12) | anything
unprotected_headers = st.just({}) | st.dictionaries(st.just(L.HEADER_PROOFS) | names, anything, max_size=2)


def ring() -> KeyRing:
    """The key with which everything here is signed."""
    found = KeyRing()
    found.add(KEY.public)
    return found


def signed(header: Any, payload: Any) -> bytes:
    """A message with a right signature over any header and payload."""
    protected, body = encode(header), encode(payload)
    return bytes(join(protected, body, KEY.suite.canonical(KEY.sign(sig_structure(protected, body)))))


def ends_well(read_it: Callable[[], object]) -> None:
    """Any value, or one of the two families of errors with its code and a sentence."""
    try:
        read_it()
        return
    except (WireError, ProtocolError) as error:
        code, sentence = error.code, str(error)
    assert code
    assert sentence
    assert "\n" not in sentence


READERS: dict[str, Callable[[bytes], object]] = {
    "statement": read,
    "verify": lambda raw: verify(raw, ring()),
    "certificate": lambda raw: certificate.read(raw, ring()),
    "status list": lambda raw: status.read(raw, ring()),
    "checkpoint": lambda raw: checkpoint.read(raw, ring()),
    "receipt": lambda raw: receipt.check(raw, IDENTITY, ring()),
    "foreign": lambda raw: verify_foreign(raw, KEY.public.cose),
    "identity": identity,
    "trust file": Trust.load,
}


@pytest.mark.parametrize("name", READERS)
@given(headers | anything, payloads)
def test_a_signed_message_of_any_content_is_read_or_refused(name: str, header: Any, payload: Any) -> None:
    """A known key signs nonsense: a broken registry or a stolen key must not bring a reader down."""
    ends_well(lambda: READERS[name](signed(header, payload)))


@pytest.mark.parametrize("name", READERS)
@given(st.lists(anything | st.binary(max_size=40), max_size=5), st.booleans())
def test_any_array_is_read_or_refused(name: str, parts: list[Any], tagged: bool) -> None:
    """Four parts of the wrong types, three, five, with and without the tag."""
    ends_well(lambda: READERS[name](encode(Tag(18, parts) if tagged else parts)))


@given(headers, unprotected_headers, st.none() | st.binary(max_size=40))
def test_a_receipt_with_any_proof_is_read_or_refused(
    header: Any, unprotected: Any, payload: bytes | None
) -> None:
    """Proofs that are no list, hold no bytes, or hold bytes that are no proof."""
    raw = encode(Tag(18, [encode(header), unprotected, payload, bytes(64)]))
    ends_well(lambda: receipt.check(raw, IDENTITY, ring()))


@given(
    st.fixed_dictionaries(
        {
            "anchors": st.just([cose_key(KEY.public_xy)]) | anything,
            "grants": st.lists(st.binary(max_size=40), max_size=2) | anything,
            "status": st.lists(st.binary(max_size=40), max_size=2) | anything,
            "made_s": st.just(1) | inner,
        }
    )
)
def test_a_trust_file_of_any_content_is_loaded_or_refused(value: Any) -> None:
    """What loads can also be used: its grants and lists are looked at only then."""

    def use() -> None:
        trust = Trust.load(encode(value))
        trust.status_lists(trust.registries())

    ends_well(use)


@given(headers, claims)
def test_a_check_of_any_signed_message_gives_an_answer_and_never_a_yes(header: Any, body: Any) -> None:
    """check() is total: nothing that a stranger signs raises, and nothing without a status list is valid."""
    trust = Trust([KEY.public], [], [], 1)
    assert check(signed(header, body), trust, 1, "33", "DEMO.1").outcome != YES
