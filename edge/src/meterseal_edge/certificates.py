"""Renewed certificates of fixtures on their way down: `meterseal edge renew` lays NAME.der into the folder.

A fixture tells the SHA-256 of the one that it has in force (presence.py) and is sent another one that lies there, as
["certificate", DER]. What it does with it is the fixture's papers.py: a certificate that the broker does not take makes
it come back with the old one, so the same one goes to the same fixture once a day alone.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from meterseal_edge.presence import Presence
from meterseal_edge.site.layout import RENEWED

WORD, AGAIN_S = "certificate", 86_400.0


class Certificates:
    """The folder below an edge's `state`, and what was sent from it; `now_s` is a clock that only goes on."""

    def __init__(self, state: Path, now_s: Callable[[], float]) -> None:
        self.folder, self._now_s = state / RENEWED, now_s
        self._sent: dict[str, tuple[bytes, float]] = {}
        self._seen = 0

    def changed(self) -> bool:
        """True where a certificate came since the last look."""
        try:
            seen = self.folder.stat().st_mtime_ns
        except OSError:
            seen = 0
        before, self._seen = self._seen, seen
        return seen != before

    def lacking(self, told: Presence) -> bytes | None:
        """What a fixture shall be sent; None where it has it, shows none, or was sent it lately."""
        newest = self._newest(told)
        return None if newest is None or self._lately(told.fixture, newest) else newest

    def item(self, fixture: str, certificate: bytes) -> list[object]:
        """A certificate as it goes down now."""
        self._sent[fixture] = (certificate, self._now_s())
        return [WORD, certificate]

    def not_taken(self, told: Presence) -> bool:
        """True where a fixture was sent its newest certificate within a day and shows another one."""
        newest = self._newest(told)
        return newest is not None and self._lately(told.fixture, newest)

    def _lately(self, fixture: str, certificate: bytes) -> bool:
        sent, at_s = self._sent.get(fixture, (b"", 0.0))
        return sent == certificate and self._now_s() - at_s < AGAIN_S

    def _newest(self, told: Presence) -> bytes | None:
        if not told.certificate:
            return None
        try:
            found = (self.folder / f"{told.fixture}.der").read_bytes()
        except OSError:
            return None
        return found if sha256(found).digest() != told.certificate else None
