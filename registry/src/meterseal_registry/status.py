"""The status list that every certificate points into, and the trust file that carries it to phones."""

from dataclasses import dataclass

from meterseal_protocol.status import Validity, publish
from meterseal_protocol.trust import Registry, Trust
from meterseal_registry.certificates import DAY_S, STATUS_LIST
from meterseal_registry.errors import NotFound
from meterseal_registry.grants import Authorities
from meterseal_registry.log import Log
from meterseal_registry.settings import Settings
from meterseal_registry.store.contract import Store
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.statement import Author

TTL_S = 3600


@dataclass
class Statuses:
    """Publishes lists and trust files over one store."""

    settings: Settings
    store: Store
    log: Log
    authorities: Authorities
    author: Author

    def status_list(self, number: int, now_s: int) -> bytes:
        """Signed status list, valid from now for `status_days`."""
        if number != STATUS_LIST:
            raise NotFound(f"there is no status list {number}; the list in use is {STATUS_LIST}")
        statuses = self.store.statuses()
        uri = f"{self.settings.base_url}/status/{number}"
        validity = Validity(now_s, now_s + self.settings.status_days * DAY_S, TTL_S)
        return publish(self.author, uri, statuses, validity)

    def trust(self, now_s: int) -> bytes:
        """A trust file: anchors, the grants that name registries, the status list of now."""
        lists = (self.status_list(STATUS_LIST, now_s),)
        return Trust(self.authorities.anchors, self._grants(), lists, now_s).dump()

    def registries(self) -> list[Registry]:
        """The registries whose certificates the check believes: anchors signed their grants, which are logged here."""
        return list(Trust(self.authorities.anchors, self._grants(), (), 0).registries().values())

    def _grants(self) -> list[bytes]:
        found = [entry.statement for entry in self.log.catalogue.grants]
        return [statement.raw for statement in found if statement.payload[L.GRANT] == kinds.REGISTRY]
