"""Inclusion receipts as a fixture reads them. The bytes are the vector `log/receipt of an entry`: leaf 4 of 7."""

from meterseal_wire.encode import Tag, encode
from meterseal_wire.errors import WireError
from meterseal_wire.receipt import entered, is_receipt
from meterseal_wire.scan import scan
from meterseal_wire.tree import leaf_hash, node_hash, path_root

RECEIPT = bytes.fromhex(
    "d2845849a4012804488183b4db458ad90f0fa401665245472d434e02636c6f67061a6ab13cac075820369010fd1bea966184"
    "5d8f7d0018c4b75e79df4f38d33d79a48faed2ac6f4b2a19018b01a119018ca12081586a83070483582090d69b117839a75e"
    "a9cdd801d1306967822127f0a42e15d1a08f364f535382925820dfa672f44d4635200fb6956f3a15b002ce64b37c4254ac0e"
    "3ca060c6799365a55820997f02f47e8264f94b817c04cf2d0e4b5f5d116556cdf006a0cb07234abe48fdf658406c583fcac2"
    "c25db869fdfc5c9447fb88631239c2bd5d3ebb6b43516a792963f769e2076a67d37a871df9f67685ebe68f6e121d5e1afd6e"
    "d407410b43614ba95d"
)
IDENTITY = bytes.fromhex("369010fd1bea9661845d8f7d0018c4b75e79df4f38d33d79a48faed2ac6f4b2a")
ROOT = bytes.fromhex("65c2a18113862f82b191fae9158180184ec04ae514adc17b0d0b569fa3f2f165")


def refused(raw):
    try:
        entered(raw)
    except WireError:
        return True
    return False


def changed(**parts):
    """The receipt with header fields or proof replaced; None takes a field out."""
    protected, unprotected, payload, signature = scan(RECEIPT).value
    header = scan(protected)
    for label, value in parts.pop("header", {}).items():
        header[label] = value
        if value is None:
            del header[label]
    proof = parts.pop("proof", None)
    if proof is not None:
        unprotected = {396: {-1: [encode(proof)]}}
    unprotected = parts.pop("unprotected", unprotected)
    return encode(Tag(18, [encode(header), unprotected, parts.pop("payload", payload), signature]))


def test_a_receipt_names_a_statement_and_what_is_signed():
    """The root stands at the end of the Sig_structure (RFC 9942 section 4: detached payload), as the vector has it."""
    identity, signed, signature = entered(RECEIPT)
    assert identity == IDENTITY and signed[-32:] == ROOT and signature == RECEIPT[-64:]
    assert is_receipt(RECEIPT) and not is_receipt(changed(payload=b"\xa0"))


def test_another_path_gives_another_root_or_none():
    """Index, size and path are not signed: what does not lead to the root has another Sig_structure."""
    size, index, path = 7, 4, scan(scan(RECEIPT).value[1][396][-1][0])[2]
    assert entered(changed(proof=[size, index, path]))[1] == entered(RECEIPT)[1]
    assert entered(changed(proof=[size, 5, path]))[1] != entered(RECEIPT)[1]
    assert refused(changed(proof=[size, 7, path])) and refused(changed(proof=[size, index, path + path]))
    assert refused(changed(proof=[size, index, path[:1]])) and refused(changed(proof=[0, 0, []]))


def test_what_is_no_receipt_is_refused():
    """Each part left out or of another kind: header (RFC 9942 section 5), claims, proof."""
    for label in (1, 4, 15, 395):
        assert refused(changed(header={label: None})), label
    assert refused(changed(header={1: -19})) and refused(changed(header={395: 2}))
    assert refused(changed(header={15: {1: "R"}})) and refused(changed(header={15: {7: b"short"}}))
    assert refused(changed(header={16: 65001})) and refused(changed(payload=b"\xa0"))
    for odd in ({}, {396: 1}, {396: {}}, {396: {-1: []}}, {396: {-1: [1]}}, {396: {-1: [b"\x80"]}}):
        assert refused(changed(unprotected=odd)), odd
    for odd in ([7, 4, 0], ["7", 4, []], [7, 4, [b"x"]], [7, 4, [bytes(32)] * 64], 1):
        assert refused(changed(proof=odd)), odd
    assert refused(b"") and refused(RECEIPT[:-1])


def test_a_path_in_a_tree_of_three():
    """RFC 9162 section 2.1.3: root = H(H(a, b), c), written out for each leaf."""
    a, b, c = leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")
    root = node_hash(node_hash(a, b), c)
    assert path_root(a, 0, 3, [b, c]) == path_root(b, 1, 3, [a, c]) == root
    assert path_root(c, 2, 3, [node_hash(a, b)]) == root
    assert path_root(a, 0, 1, []) == a and path_root(a, 1, 1, []) is None
