"""Narrowed and never widened: whether one grant stays within the delegation above it, in every dimension.

Window, territory, measures and depth are always said. Maker, media, nominal sizes and sites may be: then whatever
stands below says them again, no wider. A grant that lacks the field is not bounded by it, and so is wider.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from meterseal_protocol.measures import measures_for
from meterseal_wire import kinds
from meterseal_wire import labels as L

Payload = Mapping[int, Any]
# Grants that have nothing to do with a dimension are not held to it.
ABOUT = {
    L.MAKER: (
        kinds.DELEGATION,
        kinds.MANUFACTURER,
        kinds.TYPE,
        kinds.TENANT,
        kinds.SUPERVISOR,
        kinds.REFERENCE_MATERIAL,
    ),
    L.MEDIA: (kinds.DELEGATION, kinds.MANUFACTURER, kinds.TYPE, kinds.PERSON),
    L.NOMINAL_RANGE: (kinds.DELEGATION, kinds.MANUFACTURER, kinds.TYPE),
    L.SITES: (kinds.DELEGATION, kinds.MANUFACTURER, kinds.FIXTURE, kinds.EDGE),
}


def narrowed(child: Payload, parent: Payload) -> bool:
    """True if `child` stays within the delegation `parent`."""
    return next(wider(child, parent), None) is None


def wider(child: Payload, parent: Payload) -> Iterator[int]:
    """Labels in which `child` goes beyond `parent`; the kind's own where that is no delegation at all."""
    if parent[L.GRANT] != kinds.DELEGATION:
        yield L.GRANT
        return
    if not _in_window(child, parent):
        yield L.WINDOW
    if not all(covers(parent[L.TERRITORY], place) for place in child.get(L.TERRITORY, ())):
        yield L.TERRITORY
    for label, within in WITHIN.items():
        if not within(child, parent):
            yield label
    delegates = child[L.GRANT] == kinds.DELEGATION
    if delegates and not child[L.DEPTH] < parent[L.DEPTH]:
        yield L.DEPTH
    if not _measured(child, parent, delegates):
        yield L.MEASURES


def covers(territory: Sequence[str], place: str) -> bool:
    """True if one of the territory's prefixes of GB/T 2260 codes covers `place`."""
    return any(place.startswith(prefix) for prefix in territory)


def _in_window(child: Payload, parent: Payload) -> bool:
    start_s, end_s = parent[L.WINDOW]
    return bool(start_s <= child[L.WINDOW][0] and child[L.WINDOW][1] <= end_s)


def _bounded(label: int) -> Callable[[Callable[[Payload, Any], bool]], Callable[[Payload, Payload], bool]]:
    """A check that holds where the parent does not bound this dimension, or the child has nothing to do with it."""

    def wrap(inside: Callable[[Payload, Any], bool]) -> Callable[[Payload, Payload], bool]:
        def check(child: Payload, parent: Payload) -> bool:
            free = label not in parent or child[L.GRANT] not in ABOUT[label]
            return free or inside(child, parent[label])

        return check

    return wrap


@_bounded(L.MAKER)
def _maker(child: Payload, maker: str) -> bool:
    return bool(child.get(L.MAKER) == maker)


@_bounded(L.MEDIA)
def _media(child: Payload, media: list[int]) -> bool:
    said = child.get(L.MEDIA, child.get(L.QUALIFICATION))
    if child[L.GRANT] == kinds.TYPE:
        # A variant that leaves its medium out has that of the type it varies, which is bounded itself.
        said = [child[L.MEDIUM]] if L.MEDIUM in child else []
    return said is not None and set(said) <= set(media)


@_bounded(L.NOMINAL_RANGE)
def _nominal(child: Payload, bounds: list[int]) -> bool:
    if child[L.GRANT] == kinds.TYPE:
        return L.NOMINAL not in child or bounds[0] <= child[L.NOMINAL] <= bounds[1]
    said = child.get(L.NOMINAL_RANGE)
    return said is not None and bool(bounds[0] <= said[0] and said[1] <= bounds[1])


@_bounded(L.SITES)
def _sites(child: Payload, sites: list[str]) -> bool:
    said = child.get(L.SITES, [child[L.SITE]] if L.SITE in child else None)
    return said is not None and set(said) <= set(sites)


def _measured(child: Payload, parent: Payload, delegates: bool) -> bool:
    if delegates:
        return set(child[L.MEASURES]) <= set(parent[L.MEASURES])
    return not set(measures_for(child)).isdisjoint(parent[L.MEASURES])


WITHIN = {L.MAKER: _maker, L.MEDIA: _media, L.NOMINAL_RANGE: _nominal, L.SITES: _sites}
