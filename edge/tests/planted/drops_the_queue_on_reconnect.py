"""Planted bug: each connection begins a new session, and the broker drops what it had kept for the old one."""

import sys
from typing import Any

from meterseal_edge import inbox
from meterseal_edge.main import main
from meterseal_edge.settings import Settings

honest = inbox._session


def _session(settings: Settings) -> dict[str, Any]:
    return honest(settings) | {"clean_start": True}


inbox._session = _session
sys.exit(main())
