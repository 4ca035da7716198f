"""The operator's side of the fixture's panel: JSON lines, one object a line.

What is said in both directions stays in `transcript`. Waiting begins where the last wait ended, so an event that
came while the test did something else is not missed, and none is taken twice.
"""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from meterseal_tools.sim.errors import FixtureDied, NoAnswer

TO_FIXTURE, FROM_FIXTURE = "to", "from"
Message = dict[str, Any]
LOOK_S = 0.1


class Panel:
    """A station on the panel's line. `died` says, in words, why nothing more can come; empty while all is well."""

    def __init__(self, wake: Callable[[], None], died: Callable[[], str]) -> None:
        self.transcript: list[tuple[str, Message]] = []
        self.unreadable: list[bytes] = []
        self._wake, self._died = wake, died
        self._changed = threading.Condition()
        self._input, self._output = b"", b""
        self._seen = 0

    def feed(self, data: bytes) -> bytes:
        """Lines from the fixture; called by the rig's thread."""
        *lines, self._input = (self._input + data).split(b"\n")
        with self._changed:
            for raw in lines:
                self._note(raw.strip())
            self._changed.notify_all()
        return b""

    def _note(self, raw: bytes) -> None:
        try:
            message = json.loads(raw)
        except ValueError:
            message = None
        if isinstance(message, dict):
            self.transcript.append((FROM_FIXTURE, message))
        elif raw:
            self.unreadable.append(raw)

    def poll(self) -> bytes:
        """Lines to the fixture; called by the rig's thread."""
        with self._changed:
            output, self._output = self._output, b""
        return output

    def sleep_s(self) -> float:
        """Woken by `send`, so there is nothing to look for."""
        return LOOK_S if self._output else 60.0

    def reset(self) -> None:
        """The fixture lost its power: a line half said is gone."""
        with self._changed:
            self._input = self._output = b""

    def send(self, message: Message) -> None:
        """Say one line to the fixture."""
        with self._changed:
            self.transcript.append((TO_FIXTURE, message))
            self._output += json.dumps(message, separators=(",", ":")).encode() + b"\n"
        self._wake()

    def run(self, plan: bytes, positions: list[Message], **more: Any) -> None:
        """Ask for a run: plan document, rows as `Rig.position` makes them; `mode`, `operator` (bytes), `tenant`."""
        operator = bytes(more.get("operator", b"")).hex()
        mode, tenant = more.get("mode", 1), more.get("tenant", "")
        self.send(
            {
                "do": "run",
                "plan": plan.hex(),
                "mode": mode,
                "operator": operator,
                "tenant": tenant,
                "positions": positions,
            }
        )

    def stop(self) -> None:
        """The operator's stop button."""
        self.send({"do": "stop"})

    def status(self, timeout_s: float = 10) -> Message:
        """Ask for the status and give the line that answers."""
        with self._changed:
            self._seen = len(self.transcript)
        self.send({"do": "status"})
        return self.wait(lambda message: "now" in message, timeout_s)

    def wait(self, fits: Callable[[Message], bool], timeout_s: float = 30) -> Message:
        """The next message from the fixture for which `fits` is true. NoAnswer after `timeout_s`, FixtureDied."""
        until = time.monotonic() + timeout_s
        with self._changed:
            while True:
                found = self._next(fits)
                if found is not None:
                    return found
                dead = self._died()
                if dead:
                    raise FixtureDied(dead)
                if time.monotonic() >= until:
                    raise NoAnswer(
                        f"Nothing that fits came from the panel in {timeout_s} s; last: {self.last()}"
                    )
                self._changed.wait(min(LOOK_S, until - time.monotonic()))

    def _next(self, fits: Callable[[Message], bool]) -> Message | None:
        while self._seen < len(self.transcript):
            side, message = self.transcript[self._seen]
            self._seen += 1
            if side == FROM_FIXTURE and fits(message):
                return message
        return None

    def wait_event(self, event: str, timeout_s: float = 30) -> Message:
        """The next event of that name."""
        return self.wait(lambda message: message.get("event") == event, timeout_s)

    def wait_now(self, now: str, timeout_s: float = 30) -> Message:
        """The next status whose `now` is that state."""
        return self.wait(lambda message: message.get("now") == now, timeout_s)

    def last(self, count: int = 3) -> list[Message]:
        """The last messages from the fixture."""
        return [message for side, message in self.transcript if side == FROM_FIXTURE][-count:]
