"""Child processes for real: started, asked, killed, started again; none outlives whoever started it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from meterseal_tools.services import Service, ServiceFailed, free_port, write_settings

WAIT_S = 20
# A service as small as one can be: it serves its settings' folder over HTTP, and says how often it was started.
SMALL = """
import functools, http.server, json, pathlib, sys
settings = json.loads(pathlib.Path(sys.argv[1]).read_text())
print("started", flush=True)
if settings.get("broken"):
    sys.exit("the water is off: open the valve")
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=settings["folder"])
http.server.HTTPServer(("127.0.0.1", settings["port"]), handler).serve_forever()
"""


def alive(pid: int) -> bool:
    """True for a process that runs; one that is dead and not yet collected does not."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def wait_until(true: Callable[[], bool]) -> None:
    """Return when true; fail after WAIT_S."""
    until = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.01)


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Service]]:
    """Makes a service of the small module; stops each at the end."""
    (tmp_path / "small_service.py").write_text(SMALL)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made: list[Service] = []

    def build(**more: object) -> Service:
        port = free_port()
        settings = write_settings(tmp_path / f"{len(made)}.json", folder=tmp_path, port=port, **more)
        made.append(Service("small_service", settings, f"http://127.0.0.1:{port}/"))
        return made[-1]

    yield build
    for service in made:
        service.stop()


def pid_of(service: Service) -> int:
    """Process id of the child that has this service's settings in its command line."""
    words = str(service.settings)
    (child,) = [item for item in psutil.Process().children() if words in item.cmdline()]
    return child.pid


def answers(service: Service) -> bool:
    """True if the health address answers."""
    try:
        return httpx.get(service.health, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def test_started_means_that_it_answers_and_stopped_that_it_is_gone(make: Callable[..., Service]) -> None:
    """start() returns once the health address said 200; stop() may be called twice."""
    service = make().start()
    pid = pid_of(service)
    assert answers(service)
    service.stop()
    service.stop()
    assert not alive(pid) and not answers(service)


def test_killed_it_is_gone_at_once_and_starts_again_on_the_same_port(make: Callable[..., Service]) -> None:
    """What the demo does to the edge: SIGKILL, then another process on the same settings; one log has both starts."""
    service = make().start()
    first = pid_of(service)
    service.kill()
    assert not alive(first) and not answers(service)
    service.start()
    assert answers(service) and pid_of(service) != first
    assert service.last_words().count("started") == 2


def test_a_kill_without_a_process_is_nothing(make: Callable[..., Service]) -> None:
    """Never started, so there is nothing to end and nothing to fail."""
    service = make()
    service.kill()
    service.stop()
    assert not answers(service)


def test_a_service_that_does_not_start_says_its_last_words(make: Callable[..., Service]) -> None:
    """Which module, and the end of its own log: a person knows what to do without looking for files."""
    with pytest.raises(ServiceFailed) as caught:
        make(broken=True).start()
    assert str(caught.value).startswith("small_service did not start: ")
    assert "the water is off: open the valve" in str(caught.value)


def test_a_module_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """Runpy's own sentence is among the last words."""
    settings = write_settings(tmp_path / "none.json", port=free_port())
    with pytest.raises(ServiceFailed, match="No module named"):
        Service("meterseal_nobody", settings, "http://127.0.0.1:9/").start()


def test_last_words_are_the_end_of_a_long_log(make: Callable[..., Service]) -> None:
    """At most 1500 bytes of it, bytes that are no text replaced."""
    service = make()
    service.log.write_bytes(b"x" * 5000 + b"\xff the end")
    assert len(service.last_words()) == 1500
    assert service.last_words().endswith("\ufffd the end")


def test_a_child_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    """prctl(2), PR_SET_PDEATHSIG: the parent is killed and cannot clean up; nothing stays behind."""
    (tmp_path / "small_service.py").write_text(SMALL)
    port = free_port()
    settings = write_settings(tmp_path / "0.json", folder=tmp_path, port=port)
    program = (
        "import pathlib, sys, time\n"
        "from meterseal_tools.services import Service\n"
        "Service('small_service', pathlib.Path(sys.argv[1]), sys.argv[2]).start()\n"
        "print('up', flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, str(settings), f"http://127.0.0.1:{port}/"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None and parent.stdout.readline() == "up\n"
        (child,) = psutil.Process(parent.pid).children()
        os.kill(parent.pid, signal.SIGKILL)
    wait_until(lambda: not alive(child.pid))


def test_a_free_port_can_be_listened_on() -> None:
    """Two calls give ports that a server may take at once."""
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", free_port()))
        second.bind(("127.0.0.1", free_port()))
        assert first.getsockname() != second.getsockname()


def test_settings_are_json_with_paths_as_text(tmp_path: Path) -> None:
    """What the services' loaders read: numbers and lists as they are."""
    path = write_settings(tmp_path / "a.json", folder=tmp_path / "水", port=7, rules=["jjg162"])
    assert json.loads(path.read_text("utf-8")) == {
        "folder": str(tmp_path / "水"),
        "port": 7,
        "rules": ["jjg162"],
    }
