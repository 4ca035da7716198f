"""What comes down: believed only when signed by the right key, freeing only what is really held there.

Statements are signed with the fixture's own software signer under other keys: whether it signs right is its own
test's affair (RFC 6979 vectors).
"""

import os

from doubles import Folder

from meterseal_fixture.down import MOST_WAITING, Down, believe
from meterseal_fixture.errors import Disbelieved
from meterseal_fixture.signer.software_p256 import SoftwareSigner, verify
from meterseal_wire import labels as L
from meterseal_wire.encode import Tag, encode
from meterseal_wire.sign1 import identity, sig_structure, split
from meterseal_wire.statement import Author, build
from meterseal_wire.suites import DEFAULT
from meterseal_wire.tree import leaf_hash, path_root

EDGE = Author("EDGE1", "custody", SoftwareSigner(bytes(31) + b"\x01"))
REGISTRY = Author("REG-CN", "beacon", SoftwareSigner(bytes(31) + b"\x02"))
OWN = SoftwareSigner(bytes(31) + b"\x03")
KEYS = {L.KIND_CUSTODY: EDGE.signer.public_xy, L.KIND_BEACON: REGISTRY.signer.public_xy}
HEAD = b"\x07" * 32
NOWHERE = "/nowhere-at-all"  # no flash: what is to be kept is logged as not kept


class Keep:
    """A store that holds one statement, at (1, 4), whose identity is HEAD; remembers what was covered."""

    def __init__(self, folder):
        self.folder = folder
        self.covered, self.entered = [], []

    def enter(self, identity):
        self.entered.append(identity)

    def identity_at(self, epoch, seq):
        return HEAD if (epoch, seq) == (1, 4) else None

    def cover(self, epoch, seq):
        self.covered.append((epoch, seq))


class Chronicle:
    def __init__(self, folder=NOWHERE):
        self.author = Author("W1", "WATER-1", OWN)
        self.keep = Keep(folder)


class Settings:
    edge_key = EDGE.signer.public_xy
    registry_key = REGISTRY.signer.public_xy


def down(folder=NOWHERE):
    log = []
    found = Down(Settings, Chronicle(folder), verify, lambda word, text: log.append((word, text)))
    return found, log


def beacon(number, author=REGISTRY):
    return build(author, L.KIND_BEACON, {L.NUMBER: number, L.TIME_S: 1, L.LOG_SIZE: 0, L.LOG_ROOT: HEAD})


def custody(author=EDGE, **changes):
    fields = {L.KEY: Chronicle().author.thumbprint, L.EPOCH: 1, L.SEQ: 4, L.HEAD: HEAD}
    fields.update({L.LOG_SIZE: 5, L.LOG_ROOT: HEAD})
    for name, value in changes.items():
        fields[getattr(L, name)] = value
    return build(author, L.KIND_CUSTODY, fields)


def disbelieved(raw):
    try:
        believe(raw, KEYS, verify)
    except Disbelieved as why:
        return why.detail
    return "believed"


def forged(header, payload, signature=bytes(64), unprotected=None):
    return encode(Tag(18, [encode(header), unprotected or {}, payload, signature]))


def test_a_statement_of_the_right_key_is_believed():
    """The payload comes back as it was signed."""
    typ, fields = believe(beacon(9), KEYS, verify)
    assert (typ, fields[L.NUMBER]) == (L.KIND_BEACON, 9)


def test_a_statement_of_another_key_or_with_one_bit_changed_is_not():
    """The edge may not sign beacons; every bit of the payload's last byte and of the signature counts."""
    assert disbelieved(beacon(9, EDGE)) == "signature"
    sound = beacon(9)
    assert disbelieved(sound) == "believed"
    assert disbelieved(sound[:-1] + bytes((sound[-1] ^ 1,))) == "signature"
    assert disbelieved(sound[:-67] + bytes((sound[-67] ^ 1,)) + sound[-66:]) == "signature"


def test_the_other_spelling_of_a_signature_is_refused():
    """SEC 1 section 4.1.4: (r, n - s) holds too, and would give a beacon a second identity that an attempt cites."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    sound = beacon(9)
    other = sound[:-32] + (order - int.from_bytes(sound[-32:], "big")).to_bytes(32, "big")
    protected, _, payload, signature = split(other)
    assert verify(REGISTRY.signer.public_xy, sig_structure(protected, payload), signature) is True
    assert identity(other) != identity(sound)
    assert disbelieved(other) == "signature"


def test_headers_that_could_deceive_are_refused():
    """RFC 9052 section 3.1: alg only in the protected header and only ESP256 (-9); a critical header that we do
    not know refuses the message; and our statements leave the unprotected header empty.
    """
    typ = {L.HEADER_TYP: L.KIND_BEACON}
    assert disbelieved(forged(typ, b"\xa0")) == "header"
    assert disbelieved(forged({L.HEADER_ALG: -7, L.HEADER_TYP: L.KIND_BEACON}, b"\xa0")) == "header"
    for suite in (-19, -70102):  # Ed25519 and SM2, which a fixture can't verify: one clear answer
        assert disbelieved(forged({L.HEADER_ALG: suite, L.HEADER_TYP: L.KIND_BEACON}, b"\xa0")) == "header"
    assert disbelieved(forged([], b"\xa0")) == "header"
    critical = {L.HEADER_ALG: -9, L.HEADER_CRIT: [99], L.HEADER_TYP: L.KIND_BEACON}
    assert disbelieved(forged(critical, b"\xa0")) == "header"
    good = {L.HEADER_ALG: -9, L.HEADER_TYP: L.KIND_BEACON}
    assert disbelieved(forged(good, b"\xa0", unprotected={1: -9})).startswith("kind")
    assert disbelieved(forged(good, None)).startswith("kind")
    assert disbelieved(forged(good, b"\xa0", signature=b"")) == "signature"
    for odd in ([1], "beacon", None, 65001):
        assert disbelieved(forged({L.HEADER_ALG: -9, L.HEADER_TYP: odd}, b"\xa0")).startswith("kind")


def test_bytes_that_are_no_statement_are_refused():
    """Nothing but Disbelieved ever comes out."""
    for raw in (b"", b"\x00", b"\xd2\x84", b"\xd2\x80", beacon(1) + b"\x00", b"\xff" * 40):
        assert disbelieved(raw) != "believed", raw


def test_a_sound_signature_over_a_payload_out_of_shape_is_refused():
    """Signed by the registry itself, but a field is missing: check_payload says which."""
    header = encode({L.HEADER_ALG: -9, L.HEADER_TYP: L.KIND_BEACON})
    payload = encode({L.NUMBER: 1})
    signature = REGISTRY.sign(sig_structure(header, payload))
    assert "beacon lacks label" in disbelieved(encode(Tag(18, [header, {}, payload, signature])))


def test_the_newest_beacon_by_number_is_held():
    """A late older one does not replace it. After a restart it is held again, verified anew, and nobody was heard yet;
    one that rotted in flash, or that another registry signed, is not. Flash that takes nothing costs no more than that.
    """
    newest = beacon(5)
    with Folder() as path:
        found, log = down(path)
        found.take(encode([beacon(3), newest, beacon(4)]))
        found.act()
        assert (found.beacon_number, found.beacon, found.heard, log) == (5, identity(newest), True, [])
        again, log = down(path)
        assert again.beacon is None
        again.recall()
        assert (again.kept_number, again.beacon, again.heard, log) == (5, identity(newest), False, [])
        again.take(encode([beacon(4)]))
        again.act()
        assert (again.beacon_number, again.kept_number, again.beacon) == (5, None, identity(newest))
        [name] = os.listdir(path + "/beacon")
        for rotten in (newest[:-1] + bytes((newest[-1] ^ 1,)), beacon(9, EDGE), custody(), b"\x00", b""):
            with open("%s/beacon/%s" % (path, name), "wb") as file:
                file.write(rotten)
            other, log = down(path)
            other.recall()
            assert (other.beacon, other.kept_number, other.heard) == (None, None, False), rotten
    lost, log = down()
    lost.recall()
    lost.take(encode([newest]))
    lost.act()
    assert lost.beacon == identity(newest) and [word for word, _ in log] == ["beacon"]


def test_sound_custody_covers_what_it_names():
    """Key, place and head are those of the statement that is held."""
    found, log = down()
    found.take(encode([custody()]))
    assert found.act() == [(1, 4)]
    assert found.chronicle.keep.covered == [(1, 4)] and log == []


def test_custody_for_another_key_head_or_place_or_by_another_hand_covers_nothing():
    """Design section 6: an edge that lost its memory must not free anything. Each differs in one thing."""
    found, log = down()
    wrong = [custody(KEY=HEAD), custody(HEAD=bytes(32)), custody(SEQ=5), custody(EPOCH=2), custody(REGISTRY)]
    found.take(encode(wrong))
    assert found.act() == []
    assert found.chronicle.keep.covered == []
    assert (found.dropped, len(log)) == (5, 5)


def test_time_that_answers_the_question_sets_the_clock_and_decides_nothing():
    """spec/time.md: one token a nonce, for the fixture's own key; a beacon is still what an attempt cites."""
    found, log = down()
    clock = []
    found.set_time = clock.append
    nonce = bytes.fromhex(found.question.ask())
    key = found.chronicle.author.thumbprint
    token = build(EDGE, L.KIND_TIME, {L.NONCE: nonce, L.TIME_S: 1790000000, L.KEY: key})
    found.take(encode([token]))
    assert (found.act(), found.beacon, clock, log) == ([], None, [1790000000], [])
    found.take(encode([token]))
    found.act()
    assert (clock, found.dropped) == ([1790000000], 1)


def test_time_that_nobody_asked_for_or_of_no_century_is_dropped():
    """Another key, another nonce, a second before 2020: none of them sets a clock."""
    found, _log = down()
    clock = []
    found.set_time = clock.append
    nonce = bytes.fromhex(found.question.ask())
    key = found.chronicle.author.thumbprint
    for wrong in ({L.KEY: HEAD}, {L.NONCE: bytes(16)}, {L.TIME_S: 9}):
        fields = {L.NONCE: nonce, L.TIME_S: 1790000000, L.KEY: key}
        fields.update(wrong)
        found.take(encode([build(EDGE, L.KIND_TIME, fields)]))
    found.act()
    assert (clock, found.dropped) == ([], 3)


def test_parcels_that_are_no_list_of_statements_are_dropped():
    """Damaged, not an array, an item that is not bytes, too long."""
    found, log = down()
    for parcel in (b"\x81", b"\x00", encode([5]), encode({1: 2}), encode([bytes(65536)])):
        found.take(parcel)
    assert (found.waiting, found.dropped, len(log)) == ([], 5, 5)


def test_of_too_many_statements_the_newest_are_kept():
    """Memory is bounded while gates are open; the last custody covers all before it."""
    found, _ = down()
    for number in range(MOST_WAITING + 3):
        found.take(encode([bytes((number,))]))
    assert found.waiting == [bytes((number,)) for number in range(3, MOST_WAITING + 3)]


def receipt(author=REGISTRY, of=HEAD, path=()):
    """An inclusion receipt (RFC 9942) for a statement, leaf 0 of a tree of one plus the path."""
    root = path_root(leaf_hash(of), 0, 1 + len(path), list(path))
    claims = {L.CLAIM_ISS: "REG-CN", L.CLAIM_SUB: "log", L.CLAIM_IAT: 1, L.CLAIM_CTI: of}
    header = {L.HEADER_ALG: -9, L.HEADER_KID: author.kid, L.HEADER_CWT_CLAIMS: claims, L.HEADER_VDS: 1}
    protected = encode(header)
    signature = DEFAULT.canonical(author.signer.sign(sig_structure(protected, root)))
    proof = {L.HEADER_PROOFS: {-1: [encode([1 + len(path), 0, list(path)])]}}
    return encode(Tag(18, [protected, proof, None, signature]))


def test_a_receipt_of_the_registry_lets_go_and_no_other():
    """The edge may not sign it, nor may anybody change what it proves."""
    found, log = down()
    sound = receipt(path=[b"\x01" * 32])
    found.take(
        encode([sound, receipt(EDGE), sound[:-1] + bytes((sound[-1] ^ 1,)), b"\xd2\x84\x40\xa0\xf6\x40"])
    )
    assert found.act() == []
    assert found.chronicle.keep.entered == [HEAD] and found.dropped == 3 and len(log) == 3
