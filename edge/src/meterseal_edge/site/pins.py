"""Which key may speak under which name, as a running edge asks it: read again whenever the file changes.

A certificate gets a fixture to the broker and no further than its own topics. Here its signing key is held against what
a person compared at enrolment, and against what was revoked since, each time that a batch is taken in: what a stolen
key signs is refused from the first batch after `meterseal edge revoke`, though the broker had let it in. A file that
cannot be read leaves what was known in force, with an alarm.
"""

import threading
from pathlib import Path

from meterseal_edge.errors import BadSite
from meterseal_edge.site.identities import Identities, load
from meterseal_edge.state import State

REVOKED, UNENROLLED, DAMAGED = "edge.revoked", "edge.enrolment", "edge.site"
LOOK_S = 1
Refusal = tuple[str, str] | None  # code, why
SAYS_REVOKED = (
    "its key was revoked: nothing that it signs is taken. If that was wrong, enrol it again with a new key"
)
SAYS_UNENROLLED = (
    "its key is not enrolled under this name: run `meterseal edge enrol` and compare the fingerprint"
)


class Pins:
    """The pins of an edge; with `path` None there are none, and grants alone say whose key is whose."""

    def __init__(self, path: Path | None, state: State) -> None:
        self._path, self._state = path, state
        self._seen: tuple[int, ...] = ()
        self._identities = Identities()
        # Asked for each statement, and the same until the list is another.
        self._answers: tuple[Identities, dict[tuple[bytes, str], Refusal]] = (self._identities, {})
        self._lock = threading.Lock()
        if path is not None:
            self._seen, self._identities = _stamp(path), load(path)
            self._tell(Identities())

    def refusal(self, key: bytes, fixture: str) -> Refusal:
        """(code, why) where this key may not speak as this fixture; None where it may."""
        if self._path is None:
            return None
        if self._answers[0] is not self._identities:
            self._answers = (self._identities, {})
        answers = self._answers[1]
        if (key, fixture) not in answers:
            answers[key, fixture] = self._judged(key, fixture)
        return answers[key, fixture]

    def _judged(self, key: bytes, fixture: str) -> Refusal:
        if self._identities.is_revoked(key):
            return REVOKED, SAYS_REVOKED
        if self._identities.named(key, fixture) is None:
            return UNENROLLED, SAYS_UNENROLLED
        return None

    def look(self) -> None:
        """Read the file again if it is another than before."""
        if self._path is None:
            return
        with self._lock:
            stamp = _stamp(self._path)
            if stamp == self._seen:
                return
            self._seen = stamp
            try:
                before, self._identities = self._identities, load(self._path)
            except BadSite as error:
                self._state.alarm("", DAMAGED, f"{error}; what was known before stays in force")
                return
            self._tell(before)

    def run(self, stop: threading.Event) -> None:
        """Look each second until `stop`, so that an operator sees a revocation though nothing is offered."""
        while not stop.wait(LOOK_S):
            self.look()

    def _tell(self, before: Identities) -> None:
        for row in self._identities.rows:
            if row.revoked_s and not before.is_revoked(row.key):
                self._state.alarm(row.name, REVOKED, SAYS_REVOKED)


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size
