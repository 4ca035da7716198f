"""Signed notes: C2SP's and Go's published notes, and every way in which bytes are no note."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.errors import BadNote
from meterseal_protocol.note import (
    MOST_BYTES,
    MOST_SIGNATURES,
    Note,
    NoteSignature,
    from_base64,
    parse,
    to_base64,
)

# golang.org/x/mod sumdb/note, note_test.go (BSD-3): text and the lines of two keys.
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
ENOCH = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
# C2SP signed-note: the example at its head, whose text has an empty line.
POEM = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3"
    "ZekRwNtIc=\n"
)
GOOD = TEXT + "\n" + PETER


def line(value: bytes, name: str = "log") -> str:
    """A signature line with these bytes, made without our code."""
    return f"— {name} {base64.b64encode(value).decode()}\n"


def test_a_published_note_comes_apart_into_text_and_signatures() -> None:
    """Go's note with two signatures: c74f20a3 and af0cfe78 are the key hashes its test names."""
    note = parse((GOOD + ENOCH).encode())
    assert note.text == TEXT
    assert [(item.name, item.key_id.hex(), len(item.value)) for item in note.signatures] == [
        ("PeterNeumann", "c74f20a3", 64),
        ("EnochRoot", "af0cfe78", 64),
    ]
    assert note.signatures[0].line + "\n" == PETER


def test_the_text_goes_up_to_the_last_empty_line() -> None:
    """C2SP's poem has an empty line inside its text; the final newline belongs to the text."""
    note = parse(POEM.encode())
    assert (
        note.text
        == "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n"
    )
    assert [item.name for item in note.signatures] == ["quasimodo.example/salvatore"]


@pytest.mark.parametrize(
    "text", [GOOD, GOOD + ENOCH, POEM, "\n\n" + PETER, "Note\n\n\n" + PETER, GOOD + PETER]
)
def test_a_note_is_written_as_it_was_read(text: str) -> None:
    """One spelling: bytes in, the same bytes out; a line may stand twice (Go accepts it too)."""
    assert parse(text.encode()).raw == text.encode()


@pytest.mark.parametrize(
    "text, why",
    [
        (TEXT, "empty line"),
        (TEXT + "\n", "signature lines"),
        ("", "empty line"),
        ("\n\n", "signature lines"),
        (GOOD[:-1], "newline"),
        ("\x01" + GOOD, "U\\+0001"),
        (GOOD.replace("\n", "\r\n"), "U\\+000D"),
        (GOOD.replace(" is ", "\tis "), "U\\+0009"),
        (TEXT + "\n— Bad Name " + PETER.split()[2] + "\n", "base64"),
        (GOOD + "Unexpected line.\n", "em dash"),
        (GOOD.replace("— ", "- "), "em dash"),
        (GOOD.replace("— ", "—"), "em dash"),
        (GOOD.replace("— ", "—\u00a0"), "em dash"),
        (GOOD.replace("PeterNeumann", "Peter+Neumann"), "plus"),
        (GOOD.replace("PeterNeumann", "Peter\u2003Neumann"), "space"),
        (GOOD.replace("PeterNeumann", "Peter\u0085Neumann"), "space"),
        (GOOD.replace("PeterNeumann", ""), "not empty"),
        (TEXT + "\n— PeterNeumann\n", "a space and base64"),
        (TEXT + "\n— PeterNeumann \n", "key id"),
        (TEXT + "\n" + line(b"\xc7\x4f\x20\xa3"), "key id"),
        (GOOD.replace("AM=", "AM"), "base64"),
        (GOOD.replace("AM=", "AN="), "one spelling"),
        (GOOD.replace("AM=", "AM==="), "base64"),
        (GOOD.replace("AM=", "AM= "), "base64"),
        (GOOD.replace("/ZJkuBS9UG/", "_ZJkuBS9UG_"), "base64"),
    ],
)
def test_bytes_that_are_no_note_are_refused(text: str, why: str) -> None:
    """Go's list of malformed notes, and one for each rule of C2SP's Format section."""
    with pytest.raises(BadNote, match=why):
        parse(text.encode())


def test_text_that_is_not_utf_8_is_refused() -> None:
    """Go's list: a byte ff; and a surrogate spelled in three bytes (RFC 3629 section 3)."""
    for broken in (b"\xff", b"\xed\xa0\x80", b"\xc0\x80"):
        with pytest.raises(BadNote, match="byte 0 is not UTF-8"):
            parse(broken + GOOD.encode())


def test_sixteen_signatures_of_five_kilobytes_fit() -> None:
    """C2SP: MUST accept at least 16 signatures, and post-quantum ones have nearly 5 kB."""
    lines = "".join(line(bytes(4 + 5000), f"log{number}") for number in range(16))
    assert len(parse((TEXT + "\n" + lines).encode()).signatures) == 16


def test_a_note_has_its_limits() -> None:
    """A hundred signatures, as in Go; 128 KiB altogether."""
    assert len(parse((TEXT + "\n" + PETER * MOST_SIGNATURES).encode()).signatures) == 100
    with pytest.raises(BadNote, match="at most 100"):
        parse((TEXT + "\n" + PETER * 101).encode())
    room = MOST_BYTES - len(("\n\n" + PETER).encode())
    assert len(parse(("x" * room + "\n\n" + PETER).encode()).raw) == 131_072
    with pytest.raises(BadNote, match="131072"):
        parse(("x" * (room + 1) + "\n\n" + PETER).encode())


def test_signing_again_replaces_and_signing_more_appends() -> None:
    """As Go's Sign does with a signature of the same name and key hash."""
    first, second = NoteSignature("a", b"1234", b"x"), NoteSignature("b", b"1234", b"x")
    newer = NoteSignature("a", b"1234", b"y")
    note = Note(TEXT).signed(first, second).signed(newer)
    assert note.signatures == (newer, second)
    assert note.raw.decode() == TEXT + "\n" + line(b"1234y", "a") + line(b"1234x", "b")


@pytest.mark.parametrize(
    "note",
    [
        Note("no newline", (NoteSignature("a", b"1234", b"x"),)),
        Note(TEXT),
        Note(TEXT, (NoteSignature("a b", b"1234", b"x"),)),
        Note(TEXT, (NoteSignature("a\n", b"1234", b"x"),)),
        Note(TEXT, (NoteSignature("a", b"123", b"xy"),)),
        Note(TEXT, (NoteSignature("a", b"1234", b""),)),
        Note("\ud800\n", (NoteSignature("a", b"1234", b"x"),)),
        Note("a\x00\n", (NoteSignature("a", b"1234", b"x"),)),
    ],
)
def test_parts_that_would_be_read_as_another_note_are_not_written(note: Note) -> None:
    """Nobody writes what the other side must refuse or would understand differently."""
    with pytest.raises(BadNote):
        _ = note.raw


def test_base64_has_one_spelling() -> None:
    """RFC 4648 section 10 gives six texts; section 3.5 says that bits of padding may be refused unless zero."""
    pairs = {b"f": "Zg==", b"fo": "Zm8=", b"foo": "Zm9v", b"foob": "Zm9vYg==", b"fooba": "Zm9vYmE=", b"": ""}
    for raw, text in pairs.items():
        assert (from_base64(text), to_base64(raw)) == (raw, text)
    for other in ("Zh==", "Zm9=", "Zg=", "Zg", "Zg==\n", "Z g==", "Zm9v====", "é", "=", "Zg==Zg=="):
        with pytest.raises(BadNote):
            from_base64(other)


names = st.text(min_size=1, max_size=8).filter(
    lambda name: (
        not any(
            sign.isspace() or sign == "+" or ord(sign) < 32 or 0xD800 <= ord(sign) < 0xE000 for sign in name
        )
    )
)
texts = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=20)
signatures = st.builds(
    NoteSignature, names, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=70)
)


@given(st.lists(texts, min_size=1, max_size=4), st.lists(signatures, min_size=1, max_size=4))
def test_any_text_and_signatures_survive_the_way_there_and_back(
    lines: list[str], signed: list[NoteSignature]
) -> None:
    """Also with empty lines in the text, at its beginning and at its end."""
    note = Note("".join(f"{text}\n" for text in lines), tuple(signed))
    assert parse(note.raw) == note


@given(st.binary(max_size=60))
def test_any_bytes_are_a_note_in_one_spelling_or_refused(tail: bytes) -> None:
    """No other error, and no second spelling, whatever stands at the end."""
    for raw in (tail, TEXT.encode() + tail, GOOD.encode() + "— ".encode() + tail):
        try:
            assert parse(raw).raw == raw
        except BadNote:
            continue
