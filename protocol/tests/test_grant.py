"""Authority: narrowed and never widened, over the test's interval, entered before the beacon (design section 7)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.evidence import Entry
from meterseal_protocol.grant import Found, Grants, Interval, covers, narrowed
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.testing.record import Record
from meterseal_protocol.testing.world import DAY_S, START_S, World, manufacturer_fields
from meterseal_wire import kinds
from meterseal_wire import labels as L

NOW = (START_S, START_S + 3600)
ALWAYS = 10**6  # a beacon's leaf beyond every grant


class Office:
    """A record whose grants a test chooses."""

    def __init__(self) -> None:
        self.world = World()
        self.world.keys["city"] = PrivateKey.generate()
        self.record = Record(self.world)
        self.delegation = self.record.enter(self.world.grants["delegation"])

    def sign(self, role: str, kind: int, fields: dict[int, Any], parent: Entry | None = None) -> Entry:
        """A grant, entered."""
        above = {L.PARENT: parent.statement.identity} if parent else {}
        return self.record.enter(self.world.grant(role, kind, {**above, **fields}))

    def maker(self, parent: Entry | None = None, role: str = "province", **changes: Any) -> Entry:
        """A manufacturer grant under the province's delegation unless told otherwise."""
        fields = {**manufacturer_fields(), **{getattr(L, name): value for name, value in changes.items()}}
        return self.sign(role, kinds.MANUFACTURER, fields, parent or self.delegation)

    def city(self, **changes: Any) -> Entry:
        """A delegation from the province to a city."""
        fields = {
            L.SUBJECT_KEY: self.world.cose("city"),
            L.MEASURES: [kinds.TWO_IN_ONE],
            L.TERRITORY: ["3301"],
            L.DEPTH: 0,
            **{getattr(L, name): value for name, value in changes.items()},
        }
        return self.sign("province", kinds.DELEGATION, fields, self.delegation)

    def look(self, interval: tuple[int, int] = NOW, leaf: int = ALWAYS) -> Found:
        """What is found for the maker's authority."""
        return self.record.grants().find(kinds.MANUFACTURER, lambda _: True, Interval(*interval, leaf))

    def codes(self, interval: tuple[int, int] = NOW, leaf: int = ALWAYS) -> list[str]:
        """Codes of what speaks against it."""
        return [code for code, _ in self.look(interval, leaf).reasons]


@pytest.fixture
def office() -> Office:
    """A record with the root's delegation to the province."""
    return Office()


def test_a_chain_from_an_anchor_holds(office: Office) -> None:
    """Root, province, maker."""
    maker = office.maker()
    found = office.look()
    assert found.good
    assert found.grant is not None
    assert found.grant.entry == maker


def test_every_grant_of_the_world_holds() -> None:
    """The world that other suites start from is sound."""
    record = Record(World())
    record.enter_grants()
    grants = record.grants()
    interval = Interval(*NOW, ALWAYS)
    assert [grants.against(grant, interval) for grant in grants.below(ALWAYS)] == [[]] * len(
        record.world.grants
    )
    assert grants.demo


def test_where_there_is_no_grant_there_is_none(office: Office) -> None:
    """Nothing found, and so not good; the caller says what is missing."""
    assert office.look() == Found(None)
    assert not office.look().good


def test_a_grant_that_no_anchor_signed_and_no_parent_covers_is_missing(office: Office) -> None:
    """A key that nobody delegated to, with and without naming a parent."""
    office.sign("edge", kinds.MANUFACTURER, manufacturer_fields())
    assert office.codes() == ["grant.missing"]
    other = Office()
    other.maker(role="edge")
    assert other.codes() == ["grant.missing"]


def test_a_parent_that_is_not_in_the_log_gives_no_authority(office: Office) -> None:
    """The name of a grant is not the grant."""
    fields = {**manufacturer_fields(), L.PARENT: bytes(32)}
    office.sign("province", kinds.MANUFACTURER, fields)
    assert office.codes() == ["grant.missing"]


def test_other_anchors_give_no_authority(office: Office) -> None:
    """Trust comes from outside the record."""
    office.maker()
    grants = Grants(office.record.of_kind(L.KIND_GRANT), [PrivateKey.generate().public])
    found = grants.find(kinds.MANUFACTURER, lambda _: True, Interval(*NOW, ALWAYS))
    assert [code for code, _ in found.reasons] == ["grant.missing"]


@pytest.mark.parametrize(
    "interval, codes",
    [
        ((START_S, START_S + 5), []),
        ((START_S - 30 * DAY_S, START_S + 1000 * DAY_S), []),  # the window's own ends belong to it
        ((START_S - 31 * DAY_S, START_S - 30 * DAY_S - 1), ["grant.window", "grant.window"]),
        ((START_S + 1000 * DAY_S + 1, START_S + 1000 * DAY_S + 2), ["grant.window", "grant.window"]),
        ((START_S - 30 * DAY_S - 1, START_S), ["time.straddles", "time.straddles"]),
        ((START_S, START_S + 1000 * DAY_S + 1), ["time.straddles", "time.straddles"]),
    ],
)
def test_authority_is_judged_over_the_interval(
    office: Office, interval: tuple[int, int], codes: list[str]
) -> None:
    """Inside, outside, straddling (design section 1, point 4); the world's window is -30 to +1000 days.

    Twice, because the delegation above has the same window.
    """
    office.maker()
    assert office.codes(interval) == codes


def test_a_reason_carries_the_grants_number_and_its_window(office: Office) -> None:
    """The numbers that led to it."""
    maker = office.maker(WINDOW=[START_S + 10, START_S + 20])
    number = maker.statement.payload[L.NUMBER]
    assert office.look((START_S, START_S + 5)).reasons == (
        ("grant.window", (number, START_S + 10, START_S + 20)),
    )


def test_a_grant_entered_after_the_beacon_is_late(office: Office) -> None:
    """Nobody is authorised after the fact: leaf of the grant below the leaf of the beacon, at every step."""
    maker = office.maker()
    assert office.codes(leaf=maker.leaf + 1) == []
    assert office.codes(leaf=maker.leaf) == ["grant.late"]
    assert office.codes(leaf=office.delegation.leaf) == ["grant.late", "grant.late"]


@pytest.mark.parametrize(
    "changes",
    [
        {"TERRITORY": ["32"]},
        {"TERRITORY": ["3"]},
        {"TERRITORY": ["33", "31"]},
        {"TERRITORY": [""]},
        {"WINDOW": [START_S - 31 * DAY_S, START_S + DAY_S]},
        {"WINDOW": [START_S, START_S + 1001 * DAY_S]},
    ],
)
def test_a_grant_wider_than_its_parent_does_not_count(office: Office, changes: dict[str, Any]) -> None:
    """Territory and window within the parent's (Zhejiang is 33; an empty prefix would be the nation)."""
    office.maker(**changes)
    assert office.codes() == ["grant.widened"]


@pytest.mark.parametrize("territory", [["33"], ["3301"], ["330110", "3302"], []])
def test_a_narrower_territory_counts(office: Office, territory: list[str]) -> None:
    """A longer prefix is a smaller place; none at all is nowhere."""
    office.maker(TERRITORY=territory)
    assert office.look().good


def test_a_delegation_can_be_handed_on_while_its_depth_lasts(office: Office) -> None:
    """Depth falls by one at least: the root gave 1, so a city may have 0 and no more."""
    city = office.city()
    office.maker(parent=city, role="city", TERRITORY=["330110"])
    assert office.look().good
    other = Office()
    other.maker(parent=other.city(DEPTH=1), role="city", TERRITORY=["330110"])
    assert other.codes() == ["grant.widened"]


def test_a_city_cannot_give_what_it_was_not_given(office: Office) -> None:
    """The city has 3301; the province's 33 is not its own to give."""
    office.maker(parent=office.city(), role="city", TERRITORY=["33"])
    assert office.codes() == ["grant.widened"]


def test_a_measure_that_was_not_delegated_cannot_be_used_or_handed_on(office: Office) -> None:
    """Measure 5 is two verifications in one; a delegation of measure 3 authorises no maker of meters."""
    city = office.city(MEASURES=[3])
    office.maker(parent=city, role="city", TERRITORY=["3301"])
    assert set(office.codes()) == {"grant.widened"}
    fields = {L.SUBJECT_KEY: office.world.cose("city"), L.TERRITORY: ["33"], L.MEASURES: [3], L.DEPTH: 0}
    training = office.sign("root", kinds.DELEGATION, fields)
    other = office.maker(parent=training, role="city", MAKER="OTHER")
    grants = office.record.grants()
    found = grants.find(kinds.MANUFACTURER, lambda grant: grant.entry == other, Interval(*NOW, ALWAYS))
    assert [code for code, _ in found.reasons] == ["grant.widened"]


@pytest.mark.parametrize(
    "interval, code",
    [
        ((99, 99), "grant.window"),
        ((99, 100), "time.straddles"),
        ((100, 100), None),
        ((100, 200), None),
        ((200, 200), None),
        ((200, 201), "time.straddles"),
        ((201, 201), "grant.window"),
        ((99, 201), "time.straddles"),
    ],
)
def test_both_ends_of_a_window_belong_to_it_to_the_second(
    office: Office, interval: tuple[int, int], code: str | None
) -> None:
    """Window 100 to 200 after the start: one second outside is outside, one second across is across, by hand."""
    office.maker(WINDOW=[START_S + 100, START_S + 200])
    assert office.codes((START_S + interval[0], START_S + interval[1])) == ([code] if code else [])


def test_a_chain_longer_than_eight_grants_is_not_followed(office: Office) -> None:
    """Design section 7 has three levels; the bound keeps a hostile log from costing time. The eighth step is allowed.

    The root's own delegation is the last link, so seven delegations and the maker's grant are eight in all.
    """
    for links, codes in ((7, []), (8, ["grant.missing"])):
        fields = {
            L.SUBJECT_KEY: office.world.cose("root"),
            L.MEASURES: [kinds.TWO_IN_ONE],
            L.TERRITORY: ["33"],
        }
        parent = None
        for depth in range(links, 0, -1):
            parent = office.sign("root", kinds.DELEGATION, {**fields, L.DEPTH: depth}, parent)
        office.maker(parent, role="root")
        newest = office.record.grants().below(ALWAYS)[-1]
        found = [code for code, _ in office.record.grants().against(newest, Interval(*NOW, ALWAYS))]
        assert found == codes


def test_only_a_delegation_can_be_a_parent(office: Office) -> None:
    """A fixture's grant names a key as well, and lets it sign no grants: signed by the wrong level."""
    fixture = office.sign("province", kinds.FIXTURE, office.world.fixture_fields("W1"), office.delegation)
    office.maker(parent=fixture, role="W1")
    assert office.codes() == ["grant.level"]


def test_a_parents_key_and_not_its_maker_signs_the_child(office: Office) -> None:
    """The root signed the delegation; under it, only the province may sign."""
    office.maker(role="root")
    assert office.codes() == ["grant.level"]


def test_the_newest_good_grant_is_found_before_a_newer_bad_one(office: Office) -> None:
    """A renewal that went wrong does not take away what still holds; without a good one the newest is explained."""
    good = office.maker()
    office.maker(TERRITORY=["31"])
    found = office.look()
    assert found.good
    assert found.grant is not None
    assert found.grant.entry == good


def test_the_holder_of_a_key_is_found_by_its_full_thumbprint() -> None:
    """Wherever a key is named it is the whole thumbprint, and the kind must fit."""
    record = Record(World())
    record.enter_grants()
    grants, interval = record.grants(), Interval(*NOW, ALWAYS)
    thumb = record.world.keys["W1"].thumbprint
    found = grants.signer_of(kinds.FIXTURE, thumb, interval)
    assert found.grant is not None
    assert found.grant.payload[L.FIXTURE] == "W1"
    assert grants.signer_of(kinds.EDGE, thumb, interval) == Found(None)
    assert grants.signer_of(kinds.FIXTURE, bytes(32), interval) == Found(None)


def test_a_key_that_is_no_point_is_nobodys(office: Office) -> None:
    """The shape of a COSE_Key does not make it one; reading bad grants never raises."""
    fields = office.world.fixture_fields("W1")
    fields[L.SUBJECT_KEY] = {1: 2, -1: 1, -2: bytes(32), -3: bytes(32)}
    office.sign("province", kinds.FIXTURE, fields, office.delegation)
    found = office.record.grants().signer_of(kinds.FIXTURE, bytes(32), Interval(*NOW, ALWAYS))
    assert found == Found(None)


def test_only_grants_below_the_log_size_are_listed(office: Office) -> None:
    """A decision names its log size; grants that came later do not exist for it."""
    maker = office.maker()
    grants = office.record.grants()
    assert [grant.entry for grant in grants.below(maker.leaf)] == [office.delegation]


@pytest.mark.parametrize(
    "territory, place, inside",
    [
        (["33"], "330110", True),
        (["33"], "33", True),
        (["330110"], "3301", False),
        (["31", "33"], "3302", True),
        ([], "33", False),
        ([""], "11", True),
    ],
)
def test_a_territory_covers_by_prefix(territory: list[str], place: str, inside: bool) -> None:
    """GB/T 2260: 33 Zhejiang, 3301 Hangzhou, 330110 Yuhang."""
    assert covers(territory, place) is inside


windows = st.tuples(st.integers(0, 50), st.integers(0, 50)).map(sorted)


@given(
    windows,
    windows,
    st.sets(st.sampled_from([3, 5, 7])),
    st.sets(st.sampled_from([3, 5, 7])),
    st.integers(0, 3),
)
def test_narrowing_twice_never_widens(
    outer: list[int], inner: list[int], given_measures: set[int], used: set[int], depth: int
) -> None:
    """If a child is within its parent, then so is every moment, place and measure that it allows."""
    parent = {
        L.GRANT: kinds.DELEGATION,
        L.WINDOW: outer,
        L.TERRITORY: ["33"],
        L.MEASURES: sorted(given_measures),
        L.DEPTH: depth,
    }
    child = {**parent, L.WINDOW: inner, L.TERRITORY: ["3301"], L.MEASURES: sorted(used), L.DEPTH: depth - 1}
    allowed = (
        set(range(inner[0], inner[1] + 1)) <= set(range(outer[0], outer[1] + 1)) and used <= given_measures
    )
    assert narrowed(child, parent) is allowed
    assert not narrowed({**child, L.DEPTH: depth}, parent)
