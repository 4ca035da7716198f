"""Fuzz target: signed notes, as a witness answers and a sighting brings them; a witness's requests; and policies.

A known second for the one checkpoint that the witnesses cosigned, one spelling of whatever is taken, or a named error.
"""

from meterseal_protocol.checkpoint_text import LogHead, sign_head
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.merkle import consistency_proof, include, leaf_hash, subtree
from meterseal_protocol.note import NoteSignature, parse
from meterseal_protocol.note_key import TIMED, NoteSigner
from meterseal_protocol.quorum import LogTrust, Quorum, Sighting, seen_s
from meterseal_protocol.witness import Request, read_request
from meterseal_protocol.witness_policy import read_policy
from meterseal_wire.digest import sha256
from meterseal_wire.suites import by_number

SUITE = by_number(3)  # C2SP's notes are of this one
NAMES = [sha256(bytes([number])) for number in range(7)]
HASHES = [leaf_hash(name) for name in NAMES]
INDEX, SIZE, FIRST_S, SECOND_S = 4, 7, 1_790_000_300, 1_790_000_310
LOG = NoteSigner("edge/EDGE1", PrivateKey(bytes(31) + b"\x01", SUITE))
WITNESSES = [NoteSigner(f"w{n}", PrivateKey(bytes(31) + bytes([16 + n]), SUITE), TIMED) for n in range(2)]
TRUST = LogTrust(LOG.key.name, (LOG.key,), Quorum(2, tuple(witness.key for witness in WITNESSES)))
PLACE = include(HASHES, INDEX, SIZE)
HEAD = LogHead(LOG.key.name, SIZE, subtree(HASHES, 0, SIZE))
BARE = sign_head(LOG, HEAD)
NOTE = BARE.signed(WITNESSES[0].sign(BARE.text, FIRST_S), WITNESSES[1].sign(BARE.text, SECOND_S))
POLICY = (
    f"log {LOG.key}\nwitness a {WITNESSES[0].key}\nwitness b {WITNESSES[1].key}\ngroup g all a b\nquorum g\n"
)


def one(data: bytes) -> None:
    """Take `data` for each of them; AssertionError where a time or a spelling comes out that nobody wrote."""
    try:
        assert parse(data).raw == data, "a note with two spellings"
        assert seen_s(NAMES[INDEX], Sighting(data, PLACE), TRUST) == SECOND_S, (
            "a second at which nobody signed"
        )
    except ProtocolError as error:
        assert str(error), f"{type(error).__name__} says nothing"
    try:
        assert read_request(data).raw == data, "a request with two spellings"
    except ProtocolError as error:
        assert str(error), f"{type(error).__name__} says nothing"
    try:
        read_policy(data)
    except ProtocolError as error:
        assert str(error), f"{type(error).__name__} says nothing"


def seeds() -> list[bytes]:
    """A cosignature moved by a second; notes, requests and a policy, and each with a byte changed or lost."""
    line = WITNESSES[1].sign(BARE.text, SECOND_S)
    later = NoteSignature(line.name, line.key_id, (SECOND_S + 1).to_bytes(8, "big") + line.value[8:])
    proof = tuple(consistency_proof(HASHES, 3, SIZE))
    whole = [
        NOTE.raw,
        BARE.raw,
        BARE.signed(WITNESSES[0].sign(BARE.text, FIRST_S)).raw,
        Request(3, proof, BARE.raw, HEAD).raw,
        Request(0, (), BARE.raw, HEAD).raw,
        POLICY.encode(),
    ]
    changed = [
        raw[:at] + bytes((raw[at] ^ 1,)) + raw[at + 1 :]
        for raw in whole
        for at in (3, len(raw) // 2, len(raw) - 70, len(raw) - 2)
    ]
    return [NOTE.signed(later).raw, *whole, *changed, *(raw[:-1] for raw in whole)]
