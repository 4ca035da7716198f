"""Chain, epochs and custody as a model (design section 6): a fixture, its clone, a network, an edge, a registry.

The rules that can be called are called and not copied: `meterseal_wire.chain.link` decides how a statement stands
to the head that is held, `meterseal_wire.custody.may_drop` what a custody covers.

Faults: the power of the fixture at every step, with the record that was being written kept or lost; the edge killed
between any two of its steps; connections that break, losing what is on the way; statements offered again from the
oldest; custody that is late, lost or repeated (once sent it can arrive at any time, any number of times); a clone of
the fixture's key and flash; an image of the flash put back; an edge replaced by an empty one. `Bounds` says how many of
each. MQTT keeps the order of one connection, and a fixture offers oldest first: that is what the edge relies on when
it meets a fixture in the middle of its chain, and the planted bug `offers_in_any_order` shows that it must.

Not modelled: what is inside a statement, quarantine bounds, `refused`, time, more than one honest fixture.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from meterseal_wire.chain import DUPLICATE, FORK, GENESIS, LINKED, Head, link
from meterseal_wire.custody import may_drop

KEY = b"the fixture's key"


class Said(NamedTuple):
    """A statement: its place, the identity of the one before, its own, and which device signed it."""

    epoch: int
    seq: int
    prev: bytes
    identity: bytes
    device: str


class Device(NamedTuple):
    """A fixture: running or not, its counter, what its flash holds, its head, what is being written."""

    on: bool = False
    counter: int = 0
    flash: tuple[Said, ...] = ()
    head: tuple[int, int, bytes] = (0, -1, GENESIS)
    writing: Said | None = None
    covered: tuple[int, int] = (0, -1)
    offered: tuple[int, int] = (0, -1)
    restored: bool = False


class Edge(NamedTuple):
    """The edge: durable statements in the order of its log, what it has in hand and how far that came."""

    stored: tuple[Said, ...] = ()
    hand: tuple[Said, str] | None = None
    forks: tuple[Said, ...] = ()
    waiting: frozenset[Said] = frozenset()
    seen: frozenset[Said] = frozenset()
    acked: frozenset[Said] = frozenset()


class Promise(NamedTuple):
    """A custody on the network: place, head, and which edge signed it (edges are replaced)."""

    epoch: int
    seq: int
    head: bytes
    edge: int


class World(NamedTuple):
    """Everything. `way` and `clone_way` are what is on the way up, in order; a promise may arrive at any time."""

    fixture: Device = Device()
    clone: Device | None = None
    way: tuple[Said, ...] = ()
    clone_way: tuple[Said, ...] = ()
    promises: frozenset[Promise] = frozenset()
    edges: tuple[Edge, ...] = (Edge(),)
    registry: frozenset[Said] = frozenset()
    receipts: frozenset[Said] = frozenset()
    dropped: frozenset[Said] = frozenset()
    deleted: frozenset[Said] = frozenset()
    cuts: int = 0
    kills: int = 0
    images: int = 0
    breaks: int = 0


@dataclass(frozen=True)
class Bounds:
    """How much of each there may be; what is walked is everything within."""

    epochs: int = 2
    statements: int = 3
    cuts: int = 1
    kills: int = 1
    clones: int = 0
    images: int = 0
    edges: int = 1
    breaks: int = 1
    on_the_way: int = 2


@dataclass(frozen=True)
class Rules:
    """The protocol, and one switch for each bug that can be planted in it; all off is the protocol."""

    publish_before_read_back: bool = False
    counter_goes_back: bool = False
    custody_without_head: bool = False
    custody_before_commit: bool = False
    ack_before_commit: bool = False
    custody_over_gap: bool = False
    forget_duplicates: bool = False
    delete_on_custody: bool = False
    offers_in_any_order: bool = False
    links_anything_first: bool = False


PROTOCOL = Rules()


def steps(bounds: Bounds, rules: Rules = PROTOCOL) -> Callable[[World], Iterator[tuple[str, World]]]:
    """The steps that can be taken from a world."""

    def taken(world: World) -> Iterator[tuple[str, World]]:
        yield from _device(world, "fixture", bounds, rules)
        if world.clone is not None:
            yield from _device(world, "clone", bounds, rules)
        yield from _faults(world, bounds)
        yield from _edge(world, bounds, rules)
        yield from _upstream(world)

    return taken


# --- the fixture

WAYS = {"fixture": "way", "clone": "clone_way"}


def _device(world: World, who: str, bounds: Bounds, rules: Rules) -> Iterator[tuple[str, World]]:
    device: Device = getattr(world, who)

    def then(changed: Device, **more: Any) -> World:
        fields: dict[str, Any] = {who: changed, **more}
        return world._replace(**fields)

    if not device.on:
        if device.counter < bounds.epochs:
            yield f"{who} boots", then(_booting(device, who, rules))
        return
    if device.writing is not None:
        said = device.writing
        written = device._replace(
            flash=(*device.flash, said), head=(said.epoch, said.seq, said.identity), writing=None
        )
        yield f"{who} has written {_name(said)}", then(written)
    elif device.head[1] + 1 < bounds.statements:
        yield f"{who} writes", then(device._replace(writing=_next(device, who)))
    yield from _offering(world, who, then, (bounds, rules))
    yield from _freeing(world, who, then, rules)


def _offering(
    world: World, who: str, then: Callable[..., World], given: tuple[Bounds, Rules]
) -> Iterator[tuple[str, World]]:
    """The oldest that was not offered on this connection; from the beginning again once all were."""
    device: Device = getattr(world, who)
    (bounds, rules), way = given, getattr(world, WAYS[who])
    held = [*device.flash]
    if rules.publish_before_read_back and device.writing is not None:
        held.append(device.writing)
    if len(way) < bounds.on_the_way:
        ahead = [said for said in held if said[:2] > device.offered]
        for said in ahead if rules.offers_in_any_order else ahead[:1]:
            sent = device._replace(offered=said[:2])
            yield f"{who} offers {_name(said)}", then(sent, **{WAYS[who]: (*way, said)})
    if not way and held and device.offered >= held[-1][:2] and device.covered < held[-1][:2]:
        yield f"{who} begins to offer again", then(device._replace(offered=(0, -1)))
    if way and world.breaks < bounds.breaks:
        back = device._replace(offered=(0, -1))
        yield f"{who} loses its connection", then(back, breaks=world.breaks + 1, **{WAYS[who]: ()})


def _booting(device: Device, who: str, rules: Rules) -> Device:
    epoch = device.counter + (0 if rules.counter_goes_back and device.counter else 1)
    said = Said(epoch, 0, device.head[2], f"{who} {epoch}.0 after {device.head[2]!r}".encode(), who)
    return device._replace(on=True, counter=epoch, writing=said, offered=(0, -1))


def _next(device: Device, who: str) -> Said:
    epoch, seq, prev = device.head
    return Said(epoch, seq + 1, prev, f"{who} {epoch}.{seq + 1} after {prev!r}".encode(), who)


def _name(said: Said) -> str:
    return f"({said.epoch}, {said.seq})"


def _freeing(world: World, who: str, then: Callable[..., World], rules: Rules) -> Iterator[tuple[str, World]]:
    """Custody arrives and is believed if its head is what the flash holds there; then it frees what it covers."""
    device: Device = getattr(world, who)
    for promise in world.promises:
        place = (promise.epoch, promise.seq)
        held = next((said for said in device.flash if said[:2] == place), None)
        believed = rules.custody_without_head or (held is not None and held.identity == promise.head)
        if not believed or place <= device.covered:
            continue
        yield f"{who} believes custody up to {place}", then(device._replace(covered=place))
    for said in device.flash[:1]:
        if may_drop((KEY, said.epoch, said.seq), (KEY, *device.covered)):
            kept = device._replace(flash=device.flash[1:])
            yield f"{who} overwrites {_name(said)}", then(kept, dropped=world.dropped | {said})
            if rules.delete_on_custody:
                yield f"{who} deletes {_name(said)}", then(kept, deleted=world.deleted | {said})
        if said in world.receipts:
            yield (
                f"{who} deletes {_name(said)}",
                then(device._replace(flash=device.flash[1:]), deleted=world.deleted | {said}),
            )


# --- what goes wrong


def _faults(world: World, bounds: Bounds) -> Iterator[tuple[str, World]]:
    fixture = world.fixture
    if fixture.on and world.cuts < bounds.cuts:
        off = fixture._replace(on=False, writing=None, covered=(0, -1))
        cut = world._replace(cuts=world.cuts + 1)
        cut = cut._replace(way=())
        yield "power cut, nothing half written is kept", cut._replace(fixture=off)
        if fixture.writing is not None:
            said = fixture.writing
            kept = off._replace(flash=(*off.flash, said), head=(said.epoch, said.seq, said.identity))
            yield "power cut, the record was whole already", cut._replace(fixture=kept)
    if world.clone is None and bounds.clones and fixture.flash and fixture.writing is None:
        yield "the fixture is cloned", world._replace(clone=fixture._replace(on=False, offered=(0, -1)))
    if world.images < bounds.images and len(fixture.flash) > 1 and not fixture.on:
        before, last = fixture.flash[:-1], fixture.flash[-2]
        back = fixture._replace(flash=before, head=(last.epoch, last.seq, last.identity), restored=True)
        yield "an older image is put back", world._replace(fixture=back, images=world.images + 1)


# --- the edge


def _edge(world: World, bounds: Bounds, rules: Rules) -> Iterator[tuple[str, World]]:
    edge, number = world.edges[-1], len(world.edges) - 1

    def then(changed: Edge, **more: Any) -> World:
        return world._replace(edges=(*world.edges[:-1], changed), **more)

    if edge.hand is None:
        for way in (world.way, world.clone_way):
            for said in way[:1]:
                yield (
                    f"edge receives {said.device} {_name(said)}",
                    then(edge._replace(hand=(said, "received"))),
                )
        if number + 1 < bounds.edges and edge.stored:
            yield "the edge is replaced by an empty one", world._replace(edges=(*world.edges, Edge()))
        return
    if world.kills < bounds.kills:
        yield "the edge is killed", then(edge._replace(hand=None), kills=world.kills + 1)
    yield from _at_stage(edge, number, then, (world, rules))


def _at_stage(
    edge: Edge, number: int, then: Callable[..., World], given: tuple[World, Rules]
) -> Iterator[tuple[str, World]]:
    """Received -> committed -> promised -> acknowledged; what does not link is kept aside and acknowledged."""
    assert edge.hand is not None
    (said, stage), (world, rules) = edge.hand, given
    if stage == "received":
        seen = edge._replace(seen=edge.seen | {said})
        how = _stands(edge, said, rules)
        if rules.ack_before_commit and said not in edge.acked:
            yield f"edge acknowledges {_name(said)}", then(edge._replace(acked=edge.acked | {said}))
        if rules.custody_before_commit and how == LINKED:
            early = Promise(said.epoch, said.seq, said.identity, number)
            yield "edge promises before it has committed", then(edge, promises=world.promises | {early})
        if how == LINKED:
            kept = seen._replace(stored=(*edge.stored, said), waiting=edge.waiting - {said})
            yield f"edge commits {_name(said)}", then(kept._replace(hand=(said, "committed")))
        elif how == DUPLICATE:
            yield f"edge knows {_name(said)}", then(seen._replace(hand=(said, "committed")))
        elif how == FORK:
            forked = seen._replace(forks=(*edge.forks, said), hand=(said, "promised"))
            yield f"edge sees a fork at {_name(said)}", then(forked)
        else:
            aside = seen._replace(waiting=edge.waiting | {said}, hand=(said, "promised"))
            yield f"edge keeps {_name(said)} aside", then(aside)
    elif stage == "committed":
        head = edge.stored[-1]
        promise = Promise(head.epoch, head.seq, head.identity, number)
        yield (
            "edge promises",
            then(edge._replace(hand=(said, "promised")), promises=world.promises | {promise}),
        )
    else:
        taken = {name: way[1:] for name in WAYS.values() if (way := getattr(world, name))[:1] == (said,)}
        acked = edge._replace(acked=edge.acked | {said}, hand=None)
        yield f"edge acknowledges {_name(said)}", then(acked, **taken)


def _stands(edge: Edge, said: Said, rules: Rules) -> str:
    """The wire's rule, and the edge's own two where that rule sees too little (meterseal_edge.ingest, verdict)."""
    known = next((other.identity for other in edge.stored if other[:2] == said[:2]), None)
    if rules.forget_duplicates:
        known = None
    if said in edge.forks:
        return "known fork"
    if not edge.stored:
        return _beginning(edge, said, rules)
    held = edge.stored[-1]
    how = str(link(Head(*held[:2], held.identity), said[:3], said.identity, known))
    cites_later = said.seq == 0 and said.prev not in {other.identity for other in edge.seen} | {GENESIS}
    if how == FORK and known is None and (said[:2] < edge.stored[0][:2] or cites_later):
        how = "gap"
    return LINKED if how == "gap" and rules.custody_over_gap else how


def _beginning(edge: Edge, said: Said, rules: Rules) -> str:
    """The very first boot links; anything else once it comes again while nothing earlier was offered."""
    if rules.links_anything_first and said.seq == 0:
        return str(link(None, said[:3], said.identity, None))
    if (said.seq, said.prev) == (0, GENESIS):
        return LINKED
    earlier = any(other[:2] < said[:2] for other in edge.waiting)
    return LINKED if said in edge.waiting and not earlier else "gap"


def _upstream(world: World) -> Iterator[tuple[str, World]]:
    """Any edge's outbox brings what it holds to the registry, and the receipt comes back."""
    for edge in world.edges:
        for said in edge.stored:
            if said not in world.registry:
                yield f"registry enters {_name(said)}", world._replace(registry=world.registry | {said})
            elif said not in world.receipts:
                yield f"a receipt for {_name(said)}", world._replace(receipts=world.receipts | {said})


# --- what must hold


def durable(world: World) -> set[Said]:
    """What is safe somewhere: in an edge's log, the old edges' disks included, or in the registry."""
    return {said for edge in world.edges for said in edge.stored} | set(world.registry)


def nothing_acknowledged_is_lost(world: World) -> bool:
    """What a fixture overwrote or deleted is in a durable log."""
    return (world.dropped | world.deleted) <= durable(world)


def custody_is_true(world: World) -> bool:
    """A promised head is in the log of the edge that signed, and what is before it there is one chain up to it."""
    for promise in world.promises:
        stored = world.edges[promise.edge].stored
        if not any(said.identity == promise.head and said[:2] == promise[:2] for said in stored):
            return False
    return True


def honest_fixtures_never_fork(world: World) -> bool:
    """Without a clone and without an image put back no edge ever sees a fork, whatever the power did."""
    tampered = world.clone is not None or world.fixture.restored
    return tampered or not any(edge.forks for edge in world.edges)


def a_fork_is_seen(world: World) -> bool:
    """Where an edge has looked at two statements of one place, one of them logged, it knows of a fork."""
    for edge in world.edges:
        logged = {said[:2]: said for said in edge.stored}
        if any(logged.get(said[:2], said) != said for said in edge.seen - edge.waiting) and not edge.forks:
            return False
    return True


def acknowledged_after_commit(world: World) -> bool:
    """PUBACK says nothing to a fixture, and still it never goes out for what is not on disk, if only aside."""
    return all(edge.acked <= {*edge.stored, *edge.forks, *edge.waiting} for edge in world.edges)


def one_statement_a_place(world: World) -> bool:
    """No log holds two statements of one place, and each cites the one before it."""
    for edge in world.edges:
        places = [said[:2] for said in edge.stored]
        if len(places) != len(set(places)):
            return False
        if any(
            after.prev != before.identity for before, after in zip(edge.stored, edge.stored[1:], strict=False)
        ):
            return False
    return True


def deleted_only_on_receipt(world: World) -> bool:
    """Deleting needs the registry's receipt; custody is for overwriting."""
    return world.deleted <= world.receipts


INVARIANTS: dict[str, Callable[[World], bool]] = {
    "nothing acknowledged is lost": nothing_acknowledged_is_lost,
    "custody is true": custody_is_true,
    "honest fixtures never fork": honest_fixtures_never_fork,
    "a fork is seen": a_fork_is_seen,
    "acknowledged after commit": acknowledged_after_commit,
    "one statement a place": one_statement_a_place,
    "deleted only on receipt": deleted_only_on_receipt,
}


def settled(world: World, most: int = 400) -> World:
    """The world after all was mended: the fixture on, no more faults, every message carried to the end."""
    bounds = Bounds(
        epochs=world.fixture.counter + (not world.fixture.on),
        statements=0,
        cuts=0,
        kills=0,
        clones=0,
        breaks=0,
    )
    take, been = steps(bounds), {world}
    for _ in range(most):
        fair = [
            found
            for name, found in take(world)
            if name.split()[0] in ("fixture", "edge") and found not in been
        ]
        if not fair:
            return world
        world = min(fair, key=_ahead)
        been.add(world)
    return world


def _ahead(world: World) -> tuple[int, ...]:
    """Smaller is nearer to the end: everything logged, then everything covered, then little on the way."""
    edge = world.edges[-1]
    return (-len(edge.stored), -world.fixture.covered[0], -world.fixture.covered[1], len(world.way))


def delivered(world: World) -> bool:
    """Everything that the honest fixture still holds is in the log of the edge that now stands."""
    return set(world.fixture.flash) <= set(world.edges[-1].stored)
