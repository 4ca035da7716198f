"""People at the edge: who they are, how they come in, what they sign. Read in this order: roll, trail_mark, trail,
credentials, copied, throttle, sessions, passkeys, keys, sheet, said, seals, corrections, desk, post.
"""
