"""Keys of notes and cosignatures: vectors of C2SP, Go and transparency-dev, with openssl as a second opinion."""

import base64
import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.errors import BadKey, BadNote, ProtocolError, UnknownKey, Unverified
from meterseal_protocol.keys import PrivateKey, PublicKey
from meterseal_protocol.note import Note, NoteSignature, parse
from meterseal_protocol.note_key import PLAIN, TIMED, NoteSigner, VerifierKey, open_note
from meterseal_wire.suites import ED25519, ESP256

# C2SP signed-note, Verifier keys: the example key and the note that it verifies.
FOO = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
FOO_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# golang.org/x/mod sumdb/note, note_test.go (BSD-3).
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = (
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot "
    "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)
# transparency-dev/formats note/note_cosigv1_test.go (Apache-2.0): a witness's key, and a line of second 1727964367.
REMORA = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
TIMED_VALUE = (
    "ZGhGuQAAAABm/qTPeyKXD+R2rzyQsxPiP8mXum7qq/iF0u4vanlqJyocWODBt97w9uL+8qT7S5gxEHWWOworDcFiEBYJXORmnFBOBA=="
)
CHECKPOINT = "edge/EDGE1\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
SPKI = bytes.fromhex("302a300506032b6570032100")  # RFC 8410 section 4: what stands before the 32 bytes


def secret_of(text: str) -> PrivateKey:
    """The seed in Go's text form of a private key."""
    return PrivateKey(base64.b64decode(text.split("+", 4)[4])[1:], ED25519)


def witness(number: int = 1, name: str = "witness.example/w1") -> NoteSigner:
    """A cosigner with a key of its own."""
    return NoteSigner(name, PrivateKey(bytes(31) + bytes([number]), ED25519), TIMED)


def openssl_holds(folder: Path, public: bytes, message: bytes, signature: bytes) -> bool:
    """The openssl command's opinion of an Ed25519 signature."""
    (folder / "key.der").write_bytes(SPKI + public)
    (folder / "message").write_bytes(message)
    (folder / "signature").write_bytes(signature)
    command = (
        "openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in message -sigfile signature"
    )
    done = subprocess.run(command.split(), cwd=folder, capture_output=True, text=True, check=False)
    return "Signature Verified Successfully" in done.stdout + done.stderr


@pytest.mark.parametrize("text", [FOO, PETER, ENOCH, REMORA])
def test_a_published_key_reads_and_writes_back(text: str) -> None:
    """Name, id and type as C2SP, Go and transparency-dev publish them."""
    key = VerifierKey.parse(text)
    assert str(key) == text
    assert (key.name, key.key_id.hex()) == tuple(text.split("+")[:2])
    assert key.type == (TIMED if text == REMORA else PLAIN)


def test_the_id_is_the_beginning_of_the_hash_that_c2sp_names() -> None:
    """SHA-256(name, newline, type, public key), first four bytes, recomputed here."""
    name, _, encoded = FOO.split("+", 2)
    found = hashlib.sha256(name.encode() + b"\n" + base64.b64decode(encoded)).hexdigest()
    assert VerifierKey.parse(FOO).key_id.hex() == found[:8] == "530d903a"


@pytest.mark.parametrize("text", [PETER, REMORA])
def test_every_part_of_a_key_and_every_changed_sign_is_refused(text: str) -> None:
    """Go's manglings: every proper substring, and every character put one higher."""
    broken = {text[start:end] for start in range(len(text)) for end in range(start + 1, len(text) + 1)} - {
        text
    }
    broken |= {text[:at] + chr(ord(text[at]) + 1) + text[at + 1 :] for at in range(len(text))}
    for part in broken:
        with pytest.raises((BadNote, BadKey)):
            VerifierKey.parse(part)


@pytest.mark.parametrize(
    "text",
    [
        # Go: the key too long, and an unknown algorithm, each with its id made right.
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        PETER.replace("c74f20a3", "C74F20A3"),
        PETER.replace("c74f20a3", "0c74f20a3"),
        PETER + "\n",
        "\ud800" + PETER,
        "",
    ],
)
def test_a_key_in_another_form_is_refused(text: str) -> None:
    """Length, type, and the one spelling of the id."""
    with pytest.raises((BadNote, BadKey)):
        VerifierKey.parse(text)


def test_a_key_of_small_order_is_no_key() -> None:
    """Under the point of order 1 (y = 1) one signature fits every note; its id is made right, so only that is wrong."""
    encoded = b"\x01" + b"\x01" + bytes(31)
    key_id = hashlib.sha256(b"log\n" + encoded).hexdigest()[:8]
    with pytest.raises(BadKey, match="full order"):
        VerifierKey.parse(f"log+{key_id}+{base64.b64encode(encoded).decode()}")


def test_a_key_of_another_suite_or_type_does_not_sign_notes() -> None:
    """C2SP fixes the algorithm by the type; ours of type 2, 3 or 6 do not exist."""
    for kind, suite in ((PLAIN, ESP256), (2, ED25519), (6, ED25519)):
        private = PrivateKey(bytes(31) + b"\x01", suite)
        with pytest.raises(BadKey, match="suite 3"):
            NoteSigner("log", private, kind)
    with pytest.raises(BadNote, match="plus"):
        NoteSigner("a+b", PrivateKey(bytes(32), ED25519))


def test_c2sps_example_note_opens_under_its_example_key(tmp_path: Path) -> None:
    """C2SP signed-note, Example; the openssl command agrees about the bytes."""
    opened = open_note(FOO_NOTE.encode(), [VerifierKey.parse(FOO)])
    assert opened.note.text == "This is an example message.\n"
    assert opened.signers == {VerifierKey.parse(FOO): (0,)}
    public = base64.b64decode(FOO.split("+", 2)[2])[1:]
    assert openssl_holds(
        tmp_path, public, b"This is an example message.\n", parse(FOO_NOTE.encode()).signatures[0].value
    )


def test_gos_private_key_signs_gos_note() -> None:
    """Go's TestSign: this seed over this text gives this note, byte for byte (RFC 8032 is deterministic)."""
    signer = NoteSigner("PeterNeumann", secret_of(PETER_SECRET))
    assert str(signer.key) == PETER
    assert Note(TEXT).signed(signer.sign(TEXT)).raw.decode() == TEXT + "\n" + PETER_LINE


def test_lines_of_unknown_keys_are_read_past() -> None:
    """Go's TestOpen: one verified, one not; then both."""
    raw = (TEXT + "\n" + PETER_LINE + ENOCH_LINE).encode()
    peter, enoch = VerifierKey.parse(PETER), VerifierKey.parse(ENOCH)
    assert set(open_note(raw, [peter]).signers) == {peter}
    assert set(open_note(raw, [peter, enoch]).signers) == {peter, enoch}
    with pytest.raises(UnknownKey):
        open_note(raw, [])


def test_a_line_with_the_name_or_the_id_alone_of_a_known_key_is_read_past() -> None:
    """C2SP: MUST ignore signatures from unknown keys, even if they share a name or ID (but not both)."""
    peter = VerifierKey.parse(PETER)
    value = peter.key_id + bytes(64)
    named = f"— PeterNeumann {base64.b64encode(b'else' + bytes(64)).decode()}\n"
    numbered = f"— CarmenSandiego {base64.b64encode(value).decode()}\n"
    assert set(open_note((TEXT + "\n" + PETER_LINE + named + numbered).encode(), [peter]).signers) == {peter}
    for other in (named, numbered):
        with pytest.raises(UnknownKey):
            open_note((TEXT + "\n" + other).encode(), [peter])


def test_a_known_keys_line_that_does_not_hold_spoils_the_note() -> None:
    """C2SP: clients SHOULD reject the whole note; also when another line holds, before or after it."""
    peter, enoch = VerifierKey.parse(PETER), VerifierKey.parse(ENOCH)
    forged = f"— PeterNeumann {base64.b64encode(peter.key_id + bytes(64)).decode()}\n"
    for lines in (forged, forged + ENOCH_LINE, ENOCH_LINE + forged, PETER_LINE + forged):
        with pytest.raises(Unverified, match="PeterNeumann"):
            open_note((TEXT + "\n" + lines).encode(), [peter, enoch])


def test_a_key_that_signed_twice_counts_once() -> None:
    """The same line twice (Go accepts it), and a witness at two times: both are kept, in order."""
    peter = VerifierKey.parse(PETER)
    assert open_note((TEXT + "\n" + PETER_LINE * 2).encode(), [peter]).signers == {peter: (0, 0)}
    first, second = witness().sign(CHECKPOINT, 2000), witness().sign(CHECKPOINT, 1000)
    raw = Note(CHECKPOINT, (first, second)).raw
    assert open_note(raw, [witness().key]).signers == {witness().key: (1000, 2000)}


def test_two_known_keys_that_look_alike_are_refused() -> None:
    """An id has 32 bits, so somebody can make a key to fit it: then nothing is believed until one is taken away."""

    class Alike(VerifierKey):
        @property
        def key_id(self) -> bytes:
            return b"same"

    keys = [
        Alike("log", PLAIN, PublicKey(PrivateKey(bytes(31) + bytes([n]), ED25519).public_xy, ED25519))
        for n in (1, 2)
    ]
    with pytest.raises(BadKey, match="look like the other"):
        open_note((TEXT + "\n" + PETER_LINE).encode(), keys)
    twice = open_note((TEXT + "\n" + PETER_LINE).encode(), [VerifierKey.parse(PETER)] * 2)
    assert set(twice.signers) == {VerifierKey.parse(PETER)}


# --- cosignatures


def test_a_cosignature_is_over_the_header_the_time_and_the_text(tmp_path: Path) -> None:
    """tlog-cosignature, Ed25519 signed message, spelled out here and judged by openssl."""
    signer = witness()
    item = signer.sign(CHECKPOINT, 1679315147)
    message = b"cosignature/v1\ntime 1679315147\n" + CHECKPOINT.encode()
    assert item.value[:8] == bytes.fromhex("000000006418" + "50cb")
    assert openssl_holds(tmp_path, signer.key.public.xy, message, item.value[8:])
    assert signer.key.check(CHECKPOINT, item.value) == 1679315147


def test_the_time_of_a_published_cosignature_reads_as_its_makers_say() -> None:
    """transparency-dev: 1727964367, in eight bytes behind the key id; and C2SP's example of second 1679315147."""
    raw = base64.b64decode(TIMED_VALUE)
    assert int.from_bytes(raw[4:12], "big") == 1727964367
    line = (
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZ"
        "qhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    item = parse((CHECKPOINT + "\n" + line).encode()).signatures[0]
    assert (len(item.value), int.from_bytes(item.value[:8], "big")) == (72, 1679315147)


def test_one_key_has_two_ids_for_its_two_types() -> None:
    """C2SP: a different key ID for each signature type, so a log's line never passes for a witness's."""
    private = PrivateKey(bytes(31) + b"\x01", ED25519)
    log, timed = NoteSigner("x", private), NoteSigner("x", private, TIMED)
    assert log.key.key_id != timed.key.key_id
    raw = Note(CHECKPOINT, (log.sign(CHECKPOINT),)).raw
    with pytest.raises(UnknownKey):
        open_note(raw, [timed.key])
    swapped = NoteSignature("x", timed.key.key_id, bytes(8) + log.sign(CHECKPOINT).value)
    with pytest.raises(Unverified):
        open_note(Note(CHECKPOINT, (swapped,)).raw, [timed.key])


def test_a_cosignature_of_another_time_or_text_does_not_hold() -> None:
    """The time is signed: moving it by a second breaks the signature, as does an extension line."""
    value = witness().sign(CHECKPOINT, 1000).value
    for other in (999, 1001):
        with pytest.raises(Unverified):
            witness().key.check(CHECKPOINT, other.to_bytes(8, "big") + value[8:])
    with pytest.raises(Unverified):
        witness().key.check(CHECKPOINT + "more\n", value)


@pytest.mark.parametrize(
    "value", [b"", bytes(7), bytes(8), bytes(71), bytes(73), b"\x80" + bytes(71), b"\xff" * 72]
)
def test_a_cosignature_of_another_length_or_time_is_refused(value: bytes) -> None:
    """u64 and 64 bytes; the time MUST NOT exceed 2^63 - 1, one more is 80 followed by zeroes."""
    with pytest.raises(Unverified):
        witness().key.check(CHECKPOINT, value)


def test_a_second_beyond_the_last_is_refused_even_if_it_was_signed() -> None:
    """tlog-cosignature: the time MUST NOT exceed 2^63 - 1; here a key that does not care signs one more."""
    private = PrivateKey(bytes(31) + b"\x01", ED25519)
    for time_s, holds in ((2**63 - 1, True), (2**63, False), (2**64 - 1, False)):
        message = f"cosignature/v1\ntime {time_s}\n{CHECKPOINT}".encode()
        value = time_s.to_bytes(8, "big") + private.sign(message)
        if holds:
            assert witness().key.check(CHECKPOINT, value) == time_s
        else:
            with pytest.raises(Unverified, match="beyond"):
                witness().key.check(CHECKPOINT, value)


def test_the_last_second_can_be_signed_and_the_next_not() -> None:
    """2^63 - 1 is the greatest; a witness names a second, from 1, and a log none."""
    last = witness().sign(CHECKPOINT, 2**63 - 1)
    assert witness().key.check(CHECKPOINT, last.value) == 2**63 - 1
    for time_s in (0, -1, 2**63):
        with pytest.raises(BadKey, match="carries a time"):
            witness().sign(CHECKPOINT, time_s)
    with pytest.raises(BadKey, match="carries none"):
        NoteSigner("log", secret_of(PETER_SECRET)).sign(CHECKPOINT, 1)


@given(st.integers(1, 2**63 - 1), st.integers(0, 71), st.integers(1, 255))
def test_no_changed_byte_of_a_cosignature_holds(time_s: int, at: int, change: int) -> None:
    """Time and signature: 72 bytes, each of them counts."""
    value = bytearray(witness().sign(CHECKPOINT, time_s).value)
    value[at] ^= change
    with pytest.raises(ProtocolError):
        witness().key.check(CHECKPOINT, bytes(value))
