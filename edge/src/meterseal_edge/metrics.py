"""What the edge tells Prometheus: text format 0.0.4 at `/metrics`, every name beginning with meterseal_edge_.

Counts and times only: no statement, no meter, no person, and no label that a stranger could fill without end.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from meterseal_edge.errors import StoreFailed
from meterseal_edge.events import Candidate, Durable, Parcel, Refused
from meterseal_edge.examine import Examined
from meterseal_edge.examiners import Examiner
from meterseal_edge.log import EdgeLog
from meterseal_edge.state import State
from meterseal_edge.store.contract import Store

TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "meterseal_edge"
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """One set a process. `text` is what a scrape gets."""

    def __init__(self, state: State, store: Store, queued: Callable[[], int], *more: Collector) -> None:
        self._registry = CollectorRegistry()
        self.batches = Counter(f"{PREFIX}_batches", "Batches committed.", registry=self._registry)
        self.commit = self._seconds("commit", "One batch: written, synced and in the log.")
        self.examine = self._seconds("examine", "One batch, from hand-over to what it is worth.")
        self.pruned = Counter(
            f"{PREFIX}_pruned", "Statements whose bytes retention let go.", registry=self._registry
        )
        for collector in (_Standing(state, store, queued), *more):
            self._registry.register(collector)
        ProcessCollector(registry=self._registry)

    def _seconds(self, name: str, what: str) -> Histogram:
        return Histogram(f"{PREFIX}_{name}_seconds", what, buckets=SECONDS, registry=self._registry)

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)


def metrics_route(metrics: Metrics) -> Route:
    """`GET /metrics`."""

    async def scrape(_request: Request) -> Response:
        return Response(metrics.text(), headers={"content-type": TYPE, "cache-control": "no-store"})

    return Route("/metrics", scrape)


class _Standing(Collector):
    """What is counted elsewhere, read when asked."""

    def __init__(self, state: State, store: Store, queued: Callable[[], int]) -> None:
        self._state, self._store, self._queued = state, store, queued

    def collect(self) -> Iterator[Metric]:
        """Counts of the store (none while it can't be read), the state's facts, refusals and alarms by code."""
        yield from self._stored()
        facts = self._state.snapshot()
        for name, what in (
            ("broker", "the broker has granted the subscription"),
            ("registry", "the registry answers"),
            ("accepting", "the store can promise durability and statements are acknowledged"),
        ):
            yield GaugeMetricFamily(f"{PREFIX}_{name}_up", f"1 while {what}.", float(bool(facts[name])))
        online = sum(view["online"] for view in facts["fixtures"])
        yield GaugeMetricFamily(f"{PREFIX}_fixtures_online", "Fixtures that are online.", online)
        yield GaugeMetricFamily(
            f"{PREFIX}_parcels_queued", "Parcels received and not examined.", self._queued()
        )
        if facts["beacon"]:
            age = time.time() - facts["beacon"]["time_s"]
            yield GaugeMetricFamily(f"{PREFIX}_beacon_age_seconds", "Age of the newest beacon.", age)
        yield self._by_code("refused", "Statements refused, by code.", self._state.refusals())
        yield self._by_code("alarms", "Alarms raised, by code.", self._state.alarms())

    def _stored(self) -> Iterator[Metric]:
        try:
            durable, entered, quarantined = self._store.counts()
        except StoreFailed:
            return
        yield CounterMetricFamily(f"{PREFIX}_durable", "Statements in the log.", durable)
        yield CounterMetricFamily(f"{PREFIX}_entered", "Statements with a registry receipt.", entered)
        yield GaugeMetricFamily(f"{PREFIX}_waiting", "Statements that wait for a receipt.", durable - entered)
        yield GaugeMetricFamily(f"{PREFIX}_quarantined", "Refusals that are kept.", quarantined)

    def _by_code(self, name: str, what: str, counts: dict[str, int]) -> Metric:
        found = CounterMetricFamily(f"{PREFIX}_{name}", what, labels=("code",))
        for code, count in sorted(counts.items()):
            found.add_metric([code], count)
        return found


class TimedLog(EdgeLog):
    """A log whose commits are timed; one that fails is not."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        super().__init__(store)
        self._metrics = metrics

    def append(self, fresh: list[Candidate], refused: list[Refused], received_s: int) -> list[Durable]:
        """As EdgeLog."""
        began = time.perf_counter()
        found = super().append(fresh, refused, received_s)
        if fresh or refused:
            self._metrics.commit.observe(time.perf_counter() - began)
            self._metrics.batches.inc()
        return found


class TimedExaminer:
    """An examiner whose batches are timed from `start` to `finish`."""

    def __init__(self, inner: Examiner, metrics: Metrics) -> None:
        self._inner, self._metrics = inner, metrics
        self._began: deque[float] = deque()

    def start(self, parcels: list[Parcel]) -> None:
        """As the examiner within."""
        self._began.append(time.perf_counter())
        self._inner.start(parcels)

    def finish(self) -> Examined:
        """As the examiner within."""
        found = self._inner.finish()
        self._metrics.examine.observe(time.perf_counter() - self._began.popleft())
        return found

    def close(self) -> None:
        """As the examiner within."""
        self._inner.close()
