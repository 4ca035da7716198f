"""`meterseal provision` and TLS: from an empty board to a fixture that a mosquitto with mutual TLS lets in.

The certificates are issued here with `cryptography`, as a site's authority would; only the requests left the board.
"""

import ipaddress
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from firmware.tests.cpython.edge_side import Broker, EdgeSide
from tools.tests.board_bench import Bench, make_image, run
from tools.tests.test_provision import write_site

from meterseal_protocol.keys import PrivateKey
from meterseal_tools.services import free_port
from meterseal_tools.sim.bench import BenchSpec
from meterseal_tools.sim.repl_board import ReplBoard
from meterseal_tools.sim.rig import Rig
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
FILES = {"tls_authority", "tls_certificate", "tls_key"}


class Authority:
    """A site's certificate authority; `path` is its own certificate, PEM."""

    def __init__(self, folder: Path, name: str = "Site CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.path = self._keep(folder / f"{name}.pem", self.issue(self._name, self._key.public_key(), True))

    def issue(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, authority: bool = False
    ) -> x509.Certificate:
        """A certificate for the loopback address."""
        now = datetime.now(UTC)
        built = x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
        built = built.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        built = built.add_extension(x509.BasicConstraints(authority, None), critical=True)
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        return built.add_extension(here, critical=False).sign(self._key, SHA256())

    def answer(self, request: Path) -> Path:
        """The certificate for a request that came as a file, PEM beside it."""
        asked = x509.load_der_x509_csr(request.read_bytes())
        key = asked.public_key()
        assert asked.is_signature_valid and isinstance(key, ec.EllipticCurvePublicKey)
        return self._keep(request.with_suffix(".pem"), self.issue(asked.subject, key))

    def server(self, folder: Path) -> tuple[Path, Path]:
        """Certificate and key of a broker."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
        plain = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (folder / "broker.key").write_bytes(plain)
        return self._keep(folder / "broker.pem", self.issue(name, key.public_key())), folder / "broker.key"

    def _keep(self, path: Path, certificate: x509.Certificate) -> Path:
        path.write_bytes(certificate.public_bytes(PEM))
        return path


class SecuredBroker(Broker):
    """A mosquitto that fixtures reach by mutual TLS on `tls_port`, and the test by a plain port."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.tls_port = free_port()
        self._secured = [f"listener {self.tls_port} 127.0.0.1", "require_certificate true"]
        certificate, key = authority.server(folder)
        self._secured += [f"cafile {authority.path}", f"certfile {certificate}", f"keyfile {key}"]
        super().__init__(folder)

    def start(self) -> None:
        """With the lines of its second listener."""
        lines = self._settings.read_text().splitlines()
        self._settings.write_text("\n".join([*lines, "user root", *self._secured, ""]))
        super().start()


@pytest.fixture
def board(tmp_path: Path) -> Iterator[ReplBoard]:
    """A flashed board without any key."""
    bench = Bench(tmp_path)
    found = bench.board()
    assert run("flash", make_image(tmp_path / "image"), "--port", found.port).exit_code == 0
    yield found
    bench.close()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site file."""
    (tmp_path / "edge.cosekey").write_bytes(encode(PrivateKey.generate().public.cose))
    return write_site(tmp_path / "site.toml")


def settings_of(board: ReplBoard) -> dict[str, object]:
    """The settings as they lie on the board."""
    return dict(json.loads((board.store.path / "state/settings.json").read_text()))


def test_a_provisioned_board_connects_with_mutual_tls_and_no_hand_work(
    board: ReplBoard, tmp_path: Path
) -> None:
    """Two commands and an authority between them; then the whole application runs on the board's own state folder and
    settings (the folder's name aside, which is /state on a board), and its boot statement comes through the TLS port.
    """
    authority = Authority(tmp_path)
    broker = SecuredBroker(tmp_path, authority)
    edge = EdgeSide(broker)
    with Rig(BenchSpec(kinds.WATER, 8)) as rig:
        lines = {"capture": rig.capture_line, "mbus": rig.mbus_line, "panel": rig.panel_line}
        fields = {name: f'"{line.path}"' for name, line in lines.items()}
        fields |= {"site": '"YUHANG1"', "fixture": '"W1"', "host": '"127.0.0.1"', "positions": "8"}
        fields |= {"port": str(broker.tls_port), "registry_key": f'"{edge.registry_key.public_xy.hex()}"'}
        site = write_site(tmp_path / "site.toml", **fields, edge_key=f'"{edge.edge_key.public_xy.hex()}"')
        first = run("provision", "--port", board.port, "--settings", site, "--out", tmp_path)
        assert first.exit_code == 0, first.output + first.stderr
        certificate = authority.answer(tmp_path / f"{board.unique_id}.tls.csr")
        second = run(
            *("provision", "--port", board.port, "--tls", certificate, authority.path, "--out", tmp_path)
        )
        assert second.exit_code == 0, second.output + second.stderr
        board.unplug()
        state = board.store.path / "state"
        text = (state / "settings.json").read_text().replace('"/state', f'"{state}')
        (tmp_path / "fixture.json").write_text(text)
        rig.start_fixture(tmp_path / "fixture.json")
        rig.panel.wait_event("boot")
        rig.panel.wait(lambda message: message.get("link") == "up")
        [boot] = edge.wait_for(L.KIND_BOOT)
        PrivateKey((state / "key").read_bytes()).public.verify(boot.signed, boot.signature)
    edge.close()
    broker.stop()


def test_the_two_keys_are_two_and_the_tls_key_stays_on_the_board(
    board: ReplBoard, site: Path, tmp_path: Path
) -> None:
    """RFC 5915 read by `cryptography`: P-256, of the request, not the signing key, mode 0600, in no file of the host. A
    second run keeps it.
    """
    out = tmp_path / "out"
    arguments = ("provision", "--port", board.port, "--settings", site, "--out", out)
    for _ in range(2):
        assert run(*arguments).exit_code == 0
    path = board.store.path / "state/tls_key.der"
    key = serialization.load_der_private_key(path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey) and path.stat().st_mode & 0o777 == 0o600
    asked = x509.load_der_x509_csr((out / f"{board.unique_id}.tls.csr").read_bytes())
    assert asked.public_key() == key.public_key()
    secret = key.private_numbers().private_value.to_bytes(32, "big")
    assert secret != (board.store.path / "state/key").read_bytes()
    written = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert secret not in written and secret.hex().encode() not in written
    assert not FILES & set(settings_of(board))


def test_what_is_not_the_boards_is_refused_and_nothing_is_written(
    board: ReplBoard, site: Path, tmp_path: Path
) -> None:
    """A certificate of the signing key, one of a stranger, and an authority that is none: exit 64; and a board that has
    no TLS key yet: exit 1.
    """
    authority = Authority(tmp_path)
    tls = ("provision", "--port", board.port, "--out", tmp_path, "--tls")
    other = authority.server(tmp_path)[0]
    assert run(*tls, other, authority.path).exit_code == 1
    assert run("provision", "--port", board.port, "--settings", site, "--out", tmp_path).exit_code == 0
    of_signing = authority.answer(tmp_path / f"{board.unique_id}.csr")
    before = (board.store.path / "state/settings.json").read_bytes()
    right = authority.answer(tmp_path / f"{board.unique_id}.tls.csr")
    for certificate, ca in ((of_signing, authority.path), (other, authority.path), (right, right)):
        assert run(*tls, certificate, ca).exit_code == 64
    assert (board.store.path / "state/settings.json").read_bytes() == before
    assert not (board.store.path / "state/tls_certificate.der").exists()


def test_settings_written_again_keep_what_tls_has(board: ReplBoard, site: Path, tmp_path: Path) -> None:
    """The three fields stay in the settings once the files are there; a site file may not name them. Where somebody
    took the key away a new one is made, the old certificate goes, and so do the fields.
    """
    authority = Authority(tmp_path)
    arguments = ("provision", "--port", board.port, "--settings", site, "--out", tmp_path)
    assert run(*arguments).exit_code == 0
    certificate = authority.answer(tmp_path / f"{board.unique_id}.tls.csr")
    found = run(*("provision", "--port", board.port, "--tls", certificate, authority.path, "--out", tmp_path))
    assert found.exit_code == 0, found.stderr
    wanted = {name: f"/state/{name}.der" for name in FILES}
    assert wanted.items() <= settings_of(board).items()
    x509.load_der_x509_certificate((board.store.path / "state/tls_authority.der").read_bytes())
    assert run(*arguments).exit_code == 0
    assert wanted.items() <= settings_of(board).items()
    (board.store.path / "state/tls_key.der").unlink()
    for _ in range(2):
        assert run(*arguments).exit_code == 0
        assert not FILES & set(settings_of(board))
    write_site(site, tls_key='"/state/x.der"')
    found = run(*arguments)
    assert found.exit_code == 64 and "remove 'tls_key'" in found.stderr


@pytest.mark.parametrize("after", [1_800, 2_600, 3_400, 4_200])
def test_unplugged_while_tls_is_installed_the_settings_still_start(
    board: ReplBoard, site: Path, tmp_path: Path, after: int
) -> None:
    """All three fields or none, and each that is named is there; then the same command ends well."""
    authority = Authority(tmp_path)
    run("provision", "--port", board.port, "--settings", site, "--out", tmp_path)
    certificate = authority.answer(tmp_path / f"{board.unique_id}.tls.csr")
    arguments = ("provision", "--port", board.port, "--tls", certificate, authority.path, "--out", tmp_path)
    board.plug_again()
    board.faults.unplug_after = after
    assert run(*arguments).exit_code == 1
    named = FILES & set(settings_of(board))
    assert named in (set(), FILES)
    assert all((board.store.path / f"state/{name}.der").exists() for name in named)
    board.plug()
    assert run(*arguments).exit_code == 0
    assert set(settings_of(board)) >= FILES
