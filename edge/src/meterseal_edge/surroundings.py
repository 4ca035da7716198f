"""What Prometheus is told of an edge's surroundings: room on the disk, the newest backup, when certificates end."""

import shutil
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from meterseal_edge.nightly import newest
from meterseal_edge.settings import Settings
from meterseal_edge.site import tls


class Surroundings(Collector):
    """Read at each scrape. What is not there, a backup or a certificate, has no sample."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def collect(self) -> Iterator[Metric]:
        """Bytes and Unix times."""
        room = shutil.disk_usage(self._settings.folder)
        yield _gauge("disk_bytes", "Size of the disk that the store is on.", room.total)
        yield _gauge("disk_free_bytes", "What is free on it.", room.free)
        if self._settings.backups is not None:
            made_s, _ = newest(self._settings.backups)
            if made_s:
                yield _gauge("backup_timestamp_seconds", "Unix time of the newest backup.", made_s)
        what = "Unix time at which a certificate of this edge's TLS ends."
        ends = GaugeMetricFamily("meterseal_edge_certificate_end_seconds", what, labels=("which",))
        for which, end_s in sorted(tls.ends(self._settings).items()):
            ends.add_metric([which], end_s)
        yield ends


def _gauge(name: str, what: str, value: int) -> Metric:
    return GaugeMetricFamily(f"meterseal_edge_{name}", what, value)
