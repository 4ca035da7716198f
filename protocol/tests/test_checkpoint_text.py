"""The text of a checkpoint: C2SP's and transparency-dev's examples, and every text that is none."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol import checkpoint
from meterseal_protocol.checkpoint import TreeHead
from meterseal_protocol.checkpoint_text import (
    LogHead,
    head_of,
    open_checkpoint,
    read_head,
    sign_head,
)
from meterseal_protocol.errors import BadNote, UnknownKey
from meterseal_protocol.keys import KeyRing, PrivateKey
from meterseal_protocol.note import parse
from meterseal_protocol.note_key import NoteSigner
from meterseal_wire.statement import Author
from meterseal_wire.suites import ED25519

# C2SP tlog-checkpoint, the example at its head; its note carries one signature of the log.
SOFA_ROOT = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
SOFA = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
SOFA_LINE = (
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
# RFC 9162 section 2.1.1: the root of no leaves is SHA-256 of nothing.
NOTHING = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
LOG = NoteSigner("edge/EDGE1", PrivateKey(bytes(31) + b"\x01", ED25519))
ROOT_LINE = SOFA.split("\n")[2]


def test_c2sps_example_says_what_it_says() -> None:
    """Origin, size and root of the example, read from the note with its signature."""
    note = parse((SOFA + "\n" + SOFA_LINE).encode())
    head = read_head(note.text)
    assert head == LogHead("example.com/behind-the-sofa", 20852163, SOFA_ROOT)
    assert head.text == SOFA
    assert [item.name for item in note.signatures] == ["example.com/behind-the-sofa"]


@pytest.mark.parametrize(
    "text",
    [
        SOFA + "6086d1a9\nWaxing gibbous\n",
        "Log Checkpoint v0\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n",
        f"o\n0\n{ROOT_LINE}\n",
        f"o\n9223372036854775807\n{ROOT_LINE}\n",
    ],
)
def test_other_heads_are_read_and_written_back(text: str) -> None:
    """Extension lines as transparency-dev's moon log has; an origin with spaces; the least and the greatest size."""
    assert read_head(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "o\n5\n",
        f"\n5\n{ROOT_LINE}\n",
        f"o\n\n{ROOT_LINE}\n",
        f"o\n5\n{ROOT_LINE}",
        f"o\n5\n{ROOT_LINE}\nextension without its newline",
        f"o\n5\n{ROOT_LINE}\n\n",
        f"o\n5\n{ROOT_LINE}\n\nmore\n",
        f"o\n05\n{ROOT_LINE}\n",
        f"o\n00\n{ROOT_LINE}\n",
        f"o\n-5\n{ROOT_LINE}\n",
        f"o\n+5\n{ROOT_LINE}\n",
        f"o\n 5\n{ROOT_LINE}\n",
        f"o\n5_0\n{ROOT_LINE}\n",
        f"o\n٥\n{ROOT_LINE}\n",
        f"o\nbananas\n{ROOT_LINE}\n",
        f"o\n9223372036854775808\n{ROOT_LINE}\n",
        f"o\n3438945738945739845734895735\n{ROOT_LINE}\n",
        "o\n5\nYmFuYW5hcw==\n",
        "o\n5\nThisIsn'tBase64\n",
        f"o\n5\n{ROOT_LINE[:-2]}3=\n",
        f"o\n5\n{ROOT_LINE[:-1]}\n",
        f"o\n5\n{base64.b64encode(bytes(33)).decode()}\n",
    ],
)
def test_a_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    """transparency-dev's list, and each line of tlog-checkpoint broken; sizes beyond 2^63 - 1 are none of ours."""
    with pytest.raises(BadNote):
        read_head(text)


def test_the_note_and_the_statement_say_the_same() -> None:
    """One log, two faces: origin, size and root are equal, and the time stays with the statement."""
    key = PrivateKey(bytes(31) + b"\x07")
    ring = KeyRing()
    ring.add(key.public)
    head = TreeHead("edge/EDGE1", 7, SOFA_ROOT, 1_790_000_000)
    stated, _ = checkpoint.read(checkpoint.sign(Author("EDGE1", "log", key), head), ring)
    shown, opened = open_checkpoint(sign_head(LOG, head_of(stated)).raw, [LOG.key])
    assert (shown.origin, shown.size, shown.root) == ("edge/EDGE1", 7, SOFA_ROOT)
    assert set(opened.signers) == {LOG.key}


def test_a_checkpoint_of_an_unknown_log_is_not_opened() -> None:
    """The text is ignored unless the note is signed by a trusted key (signed-note)."""
    with pytest.raises(UnknownKey):
        open_checkpoint((SOFA + "\n" + SOFA_LINE).encode(), [LOG.key])


def test_a_signed_note_that_is_no_checkpoint_is_refused() -> None:
    """The signature holds, and the text says no head."""
    text = "hello\n"
    raw = parse((text + "\n" + LOG.sign(text).line + "\n").encode()).raw
    with pytest.raises(BadNote, match="three lines"):
        open_checkpoint(raw, [LOG.key])


@pytest.mark.parametrize(
    "head",
    [
        LogHead("", 5, SOFA_ROOT),
        LogHead("a\nb", 5, SOFA_ROOT),
        LogHead("o", -1, SOFA_ROOT),
        LogHead("o", 2**63, SOFA_ROOT),
        LogHead("o", 5, b"short"),
        LogHead("o", 5, SOFA_ROOT, ("",)),
        LogHead("o", 5, SOFA_ROOT, ("a\nb",)),
        LogHead("o", 0, SOFA_ROOT),
    ],
)
def test_a_log_signs_no_head_that_others_refuse_or_misread(head: LogHead) -> None:
    """Each of these would be another text's head, or none; and the empty tree has one root."""
    with pytest.raises(BadNote):
        sign_head(LOG, head)
    assert sign_head(LOG, LogHead("o", 0, NOTHING)).text == f"o\n0\n{base64.b64encode(NOTHING).decode()}\n"


lines = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(lines, st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32), st.lists(lines, max_size=3))
def test_any_head_is_read_as_it_was_written(origin: str, size: int, root: bytes, more: list[str]) -> None:
    """Whatever an origin or an extension line holds, short of a newline."""
    head = LogHead(origin, size, root, tuple(more))
    assert read_head(head.text) == head
