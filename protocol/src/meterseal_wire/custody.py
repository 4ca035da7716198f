"""What a custody covers, and so what a fixture may overwrite (design section 6).

A custody is believed only after its signature was verified with the edge's key and its head was compared with
the record the fixture holds at that place: an edge that lost its memory must not free anything.
"""


def may_drop(stored, custody):
    """True if this custody, signature and head already checked, covers the statement.

    `stored` is (key thumbprint, epoch, seq); `custody` is (key thumbprint, epoch, highest contiguous seq).
    Earlier epochs are covered too: a boot links only to the last head that the edge held.
    """
    key, epoch, seq = stored
    return custody[0] == key and (epoch, seq) <= (custody[1], custody[2])
