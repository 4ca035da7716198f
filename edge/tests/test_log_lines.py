"""Log lines: one JSON object each where that is asked for, and never a secret."""

import base64
import json
import logging
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from edge.tests.site import Site, wait_until

from meterseal_edge.log_lines import JsonLines
from meterseal_protocol.testing.fixture import ModelFixture, Signed
from meterseal_tools.broker import start_broker
from meterseal_tools.services import Service


def changed(settings: Path, **fields: object) -> None:
    """Other values in a settings file."""
    settings.write_text(json.dumps({**json.loads(settings.read_text()), **fields}))


def line(level: int, text: str, *values: object, trace: bool = False) -> dict[str, str]:
    """What the formatter makes of a record."""
    error = None
    if trace:
        try:
            raise ValueError("two\nlines")
        except ValueError:
            error = sys.exc_info()
    record = logging.LogRecord("meterseal.edge", level, "f", 1, text, values, error)
    raw = JsonLines().format(record)
    assert "\n" not in raw
    found: dict[str, str] = json.loads(raw)
    return found


def test_a_line_is_one_json_object_whatever_is_in_it() -> None:
    """RFC 8259: newlines and quotes are escaped; a trace stays within the line."""
    found = line(logging.WARNING, 'a "%s"\nand 中文', "b")
    assert (found["level"], found["log"], found["text"]) == ("warning", "meterseal.edge", 'a "b"\nand 中文')
    assert "trace" not in found
    assert "ValueError: two\nlines" in line(logging.ERROR, "broke", trace=True)["trace"]


def test_everything_an_edge_writes_is_json_and_holds_no_secret(tmp_path: Path) -> None:
    """Issue 6 point 9. An edge is started, fed good and hostile bytes, asked for its pages and stopped; every byte that
    it wrote is JSON lines, and no spelling of its key's secret is in it.
    """
    with start_broker(tmp_path / "broker") as broker:
        site = Site(tmp_path, broker)
        changed(site.edge.settings, log="json")
        site.edge.start()
        fixture = ModelFixture(site.world.author("W1"))
        site.offer("W1", fixture.boot())
        site.offer("W1", Signed(b"\xd2" + b"rubbish" * 9))
        site.offer("G1", fixture.event("tick", "1"))
        wait_until(lambda: site.summary()["quarantined"] >= 2, "two refusals")
        httpx.get(f"{site.page}/metrics")
        httpx.get(f"{site.page}/nowhere")
        broker.stop()
        wait_until(lambda: b"broker gone" in site.edge.log.read_bytes(), "the broker's end")
        site.close()
    lines = site.edge.log.read_text().splitlines()
    assert lines
    assert all({"at", "level", "log", "text"} <= json.loads(one).keys() for one in lines)
    secret = (tmp_path / "edge.key").read_bytes()
    written = site.edge.log.read_bytes()
    spellings = (secret, secret.hex().encode(), base64.b64encode(secret), base64.urlsafe_b64encode(secret))
    parts = [one[:12] for one in spellings] + [repr(secret)[2:14].encode()]
    assert not [part for part in parts if part in written]


def test_an_edge_that_cannot_start_says_so_in_its_own_style(tmp_path: Path) -> None:
    """One sentence: text begins with edge:, JSON is one line more of the log."""
    with start_broker(tmp_path / "broker") as broker:
        site = Site(tmp_path, broker)
        site.close()
    (tmp_path / "edge.key").chmod(0o644)
    command = [sys.executable, "-m", "meterseal_edge", str(site.edge.settings)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 1
    assert said.stderr.startswith("edge: ")
    assert said.stderr.count("\n") == 1
    changed(site.edge.settings, log="json")
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "chmod 600" in json.loads(said.stderr)["text"]


def test_a_thread_that_breaks_leaves_its_trace_within_one_line(tmp_path: Path) -> None:
    """main.py: a thread that ends by itself is a fault of ours, its trace is logged."""
    script = (
        "import threading\nfrom meterseal_edge import log_lines\nlog_lines.begin('json')\n"
        "def broken():\n    raise ValueError('ours')\n"
        "t = threading.Thread(target=broken); t.start(); t.join()\nraise KeyError('ours too')\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    thread, process = (json.loads(one) for one in said.stderr.splitlines())
    assert "ValueError: ours" in thread["trace"]
    assert "KeyError: 'ours too'" in process["trace"]
    assert said.returncode == 1


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_stopped_edge_acknowledged_its_last_batch_or_gets_it_again(tmp_path: Path, style: str) -> None:
    """Issue 6 point 9, graceful stop: SIGTERM in the middle of a stream; each statement was published once, and after
    the next start all of them are durable, once.
    """
    count = 400
    with start_broker(tmp_path / "broker") as broker:
        site = Site(tmp_path, broker)
        changed(site.edge.settings, log=style)
        fixture = ModelFixture(site.world.author("W1"))
        fixture.boot()
        for number in range(count - 1):
            fixture.event("tick", str(number))
        site.edge.start()
        stream = threading.Thread(target=lambda: [site.offer("W1", item) for item in fixture.signed])
        stream.start()
        wait_until(lambda: site.summary()["durable"] > 0, "the first batch")
        ended = stopped(site.edge)
        stream.join()
        site.edge.start()
        wait_until(lambda: site.summary()["durable"] == count, "all of them")
        assert site.summary()["quarantined"] == 0
        site.close()
    assert ended == 0
    assert b"Traceback" not in site.edge.log.read_bytes()


def stopped(service: Service) -> int:
    """Ask it to end and say with which code it did."""
    process = service._process
    assert process is not None
    service.stop()
    return process.returncode
