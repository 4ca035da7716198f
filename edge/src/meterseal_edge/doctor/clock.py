"""The registry, and the clock against it: its answer's Date, or the newest beacon that the running edge holds.

A beacon is old by nature, so it shows only a clock that is behind it.
"""

import time
from email.utils import parsedate_to_datetime

import httpx

from meterseal_edge.doctor.faults import Found, fault
from meterseal_edge.settings import Settings

WAIT_S, FAR_S = 5, 120
REGISTRY, BEACON = ("登记库", "the registry"), ("最新信标", "the newest beacon")


def clock(settings: Settings) -> Found:
    """`edge.down`, `registry.away`, `clock`."""
    beacon_s = None
    page = f"http://{settings.page_host}:{settings.page_port}"
    try:
        told = httpx.get(f"{page}/api/summary", timeout=WAIT_S).json()
        beacon_s = told["beacon"]["time_s"] if told.get("beacon") else None
    except (httpx.HTTPError, ValueError, AttributeError):
        yield fault("edge.down", page)
    try:
        answer = httpx.get(f"{settings.registry.rstrip('/')}/beacon", timeout=WAIT_S)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        yield fault("registry.away", settings.registry, error)
        if beacon_s is not None and beacon_s - time.time() > FAR_S:
            yield fault("clock", int(beacon_s - time.time()), *BEACON)
        return
    if "date" in answer.headers:
        away = int(time.time() - parsedate_to_datetime(answer.headers["date"]).timestamp())
        if abs(away) > FAR_S:
            yield fault("clock", abs(away), *REGISTRY)
