"""Planted bug: PUBACK before the commit. The broker forgets what is nowhere yet, and then the power fails."""

import sys

from edge.tests.planted.power import fail_at_commit

from meterseal_edge.events import Covered, Parcel
from meterseal_edge.examine import Examined
from meterseal_edge.ingest import Ingest
from meterseal_edge.main import main

honest = Ingest.keep


def keep(self: Ingest, parcels: list[Parcel], examined: Examined | None = None) -> list[Covered]:
    """Acknowledge, then do the work."""
    for parcel in parcels:
        self.inbox.acknowledge(parcel)
    return honest(self, parcels, examined)


Ingest.keep = keep  # type: ignore[method-assign]
fail_at_commit(3, before=True)
sys.exit(main())
