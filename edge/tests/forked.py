"""An edge that starts in a tenth of the time: a process that has imported everything forks one at each start.

What runs is the edge's own `main` on its own files in its own process, and SIGKILL ends it as any other. Only what is
the same at each start, reading some six hundred modules, is done once. So a hundred kills fit into `make test`; `make
soak` starts every edge from nothing.
"""

import os
import select
import subprocess
import sys
from pathlib import Path

from meterseal_tools.services import STOP_S, Service

PARENT = """\
import ctypes, os, signal, sys
from meterseal_edge.main import main
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for settings in sys.stdin:
    child = os.fork()
    if child:
        print(child, flush=True)
        continue
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(2, 1)
    sys.argv = ["meterseal_edge", settings.rstrip()]
    os._exit(main())
"""


class Forked(Service):
    """A `Service` whose starts are forks. Make it and use it in one thread that lives as long as it does."""

    def __init__(self, module: str, settings: Path, health: str) -> None:
        super().__init__(module, settings, health)
        self._parent: subprocess.Popen[str] | None = None
        self._child = 0

    def start(self) -> "Forked":
        """Fork one and wait until it answers."""
        self.begin()
        self.wait(self._ended)
        return self

    def begin(self) -> None:
        """Fork one, and don't wait for it."""
        if self._parent is None:
            with self.log.open("ab") as log:
                self._parent = subprocess.Popen(
                    [sys.executable, "-c", PARENT],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    process_group=0,
                )
        assert self._parent.stdin is not None and self._parent.stdout is not None
        self._parent.stdin.write(f"{self.settings}\n")
        self._parent.stdin.flush()
        self._child = int(self._parent.stdout.readline())
        self._handle = os.pidfd_open(self._child)

    @property
    def pid(self) -> int:
        """The process that was forked last."""
        return self._child

    def _ended(self, wait_s: float = 0) -> bool:
        return bool(select.select([self._handle], [], [], wait_s)[0])

    def kill(self) -> None:
        """SIGKILL for the child, and it is gone when this returns."""
        if self._child:
            if not self._ended():
                os.kill(self._child, 9)
            assert self._ended(STOP_S)
            os.close(self._handle)
            self._child = 0

    def stop(self) -> None:
        """The end of the child and of what forks."""
        self.kill()
        if self._parent is not None:
            with self._parent as parent:
                parent.kill()
            self._parent = None
