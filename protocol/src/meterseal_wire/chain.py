"""Where a statement stands: epoch, sequence and the identity of the one before (design section 6).

A boot opens an epoch at sequence 0 and cites the last head that was held, so epochs form one chain too. The
rule is a pure function of the head that is held and the statement that arrives; keeping heads is the caller's.
"""

from meterseal_wire.errors import BadShape

LINKED, DUPLICATE, GAP, FORK = "linked", "duplicate", "gap", "fork"
GENESIS = b"\x00" * 32


class Head:
    """The newest linked statement of a key: epoch, seq and identity (32 bytes)."""

    def __init__(self, epoch, seq, identity):
        self.epoch = epoch
        self.seq = seq
        self.identity = identity


def check_chain(value):
    """(epoch, seq, prev) from a chain header, or BadShape: three items, epoch from 1, prev of 32 bytes."""
    if not isinstance(value, list) or len(value) != 3:
        raise BadShape(0, "chain is [epoch, seq, prev]")
    epoch, seq, prev = value
    for number in (epoch, seq):
        if not isinstance(number, int) or number is True or number is False:
            raise BadShape(0, "epoch and seq are integers")
    if epoch < 1 or seq < 0:
        raise BadShape(0, "epoch counts from 1 and seq from 0")
    if not isinstance(prev, bytes) or len(prev) != 32:
        raise BadShape(0, "prev is the identity of the statement before: 32 bytes")
    return epoch, seq, prev


def link(held, chain, identity, known):
    """How a statement at `chain` = (epoch, seq, prev) stands to the head `held`, or to None at the very first.

    `identity` is the statement's own, `known` the identity already stored at the same (epoch, seq) or None.
    One of LINKED, DUPLICATE, GAP, FORK. With no head, only a boot (seq 0) links: the first the caller ever sees.
    """
    epoch, seq, prev = chain
    if known is not None:
        return DUPLICATE if known == identity else FORK
    if held is None:
        return LINKED if seq == 0 else GAP
    if (epoch, seq) <= (held.epoch, held.seq):
        return FORK
    follows = seq == 0 if epoch > held.epoch else seq == held.seq + 1
    if not follows:
        return GAP
    return LINKED if prev == held.identity else FORK
