"""The kept fuzz corpus: every file holds what its target promises, and a planted bug is found by it."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz import certificate_target, mbus_target, note_target, receipt_target, scan_target
from fuzz.run import CORPUS, KEPT_FILES, LONGEST, TARGETS, target

from meterseal_protocol import note_key
from meterseal_protocol.check import YES, Answer
from meterseal_wire import scan as scanner
from meterseal_wire.encode import Tag
from meterseal_wire.telegram import mbus

One = Callable[[bytes], None]


def refused(name: str, one: One) -> list[str]:
    """The kept files of a target for which `one` finds something."""
    found = []
    for path in sorted((CORPUS / name).iterdir()):
        try:
            one(path.read_bytes())
        except AssertionError:
            found.append(path.name)
    return found


@pytest.mark.parametrize("name", TARGETS)
def test_every_kept_file_and_seed_holds(name: str) -> None:
    """What a fuzzer once found worth keeping gives a value or a named error; any exception fails this test."""
    module = target(name)
    paths = sorted((CORPUS / name).iterdir())
    assert 0 < len(paths) <= KEPT_FILES
    assert max(path.stat().st_size for path in paths) <= LONGEST
    for path in paths:
        module.one(path.read_bytes())
    for seed in module.seeds():
        module.one(seed)


def test_a_scanner_that_takes_a_long_zero_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 8949 section 4.2.1: 0 is spelled 00 and not 18 00; a scanner without that rule fails on a kept file."""
    honest = scanner._Scanner.head

    def lenient(self: scanner._Scanner) -> tuple[int, int]:
        if self.data[self.at : self.at + 2] == b"\x18\x00":
            self.at += 2
            return 0, 0
        major, argument = honest(self)
        return major, argument

    assert refused("scan", scan_target.one) == []
    monkeypatch.setattr(scanner._Scanner, "head", lenient)
    assert refused("scan", scan_target.one)


def test_a_scanner_that_ignores_what_follows_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes after the item (cbor2 ignores them) would give one value two spellings."""

    def lenient(data: bytes) -> object:
        return scanner._Scanner(bytes(data)).item(scanner.NESTING)

    monkeypatch.setattr(scanner, "scan", lenient)
    assert refused("scan", scan_target.one)


def test_a_check_that_says_yes_to_everything_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A yes is only for the certificates that the target's registry issued."""
    monkeypatch.setattr(certificate_target, "check", lambda *_: Answer(YES, ()))
    assert refused("certificate", certificate_target.one)


def test_a_decoder_that_runs_past_the_end_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An offset that no byte has is a finding: here every frame is taken for one that ends 300 bytes on."""
    monkeypatch.setattr(
        mbus_target, "decode", lambda data: (_ for _ in ()).throw(mbus.Truncated(len(data) + 300, "planted"))
    )
    assert refused("mbus", mbus_target.one)


def test_a_receipt_that_is_not_compared_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that forgets the signature lets receipts of another leaf lead to roots that nobody signed."""
    monkeypatch.setattr(receipt_target.receipt._Parts, "signer", lambda *_: receipt_target.KEY.thumbprint)
    assert refused("receipt", receipt_target.one)


def test_a_cosignature_that_is_not_checked_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that believes the time in a line without its signature is told another second."""
    monkeypatch.setattr(note_key, "_checked", lambda _key, _text, value: int.from_bytes(value[:8], "big"))
    assert refused("note", note_target.one)


def test_a_tag_is_spelled_as_it_was_scanned() -> None:
    """The seeds reach tag 18 (COSE_Sign1), the only tag there is: D2 and its item (RFC 8949 section 3.4)."""
    assert b"\xd2" in {seed[:1] for seed in scan_target.seeds()}
    assert scanner.scan(b"\xd2\x00") == Tag(18, 0)
