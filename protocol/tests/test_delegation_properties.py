"""No leaf ever gets more than every ancestor allows: random chains against sets of what is allowed, reckoned apart."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.delegation import narrowed
from meterseal_protocol.grant import Interval
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.measures import MEASURES, measures_for
from meterseal_protocol.testing.record import Record
from meterseal_protocol.testing.world import World
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.sign1 import identity

KEYS = [PrivateKey.generate() for _ in range(6)]
PLACES = [a + b for a in ("33", "44") for b in ("", "01", "0110", "02")]
CITIES = ["330110", "330111", "330200", "440110", "440200"]
MAKERS, SITES, MEDIA = ("DEMO", "OTHER"), ("Y1", "Y2"), (1, 2)
NOMINALS = (15, 20, 40, 60)
START_S, END_S = 1000, 2000

windows = st.tuples(st.integers(START_S, START_S + 4), st.integers(END_S - 4, END_S)).map(list)
scopes = st.fixed_dictionaries(
    {L.WINDOW: windows, L.TERRITORY: st.lists(st.sampled_from(PLACES), max_size=3)},
    optional={
        L.MAKER: st.sampled_from(MAKERS),
        L.MEDIA: st.lists(st.sampled_from(MEDIA), unique=True),
        L.NOMINAL_RANGE: st.tuples(st.sampled_from(NOMINALS), st.sampled_from(NOMINALS)).map(list),
        L.SITES: st.lists(st.sampled_from(SITES), unique=True),
    },
)
delegations = st.builds(
    lambda scope, measures, depth: {L.GRANT: kinds.DELEGATION, L.MEASURES: measures, L.DEPTH: depth, **scope},
    scopes,
    st.lists(st.integers(1, 9), unique=True, min_size=1),
    st.integers(0, 4),
)
makers = st.builds(
    lambda scope: {
        L.GRANT: kinds.MANUFACTURER,
        L.MAKER: "DEMO",
        L.MEDIA: [1],
        L.NOMINAL_RANGE: [15, 20],
        L.SITES: ["Y1"],
        **scope,
    },
    scopes,
)


def allowed(scope: dict[int, Any]) -> set[tuple[object, ...]]:
    """Everything that a scope lets happen: every (second, city, maker, medium, nominal, site) of a small world."""
    seconds = [
        s
        for s in (*range(START_S, START_S + 6), *range(END_S - 5, END_S + 1))
        if scope[L.WINDOW][0] <= s <= scope[L.WINDOW][1]
    ]
    cities = [city for city in CITIES if any(city.startswith(place) for place in scope[L.TERRITORY])]
    low, high = scope.get(L.NOMINAL_RANGE, (0, 999))
    return {
        (second, city, maker, medium, nominal, site)
        for second in seconds
        for city in cities
        for maker in ([scope[L.MAKER]] if L.MAKER in scope else MAKERS)
        for medium in scope.get(L.MEDIA, MEDIA)
        for nominal in NOMINALS
        if low <= nominal <= high
        for site in scope.get(L.SITES, SITES)
    }


def handed_on(draw: st.DrawFn, parent: dict[int, Any], drawn: dict[int, Any]) -> dict[int, Any]:
    """A child of `parent` that mostly keeps what it was given, and takes something else here and there."""
    child = {**parent, L.DEPTH: parent[L.DEPTH] - draw(st.sampled_from([1, 1, 1, 0, 2]))}
    open_ = [label for label in drawn if label not in (L.GRANT, L.DEPTH)]
    child |= {label: drawn[label] for label in open_ if draw(st.integers(0, 5)) == 0}
    for label in (L.MAKER, L.MEDIA, L.NOMINAL_RANGE, L.SITES):
        if label in child and draw(st.integers(0, 15)) == 0:
            del child[label]
    return {**child, L.DEPTH: max(child[L.DEPTH], 0)}


@st.composite
def chains(draw: st.DrawFn) -> list[dict[int, Any]]:
    """A delegation, those below it, and a maker's grant at the end, each tempted to take more."""
    found = [
        {**draw(delegations), L.MEASURES: [5, *draw(st.sets(st.integers(1, 9), max_size=3))], L.DEPTH: 4}
    ]
    for _ in range(draw(st.integers(0, 3))):
        found.append(handed_on(draw, found[-1], draw(delegations)))
    last = {label: value for label, value in found[-1].items() if label not in (L.MEASURES, L.DEPTH)}
    leaf = {L.MAKER: "DEMO", L.MEDIA: [1], L.NOMINAL_RANGE: [15, 20], L.SITES: ["Y1"], **last}
    return [*found, {**handed_on(draw, {**leaf, L.DEPTH: 0}, draw(makers)), L.GRANT: kinds.MANUFACTURER}]


NARROW: list[int] = []  # lengths of the chains that held


@given(steps=chains())
def test_no_leaf_gets_more_than_every_ancestor_allows(steps: list[dict[int, Any]]) -> None:
    """Where each step is called narrower than the one above, the leaf's world lies in every ancestor's."""
    if not all(narrowed(child, parent) for parent, child in pairwise(steps)):
        return
    NARROW.append(len(steps))
    for upper, lower in pairwise(steps[:-1]):
        assert set(lower[L.MEASURES]) <= set(upper[L.MEASURES])
        assert lower[L.DEPTH] < upper[L.DEPTH]
    for ancestor in steps[:-1]:
        assert allowed(steps[-1]) <= allowed(ancestor)
        assert kinds.TWO_IN_ONE in ancestor[L.MEASURES]


def test_the_property_saw_chains_that_hold() -> None:
    """A generator that only makes chains that are too wide would prove nothing; it runs after the property."""
    assert len(NARROW) >= 5


def is_wider(child: dict[int, Any], parent: dict[int, Any]) -> bool:
    """True if a delegation allows something that its parent does not, by the sets."""
    return not (allowed(child) <= allowed(parent) and set(child[L.MEASURES]) <= set(parent[L.MEASURES]))


@given(steps=chains())
def test_whatever_is_wider_is_called_so(steps: list[dict[int, Any]]) -> None:
    """The other direction, step by step: a child that allows more than its parent is never called narrower."""
    for parent, child in pairwise(steps[:-1]):
        assert not (narrowed(child, parent) and is_wider(child, parent))


def narrower(parent: dict[int, Any]) -> dict[int, Any]:
    """A delegation as wide as its parent, one less deep."""
    return {**parent, L.DEPTH: parent[L.DEPTH] - 1}


FULL: dict[int, Any] = {
    L.GRANT: kinds.DELEGATION,
    L.MEASURES: [1, 2, 3, 4, 5, 7, 8, 9],
    L.DEPTH: 2,
    L.WINDOW: [START_S, END_S],
    L.TERRITORY: ["33"],
    L.MAKER: "DEMO",
    L.MEDIA: [1],
    L.NOMINAL_RANGE: [15, 40],
    L.SITES: ["Y1"],
}


@pytest.mark.parametrize(
    "change",
    [
        {L.MEASURES: [1, 6]},
        {L.DEPTH: 2},
        {L.WINDOW: [START_S - 1, END_S]},
        {L.WINDOW: [START_S, END_S + 1]},
        {L.TERRITORY: ["3"]},
        {L.TERRITORY: ["33", "44"]},
        {L.MAKER: "OTHER"},
        {L.MEDIA: [1, 2]},
        {L.NOMINAL_RANGE: [14, 40]},
        {L.NOMINAL_RANGE: [15, 41]},
        {L.SITES: ["Y1", "Y2"]},
        *({label: None} for label in (L.MAKER, L.MEDIA, L.NOMINAL_RANGE, L.SITES)),
    ],
    ids=str,
)
def test_a_delegation_widened_in_one_dimension_is_found(change: dict[int, Any]) -> None:
    """One step beyond in each dimension, and each bound that is left out; as wide as the parent is allowed."""
    assert narrowed(narrower(FULL), FULL)
    child = {label: value for label, value in {**narrower(FULL), **change}.items() if value is not None}
    assert not narrowed(child, FULL)


TYPE = {L.GRANT: kinds.TYPE, L.MAKER: "DEMO", L.MEDIUM: 1, L.NOMINAL: 20}
LEAVES: tuple[tuple[dict[int, Any], int | None], ...] = (
    (TYPE, 1),
    ({**TYPE, L.APPROVAL: "R49/2013-CN1"}, 2),
    ({L.GRANT: kinds.REFERENCE_MATERIAL, L.MAKER: "DEMO"}, 3),
    ({L.GRANT: kinds.STANDARD, L.MANAGEMENT: 2}, 4),
    (
        {
            L.GRANT: kinds.MANUFACTURER,
            L.MAKER: "DEMO",
            L.MEDIA: [1],
            L.NOMINAL_RANGE: [15, 20],
            L.SITES: ["Y1"],
        },
        5,
    ),
    ({L.GRANT: kinds.FIXTURE, L.SITE: "Y1"}, 5),
    ({L.GRANT: kinds.EDGE, L.SITE: "Y1"}, 5),
    ({L.GRANT: kinds.FIRMWARE}, 5),
    ({L.GRANT: kinds.TENANT, L.MAKER: "DEMO"}, 7),
    ({L.GRANT: kinds.SUPERVISOR, L.MAKER: "DEMO"}, 8),
    ({L.GRANT: kinds.REGISTRY}, None),
    ({L.GRANT: kinds.WITNESS}, None),
    ({L.GRANT: kinds.RULES}, None),
)


@pytest.mark.parametrize("leaf, measure", LEAVES, ids=lambda item: str(item) if isinstance(item, int) else "")
def test_each_measure_carries_its_own_grants(leaf: dict[int, Any], measure: int | None) -> None:
    """domain.md's nine measures: with its measure alone a grant stands, with all the others it does not."""
    grant = {L.WINDOW: [START_S, END_S], **leaf}
    others = [number for number in range(1, 10) if number != measure]
    assert not narrowed(grant, {**FULL, L.MEASURES: others})
    assert narrowed(grant, {**FULL, L.MEASURES: [measure]}) is (measure is not None)


@pytest.mark.parametrize(
    "leaf, either",
    [
        ({L.GRANT: kinds.STANDARD, L.MANAGEMENT: 1}, {4, 5}),
        ({L.GRANT: kinds.PERSON, L.QUALIFICATION: [1]}, {5, 9}),
    ],
)
def test_some_grants_stand_under_either_of_two_measures(leaf: dict[int, Any], either: set[int]) -> None:
    """An assessed standard under 4 or 5, a person under 5 or 9."""
    grant = {L.WINDOW: [START_S, END_S], **leaf}
    found = {number for number in range(1, 10) if narrowed(grant, {**FULL, L.MEASURES: [number]})}
    assert found == either == set(measures_for(grant))


@pytest.mark.parametrize(
    "leaf",
    [
        {L.GRANT: kinds.TYPE, L.MAKER: "OTHER", L.MEDIUM: 1, L.NOMINAL: 20},
        {L.GRANT: kinds.TYPE, L.MAKER: "DEMO", L.MEDIUM: 2, L.NOMINAL: 20},
        {L.GRANT: kinds.TYPE, L.MAKER: "DEMO", L.MEDIUM: 1, L.NOMINAL: 41},
        {L.GRANT: kinds.FIXTURE, L.SITE: "Y2"},
        {L.GRANT: kinds.PERSON, L.QUALIFICATION: [1, 2]},
        {L.GRANT: kinds.TENANT, L.MAKER: "OTHER"},
    ],
    ids=str,
)
def test_a_leaf_beyond_its_delegations_scope_is_wider(leaf: dict[int, Any]) -> None:
    """Maker, medium, nominal size, site and qualification are bounded for whoever has to do with them."""
    assert not narrowed({L.WINDOW: [START_S, END_S], **leaf}, FULL)


def test_the_nine_measures_are_told_in_both_languages() -> None:
    """SAMR 2025: nine, in their order; number 6 concerns no grant."""
    assert [measure.number for measure in MEASURES] == list(range(1, 10))
    assert all(measure.zh and measure.en and measure.software for measure in MEASURES)
    assert MEASURES[5].software.startswith("no grant")


# --- the same with real signatures, a real log and a real chain


def signed_chain(world: World, depths: Sequence[int]) -> tuple[Record, bytes]:
    """Delegations one below the other, each with a key of its own; the last one's identity."""
    record, signer, parent = Record(world), "root", b""
    for number, depth in enumerate(depths):
        role = f"level {number}"
        world.keys[role] = KEYS[number]
        fields = {
            L.SUBJECT_KEY: world.cose(role),
            L.MEASURES: [kinds.TWO_IN_ONE],
            L.TERRITORY: ["33"],
            L.DEPTH: depth,
            **({L.PARENT: parent} if parent else {}),
        }
        raw = world.grant(signer, kinds.DELEGATION, fields)
        record.keys = world.ring()
        record.enter(raw)
        signer, parent = role, identity(raw)
    return record, parent


@pytest.mark.parametrize(
    "depths, codes",
    [((1, 0), []), ((2, 1, 0), []), ((1, 1), ["grant.widened"]), ((0, 0), ["grant.widened"]), ((3, 0), [])],
)
def test_a_signed_chain_is_as_deep_as_it_was_allowed(depths: tuple[int, ...], codes: list[str]) -> None:
    """Depth falls by one at least; who has 0 hands on nothing but leaves."""
    world = World()
    record, _ = signed_chain(world, depths)
    grants = record.grants()
    last = grants.below(record.tree.size)[-1]
    interval = Interval(world.start_s, world.start_s + 1, record.tree.size)
    assert [code for code, _ in grants.against(last, interval)] == codes
