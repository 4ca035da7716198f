"""The page's door: no stranger can take what the edge needs for its work by connecting and saying nothing.

uvicorn waits for ever for a request's first line and counts no connections, so some thousand half-open ones would
take every file handle that the process may have, and with them the broker's socket. Here at most MOST are open, and
one on which no request is being answered for PATIENCE_S to twice that is closed. An open stream of events counts as a
request. Not covered: whoever keeps MOST good connections open keeps others from the page, never from MQTT.
"""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST, PATIENCE_S = 256, 10.0


class Door(H11Protocol):
    """uvicorn's HTTP/1.1 with a bound in number and in patience."""

    patience_s = PATIENCE_S

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the class above
        """Let it in, or not."""
        super().connection_made(transport)
        self._idle = False
        self._look: asyncio.TimerHandle | None = None
        if len(self.connections) > MOST:
            transport.abort()
            return
        self._look = self.loop.call_later(self.patience_s, self._look_again)

    def _look_again(self) -> None:
        if self.transport.is_closing():
            return
        cycle: object = self.cycle  # None before the first request, whatever its type says
        idle = cycle is None or self.cycle.response_complete
        if idle and self._idle:
            self.transport.abort()
            return
        self._idle = idle
        self._look = self.loop.call_later(self.patience_s, self._look_again)

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone: nobody looks any more."""
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)
