"""The edge as a process behind its own site's broker: statements in, custody out, revocations at once, all by TLS."""

import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from edge.tests.secured import (
    HOST,
    UP,
    Caller,
    csr,
    enrolled,
    made_site,
    of_edge,
    openssl_key,
)
from edge.tests.secured_edge import Factory, factory
from edge.tests.site import served, wait_until

from meterseal_edge.site import enrolment, identities, renewal, request, revocation
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import split


def covered(caller: Caller) -> list[tuple[int, int]]:
    """(epoch, seq) of every custody that came."""
    told = [scan(split(raw)[2] or b"") for _, payload in caller.heard for raw in scan(payload, 65536)]
    return [(one[L.EPOCH], one[L.SEQ]) for one in told if isinstance(one, dict) and L.HEAD in one]


def offer(caller: Caller, name: str, raw: bytes) -> None:
    """One statement."""
    caller.say(UP.format(name), encode([[raw]]))


def test_a_statement_goes_in_and_custody_comes_out_by_mutual_tls(tmp_path: Path) -> None:
    """Design sections 6 and 11, from the files that `edge init` made, with nothing else listening."""
    with factory(tmp_path) as (found, broker):
        found.edge.start()
        caller, fixture = found.connect(broker, "W1"), ModelFixture(found.world.author("W1"))
        offer(caller, "W1", fixture.boot().raw)
        offer(caller, "W1", fixture.event("tick", "1").raw)
        wait_until(lambda: (1, 1) in covered(caller), "custody for both")
        assert found.summary()["durable"] == 2
        with served(found.registry, found.registry_port):
            wait_until(lambda: found.summary()["entered"] == 2, "both in the registry")


def test_a_revoked_key_is_refused_at_once_by_a_running_edge_though_the_broker_lets_it_speak(
    tmp_path: Path,
) -> None:
    """The second lock: the broker is not told here (its access list stays as it was), and the edge refuses all the
    same, with an alarm, while another fixture goes on.
    """
    with factory(tmp_path) as (found, broker):
        found.edge.start()
        stolen, other = found.connect(broker, "W1"), found.connect(broker, "G1")
        first, second = (ModelFixture(found.world.author(name)) for name in ("W1", "G1"))
        offer(stolen, "W1", first.boot().raw)
        wait_until(lambda: (1, 0) in covered(stolen), "custody before")
        known = identities.load(found.layout.identities)
        identities.save(found.layout.identities, known.revoked("W1", 1_790_000_000))
        offer(stolen, "W1", first.event("tick", "stolen").raw)
        offer(other, "G1", second.boot().raw)
        wait_until(lambda: (1, 0) in covered(other), "custody for the other")
        wait_until(lambda: found.summary()["quarantined"] == 1, "the refusal")
        assert found.summary()["durable"] == 2
        assert covered(stolen) == [(1, 0)]
        assert ("W1", "edge.revoked") in found.alarms() and "G1" not in dict(found.alarms())


def test_a_revocation_is_shown_though_the_fixture_says_nothing(tmp_path: Path) -> None:
    """An operator who revokes sees it on the page within a second, and again after a restart."""
    with factory(tmp_path) as (found, broker):
        found.edge.start()
        found.connect(broker, "W1")
        assert revocation.revoke(found.layout, "W1").told
        wait_until(lambda: ("W1", "edge.revoked") in found.alarms(), "the alarm")
        found.edge.kill()
        found.edge.start()
        assert ("W1", "edge.revoked") in found.alarms()


def test_a_granted_key_that_was_never_enrolled_here_is_refused(tmp_path: Path) -> None:
    """Topic, certificate and grant all say W1; the signing key is not the one whose fingerprint was compared."""
    with factory(tmp_path) as (found, broker):
        found.edge.start()
        caller, fixture = (
            found.connect(broker, "W1", PrivateKey.generate()),
            ModelFixture(found.world.author("W1")),
        )
        offer(caller, "W1", fixture.boot().raw)
        wait_until(lambda: found.summary()["quarantined"] == 1, "the refusal")
        assert found.summary()["durable"] == 0
        assert ("W1", "edge.enrolment") in found.alarms()


def test_enrolling_opens_the_door_of_a_running_edge(tmp_path: Path) -> None:
    """What was refused before is taken when it is offered again: no restart, and the quarantine empties itself."""
    with factory(tmp_path) as (found, broker):
        found.edge.start()
        caller, fixture = (
            found.connect(broker, "W1", PrivateKey.generate()),
            ModelFixture(found.world.author("W1")),
        )
        boot = fixture.boot().raw
        offer(caller, "W1", boot)
        wait_until(lambda: found.summary()["quarantined"] == 1, "the refusal")
        asked = request.read(csr(openssl_key(found.world.keys["W1"]), "W1"))
        enrolment.enrol(found.layout, asked, beside=True)
        offer(caller, "W1", boot)
        wait_until(lambda: (1, 0) in covered(caller), "custody")
        assert found.summary()["quarantined"] == 0


def test_a_damaged_list_leaves_what_was_known_in_force(tmp_path: Path) -> None:
    """Neither does a revoked key come back, nor is an honest fixture shut out; an operator sees it."""
    with factory(tmp_path) as (found, broker):
        found.edge.start()
        caller, fixture = found.connect(broker, "W1"), ModelFixture(found.world.author("W1"))
        offer(caller, "W1", fixture.boot().raw)
        wait_until(lambda: (1, 0) in covered(caller), "custody before")
        found.layout.identities.write_text("{")
        offer(caller, "W1", fixture.event("tick", "1").raw)
        wait_until(lambda: (1, 1) in covered(caller), "custody after")
        assert ("", "edge.site") in found.alarms()


def test_an_edge_does_not_start_without_its_list(tmp_path: Path) -> None:
    """To begin with nobody revoked would let a stolen key in."""
    with factory(tmp_path) as (found, _broker):
        found.layout.identities.unlink()
        with pytest.raises(Exception, match=r"identities\.json cannot be read"):
            found.edge.start()
        assert "Traceback" not in found.edge.last_words()


def test_a_broker_of_another_name_is_turned_away(tmp_path: Path) -> None:
    """RFC 6125: the broker's certificate names localhost alone, and the edge was told 127.0.0.1."""
    with factory(tmp_path, host="localhost") as (found, _broker):
        found.change(host="127.0.0.1")
        started_without_broker(found)
        wait_until(lambda: ("", "edge.tls") in found.alarms(), "the alarm")
        assert found.summary()["broker"] is False


def test_a_broker_of_another_authority_is_turned_away(tmp_path: Path) -> None:
    """Same names, another key at the top."""
    with factory(tmp_path) as (found, _broker):
        other = made_site(tmp_path / "other")
        found.change(tls_authority=str(other.authority_certificate))
        started_without_broker(found)
        wait_until(lambda: ("", "edge.tls") in found.alarms(), "the alarm")
        assert found.summary()["broker"] is False


def started_without_broker(found: Factory) -> None:
    """Start the edge, which is never ready."""
    found.edge.health = f"{found.page}/healthz"
    found.edge.start()


def test_a_fixture_that_stands_in_the_brokers_place_is_turned_away(tmp_path: Path) -> None:
    """A fixture's certificate is a client's (RFC 5280 section 4.2.1.12): whoever stole one cannot play the broker, even
    for a client that checks no host name.
    """
    layout = made_site(tmp_path / "site")
    fixture, broker = enrolled(layout, "W1"), layout.broker
    for certificate, key, good in (
        (fixture.certificate, fixture.key, False),
        (broker / "broker.pem", broker / "broker.key", True),
    ):
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(certificate, key)
        client = ssl.create_default_context(cafile=layout.authority_certificate)
        client.check_hostname = False
        assert shakes_hands(client, server) is good


def shakes_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> bool:
    """A handshake in memory; False where the client does not believe the certificate."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(back, there, server_hostname=HOST),
        server.wrap_bio(there, back, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return True


def test_a_renewed_certificate_is_shown_at_the_next_connection_without_a_restart(tmp_path: Path) -> None:
    """The old one is revoked here, so only the new one gets the edge in again."""
    with factory(tmp_path) as (found, broker):
        found.edge.start()
        old = renewal.read(of_edge(found.layout).certificate).serial_number
        for path in renewal.renew(found.layout, timedelta(days=9999)):
            assert path.stat().st_mode & 0o777 == 0o600
        revoked = identities.Identities((identities.Row("old", bytes(32), (old,), 1),))
        revocation.write_revocations(found.layout, revoked)
        broker.stop()
        wait_until(lambda: found.summary()["broker"] is False, "the edge's notice")
        broker.start()
        wait_until(lambda: found.summary()["broker"] is True, "the edge's return")


def test_tls_needs_all_three_files(tmp_path: Path) -> None:
    """A certificate without an authority would trust the whole world's."""
    with factory(tmp_path) as (found, _broker):
        found.change(tls_authority=None)
        with pytest.raises(Exception, match="give all of tls_authority, tls_certificate, tls_key, or none"):
            found.edge.start()
