"""A power cut at a chosen commit: SIGKILL from within, so that nothing of the process gets a chance to tidy up."""

import os
import signal
import time
from typing import Any

from meterseal_edge.events import Candidate
from meterseal_edge.store.sqlite import SqliteStore

WIRE_S = 0.3  # what the process handed to its sockets before the cut is on its way; the cut is not about the network


def fail_at_commit(number: int, before: bool) -> None:
    """Kill this process at the commit of this number that writes a statement, before or after it."""
    honest = SqliteStore.append
    done = 0

    def append(self: SqliteStore, fresh: list[Candidate], *more: Any) -> int:
        nonlocal done
        done += bool(fresh)
        if done == number and before:
            time.sleep(WIRE_S)
            os.kill(os.getpid(), signal.SIGKILL)
        first = honest(self, fresh, *more)
        if done == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return first

    SqliteStore.append = append  # type: ignore[method-assign]
