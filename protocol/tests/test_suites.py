"""Every suite on every path: statements, chains, grants, receipts, status lists, certificates, decisions.

Identities and thumbprints are computed again by cbor2, hashlib and the openssl command; the signatures' own vectors
are in test_signing.py.
"""

import hashlib
import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import cbor2
import pycddl
import pytest

from meterseal_protocol import certificate, receipt, status
from meterseal_protocol.certificate import Certificate
from meterseal_protocol.errors import BadHeader, Unverified
from meterseal_protocol.holders import Holders
from meterseal_protocol.keys import KeyRing, PrivateKey, PublicKey
from meterseal_protocol.merkle import Inclusion, leaf_hash
from meterseal_protocol.statement import read
from meterseal_protocol.status import Validity
from meterseal_protocol.testing.trial import Trial
from meterseal_protocol.testing.world import ROLES, World
from meterseal_protocol.trust import Trust
from meterseal_protocol.verify import verify, verify_foreign
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.kinds import CHAINED
from meterseal_wire.sign1 import identity, join, protected_header, sig_structure
from meterseal_wire.statement import Author, build, seal
from meterseal_wire.suites import ED25519, ESP256, SM2, SUITES, Suite

TESTS = Path(__file__).parent
CDDL = (TESTS.parent / "spec" / "meterseal.cddl").read_text("utf-8")
EVENT: dict[int, Any] = {L.EVENT: "case.opened", L.DETAIL: "seal 17"}
PLACE = (1, 1, bytes(32))
KEYS = {suite: PrivateKey.generate(suite) for suite in SUITES}
every_suite = pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
CERTIFICATE = Certificate(
    "REG-CN", "DEMO.1", 1, 2, ("33",), bytes(8), bytes(16), 1, 5, -3, bytes(8), 1, 0, False
)


def author(suite: Suite, key: PrivateKey | None = None) -> Author:
    """Who signs with the suite's key."""
    return Author("YUHANG1", "W1", key or KEYS[suite])


def ring(*keys: PublicKey) -> KeyRing:
    """A ring of these keys; of one of each suite where none is named."""
    found = KeyRing()
    for key in keys or tuple(key.public for key in KEYS.values()):
        found.add(key)
    return found


def samples() -> ModuleType:
    """The portable samples of every kind."""
    found = importlib.util.spec_from_file_location("kinds_samples", TESTS / "portable" / "test_kinds.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


SAMPLES: dict[int, dict[int, Any]] = samples().SAMPLES


def lied_about(suite: Suite, claimed: Suite) -> bytes:
    """A statement that `suite` signs under a header that names `claimed`: otherwise right."""
    mine = author(suite)
    header = cbor2.loads(protected_header(L.KIND_EVENT, mine, PLACE))
    protected = encode({**header, L.HEADER_ALG: claimed.alg})
    return bytes(seal(mine, protected, encode(EVENT)))


@every_suite
@pytest.mark.parametrize("typ", SAMPLES, ids=lambda typ: L.KIND_NAMES[typ])
def test_a_statement_of_every_kind_goes_out_and_comes_back(typ: int, suite: Suite) -> None:
    """Built, read, verified: same payload, and the key found among one of each suite is the signer's."""
    raw = build(author(suite), typ, SAMPLES[typ], PLACE if typ in CHAINED else None)
    found = verify(raw, ring())
    assert found.key == KEYS[suite].public
    assert found.statement.typ == typ
    assert encode(found.statement.payload) == encode(SAMPLES[typ])
    assert cbor2.loads(found.statement.protected)[L.HEADER_ALG] == suite.alg


@every_suite
def test_the_grammar_takes_statements_and_keys_of_every_suite(suite: Suite) -> None:
    """spec/meterseal.cddl by pycddl, an independent tool: header, key, and the envelope around them."""
    raw = build(author(suite), L.KIND_EVENT, EVENT, PLACE)
    protected, _, _, _ = cbor2.loads(raw).value
    for rule, value in (
        ("protected-header", protected),
        ("key", encode(KEYS[suite].public.cose)),
        ("#6.18([bstr, {}, bstr, bstr .size 64])", raw),
    ):
        pycddl.Schema(f"start = {rule}\n{CDDL}").validate_cbor(value)


@pytest.mark.parametrize("alg", [-7, -8, -35, -257, -70101, -70103, 9, 0])
def test_the_grammar_and_the_reader_refuse_an_algorithm_of_no_suite(alg: int) -> None:
    """ES256, EdDSA, ES384, RS256 (RFC 9053, 8812), numbers beside ours, and no signature at all."""
    mine = author(ESP256)
    header = {**cbor2.loads(protected_header(L.KIND_EVENT, mine, PLACE)), L.HEADER_ALG: alg}
    with pytest.raises(pycddl.ValidationError):
        pycddl.Schema(f"start = protected-header\n{CDDL}").validate_cbor(encode(header))
    with pytest.raises(BadHeader, match=f"algorithm {alg}"):
        verify(seal(mine, encode(header), encode(EVENT)), ring())


@pytest.mark.parametrize("claimed", SUITES, ids=lambda suite: suite.name)
@every_suite
def test_the_headers_algorithm_is_that_of_the_key_or_the_statement_is_refused(
    suite: Suite, claimed: Suite
) -> None:
    """Design section 5: signature, hash and thumbprint are fixed together. All nine pairs; three are honest."""
    raw = lied_about(suite, claimed)
    if suite is claimed:
        assert verify(raw, ring()).key == KEYS[suite].public
        return
    with pytest.raises(BadHeader, match=f"is of {suite.name}"):
        verify(raw, ring())


def test_an_algorithm_in_the_unprotected_header_is_not_looked_at() -> None:
    """RFC 9052 section 3.1: only the protected header is signed. A statement's unprotected header is empty anyway."""
    mine = author(ED25519)
    protected = protected_header(L.KIND_EVENT, mine, PLACE)
    body = encode(EVENT)
    signature = mine.sign(sig_structure(protected, body))
    message = cbor2.CBORTag(18, [protected, {1: -9}, body, signature])
    assert verify_foreign(cbor2.dumps(message), KEYS[ED25519].public.cose) == body
    header = {label: item for label, item in cbor2.loads(protected).items() if label != 1}
    bare = encode(header)
    unsigned = cbor2.CBORTag(18, [bare, {1: -19}, body, mine.sign(sig_structure(bare, body))])
    with pytest.raises(BadHeader, match="names no algorithm"):
        verify_foreign(cbor2.dumps(unsigned), KEYS[ED25519].public.cose)
    with pytest.raises(BadHeader, match="algorithm None"):
        read(join(bare, body, signature))


@every_suite
def test_a_kid_that_fits_keys_of_other_suites_finds_the_right_one(suite: Suite) -> None:
    """Design section 5: a kid is a hint. Keys of all suites share one here; those of other suites cannot even try."""
    keys = [PrivateKey.generate(other).public for other in SUITES for _ in range(2)]
    for key in keys:
        key.kid = KEYS[suite].thumbprint[:8]
    raw = build(author(suite), L.KIND_EVENT, EVENT, PLACE)
    assert verify(raw, ring(*keys, KEYS[suite].public)).key == KEYS[suite].public
    with pytest.raises(Unverified):
        verify(raw, ring(*keys))
    with pytest.raises(BadHeader):
        verify(raw, ring(*[key for key in keys if key.suite is not suite]))


@every_suite
def test_identity_is_the_suites_hash_over_the_message(suite: Suite, tmp_path: Path) -> None:
    """Design section 5, by the openssl command over the very bytes; SM3 for SM2, SHA-256 for the others."""
    raw = build(author(suite), L.KIND_EVENT, EVENT, PLACE)
    (tmp_path / "raw").write_bytes(raw)
    digest = "-sm3" if suite is SM2 else "-sha256"
    command = ["openssl", "dgst", digest, "-binary", "raw"]
    expected = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout
    assert identity(raw) == read(raw).identity == expected


@every_suite
def test_a_respelled_or_broken_signature_is_refused(suite: Suite) -> None:
    """The other s for ECDSA, S + L for Ed25519 (RFC 8032 5.1.7), n - s for SM2, and a bit turned in each."""
    raw = build(author(suite), L.KIND_EVENT, EVENT, PLACE)
    order = {
        1: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        2: 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123,
        3: 2**252 + 27742317777372353535851937790883648493,
    }[suite.number]
    if suite is ED25519:
        last = (int.from_bytes(raw[-32:], "little") + order).to_bytes(32, "little")
    else:
        last = (order - int.from_bytes(raw[-32:], "big")).to_bytes(32, "big")
    with pytest.raises(Unverified, match="respelled" if suite is ESP256 else "does not hold"):
        verify(raw[:-32] + last, ring())
    with pytest.raises(Unverified):
        verify(raw[:-1] + bytes([raw[-1] ^ 1]), ring())


@every_suite
def test_a_certificate_may_be_of_any_suite(suite: Suite) -> None:
    """Design section 10 says ESP256; the table makes it the issuer's choice, and the header says which."""
    raw = certificate.issue(author(suite), CERTIFICATE)
    assert certificate.read_signed(raw, ring()) == (CERTIFICATE, KEYS[suite].public)
    with pytest.raises(Unverified):
        certificate.read(raw[:-1] + bytes([raw[-1] ^ 1]), ring())


@every_suite
def test_a_certificate_under_another_algorithm_is_refused(suite: Suite) -> None:
    """Header alg of the next suite, or of none: the key's own is asked for."""
    protected, _, body, _ = cbor2.loads(certificate.issue(author(suite), CERTIFICATE)).value
    other = SUITES[suite.number % 3]
    for alg, words in ((other.alg, f"is of {suite.name}"), (-7, "one of our suites")):
        changed = encode({**cbor2.loads(protected), L.HEADER_ALG: alg})
        with pytest.raises(BadHeader, match=words):
            certificate.read(seal(author(suite), changed, body), ring())


@every_suite
def test_a_receipt_and_a_status_list_may_be_of_any_suite(suite: Suite) -> None:
    """RFC 9942 and the Token Status List leave alg to the issuer; the receipt's tree stays SHA-256 (RFC 9162)."""
    name = hashlib.sha256(b"entry").digest()
    raw = receipt.issue(author(suite), name, Inclusion(0, 1, []), 77)
    found = receipt.check(raw, name, ring())
    assert (found.entered_s, found.key) == (77, KEYS[suite].thumbprint)
    assert found.root == leaf_hash(name) == hashlib.sha256(b"\x00" + name).digest()
    raw = status.publish(author(suite), "https://example.org/status/1", [0, 1, 0, 0], Validity(1, 2, 3))
    assert status.read(raw, ring()).key == KEYS[suite].thumbprint


@every_suite
def test_a_world_of_one_suite_is_learnt_from_its_anchor(suite: Suite) -> None:
    """Anchor, delegation, fixtures, edge and registry: every grant is believed, every key is found with its suite."""
    world = World(keys={role: PrivateKey.generate(suite) for role in ROLES})
    holders = Holders([PublicKey.from_cose(key) for key in cbor2.loads(world.anchors_file)])
    assert holders.learn(reversed(list(world.grants.values()))) == []
    for role in set(ROLES) - {"root"}:
        key = holders.ring.by_thumbprint(world.keys[role].thumbprint)
        assert key is not None
        assert key.suite is suite
    trust = Trust(world.anchors, [world.grants["registry"]], [], 1)
    assert set(Trust.load(trust.dump()).registries()) == {world.keys["registry"].thumbprint}


def test_a_meter_is_granted_where_every_role_has_another_suite() -> None:
    """Root SM2, province and fixture Ed25519, registry SM2, edge ESP256: one chain of authority, one decision."""
    of_role = {"root": SM2, "province": ED25519, "W1": ED25519, "G1": SM2, "registry": SM2, "edge": ESP256}
    trial = Trial(
        kinds.WATER, keys={role: PrivateKey.generate(suite) for role, suite in of_role.items()}
    ).begin()
    trial.run()
    decision = trial.decide()
    assert (decision.outcome, decision.reasons) == (kinds.GRANTED, ())
    assert {cbor2.loads(read(signed.raw).protected)[1] for signed in trial.fixture.signed} == {-19}


def test_a_grant_that_names_a_key_of_no_suite_is_no_grant() -> None:
    """P-384, X25519, a curve beside ours: refused by shape, before anybody believes it."""
    world = World()
    fields = {L.REGISTRY: "REG-X", L.GRANT: kinds.REGISTRY, L.NUMBER: 1, L.WINDOW: (1, 2)}
    for key in (
        {1: 2, -1: 2, -2: bytes(32), -3: bytes(32)},
        {1: 1, -1: 4, -2: bytes(32)},
        {1: 2, -1: -70203, -2: bytes(32), -3: bytes(32)},
    ):
        protected = protected_header(L.KIND_GRANT, world.author("root"))
        raw = seal(world.author("root"), protected, encode({**fields, L.SUBJECT_KEY: key}))
        assert Holders(world.anchors).learn([raw]) == [raw]
