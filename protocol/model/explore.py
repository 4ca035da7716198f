"""A small explicit-state model checker: every state that can be reached, every invariant in each, shortest trace first.

A model gives its first state, the steps that can be taken from a state, and invariants. States are hashable values;
steps are pure. Breadth first, so the first violation found has a shortest trace.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

S = TypeVar("S", bound=Hashable)
Steps = Callable[[S], Iterable[tuple[str, S]]]


@dataclass(frozen=True)
class Violation(Generic[S]):
    """An invariant that does not hold, and the names of the steps that lead there from the first state."""

    invariant: str
    trace: tuple[str, ...]
    state: S

    def __str__(self) -> str:
        lines = [f"{self.invariant} does not hold after {len(self.trace)} steps:"]
        return "\n".join([*lines, *(f"  {number}. {step}" for number, step in enumerate(self.trace, 1))])


@dataclass(frozen=True)
class Walk(Generic[S]):
    """What was seen: how many states, how deep, all of them or not, and the first violation if there was one."""

    states: int
    depth: int
    complete: bool
    violation: Violation[S] | None
    reached: tuple[S, ...]


def explore(first: S, steps: Steps[S], invariants: Mapping[str, Callable[[S], bool]], most: int) -> Walk[S]:
    """Walk every state within reach of `first`, up to `most` of them; stop at the first violation."""
    came: dict[S, tuple[S, str] | None] = {first: None}
    depth, queue = {first: 0}, deque([first])
    deepest = 0
    while queue:
        state = queue.popleft()
        deepest = max(deepest, depth[state])
        for name, holds in invariants.items():
            if not holds(state):
                found = Violation(name, _trace(state, came), state)
                return Walk(len(came), deepest, False, found, tuple(came))
        if len(came) > most:
            return Walk(len(came), deepest, False, None, tuple(came))
        for step, then in steps(state):
            if then not in came:
                came[then], depth[then] = (state, step), depth[state] + 1
                queue.append(then)
    return Walk(len(came), deepest, True, None, tuple(came))


def _trace(state: S, came: Mapping[S, tuple[S, str] | None]) -> tuple[str, ...]:
    names: list[str] = []
    before = came[state]
    while before is not None:
        names.append(before[1])
        before = came[before[0]]
    return tuple(reversed(names))
