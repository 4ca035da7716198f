"""What is computed once for an object: `kept`, a property, and `once`, a function of one.

`kept` is `functools.cached_property` as it is from Python 3.12 on, without its lock.

Two threads may both compute a value; both get the same, since what is kept hangs on nothing but its object.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class kept(Generic[T]):  # noqa: N801 (used as a decorator, like property)
    """Computed at the first look, then an attribute of the object."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self.make, self.name, self.__doc__ = make, make.__name__, make.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> "kept[T]": ...

    @overload
    def __get__(self, owner: object, kind: type) -> T: ...

    def __get__(self, owner: object | None, kind: type) -> "kept[T] | T":
        if owner is None:
            return self
        found = owner.__dict__[self.name] = self.make(owner)
        return found


def once(make: Callable[[Any], T]) -> Callable[[Any], T]:
    """A function that is computed at the first call for an object; its answer is then kept in that object."""
    name = f"{make.__module__}.{make.__qualname__}"

    def look(owner: Any) -> T:
        held: dict[str, T] = owner.__dict__
        if name not in held:
            held[name] = make(owner)
        return held[name]

    look.__doc__ = make.__doc__
    return look
