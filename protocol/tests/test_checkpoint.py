"""Signed tree heads."""

import pytest

from meterseal_protocol.checkpoint import TreeHead, read, sign
from meterseal_protocol.errors import BadHeader, UnknownKey
from meterseal_protocol.keys import KeyRing, PrivateKey
from meterseal_protocol.merkle import Tree
from meterseal_protocol.statement import read as read_statement
from meterseal_wire import labels as L
from meterseal_wire.errors import BadShape
from meterseal_wire.statement import Author, build

KEY = PrivateKey(bytes(31) + b"\x07")
AUTHOR = Author("EDGE1", "log", KEY)
# SHA-256 of nothing: the root of an empty log (RFC 9162 section 2.1.1).
EMPTY = TreeHead(
    "edge/EDGE1", 0, bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), 1
)


def ring() -> KeyRing:
    """The edge's key alone."""
    found = KeyRing()
    found.add(KEY.public)
    return found


def test_a_head_comes_back_with_its_signer() -> None:
    """Origin, size, root and time; the key tells which log it is."""
    assert Tree().root() == EMPTY.root
    assert read(sign(AUTHOR, EMPTY), ring()) == (EMPTY, KEY.public)


def test_it_is_a_statement_of_its_own_kind() -> None:
    """Design section 5: kind 65014, without a chain."""
    statement = read_statement(sign(AUTHOR, EMPTY))
    assert (statement.typ, statement.chain) == (65014, None)


def test_another_kind_or_another_signer_is_refused() -> None:
    """A beacon carries size and root as well, and is no checkpoint."""
    beacon = {L.NUMBER: 1, L.TIME_S: 1, L.LOG_SIZE: 0, L.LOG_ROOT: EMPTY.root}
    with pytest.raises(BadHeader, match="beacon"):
        read(build(AUTHOR, L.KIND_BEACON, beacon), ring())
    with pytest.raises(UnknownKey):
        read(sign(AUTHOR, EMPTY), KeyRing())


def test_a_head_out_of_shape_is_not_signed() -> None:
    """Nobody signs what the other side must refuse."""
    with pytest.raises(BadShape):
        sign(AUTHOR, TreeHead("edge/EDGE1", -1, EMPTY.root, 1))
    with pytest.raises(BadShape):
        sign(AUTHOR, TreeHead("edge/EDGE1", 0, b"short", 1))
