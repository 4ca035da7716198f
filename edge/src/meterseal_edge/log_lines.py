"""How the process writes its log: as text for people, or one JSON object a line for a collector.

No statement's bytes, no key and no person's name is ever handed to a logger; a test greps for them.
"""

import json
import logging
import sys
import threading
import time
from types import TracebackType

TEXT, JSON = "text", "json"
STYLES = (TEXT, JSON)
TEXT_LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"
root_log = logging.getLogger("meterseal.edge")


class JsonLines(logging.Formatter):
    """{"at": UTC, "level", "log", "text"} and "trace" where something broke; always one line."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        told = {
            "at": f"{at}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "log": record.name,
            "text": record.getMessage(),
        }
        if record.exc_info:
            told["trace"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


def begin(style: str) -> None:
    """Everything that this process logs goes to stderr in one style, uncaught errors of threads too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if style == JSON else logging.Formatter(TEXT_LINE))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if style == JSON:
        threading.excepthook = _thread_broke
        sys.excepthook = _broke


def cannot_start(style: str, error: Exception) -> None:
    """The one sentence of an edge that ends at its start."""
    if style == JSON:
        root_log.error("%s", error)
    else:
        print(f"edge: {error}", file=sys.stderr)


def _thread_broke(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None:
        root_log.critical("a thread broke", exc_info=told.exc_value)


def _broke(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    root_log.critical("the process broke", exc_info=error)
