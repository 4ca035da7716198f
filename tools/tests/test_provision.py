"""`meterseal provision`: the key is made on the board, stays there at mode 0600, and is nowhere else to be found."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from tools.tests.board_bench import Bench, make_image, run

from meterseal_protocol.keys import PrivateKey, PublicKey
from meterseal_tools.boards.identity import fingerprint
from meterseal_tools.sim.repl_board import ReplBoard
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan
from meterseal_wire.suites import ED25519

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "W1")])


@pytest.fixture
def board(tmp_path: Path) -> Iterator[ReplBoard]:
    """A flashed board without a key."""
    bench = Bench(tmp_path)
    found = bench.board()
    assert run("flash", make_image(tmp_path / "image"), "--port", found.port).exit_code == 0
    yield found
    bench.close()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site file with one key as hex and one as a COSE key file."""
    (tmp_path / "edge.cosekey").write_bytes(encode(PrivateKey.generate().public.cose))
    return write_site(tmp_path / "site.toml")


def write_site(path: Path, **changes: str) -> Path:
    """A good site file, but for the changes (TOML values)."""
    texts = ("fixture", "site", "bench", "host", "capture", "mbus", "panel")
    fields = {name: f'"{name}-1"' for name in texts} | {"port": "8883", "positions": "20"}
    fields["edge_key"] = '"edge.cosekey"'
    fields["registry_key"] = f'"{PrivateKey.generate().public_xy.hex()}"'
    path.write_text("".join(f"{name} = {value}\n" for name, value in (fields | changes).items()))
    return path


def certificate(public_xy: bytes) -> bytes:
    """A certificate of that key, PEM, by some authority."""
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + public_xy)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(NAME, NAME, key, 7, start, start + timedelta(days=9))
    return builder.sign(ec.generate_private_key(ec.SECP256R1()), SHA256()).public_bytes(Encoding.PEM)


def secret_of(board: ReplBoard) -> bytes:
    """The key file's content, read behind the board's back."""
    return (board.store.path / "state/key").read_bytes()


def test_the_key_stays_on_the_board_and_only_its_public_half_comes_out(
    board: ReplBoard, site: Path, tmp_path: Path
) -> None:
    """Mode 0600; in no output, record, label or file of the host; the fingerprint is the key's RFC 9679 name."""
    out = tmp_path / "out"
    found = run("provision", "--port", board.port, "--settings", site, "--out", out)
    assert found.exit_code == 0, found.output
    path = board.store.path / "state/key"
    key = PrivateKey(secret_of(board))
    assert path.stat().st_mode & 0o777 == 0o600
    assert fingerprint(key.thumbprint) in found.output
    asked = x509.load_der_x509_csr((out / f"{board.unique_id}.csr").read_bytes())
    point = asked.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert asked.is_signature_valid and point[1:] == key.public.xy
    assert [item.value for item in asked.subject] == ["site-1", "bench-1", "fixture-1"]
    written = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    for text in (found.output.encode(), found.stderr.encode(), written):
        assert secret_of(board) not in text and secret_of(board).hex() not in text.decode(errors="replace")
    assert key.thumbprint.hex() in (out / "boards.jsonl").read_text()
    assert (out / "labels" / f"{board.unique_id}.png").exists()


def test_the_settings_on_the_board_are_the_sites(board: ReplBoard, site: Path, tmp_path: Path) -> None:
    """Both keys as the firmware wants them, and the state folder of a board."""
    run("provision", "--port", board.port, "--settings", site, "--out", tmp_path)
    text = (board.store.path / "state/settings.json").read_text()
    edge = PublicKey.from_cose(scan((tmp_path / "edge.cosekey").read_bytes(), 1024))
    assert edge.xy.hex() in text and '"folder": "/state"' in text and '"positions": 20' in text


def test_a_second_run_keeps_the_key(board: ReplBoard, site: Path, tmp_path: Path) -> None:
    """Settings may be written again; a key is never overwritten without being asked."""
    arguments = ("provision", "--port", board.port, "--settings", site, "--out", tmp_path)
    run(*arguments)
    before = secret_of(board)
    found = run(*arguments)
    assert found.exit_code == 0 and "原有密钥" in found.output and secret_of(board) == before


def test_a_new_key_demands_the_last_digits_of_the_old(board: ReplBoard, site: Path, tmp_path: Path) -> None:
    """Wrong digits change nothing and are misuse; right ones replace the key, and its certificate goes."""
    arguments = ("provision", "--port", board.port, "--settings", site, "--out", tmp_path)
    run(*arguments)
    before = secret_of(board)
    (board.store.path / "state/certificate.der").write_bytes(b"old")
    found = run(*arguments, "--new-key", typed="00000000\n")
    assert found.exit_code == 64 and secret_of(board) == before
    digits = PrivateKey(before).thumbprint.hex()[-8:]
    found = run(*arguments, "--new-key", typed=f"{digits[:4]} {digits[4:].upper()}\n")
    assert found.exit_code == 0 and secret_of(board) != before
    assert not (board.store.path / "state/certificate.der").exists()


def test_a_certificate_goes_onto_the_board_of_its_key_alone(
    board: ReplBoard, site: Path, tmp_path: Path
) -> None:
    """PEM in, DER on the board; one of another key is refused and nothing is written."""
    run("provision", "--port", board.port, "--settings", site, "--out", tmp_path)
    path = tmp_path / "board.pem"
    path.write_bytes(certificate(PrivateKey.generate().public_xy))
    arguments = ("provision", "--port", board.port, "--certificate", path, "--out", tmp_path)
    found = run(*arguments)
    assert found.exit_code == 64 and "of another key" in found.stderr
    assert not (board.store.path / "state/certificate.der").exists()
    path.write_bytes(certificate(PrivateKey(secret_of(board)).public_xy))
    assert run(*arguments).exit_code == 0
    x509.load_der_x509_certificate((board.store.path / "state/certificate.der").read_bytes())


@pytest.mark.parametrize(
    "changes, why",
    [
        ({"positions": "32"}, "'positions' must be a number from 1 to 31"),
        ({"bench": '"a name of more than sixteen"'}, "'bench' must be text of 1 to 16"),
        ({"wifi": '"x"'}, "no setting is called 'wifi'"),
        ({"folder": '"/"'}, "remove 'folder'"),
        ({"edge_key": '"none.cosekey"'}, "there is no key file"),
        ({"edge_key": '"site.toml"'}, "is no public key as COSE_Key"),
        ({"edge_key": f'"{"00" * 64}"'}, "is not a point of P-256"),
        ({"edge_key": '"wrong.cosekey"'}, "keys of ESP256 only"),
        ({"edge_key": "5"}, "'edge_key' must be 128"),
        ({"positions": "="}, "is not TOML"),
    ],
)
def test_settings_that_cannot_be_used_touch_no_board(
    site: Path, tmp_path: Path, changes: dict[str, str], why: str
) -> None:
    """The firmware's own rules, run in MicroPython before the port is opened: exit 64 and its sentence."""
    (tmp_path / "wrong.cosekey").write_bytes(encode(PrivateKey.generate(ED25519).public.cose))
    write_site(site, **changes)
    found = run("provision", "--port", "/dev/none", "--settings", site, "--out", tmp_path)
    assert found.exit_code == 64 and why in found.stderr, found.output


def test_misuse_is_told_before_any_board_is_touched(site: Path, tmp_path: Path) -> None:
    """No port, nothing to do, a new key with a certificate, a file that is none."""
    port = ("provision", "--port", "/dev/none")
    (tmp_path / "not.pem").write_bytes(b"-----BEGIN")
    for arguments in (
        ("provision",),
        port,
        (*port, "--certificate", site, "--new-key"),
        (*port, "--certificate", tmp_path / "none"),
        (*port, "--certificate", tmp_path / "not.pem"),
        (*port, "--settings", tmp_path / "none"),
    ):
        assert run(*arguments).exit_code == 64
    assert run(*port, "--settings", site, "--out", tmp_path).exit_code == 1


def test_a_board_without_firmware_or_with_a_damaged_key_is_told_apart(
    board: ReplBoard, site: Path, tmp_path: Path
) -> None:
    """Each is one sentence that says what to do, exit 1."""
    arguments = ("provision", "--port", board.port, "--settings", site, "--out", tmp_path)
    (board.store.path / "state").mkdir(exist_ok=True)
    (board.store.path / "state/key").write_bytes(b"short")
    found = run(*arguments)
    assert found.exit_code == 1 and "is damaged" in found.stderr
    (board.store.path / "state/key").unlink()
    (board.store.path / "a/meterseal_fixture/signer/software_p256.py").unlink()
    found = run(*arguments)
    assert found.exit_code == 1 and "run meterseal flash first" in found.stderr
