"""The operator's line: what is heard, and what is said to it."""

import asyncio
import json

from doubles import Line

from meterseal_fixture.errors import Refused
from meterseal_fixture.panel import WAITING_LINES, Panel


class Station:
    """Remembers what it was asked for; refuses to stop."""

    def __init__(self):
        self.asked = []

    def order(self, fields):
        self.asked.append(fields)

    def stop(self):
        raise Refused("order.idle")

    def changed(self):
        self.asked.append("status")


def converse(*pieces):
    """What the station was asked for and what the panel said, after these pieces of bytes came."""
    line = Line(lambda _: b"")
    panel, station = Panel(line), Station()

    async def talk():
        speaker = asyncio.create_task(panel.speak())
        listener = asyncio.create_task(panel.listen(station))
        for piece in pieces:
            line.coming += piece
            while line.coming or panel.waiting:
                await asyncio.sleep_ms(1)
        for task in (speaker, listener):
            task.cancel()

    asyncio.run(talk())
    return station.asked, [json.loads(said) for said in b"".join(line.sent).split(b"\n") if said]


def test_orders_in_pieces_and_several_at_once_are_heard():
    """A serial line delivers bytes: half a line, its other half with another line behind it."""
    asked, said = converse(b'{"do": "ru', b'n", "x": 1}\n{"do": "status"}\n')
    assert asked == [{"do": "run", "x": 1}, "status"] and said == []


def test_a_refusal_is_one_sentence_in_both_languages():
    """words.py has the sentence; the panel adds its code."""
    _, said = converse(b'{"do": "stop"}\n')
    assert said == [
        {"error": "order.idle", "zh": "没有正在进行的检定可停止。", "en": "There is no run to stop."}
    ]


def test_rubbish_is_answered_and_does_not_stop_the_line():
    """Not JSON, not an object, bytes that are no UTF-8, an unknown order; then one that is heard."""
    asked, said = converse(b"{\n", b"5\n", b"\xff\xfe\n", b'{"do": "dance"}\n', b'{"do": "status"}\n')
    assert [one["error"] for one in said] == ["line.malformed"] * 3 + ["order.unknown"]
    assert asked == ["status"]


def test_a_line_without_end_is_given_up():
    """More than 16 KiB without a line end; the next line is heard."""
    asked, said = converse(b"x" * 17000, b'{"do": "status"}\n')
    assert said[0]["error"] == "line.malformed" and asked == ["status"]


def test_a_status_is_said_once_and_again_when_it_changes():
    """Two equal ones and one that differs: two lines."""
    panel = Panel(Line(lambda _: b""))
    for seq in (1, 1, 2):
        panel.show({"seq": seq})
    assert [json.loads(line) for line in panel.waiting] == [{"seq": 1}, {"seq": 2}]


def test_lines_that_nobody_reads_are_forgotten_oldest_first():
    """One more than the bound."""
    panel = Panel(Line(lambda _: b""))
    for number in range(WAITING_LINES + 1):
        panel.tell("boot", seq=number)
    assert len(panel.waiting) == WAITING_LINES
    assert json.loads(panel.waiting[0])["seq"] == 1
