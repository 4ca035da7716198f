"""Real services as child processes: registry and edge, each told by a settings file, killed and started again.

A child dies with the process that started it, so neither Ctrl-C nor a crash leaves one behind.
"""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

START_S = 30
STOP_S = 10
LOOK_S = 0.02
LAST_WORDS = 1500
PORTS = range(10_000, 32_000)
# The child asks the kernel to be killed when its parent goes (PR_SET_PDEATHSIG), then becomes the service.
DIE_WITH_PARENT = (
    "import ctypes, os, runpy, signal, sys\n"
    "ctypes.CDLL(None).prctl(1, signal.SIGKILL)\n"
    "sys.exit(1) if os.getppid() != int(sys.argv.pop(1)) else None\n"
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)\n"
)


class ServiceFailed(Exception):
    """A service did not start or ended by itself; the message ends with its last words."""

    code = "service"


def free_port() -> int:
    """A TCP port that is free on loopback now, drawn below 32768: from there on connections get theirs (ip(7)).

    One of those could be taken by somebody's connection before the service that is told of it has bound it.
    """
    while True:
        port = PORTS.start + secrets.randbelow(len(PORTS))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Service:
    """`python -m module settings.json`, with its log beside the settings."""

    def __init__(self, module: str, settings: Path, health: str) -> None:
        self.module, self.settings, self.health = module, settings, health
        self.log = settings.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Service":
        """Start and wait until the health address answers; ServiceFailed otherwise."""
        arguments = [sys.executable, "-c", DIE_WITH_PARENT, str(os.getpid()), self.module, str(self.settings)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0
            )
        process = self._process
        self.wait(lambda: process.poll() is not None)
        return self

    def wait(self, ended: Callable[[], bool]) -> None:
        """Return when the health address answers; ServiceFailed when it has ended, or does not in START_S."""
        until = time.monotonic() + START_S
        while not self._answers():
            if ended() or time.monotonic() > until:
                raise ServiceFailed(f"{self.module} did not start: {self.last_words()}")
            time.sleep(LOOK_S)

    def _answers(self) -> bool:
        # Not httpx: at each question that would read all certificates that the machine trusts.
        address = urlsplit(self.health)
        asked = HTTPConnection(address.hostname or "", address.port, timeout=1)
        try:
            asked.request("GET", address.path)
            return asked.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
        finally:
            asked.close()

    @property
    def pid(self) -> int:
        """The process; ServiceFailed where it does not run."""
        if self._process is None:
            raise ServiceFailed(f"{self.module} does not run")
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_S)
            self._process = None

    def stop(self) -> None:
        """Ask it to end, then make it."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_bytes()[-LAST_WORDS:].decode(errors="replace")


def write_settings(path: Path, **fields: Any) -> Path:
    """A JSON settings file; paths become text."""
    texts = {name: str(value) if isinstance(value, Path) else value for name, value in fields.items()}
    path.write_text(json.dumps(texts, indent=1) + "\n", encoding="utf-8")
    return path
