"""A fixture's certificate is renewed over the link: real MicroPython, a real mosquitto that asks for certificates."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from firmware.tests.cpython.test_link import (
    LOOPBACK,
    TOPIC,
    WAIT_S,
    Authority,
    Fixture,
    Mosquitto,
    wait_until,
)
from paho.mqtt.enums import CallbackAPIVersion


class Plant:
    """A broker with an authority's certificate, a fixture with another, and somebody who says what comes down."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.board = folder, folder / "fixture"
        self.board.mkdir()
        self.authority = Authority(folder)
        self.authority.issue("server", LOOPBACK)
        (self.board / "ca.der").write_bytes((folder / "ca.der").read_bytes())
        self.key = self.issue(self.authority)
        self.old = (self.board / "client.der").read_bytes()
        self.broker = Mosquitto(
            folder,
            f"cafile {folder}/ca.pem",
            f"certfile {folder}/server.pem",
            f"keyfile {folder}/server_key.pem",
            "require_certificate true",
            "use_identity_as_username true",
        )
        self.fixture = self.start()

    def start(self) -> Fixture:
        """The fixture, from whatever lies on its board."""
        return Fixture("127.0.0.1", self.broker.port, "1", str(self.board))

    def issue(
        self, authority: Authority, key: ec.EllipticCurvePrivateKey | None = None
    ) -> ec.EllipticCurvePrivateKey:
        """A certificate for the fixture, onto its board."""
        authority.folder = self.board
        return authority.issue("client", [], key)

    def renewed(self, authority: Authority, key: ec.EllipticCurvePrivateKey | None = None) -> bytes:
        """Another certificate of the fixture's key, or of another; the board keeps its own."""
        held = [(path, path.read_bytes()) for path in self.board.iterdir()]
        self.issue(authority, key or self.key)
        found = (self.board / "client.der").read_bytes()
        for path, content in held:
            path.write_bytes(content)
        return found

    def send(self, certificate: bytes) -> None:
        """Down to the fixture, once it listens."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        client.tls_set(f"{self.folder}/ca.pem", f"{self.folder}/server.pem", f"{self.folder}/server_key.pem")
        client.connect("127.0.0.1", self.broker.port)
        client.loop_start()
        client.publish(TOPIC + "down", b"C" + certificate, 1).wait_for_publish(WAIT_S)
        client.disconnect()
        client.loop_stop()

    def held(self) -> set[str]:
        """Files on the board that are the certificate's."""
        return {path.name for path in self.board.glob("client.der*")}


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    """Connected."""
    found = Plant(tmp_path)
    try:
        found.fixture.wait_line("state up")
        yield found
    finally:
        found.fixture.kill()
        found.broker.kill()


def test_a_renewed_certificate_is_tried_and_takes_the_old_ones_place(plant: Plant) -> None:
    """It connects anew by itself; the file in force is the new one, byte for byte."""
    new = plant.renewed(plant.authority)
    plant.send(new)
    plant.fixture.wait_line(f"noted certificate renewed {hashlib.sha256(new).hexdigest()}")
    wait_until(lambda: plant.fixture.lines[-1] == "state up", "the connection")
    assert (plant.board / "client.der").read_bytes() == new
    assert plant.held() == {"client.der"}


def test_one_that_the_broker_refuses_goes_and_the_old_one_stays(plant: Plant, tmp_path: Path) -> None:
    """Same key, an authority that the broker does not know: the fixture comes back with what it had."""
    (tmp_path / "stranger").mkdir()
    plant.send(plant.renewed(Authority(tmp_path / "stranger")))
    plant.fixture.wait_line("noted certificate refused")
    plant.fixture.wait_line("complained link.certificate")
    wait_until(
        lambda: plant.fixture.lines[-1].startswith("state up") or "complained" in plant.fixture.lines[-1],
        "up",
    )
    assert (plant.board / "client.der").read_bytes() == plant.old
    assert plant.held() == {"client.der"}


def test_one_of_another_key_is_not_even_laid_down(plant: Plant) -> None:
    """Whoever could put another key's certificate there would cut the fixture off."""
    plant.send(plant.renewed(plant.authority, ec.generate_private_key(ec.SECP256R1())))
    plant.fixture.wait_line("disbelieved down.disbelieved")
    assert plant.held() == {"client.der"}


def test_it_is_tried_after_a_power_cut_too_and_a_broker_that_is_away_speaks_against_nothing(
    plant: Plant,
) -> None:
    """The certificate lies beside the old one; the power goes, and the broker, before it was tried."""
    new = plant.renewed(plant.authority)
    plant.broker.kill()
    plant.fixture.kill()
    (plant.board / "client.der.new").write_bytes(new)
    plant.fixture = plant.start()
    wait_until(lambda: sum("lost" in line for line in plant.fixture.lines) >= 3, "three times nobody")
    plant.broker.start()
    plant.fixture.wait_line("noted certificate renewed")
    assert (plant.board / "client.der").read_bytes() == new


def test_half_a_file_that_a_power_cut_left_is_passed_over(plant: Plant) -> None:
    """Neither a part that was never renamed nor a file that is no certificate keeps the fixture from its broker."""
    plant.fixture.kill()
    (plant.board / "client.der.part").write_bytes(b"half")
    (plant.board / "client.der.new").write_bytes(plant.old[:100])
    plant.fixture = plant.start()
    plant.fixture.wait_line("state up")
    assert (plant.board / "client.der").read_bytes() == plant.old
