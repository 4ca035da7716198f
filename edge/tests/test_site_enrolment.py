"""Who gets a certificate, and who loses it: requests with proof, enrolment, renewal, revocation, the list of names."""

import json
import os
import random
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID
from edge.tests.secured import SITE, csr, made_site, openssl_key, requests

from meterseal_edge.errors import BadSite
from meterseal_edge.site import authority, enrolment, identities, renewal, request, revocation
from meterseal_edge.site.identities import Identities
from meterseal_edge.site.layout import Layout
from meterseal_protocol.keys import PrivateKey

SEED, FLIPS = 11, 300


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A new site."""
    return made_site(tmp_path / "site")


# Requests.


def test_a_request_with_its_proof_names_the_signing_key() -> None:
    """The certificate is for the TLS key, the pin for the key whose fingerprint is on the label (RFC 9679)."""
    signing = PrivateKey.generate()
    one = requests(signing, "W1")
    found = request.read(one.tls, one.signing, one.proof)
    assert (found.name, found.site, found.bench) == ("W1", SITE, "B1")
    assert found.key.thumbprint == signing.thumbprint
    assert found.public == one.tls_key.public_key()


def test_a_request_alone_is_of_the_signing_key_itself() -> None:
    """One key for both: the label's fingerprint is then that of the request."""
    signing = PrivateKey.generate()
    found = request.read(csr(openssl_key(signing), "W1"))
    assert found.key.thumbprint == signing.thumbprint


def test_every_changed_byte_of_a_request_or_proof_is_refused() -> None:
    """Proof of possession (RFC 2986 section 3): what the key did not sign is worth nothing."""
    one, dice = requests(PrivateKey.generate(), "W1"), random.Random(SEED)
    honest = (one.tls, one.signing, one.proof)
    for _ in range(FLIPS):
        part = dice.randrange(3)
        raw = bytearray(honest[part])
        raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
        given = [bytes(raw) if number == part else text for number, text in enumerate(honest)]
        with pytest.raises(BadSite):
            request.read(*given)


def test_a_tls_request_of_another_board_is_not_bound_by_this_ones_proof() -> None:
    """Files of two boards mixed up on a stick, by mistake or on purpose."""
    one, other = (requests(PrivateKey.generate(), "W1") for _ in range(2))
    for tls, signing, proof in ((other.tls, one.signing, one.proof), (one.tls, other.signing, one.proof)):
        with pytest.raises(BadSite, match="does not bind"):
            request.read(tls, signing, proof)


def test_requests_for_two_names_are_refused() -> None:
    """The proof of W2's key says nothing of a certificate for W1."""
    signing = PrivateKey.generate()
    one, two = requests(signing, "W1"), requests(signing, "W2")
    with pytest.raises(BadSite, match="two fixtures"):
        request.read(one.tls, two.signing, one.proof)


@pytest.mark.parametrize(
    "wrong", ["edge/EDGE1", "broker/EDGE1", "+", "a#", "", "W 1", "x" * 17, "W\n1", "$SYS", "%u"]
)
def test_a_name_that_means_more_than_a_fixture_is_refused(wrong: str) -> None:
    """The edge's own common name, a wildcard of MQTT, a line of the access list: none can be asked for."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wrong)] if wrong else [])
    raw = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
    with pytest.raises(BadSite, match="cannot stand in a topic"):
        request.read(raw.public_bytes(Encoding.DER))


def test_two_common_names_are_none() -> None:
    """Which of them the broker would take for the user is nobody's to guess."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text) for text in ("W1", "W2")])
    raw = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
    with pytest.raises(BadSite, match="cannot stand in a topic"):
        request.read(raw.public_bytes(Encoding.DER))


def test_other_keys_and_other_files_are_refused() -> None:
    """Suite 1 alone is what a fixture speaks; a photograph is no request."""
    rsa_key = rsa.generate_private_key(65537, 2048)
    builder = x509.CertificateSigningRequestBuilder().subject_name(authority.name("W1", SITE))
    with pytest.raises(BadSite, match="not of P-256"):
        request.read(builder.sign(rsa_key, SHA256()).public_bytes(Encoding.DER))
    for raw in (b"", b"\x30\x03\x02\x01\x00", b"\xff\xd8\xff\xe0" * 9, b"-----BEGIN NOTHING-----"):
        with pytest.raises(BadSite, match="no certificate request"):
            request.read(raw)


# Enrolment.


def test_a_certificate_says_what_was_asked_and_nothing_that_was_smuggled_in(layout: Layout) -> None:
    """A request may ask for extensions (RFC 2985 section 5.4.2): here to be an authority with the broker's host name.
    Nothing of it is taken over.
    """
    signing = PrivateKey.generate()
    builder = x509.CertificateSigningRequestBuilder().subject_name(authority.name("W1", SITE, "B1"))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    raw = builder.sign(openssl_key(signing), SHA256()).public_bytes(Encoding.DER)
    found = enrolment.enrol(layout, request.read(raw))
    assert authority.common_name(found.subject) == "W1"
    assert not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert ExtensionOID.SUBJECT_ALTERNATIVE_NAME not in [one.oid for one in found.extensions]
    assert found.not_valid_after_utc - datetime.now(UTC) < timedelta(days=731)
    command = [
        "openssl",
        "verify",
        "-x509_strict",
        "-purpose",
        "sslclient",
        "-CAfile",
        layout.authority_certificate,
    ]
    path = layout.issued / "W1.pem"
    assert subprocess.run([*command, path], capture_output=True, check=False).returncode == 0
    assert path.stat().st_mode & 0o777 == 0o600


def test_enrolling_again_with_the_same_key_is_fine_and_with_another_is_not(layout: Layout) -> None:
    """A lost certificate is issued again; a second key under one name wants a person's word."""
    signing, other = PrivateKey.generate(), PrivateKey.generate()
    first = enrolment.enrol(layout, requests(signing, "W1").asked)
    second = enrolment.enrol(layout, requests(signing, "W1").asked)
    [row] = identities.load(layout.identities).rows
    assert row.serials == (first.serial_number, second.serial_number)
    with pytest.raises(BadSite, match="enrolled with another key"):
        enrolment.enrol(layout, requests(other, "W1").asked)
    enrolment.enrol(layout, requests(other, "W1").asked, beside=True)
    assert {row.key for row in identities.load(layout.identities).live("W1")} == {
        signing.thumbprint,
        other.thumbprint,
    }


def test_a_key_has_one_name_and_a_site_its_own_fixtures(layout: Layout) -> None:
    """One board that is two fixtures, and a request for the neighbour's site."""
    signing = PrivateKey.generate()
    enrolment.enrol(layout, requests(signing, "W1").asked)
    with pytest.raises(BadSite, match="enrolled as W1"):
        enrolment.enrol(layout, requests(signing, "W2").asked)
    with pytest.raises(BadSite, match="site 'OTHER'"):
        enrolment.enrol(layout, requests(PrivateKey.generate(), "W3", "OTHER").asked)
    assert [path.name for path in layout.issued.iterdir()] == ["W1.pem"]


def test_a_revoked_key_never_comes_back_and_its_name_does(layout: Layout) -> None:
    """A stolen fixture is replaced: the new board bears the old name, the old key and certificate stay refused."""
    signing, new = PrivateKey.generate(), PrivateKey.generate()
    stolen = enrolment.enrol(layout, requests(signing, "W1").asked)
    revocation.revoke(layout, "W1")
    assert "user W1\ntopic deny #" in (layout.broker / "access").read_text()
    with pytest.raises(BadSite, match="was revoked"):
        enrolment.enrol(layout, requests(signing, "W1").asked)
    with pytest.raises(BadSite, match="was revoked"):
        enrolment.enrol(layout, requests(signing, "W9").asked)
    enrolment.enrol(layout, requests(new, "W1").asked)
    assert "user W1" not in (layout.broker / "access").read_text()
    known = identities.load(layout.identities)
    assert known.is_revoked(signing.thumbprint) and not known.is_revoked(new.thumbprint)
    assert known.revoked_serials() == [stolen.serial_number]


# Revocation.


def test_openssl_reads_the_list_and_finds_every_certificate_of_a_revoked_name(layout: Layout) -> None:
    """RFC 5280 section 5: renewed ones too, and nobody else's."""
    signing = PrivateKey.generate()
    serials = {enrolment.enrol(layout, requests(signing, "W1").asked).serial_number for _ in range(3)}
    other = enrolment.enrol(layout, requests(PrivateKey.generate(), "W2").asked)
    revocation.revoke(layout, "W1")
    path = layout.broker / "revoked.crl"
    command = ["openssl", "crl", "-in", path, "-noout", "-text", "-CAfile", layout.authority_certificate]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = {int(line.split(":")[1], 16) for line in done.stdout.splitlines() if "Serial Number" in line}
    assert found == serials and other.serial_number not in found
    assert "verify OK" in done.stderr


def test_each_list_is_later_than_the_one_before_and_none_is_of_the_future(layout: Layout) -> None:
    """OpenSSL takes the later of two lists of one issuer, by the second; one of the future would lock everybody out."""
    times = []
    for number in range(5):
        enrolment.enrol(layout, requests(PrivateKey.generate(), f"W{number}").asked)
        revocation.revoke(layout, f"W{number}")
        times.append(x509.load_pem_x509_crl((layout.broker / "revoked.crl").read_bytes()).last_update_utc)
    assert times == sorted(set(times))
    assert times[-1] < datetime.now(UTC)


def test_the_list_never_ends_before_the_authority(layout: Layout) -> None:
    """A list that ran out makes OpenSSL refuse everybody: at night, years later."""
    end = x509.load_pem_x509_certificate(layout.authority_certificate.read_bytes()).not_valid_after_utc
    found = x509.load_pem_x509_crl((layout.broker / "revoked.crl").read_bytes())
    assert found.next_update_utc == end


def test_revoking_twice_changes_nothing_more(layout: Layout) -> None:
    """A cut in between is cured by the same command."""
    enrolment.enrol(layout, requests(PrivateKey.generate(), "W1").asked)
    revocation.revoke(layout, "W1")
    before = layout.identities.read_bytes()
    revocation.revoke(layout, "W1")
    assert layout.identities.read_bytes() == before


def test_a_name_that_nobody_has_is_refused(layout: Layout) -> None:
    """A misspelt name must not look like a fixture that was shut out."""
    with pytest.raises(BadSite, match="nobody is enrolled as W7"):
        revocation.revoke(layout, "W7")


def test_a_process_number_that_is_no_brokers_is_left_alone(layout: Layout) -> None:
    """A number of an ended broker may be anybody's: this test would end by the signal."""
    path = layout.broker / "data" / "mosquitto.pid"
    for text in (str(os.getpid()), "99999999", "nonsense"):
        path.write_text(text)
        assert revocation.tell_broker(layout) is False


# Renewal.


def test_what_ends_soon_is_renewed_with_the_same_key_and_names_and_the_rest_is_left(layout: Layout) -> None:
    """The second time there is nothing to do; what is not near its end has the same bytes."""
    short, long = requests(PrivateKey.generate(), "W1"), requests(PrivateKey.generate(), "W2")
    enrolment.enrol(layout, short.asked, days=20)
    enrolment.enrol(layout, long.asked)
    before = {path: path.read_bytes() for path in renewal.certificates(layout)}
    assert renewal.renew(layout, timedelta(days=30)) == [layout.issued / "W1.pem"]
    assert renewal.renew(layout, timedelta(days=30)) == []
    after = {path: path.read_bytes() for path in renewal.certificates(layout)}
    assert {path.name for path in before if before[path] != after[path]} == {"W1.pem"}
    path = layout.issued / "W1.pem"
    old, new = (x509.load_pem_x509_certificate(raw[path]) for raw in (before, after))
    assert (new.subject, new.public_key()) == (old.subject, old.public_key())
    assert new.not_valid_after_utc - old.not_valid_after_utc > timedelta(days=600)


def test_the_brokers_certificate_keeps_its_host_names(layout: Layout) -> None:
    """RFC 6125: without them every client would turn away after the renewal."""
    path = layout.broker / "broker.pem"
    before = renewal.read(path)
    assert path in renewal.renew(layout, timedelta(days=9999))
    after = renewal.read(path)
    names = [
        one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value for one in (before, after)
    ]
    usages = [one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value for one in (before, after)]
    assert names[0] == names[1] and usages[0] == usages[1]
    assert before.serial_number != after.serial_number


def test_a_renewed_certificate_is_revoked_with_its_fixture_and_a_revoked_one_is_not_renewed(
    layout: Layout,
) -> None:
    """Revocation reaches every certificate that was ever issued for the key."""
    first = enrolment.enrol(layout, requests(PrivateKey.generate(), "W1").asked)
    renewal.renew(layout, timedelta(days=9999))
    second = renewal.read(layout.issued / "W1.pem")
    revocation.revoke(layout, "W1")
    assert identities.load(layout.identities).revoked_serials() == sorted(
        [first.serial_number, second.serial_number]
    )
    assert layout.issued / "W1.pem" not in renewal.renew(layout, timedelta(days=9999))


def test_without_the_authoritys_key_nothing_is_issued_or_revoked(layout: Layout) -> None:
    """The key may be kept away from the box; then the sentence says where to run this."""
    enrolment.enrol(layout, requests(PrivateKey.generate(), "W1").asked)
    layout.authority_key.unlink()
    before = layout.identities.read_bytes()
    wanted = requests(PrivateKey.generate(), "W2").asked
    for act in (
        lambda: enrolment.enrol(layout, wanted),
        lambda: revocation.revoke(layout, "W1"),
        lambda: renewal.renew(layout, timedelta(days=9999)),
    ):
        with pytest.raises(BadSite, match="cannot be opened"):
            act()
    assert layout.identities.read_bytes() == before


# The list of names.


SHORT_KEY = '{"rows": [{"name": "W1", "key": "00", "serials": [], "revoked_s": 0}]}'


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"rows": 5}', '{"rows": [{"name": "W1"}]}', SHORT_KEY])
def test_a_damaged_list_is_named(tmp_path: Path, text: str) -> None:
    """Never a traceback, never an empty list in its place: that would let revoked keys in."""
    path = tmp_path / "identities.json"
    path.write_text(text)
    with pytest.raises(BadSite, match="cannot be read"):
        identities.load(path)


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    """Names of any script; serial numbers of 160 bits."""
    known = (
        Identities().issued("台1", bytes(range(32)), 2**159 + 1).issued("W2", bytes(32), 7).revoked("W2", 5)
    )
    identities.save(tmp_path / "list", known)
    assert identities.load(tmp_path / "list") == known
    assert json.loads((tmp_path / "list").read_text())["rows"][0]["name"] == "台1"
