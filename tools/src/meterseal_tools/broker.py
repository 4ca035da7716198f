"""An MQTT broker on loopback for the demo: an installed mosquitto, else the one that pip brought (iotcore).

Both keep a persistent session's messages while its subscriber is away, retain, and send last wills; the tests run
through both. iotcore keeps everything in memory, and on its one port it speaks MQTT 3.1.1 only: `mqtt_version` tells
the edge.

Not promised: a PUBACK of either is not durable. mosquitto writes its sessions at its end and each AUTOSAVE_S; what a
power cut takes between, fixtures offer again, because only custody frees. Anybody on this machine may connect: this
is a demo's broker. decisions/0004 says what was measured, and what production wants instead.

    python -m meterseal_tools.broker PORT    runs iotcore here, until killed
"""

import logging
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from iotcore.iotcore import IotCoreBroker

from meterseal_tools.services import ServiceFailed, free_port
from meterseal_tools.sim.fixture import DIE_WITH_PARENT

Kind = Literal["mosquitto", "iotcore"]
HOST = "127.0.0.1"
MQTT_VERSIONS = {"mosquitto": 5, "iotcore": 4}
SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"
# A parcel has 64 KiB at most; a session's queue holds a day of a busy bench. mosquitto's own bound is 1000 messages:
# it dropped 4000 of 5000 while the edge was away.
PAYLOAD_BYTES, QUEUED_MESSAGES, QUEUED_BYTES, INFLIGHT, AUTOSAVE_S = 131072, 100_000, 268_435_456, 400, 30
START_S, STOP_S, LOOK_S, TRIES = 15, 5, 0.02, 3
LAST_WORDS = 800

SETTINGS = """\
listener {port} {host}
allow_anonymous true
user {user}
set_tcp_nodelay true
persistence true
persistence_location {folder}/
autosave_interval {autosave}
max_queued_messages {messages}
max_queued_bytes {queued}
max_inflight_messages {inflight}
message_size_limit {payload}
log_type error
log_type warning
log_type notice
"""


class Broker:
    """A running broker. `host`, `port`, `kind`, `pid`, `mqtt_version` (5, or 4 for 3.1.1); dies with this process.

    As a context manager it stops at the end. Start it from a thread that outlives it: the kernel ends it with the
    thread that made it.
    """

    def __init__(self, folder: Path, port: int, kind: Kind) -> None:
        self.host, self.port, self.kind = HOST, port, kind
        self.mqtt_version = MQTT_VERSIONS[kind]
        self.log = folder / "broker.log"
        _check_free(port)
        command = _mosquitto_command(folder, port) if kind == "mosquitto" else _iotcore_command(port)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", DIE_WITH_PARENT, str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        self.pid = self._process.pid

    def wait(self) -> None:
        """Return when it accepts connections; ServiceFailed with its last words when it does not."""
        until = time.monotonic() + START_S
        while not self._accepts():
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise ServiceFailed(f"The broker ({self.kind}) did not start: {self._last_words()}")
            time.sleep(LOOK_S)

    def stop(self) -> None:
        """End it, mosquitto saving its sessions first. Twice is fine."""
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_S)

    def kill(self) -> None:
        """SIGKILL: what it had not saved is gone."""
        self._process.kill()
        self._process.wait(STOP_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _accepts(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=1):
                return self._process.poll() is None
        except OSError:
            return False

    def _last_words(self) -> str:
        return self.log.read_bytes()[-LAST_WORDS:].decode(errors="replace")


def start_broker(folder: Path, port: int = 0, kind: Kind | None = None) -> Broker:
    """A broker that accepts connections, its files in `folder`. Port 0: any free one; kind None: mosquitto if there.

    ServiceFailed, with what it said last, when it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chosen = kind or ("mosquitto" if mosquitto() else "iotcore")
    for attempt in range(TRIES):
        try:
            broker = Broker(folder, port or free_port(), chosen)
            broker.wait()
            return broker
        except ServiceFailed:
            # A free port may be taken by another before the broker has it.
            if port or attempt == TRIES - 1:
                raise
    raise AssertionError("the last try returns or raises")


def _check_free(port: int) -> None:
    # Asked before, because afterwards another's listener would look like ours. Reuse: not hindered by TIME_WAIT.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as why:
            raise ServiceFailed(f"The broker did not start: port {port} is taken; give another.") from why


def mosquitto() -> str | None:
    """The path of an installed mosquitto. Debian keeps it where a user's PATH does not lead."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}")


def _mosquitto_command(folder: Path, port: int) -> list[str]:
    program = mosquitto()
    if program is None:
        raise ServiceFailed("There is no mosquitto: install it, or leave the choice to start_broker.")
    settings = folder / "mosquitto.conf"
    settings.write_text(
        SETTINGS.format(
            port=port,
            host=HOST,
            # As root it would become the user mosquitto, who may not write here, and no longer die with its parent.
            user=pwd.getpwuid(os.getuid()).pw_name,
            folder=folder.resolve(),
            autosave=AUTOSAVE_S,
            messages=QUEUED_MESSAGES,
            queued=QUEUED_BYTES,
            inflight=INFLIGHT,
            payload=PAYLOAD_BYTES,
        )
    )
    return [program, "-c", str(settings)]


def _iotcore_command(port: int) -> list[str]:
    return [sys.executable, "-m", "meterseal_tools.broker", str(port)]


def run_iotcore(port: int) -> None:
    """Be the embedded broker, until killed."""
    logging.basicConfig(level=logging.WARNING)
    # rumqttd reports each packet as an error, which it is not.
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    IotCoreBroker(
        listen=HOST, port=port, max_payload_size=PAYLOAD_BYTES, max_inflight_count=INFLIGHT
    ).run_forever()


if __name__ == "__main__":
    run_iotcore(int(sys.argv[1]))
