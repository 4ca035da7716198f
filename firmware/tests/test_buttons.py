"""Start and stop buttons: contacts that bounce, buttons that hang, and what each press does."""

import asyncio
import sys

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.append(HERE + "/../boards/chip")

import buttons  # noqa: E402
from whole_bench import Fixture, order, seat  # noqa: E402

from meterseal_wire import kinds  # noqa: E402
from meterseal_wire import labels as L  # noqa: E402


def presses(levels, level=buttons.UP):
    """At which looks a button whose pin shows `levels` (a text of 0 and 1) was pressed."""
    coming = [int(letter) for letter in levels]
    button = buttons.Button(lambda: coming.pop(0), level)
    return [at for at in range(len(levels)) if button.pressed()]


def test_three_equal_looks_are_a_press_and_fewer_are_bounce():
    """Looks by hand: the third 0 in a row presses; 0s of one or two looks do not; up needs three looks as well."""
    assert presses("1110001111") == [5]
    assert presses("1101001011") == []
    assert presses("1001000000") == [6]
    assert presses("0000100000") == [2]  # a single 1 while held is bounce: no second press
    assert presses("0001100011100011111") == [2, 13]


def test_a_button_that_hangs_when_the_board_starts_is_not_pressed_until_it_was_up():
    """Start begins as held (DOWN): only after three 1s does a press count."""
    assert presses("00000000", buttons.DOWN) == []
    assert presses("0000111000", buttons.DOWN) == [9]


class Pins:
    """Two pins that play a text of 0 and 1 each, one letter a look, and then stay up."""

    def __init__(self, start, stop):
        self.left = [list(start), list(stop)]

    def pin(self, number):
        left = self.left[number]
        return lambda: int(left.pop(0)) if left else 1

    def pair(self):
        return self.pin(0), self.pin(1)


class Desk:
    def __init__(self):
        self.presses = []

    def pressed(self, button):
        self.presses.append(button)


def watched(start, stop):
    """What a desk heard while the pins played."""
    desk, pins = Desk(), Pins(start, stop)

    async def play():
        watching = asyncio.create_task(buttons.watch(pins.pair(), desk))
        while any(pins.left):
            await asyncio.sleep_ms(1)
        watching.cancel()

    usual, buttons.LOOK_MS = buttons.LOOK_MS, 1
    try:
        asyncio.run(play())
    finally:
        buttons.LOOK_MS = usual
    return desk.presses


def test_start_and_stop_are_heard_and_start_is_not_while_stop_is_held():
    """Start, then stop; then both at once and start again while stop is held: stop only, once."""
    assert watched("111000111111", "111111000111") == ["START", "STOP"]
    assert watched("111000111000111", "111000000000000") == ["STOP"]


def test_stop_is_heard_though_it_was_held_from_the_start():
    """It can do no harm; start held from the start does nothing."""
    assert watched("000000", "000000") == ["STOP"]


def test_the_buttons_start_a_prepared_run_and_stop_it():
    """On a whole fixture: start, water flows, stop, abandoned by the operator (4); a second stop finds no run."""
    with Fixture((100, 0)) as fixture:
        levels = {"start": 1, "stop": 1}

        async def script():
            pins = (lambda: levels["start"], lambda: levels["stop"])
            watching = asyncio.create_task(buttons.watch(pins, fixture.desk))
            fixture.say(**order([seat(1, "DEMO.1")], do="prepare"))
            await fixture.wait(mode="verify")
            await asyncio.sleep_ms(4 * buttons.LOOK_MS)
            levels["start"] = 0
            await fixture.wait(event="flow_started")
            levels["stop"] = 0
            await fixture.wait(event="abandoned")
            levels["stop"] = 1
            await asyncio.sleep_ms(5 * buttons.LOOK_MS)
            levels["stop"] = 0
            await fixture.wait(error="order.idle")
            watching.cancel()

        fixture.run(script())
        [abandoned] = fixture.payloads(L.KIND_ABANDONED)
        assert abandoned[L.REASON] == kinds.OPERATOR and len(fixture.payloads(L.KIND_ATTEMPT)) == 1
