"""`meterseal provision` on a board with a secure element: the simulated one, behind real MicroPython and its driver.

What the element holds is read from the simulation's own file, behind the board's back.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tools.tests.board_bench import Bench, make_whole_board_image, run
from tools.tests.test_provision import certificate, write_site

from meterseal_protocol.keys import PrivateKey, PublicKey
from meterseal_tools.boards.identity import fingerprint
from meterseal_tools.sim.repl_board import ReplBoard
from meterseal_wire.encode import encode

SLOT = 2
LOCK_VALUE, LOCK_CONFIG, SLOT_LOCKED = 86, 87, 88  # ATECC508A data sheet, configuration zone
LOCKED, UNLOCKED = 0x00, 0x55


@pytest.fixture
def board(tmp_path: Path) -> Iterator[ReplBoard]:
    """A flashed board with an element as delivered."""
    bench = Bench(tmp_path)
    found = bench.board(element=True)
    assert run("flash", make_whole_board_image(tmp_path / "image"), "--port", found.port).exit_code == 0
    yield found
    bench.close()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site file that names the element's slot."""
    (tmp_path / "edge.cosekey").write_bytes(encode(PrivateKey.generate().public.cose))
    return write_site(tmp_path / "site.toml", element_slot=str(SLOT))


def held(board: ReplBoard) -> tuple[bytes, dict[str, Any]]:
    """Configuration zone and keys of the element."""
    assert board.chip.element is not None
    config, keys, _, _ = json.loads(board.chip.element.read_text())
    return bytes.fromhex(config), keys


def public_of(board: ReplBoard) -> bytes:
    """X || y of the key in SLOT, computed by the protocol's own library."""
    secret = int(held(board)[1][str(SLOT)], 16)
    return PrivateKey(secret.to_bytes(32, "big")).public.xy


def state_of(board: ReplBoard) -> set[str]:
    """Names in state/ but the slots' cell."""
    return {path.name for path in (board.store.path / "state").iterdir() if "slot." not in path.name}


def test_without_the_word_nothing_is_locked_or_written(board: ReplBoard, site: Path, tmp_path: Path) -> None:
    """Locking is for ever: exit 1, one sentence that names --lock-element; the element is as delivered."""
    before = held(board)
    found = run("provision", "--port", board.port, "--settings", site, "--out", tmp_path)
    assert found.exit_code == 1 and "--lock-element" in found.stderr and "锁定不可撤销" in found.stderr
    assert held(board) == before and before[1] == {} and before[0][LOCK_CONFIG] == UNLOCKED
    assert state_of(board) == set()


def test_the_key_is_made_in_the_element_and_the_request_is_signed_by_it(
    board: ReplBoard, site: Path, tmp_path: Path
) -> None:
    """Both zones and the slot are locked, no key file exists, the CSR holds under the element's public key, and its
    certificate is installed; a second run, with or without the word, keeps the key.
    """
    out = tmp_path / "out"
    arguments = ("provision", "--port", board.port, "--settings", site, "--out", out)
    found = run(*arguments, "--lock-element")
    assert found.exit_code == 0, found.output + found.stderr
    config, keys = held(board)
    assert (config[LOCK_CONFIG], config[LOCK_VALUE]) == (LOCKED, LOCKED) and list(keys) == [str(SLOT)]
    assert not config[SLOT_LOCKED] >> SLOT & 1
    assert state_of(board) == {"settings.json", "tls_key.der"}
    public = public_of(board)
    assert fingerprint(PublicKey(public).thumbprint) in found.output and "新密钥" in found.output
    asked = x509.load_der_x509_csr((out / f"{board.unique_id}.csr").read_bytes())
    point = asked.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert asked.is_signature_valid and point[1:] == public
    for more in ((), ("--lock-element",)):
        found = run(*arguments, *more)
        assert found.exit_code == 0 and "原有密钥" in found.output and public_of(board) == public
    path = tmp_path / "board.pem"
    path.write_bytes(certificate(PrivateKey.generate().public.xy))
    install = ("provision", "--port", board.port, "--certificate", path, "--out", out)
    assert run(*install).exit_code == 64
    path.write_bytes(certificate(public))
    assert run(*install).exit_code == 0
    x509.load_der_x509_certificate((board.store.path / "state/certificate.der").read_bytes())
    found = run("flash", tmp_path / "image", "--port", board.port)
    assert found.exit_code == 0 and fingerprint(PublicKey(public).thumbprint) in found.output


def test_a_key_in_an_element_is_never_replaced(board: ReplBoard, site: Path, tmp_path: Path) -> None:
    """Misuse in one sentence, and the key stays; so does one whose settings would go over to a key file."""
    arguments = ("provision", "--port", board.port, "--settings", site, "--out", tmp_path)
    assert run(*arguments, "--lock-element").exit_code == 0
    before = held(board)
    found = run(*arguments, "--new-key", "--lock-element")
    assert found.exit_code == 64 and "for ever" in found.stderr
    write_site(site)
    found = run(*arguments)
    assert found.exit_code == 64 and "element_slot" in found.stderr
    assert held(board) == before and "key" not in state_of(board)


def test_a_key_file_beside_an_element_is_refused(board: ReplBoard, site: Path, tmp_path: Path) -> None:
    """Which of the two is the board's name? One sentence, exit 1, nothing locked and nothing removed."""
    key = board.store.path / "state/key"
    key.parent.mkdir(exist_ok=True)
    key.write_bytes(bytes(31) + b"\x07")
    before = held(board)
    found = run("provision", "--port", board.port, "--settings", site, "--lock-element", "--out", tmp_path)
    assert found.exit_code == 1 and "key file beside its element" in found.stderr
    assert held(board) == before and key.read_bytes() == bytes(31) + b"\x07"


def test_a_set_up_that_was_cut_goes_on(board: ReplBoard, site: Path, tmp_path: Path) -> None:
    """The configuration zone is locked and the power was gone: the same command ends it, and makes one key."""
    arguments = ("provision", "--port", board.port, "--settings", site, "--out", tmp_path)
    assert run(*arguments, "--lock-element").exit_code == 0
    element = board.chip.element
    assert element is not None
    config, _, counters, drawn = json.loads(element.read_text())
    cut = bytearray(bytes.fromhex(config))
    cut[LOCK_VALUE], cut[SLOT_LOCKED] = UNLOCKED, cut[SLOT_LOCKED] | 1 << SLOT
    element.write_text(json.dumps([cut.hex(), {}, counters, drawn]))
    assert run(*arguments).exit_code == 1
    assert run(*arguments, "--lock-element").exit_code == 0
    config, keys = held(board)
    assert config[LOCK_VALUE] == LOCKED and list(keys) == [str(SLOT)]


def test_an_element_locked_otherwise_or_missing_is_one_sentence(site: Path, tmp_path: Path) -> None:
    """Slot 5 of an element that was locked for slot 2 is no signing key (KeyConfig.Private); a board without an element
    has no bus.
    """
    bench = Bench(tmp_path)
    board = bench.board(element=True)
    run("flash", make_whole_board_image(tmp_path / "image"), "--port", board.port)
    arguments = ("provision", "--port", board.port, "--settings", site, "--lock-element", "--out", tmp_path)
    assert run(*arguments).exit_code == 0
    write_site(site, element_slot="5")
    found = run(*arguments)
    assert found.exit_code == 1 and "element.config KeyConfig.Private, slot 5" in found.stderr
    bare = bench.board(2)
    run("flash", tmp_path / "image", "--port", bare.port)
    found = run("provision", "--port", bare.port, "--settings", site, "--lock-element", "--out", tmp_path)
    assert found.exit_code == 1 and "Traceback" not in found.stderr
    bench.close()
