"""Serial lines and the thread that serves them."""

import os
import threading
from pathlib import Path

import pytest

from meterseal_tools.sim.errors import BadSetup
from meterseal_tools.sim.lines import MOST_WAITING, SerialLine, Service


class Echo:
    """A station that answers each piece with the same bytes, and counts its resets."""

    def __init__(self):
        self.resets = 0

    def feed(self, data):
        """The same bytes."""
        return data

    def poll(self):
        """Never anything of its own."""
        return b""

    def sleep_s(self):
        """As long as you like."""
        return 60.0

    def reset(self):
        """Counted."""
        self.resets += 1


@pytest.fixture
def line():
    """A line to an echo, not yet served."""
    made = SerialLine(Echo())
    yield made
    made.close()


@pytest.fixture
def service(line):
    """The thread that serves it."""
    thread = Service([line], threading.RLock())
    thread.start()
    yield thread
    thread.stop()


def opened(line):
    """The other end, blocking."""
    return Path(line.path).open("r+b", buffering=0)


def test_every_byte_value_passes_unchanged(line, service):
    """256 values there and back: no echo, no translation, no control character."""
    every = bytes(range(256))
    with opened(line) as file:
        file.write(every)
        found = b""
        while len(found) < 256:
            found += file.read(256 - len(found))
    assert found == every


def test_more_than_the_line_holds_is_sent_when_there_is_room(line, service):
    """60 000 bytes are more than a pty buffers; read slowly they all come."""
    sent = os.urandom(60_000)
    service.call(lambda: line.send(sent))
    with opened(line) as file:
        found = b""
        while len(found) < len(sent):
            found += file.read(1000)
    assert found == sent


def test_a_line_nobody_reads_is_bounded(line):
    """A fixture that is off for a week costs no memory."""
    for _ in range(100):
        line.send(bytes(10_000))
    assert len(line.waiting) <= MOST_WAITING


def test_flushing_throws_away_both_directions_and_resets_the_station(line):
    """Bytes to and from a dead fixture: gone; then the line works as new."""
    with opened(line) as file:
        file.write(b"from the dead")
        line.send(b"to the dead")
        line.flush()
        line.receive()
        assert line.station.resets == 1
        file.write(b"new")
        line.receive()
        assert file.read(100) == b"new"


def test_a_job_runs_in_the_service_thread_and_its_result_comes_back(service):
    """The thread's own identity is the result."""
    assert service.call(threading.get_ident) == service.ident != threading.get_ident()


@pytest.mark.parametrize("error", [OSError("no such file"), BadSetup("no interpreter")])
def test_a_job_that_fails_raises_where_it_was_asked_for(service, error):
    """And the thread goes on."""

    def fail():
        raise error

    with pytest.raises(type(error), match=str(error)):
        service.call(fail)
    assert service.call(lambda: 7) == 7
