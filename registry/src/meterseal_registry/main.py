"""Open the record and serve it."""

import logging
import sys
import time
from pathlib import Path

import uvicorn

from meterseal_protocol.errors import ProtocolError
from meterseal_registry.errors import RegistryError
from meterseal_registry.record import open_record
from meterseal_registry.routes import make_app
from meterseal_registry.settings import load
from meterseal_wire.errors import WireError


def main() -> int:
    """Entry point: the path of a settings file is the only argument."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if len(sys.argv) != 2:
        print("usage: python -m meterseal_registry settings.json", file=sys.stderr)
        return 64
    try:
        settings = load(Path(sys.argv[1]))
        record = open_record(settings)
        record.catch_up(int(time.time()))
    except (RegistryError, ProtocolError, WireError, OSError) as error:
        print(f"registry: {error}", file=sys.stderr)
        return 1
    try:
        uvicorn.run(make_app(record), host=settings.host, port=settings.port, log_level="warning")
    except KeyboardInterrupt:
        logging.getLogger("meterseal.registry").info("stopped")
    finally:
        record.entries.store.close()
    return 0
