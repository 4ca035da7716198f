"""Fractions that are brought to lowest terms when somebody looks, and not after every step.

`fractions.Fraction` takes a greatest common divisor at each operation, which is most of the time of a decision. What
a judge computes is a dozen steps long, compared once or twice and dropped. So a `Ratio` keeps numerator and
denominator as they come and compares by cross-multiplication. It is a `Fraction`: it has the same values, hash and
text, mixes with fractions and integers, and gives lowest terms to whoever asks for `numerator` or `denominator`.

No floats, neither in nor out: TypeError.
"""

from fractions import Fraction
from math import gcd
from typing import Any


class Ratio(Fraction):
    """`above` / `below`, exact and never changed; made by `ratio`."""

    __slots__ = ("_above", "_below")
    _above: int
    _below: int  # always above 0

    # Under these names Fraction's own methods find lowest terms: hash, text, rounding, and what else is not frequent.

    @property
    def _numerator(self) -> int:
        return self._above // gcd(self._above, self._below)

    @property
    def _denominator(self) -> int:
        return self._below // gcd(self._above, self._below)

    def __mul__(self, other: Any) -> Any:
        if type(other) is Ratio:
            return _new(self._above * other._above, self._below * other._below)
        if type(other) is int:
            return _new(self._above * other, self._below)
        return self * _of(other)

    __rmul__ = __mul__

    def __add__(self, other: Any) -> Any:
        if type(other) is Ratio:
            if self._below == other._below:
                return _new(self._above + other._above, self._below)
            return _new(self._above * other._below + other._above * self._below, self._below * other._below)
        if type(other) is int:
            return _new(self._above + other * self._below, self._below)
        return self + _of(other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        if type(other) is Ratio:
            if self._below == other._below:
                return _new(self._above - other._above, self._below)
            return _new(self._above * other._below - other._above * self._below, self._below * other._below)
        if type(other) is int:
            return _new(self._above - other * self._below, self._below)
        return self - _of(other)

    def __rsub__(self, other: Any) -> Any:
        return _of(other) - self

    def __truediv__(self, other: Any) -> Any:
        if type(other) is Ratio:
            return _made(self._above * other._below, self._below * other._above)
        if type(other) is int:
            return _made(self._above, self._below * other)
        return self / _of(other)

    def __rtruediv__(self, other: Any) -> Any:
        return _of(other) / self

    def __pow__(self, power: Any, modulo: None = None) -> Any:
        if type(power) is not int or modulo is not None:
            raise TypeError("a ratio is raised to whole powers only")
        if power < 0:
            return _made(self._below**-power, self._above**-power)
        return _new(self._above**power, self._below**power)

    __rpow__: Any = None  # a ratio is no exponent

    def __neg__(self) -> "Ratio":
        return _new(-self._above, self._below)

    def __pos__(self) -> "Ratio":
        return self

    def __abs__(self) -> "Ratio":
        return _new(abs(self._above), self._below)

    def __bool__(self) -> bool:
        return bool(self._above)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (int, Fraction)):
            return False
        above, below = parts(other)
        return self._above * below == above * self._below

    __hash__ = Fraction.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        return ratio, (self._above, self._below)

    def __copy__(self) -> "Ratio":
        return self

    def __deepcopy__(self, _memo: Any) -> "Ratio":
        return self

    def __lt__(self, other: Any) -> bool:
        above, below = parts(other)
        return self._above * below < above * self._below

    def __le__(self, other: Any) -> bool:
        above, below = parts(other)
        return self._above * below <= above * self._below

    def __gt__(self, other: Any) -> bool:
        above, below = parts(other)
        return self._above * below > above * self._below

    def __ge__(self, other: Any) -> bool:
        above, below = parts(other)
        return self._above * below >= above * self._below


def ratio(above: int | Fraction = 0, below: int | Fraction = 1) -> Fraction:
    """`above` / `below`; ZeroDivisionError for a denominator of 0."""
    if type(above) is int and type(below) is int:
        return _new(above, below) if below > 0 else _made(above, below)
    (n, d), (m, e) = parts(above), parts(below)
    return _made(n * e, d * m)


def _of(value: int | Fraction) -> Ratio:
    return _made(*parts(value))


def _made(above: int, below: int) -> Ratio:
    if below == 0:
        raise ZeroDivisionError(f"{above} / 0")
    return _new(above, below) if below > 0 else _new(-above, -below)


def _new(above: int, below: int) -> Ratio:
    found = object.__new__(Ratio)
    found._above, found._below = above, below
    return found


def parts(value: Any) -> tuple[int, int]:
    """A numerator and its denominator above 0, perhaps not in lowest terms; TypeError for what is no exact number."""
    if type(value) is Ratio:
        return value._above, value._below
    if isinstance(value, (int, Fraction)):
        return value.numerator, value.denominator
    raise TypeError(f"{value!r} is neither an integer nor a fraction")


ZERO = ratio()
