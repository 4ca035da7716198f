"""Planted bug: custody before the commit. The fixture frees what is nowhere yet, and then the power fails."""

import sys

from edge.tests.planted.power import fail_at_commit

from meterseal_edge.events import Covered, Parcel
from meterseal_edge.examine import Examined
from meterseal_edge.ingest import Ingest
from meterseal_edge.main import main
from meterseal_wire import labels as L
from meterseal_wire.statement import build

honest = Ingest.keep


def keep(self: Ingest, parcels: list[Parcel], examined: Examined | None = None) -> list[Covered]:
    """Promise what the batch would reach, then do the work."""
    assert examined is not None
    batch = self.admit(examined)
    size, root = self.log.tip()
    for key, head in batch.heads.items():
        payload = {L.KEY: key, L.EPOCH: head.epoch, L.SEQ: head.seq, L.HEAD: head.identity}
        raw = build(self.promiser.author, L.KIND_CUSTODY, {**payload, L.LOG_SIZE: size, L.LOG_ROOT: root})
        self.inbox.send_custody(batch.touched[key], raw)
    return honest(self, parcels, examined)


Ingest.keep = keep  # type: ignore[method-assign]
fail_at_commit(3, before=True)
sys.exit(main())
