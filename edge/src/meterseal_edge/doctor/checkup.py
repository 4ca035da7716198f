"""All checks, one after the other; none keeps another from being made."""

from collections.abc import Callable
from pathlib import Path

from meterseal_edge.doctor.backups import backups
from meterseal_edge.doctor.broker import broker
from meterseal_edge.doctor.certificates import certificates
from meterseal_edge.doctor.clock import clock
from meterseal_edge.doctor.disk import disk
from meterseal_edge.doctor.faults import Fault, Found, fault
from meterseal_edge.doctor.fixtures import fixtures
from meterseal_edge.doctor.modes import modes
from meterseal_edge.doctor.people import people
from meterseal_edge.doctor.store import store
from meterseal_edge.doctor.trust import trust
from meterseal_edge.errors import BadSettings
from meterseal_edge.settings import Settings, load

CHECKS: tuple[Callable[[Settings], Found], ...] = (
    modes,
    certificates,
    broker,
    trust,
    clock,
    disk,
    store,
    people,
    backups,
    fixtures,
)


def checkup(path: Path) -> list[Fault]:
    """What is wrong with the edge of a settings file, the worst first."""
    try:
        settings = load(path)
    except BadSettings as error:
        return [fault("settings", error)]
    found = [one for check in CHECKS for one in check(settings)]
    return sorted(found, key=lambda one: -one.level)
