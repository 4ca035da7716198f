"""What the site's own broker lets a certificate do: a real mosquitto, from the settings that `edge init` made.

Each promise is a function that says whether it is kept; each planted fault in the broker's files must break one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from edge.tests.secured import DOWN, SITE, UP, Caller, Mosquitto, Shown, enrolled, made_site, of_edge, running
from edge.tests.site import wait_until

from meterseal_edge.site import revocation
from meterseal_edge.site.layout import Layout


class Yard:
    """A site with fixtures W1 and W2, its broker running, and the edge listening."""

    def __init__(self, layout: Layout, shown: dict[str, Shown], broker: Mosquitto) -> None:
        self.layout, self.shown, self.broker = layout, shown, broker
        self.callers: list[Caller] = []
        self.edge = self.caller("edge")
        assert self.edge.let_in()
        self.edge.listen(UP.format("+"))

    def caller(self, name: str, client_id: str = "") -> Caller:
        """A client that shows the certificate of that name, not connected yet."""
        found = Caller(self.layout, self.broker.port, self.shown.get(name), client_id)
        self.callers.append(found)
        return found

    def fixture(self, name: str, client_id: str = "") -> Caller:
        """A connected fixture that listens to everything."""
        found = self.caller(name, client_id)
        assert found.let_in()
        found.listen("#")
        return found

    def close(self) -> None:
        """Everybody leaves."""
        for caller in self.callers:
            caller.close()


@contextmanager
def yard(folder: Path, planted: Callable[[Layout], None] = lambda _layout: None) -> Iterator[Yard]:
    """The site, with its broker's files changed before the broker starts."""
    layout = made_site(folder / "site")
    shown = {name: enrolled(layout, name) for name in ("W1", "W2")} | {"edge": of_edge(layout)}
    planted(layout)
    with running(layout) as broker:
        found = Yard(layout, shown, broker)
        try:
            yield found
        finally:
            found.close()


def speaks_and_hears_its_own(found: Yard) -> bool:
    """A fixture's statement reaches the edge, and the edge's answer reaches the fixture."""
    fixture = found.fixture("W1")
    fixture.say(UP.format("W1"), b"statement")
    found.edge.hears(b"statement")
    found.edge.say(DOWN.format("W1"), b"custody")
    fixture.hears(b"custody")
    return (DOWN.format("W1"), b"custody") in fixture.heard


def cannot_speak_as_another(found: Yard) -> bool:
    """What W1 says on W2's topic goes nowhere; what it says after it on its own arrives, so the first had its time."""
    fixture = found.fixture("W1")
    fixture.say(UP.format("W2"), b"forged")
    fixture.say(UP.format("W1"), b"own")
    found.edge.hears(b"own")
    return b"forged" not in [what for _, what in found.edge.heard]


def cannot_give_orders(found: Yard) -> bool:
    """No fixture can write on a down topic, its own neither: custody comes from the edge."""
    liar, victim = found.fixture("W1"), found.fixture("W2")
    liar.say(DOWN.format("W2"), b"forged")
    liar.say(DOWN.format("W1"), b"forged")
    found.edge.say(DOWN.format("W2"), b"real")
    found.edge.say(DOWN.format("W1"), b"real")
    victim.hears(b"real")
    liar.hears(b"real")
    return b"forged" not in [what for _, what in (*victim.heard, *liar.heard)]


def cannot_hear_another(found: Yard) -> bool:
    """W2 asks for everything, and hears its own alone."""
    fixture = found.fixture("W2")
    speaker = found.fixture("W1")
    speaker.say(UP.format("W1"), b"statement")
    found.edge.hears(b"statement")
    found.edge.say(DOWN.format("W1"), b"for W1")
    found.edge.say(DOWN.format("W2"), b"for W2")
    fixture.hears(b"for W2")
    return [what for _, what in fixture.heard] == [b"for W2"]


def cannot_leave_another_a_will(found: Yard) -> bool:
    """A last will on another's state topic would show it offline. The will is due when the same name connects again."""
    found.edge.listen(f"ms/1/{SITE}/+/state")
    caller = found.caller("W1")
    caller.client.will_set(f"ms/1/{SITE}/W2/state", b"gone", 1, retain=True)
    caller.client.reconnect_delay_set(60, 60)
    assert caller.let_in()
    again = found.fixture("W1")
    again.say(UP.format("W1"), b"after the will")
    found.edge.hears(b"after the will")
    return b"gone" not in [what for _, what in found.edge.heard]


def cannot_end_another_by_its_client_id(found: Yard) -> bool:
    """MQTT 3.1.1 section 3.1.4: a second client of one id ends the first. Here the name is the id, whatever is sent."""
    first = found.fixture("W1", "mine")
    second = found.fixture("W2", "mine")
    second.say(UP.format("W2"), b"second")
    first.client.publish(UP.format("W1"), b"first", 1)
    wait_until(lambda: first.lost or b"first" in [what for _, what in found.edge.heard], "either")
    return not first.lost


def a_stranger_stays_out(found: Yard) -> bool:
    """A certificate of the same name from another authority of the same name."""
    other = made_site(found.layout.folder.parent / "other")
    found.shown["stranger"] = enrolled(other, "W1")
    return not found.caller("stranger").let_in()


def nobody_comes_without_a_certificate(found: Yard) -> bool:
    """TLS alone is not enough."""
    return not found.caller("nobody").let_in()


def a_revoked_one_stays_out_and_others_go_on(found: Yard) -> bool:
    """After `revoke` the certificate is refused at the handshake, and W2 notices nothing."""
    other = found.fixture("W2")
    assert revocation.revoke(found.layout, "W1").told
    found.broker.told()
    let_in = found.caller("W1").let_in()
    other.say(UP.format("W2"), b"still here")
    found.edge.hears(b"still here")
    return not let_in and not other.lost


def a_revoked_one_that_is_connected_is_silenced(found: Yard) -> bool:
    """Its connection may stand, where the broker can't be reached to end it; it can neither say nor hear anything."""
    stolen, other = found.fixture("W1"), found.fixture("W2")
    stolen.say(UP.format("W1"), b"before")
    found.edge.hears(b"before")
    assert revocation.shut_out(found.layout, "W1")
    found.broker.told()
    stolen.client.publish(UP.format("W1"), b"after", 0)
    found.edge.say(DOWN.format("W1"), b"secret")
    found.edge.say(DOWN.format("W2"), b"for W2")
    other.hears(b"for W2")
    other.say(UP.format("W2"), b"last")
    found.edge.hears(b"last")
    said, heard = ([what for _, what in one.heard] for one in (found.edge, stolen))
    return b"after" not in said and b"secret" not in heard


def ended(caller: Caller) -> bool:
    """True if the broker has ended this connection: what is published on it gets no PUBACK."""
    caller.answered = False
    caller.client.publish("ended?", b"", 1)
    wait_until(lambda: caller.lost or caller.answered, "an answer or an end")
    return caller.lost


def a_revoked_one_that_is_connected_is_ended(found: Yard) -> bool:
    """Its connection is gone when the command returns, others keep theirs, and it does not come back."""
    stolen, other = found.fixture("W1"), found.fixture("W2")
    done = revocation.revoke(found.layout, "W1")
    other.say(UP.format("W2"), b"still here")
    found.edge.hears(b"still here")
    if done != (True, True):
        return False
    # The broker answers nothing out of order: once it has answered W2 again, W1's end was on its way.
    other.say(UP.format("W2"), b"and here")
    lost = ended(stolen)
    return lost and not other.lost and not found.caller("W1").let_in()


def a_replacement_bears_the_old_name(found: Yard) -> bool:
    """After a theft: the same name, another key, and no restart of the broker."""
    old = found.shown["W1"]
    stolen = [path.rename(path.with_stem("stolen")) for path in (old.certificate, old.key)]
    found.shown["stolen"] = Shown(*stolen)
    revocation.revoke(found.layout, "W1")
    found.broker.told()
    found.shown["W1"] = enrolled(found.layout, "W1")
    wait_until(lambda: found.broker.says().count("Reloading config") == 2, "the second SIGHUP")
    new = found.fixture("W1")
    new.say(UP.format("W1"), b"from the new one")
    new.say(UP.format("W1"), b"again")
    other = found.fixture("W2")
    other.say(UP.format("W2"), b"after it")
    found.edge.hears(b"after it")
    said = [what for _, what in found.edge.heard]
    return b"from the new one" in said and not found.caller("stolen").let_in()


PROMISES = [
    speaks_and_hears_its_own,
    cannot_speak_as_another,
    cannot_give_orders,
    cannot_hear_another,
    cannot_leave_another_a_will,
    cannot_end_another_by_its_client_id,
    a_stranger_stays_out,
    nobody_comes_without_a_certificate,
    a_revoked_one_stays_out_and_others_go_on,
    a_revoked_one_that_is_connected_is_silenced,
    a_revoked_one_that_is_connected_is_ended,
    a_replacement_bears_the_old_name,
]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_the_broker_of_a_new_site_keeps_each_promise(tmp_path: Path, promise: Callable[[Yard], bool]) -> None:
    """Design section 11: the broker's access list pins topic to certificate name; issue 6 point 6."""
    with yard(tmp_path) as found:
        assert promise(found)


def without(line: str, instead: str = "") -> Callable[[Layout], None]:
    """Plants: a line of mosquitto.conf is missing, or another one."""

    def plant(layout: Layout) -> None:
        path = layout.broker / "mosquitto.conf"
        lines = path.read_text().splitlines()
        [found] = [one for one in lines if one.startswith(line)]
        lines[lines.index(found)] = instead
        path.write_text("\n".join([*lines, ""]))

    return plant


def access(old: str, new: str) -> Callable[[Layout], None]:
    """Plants: other words in the access list."""

    def plant(layout: Layout) -> None:
        path = layout.broker / "access"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return plant


def forgets_the_name(layout: Layout) -> None:
    """Plants: the access list does not know of revocations."""
    revocation.write_access = lambda _layout, _known: None  # type: ignore[assignment]


def forgets_the_certificate(layout: Layout) -> None:
    """Plants: the list of revoked certificates is not written."""
    revocation.write_revocations = lambda _layout, _known: None  # type: ignore[assignment]


def forgets_the_connection(layout: Layout) -> None:
    """Plants: nobody ends what is open."""
    revocation.evict = lambda _layout, _name: True


def no_certificate_needed(layout: Layout) -> None:
    """Plants: a broker that asks for none and lets everybody in, as mosquitto did by default before 2.0."""
    without("require_certificate")(layout)
    without("use_identity_as_username")(layout)
    without("use_username_as_clientid")(layout)
    without("allow_anonymous", "allow_anonymous true")(layout)
    access("user edge/EDGE1\n", "")(layout)


PLANTED = [
    (access("pattern write ms/1/YUHANG1/%u/up", "pattern write ms/1/YUHANG1/+/up"), cannot_speak_as_another),
    (access("pattern read ms/1/YUHANG1/%u/down", "pattern read ms/1/YUHANG1/+/down"), cannot_hear_another),
    (
        access("pattern read ms/1/YUHANG1/%u/down", "pattern readwrite ms/1/YUHANG1/%u/down"),
        cannot_give_orders,
    ),
    (
        access("pattern write ms/1/YUHANG1/%u/state", "pattern write ms/1/YUHANG1/+/state"),
        cannot_leave_another_a_will,
    ),
    (without("use_username_as_clientid"), cannot_end_another_by_its_client_id),
    (no_certificate_needed, nobody_comes_without_a_certificate),
    (without("crlfile"), a_revoked_one_stays_out_and_others_go_on),
    (forgets_the_certificate, a_revoked_one_stays_out_and_others_go_on),
    (forgets_the_connection, a_revoked_one_that_is_connected_is_ended),
    (forgets_the_name, a_revoked_one_that_is_connected_is_silenced),
]


@pytest.mark.parametrize("plant,promise", PLANTED)
def test_a_planted_fault_breaks_the_promise_that_it_is_about(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[Layout], None],
    promise: Callable[[Yard], bool],
) -> None:
    """Design section 1 item 11: every experiment has a planted bug that it must find."""
    for name in ("write_access", "write_revocations", "evict"):
        monkeypatch.setattr(revocation, name, getattr(revocation, name))
    with yard(tmp_path, plant) as found:
        assert not promise(found)
