"""Walk the model: `python protocol/model/run.py [--deep]`. Prints what was walked; exit code 1 on a violation."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from model.custody import INVARIANTS, Bounds, World, steps
from model.explore import explore

MOST = 5_000_000
WALKS = {
    "power": Bounds(epochs=2, statements=2, cuts=1, kills=0, breaks=0, on_the_way=1),
    "crashes of the edge": Bounds(epochs=1, statements=3, cuts=0, kills=1, breaks=1, on_the_way=2),
    "a replaced edge": Bounds(epochs=2, statements=1, cuts=1, kills=0, edges=2, breaks=1, on_the_way=1),
    "a clone": Bounds(epochs=2, statements=1, cuts=0, kills=0, clones=1, breaks=0, on_the_way=1),
    "an old image": Bounds(epochs=2, statements=2, cuts=1, kills=0, images=1, breaks=0, on_the_way=1),
}
DEEP = {
    "power": Bounds(epochs=2, statements=2, cuts=1, kills=0, breaks=1, on_the_way=1),
    "power and crashes": Bounds(epochs=2, statements=2, cuts=1, kills=1, breaks=1, on_the_way=2),
    "a replaced edge": Bounds(epochs=2, statements=2, cuts=1, kills=1, edges=2, breaks=0, on_the_way=1),
    "a clone": Bounds(epochs=2, statements=2, cuts=0, kills=0, clones=1, breaks=0, on_the_way=1),
    "an old image": Bounds(epochs=3, statements=2, cuts=2, kills=0, images=1, breaks=0, on_the_way=1),
}


def main() -> int:
    """Every walk; 1 when an invariant does not hold somewhere."""
    wrong = 0
    for name, bounds in (DEEP if "--deep" in sys.argv else WALKS).items():
        walk = explore(World(), steps(bounds), INVARIANTS, MOST)
        end = "every state" if walk.complete else "stopped"
        print(f"{name}: {walk.states} states, {walk.depth} steps deep, {end}; {bounds}")
        if walk.violation is not None:
            print(walk.violation)
            wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
