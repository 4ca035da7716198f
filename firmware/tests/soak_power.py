"""Power cuts until there were enough: `make soak` runs this inside MicroPython.

    make soak CUTS=20000

Every life is cut at each of its writes, in each of the four manners of tearing a page. Exit code 1 when a promise
broke.
"""

import sys

from test_keep_power import Witness, campaign

TORN = 4


def soak(wanted: int) -> int:
    """Print a line a life and the sum; how many promises broke."""
    cuts, complaints, life = 0, [], 0
    while cuts < wanted:
        for torn in range(TORN):
            made, found = campaign(Witness, torn, life)
            cuts += made
            complaints += found
        print("life %d: %d cuts so far, %d promises broken" % (life, cuts, len(complaints)))
        life += 1
    for complaint in complaints[:20]:
        print(complaint)
    print("power: %d cuts, %d promises broken" % (cuts, len(complaints)))
    return len(complaints)


sys.exit(1 if soak(int(sys.argv[1])) else 0)
