"""What the fixture may act on: plans and tenants that a grant of the authority names, as they came down.

A plan comes as ["plan", rules grant, plan document], a tenant as ["tenant", tenant grant, [delegation, ...]]. A grant
is believed by its signature alone: a rules grant under the authority's own key (anchors give rules and nobody else), a
tenant grant also under the key of a delegation that hangs below the authority, at most MOST_ABOVE of them, each with
the measure for shared platforms. The plan's SHA-256 must stand in the grant, and the plan's rules be the grant's.

What is believed is kept, the newest few, and believed again each time it is used: flash decides nothing.

Not covered: the window of a grant, a withdrawal, and how far a delegation was narrowed. A fixture has no clock and no
log; the judge has. Without an authority's key in the settings nothing of this is looked at, and any plan is obeyed.
"""

from meterseal_fixture.belief import believe
from meterseal_fixture.errors import Disbelieved, Refused
from meterseal_fixture.shelf import ITEM_BYTES, Shelf, name_of
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity
from meterseal_wire.suites import DEFAULT

PLAN, TENANT = "plan", "tenant"
MOST_PLANS, MOST_TENANTS, MOST_ABOVE = 16, 8, 3
# What a fixture without these rules tells of itself.
NOTHING: dict[str, object] = {}


class Granted:
    """Plans and tenants in `folder`, by the grants of `settings.authority_key`; empty key: everything is allowed."""

    def __init__(self, folder: str, settings, verify) -> None:
        self.authority: bytes = settings.authority_key
        self.bench = settings.bench
        self.verify = verify
        self.plans = Shelf(folder + "/plans", MOST_PLANS)
        self.tenants = Shelf(folder + "/tenants", MOST_TENANTS)
        self.last = ""

    def told(self) -> dict[str, object]:
        """For the state topic: the names (shelf.name_of) of what is held, so that the edge sends what is missing."""
        if not self.authority:
            return NOTHING
        return {"plans": self.plans.names(), "tenants": self.tenants.names()}

    def status(self) -> dict[str, object]:
        """For the status line: how many are held, and the name of what came last, believed or not."""
        if not self.authority:
            return NOTHING
        counts = {"plans": len(self.plans.names()), "tenants": len(self.tenants.names()), "last": self.last}
        return {"granted": counts}

    # What comes down.

    def take(self, item) -> None:
        """Believe and keep an item. Disbelieved, or NotKept; either way `last` names it, since it was dealt with."""
        raw = encode(item)
        self.last = name_of(raw)
        if not self.authority:
            raise Disbelieved("down.disbelieved", "no authority is known here")
        if len(raw) > ITEM_BYTES:
            raise Disbelieved("down.disbelieved", "%d bytes" % len(raw))
        if item[0] == PLAN:
            self.plans.put(self._plan(item), raw)
        else:
            self._tenant(item)
            self.tenants.put(sha256(item[1]), raw)

    # What an order wants.

    def fill(self, fields) -> None:
        """Put the document of a held plan into a panel's order that names it by its digest; else it stays as it is."""
        try:
            digest = bytes.fromhex(fields["plan"])
        except (ValueError, TypeError, KeyError):
            return
        held = self.plans.get(digest)
        if not held:
            raise Refused("plan.ungranted", fields["plan"][:16])
        fields["plan"] = _item(held)[2].hex()

    def check(self, order) -> None:
        """Refused "plan.ungranted" or "tenant.ungranted" where the authority's grants do not cover an order.

        A training run teaches, and can never be admitted: it may have any plan and any tenant.
        """
        if not self.authority or order.mode == kinds.TRAINING:
            return
        if self._believed(self.plans, order.plan.digest, self._plan) != order.plan.digest:
            raise Refused("plan.ungranted", order.plan.digest.hex()[:16])
        if order.tenant and not self._has_tenant(order.tenant):
            raise Refused("tenant.ungranted", order.tenant)

    def _has_tenant(self, tenant: str) -> bool:
        for key in self.tenants.keys():  # noqa: SIM118 (a Shelf, no dict)
            fields = self._believed(self.tenants, key, self._tenant)
            if fields and fields[L.TENANT] == tenant and self.bench in fields[L.BENCHES]:
                return True
        return False

    def _believed(self, shelf: Shelf, key: bytes, believed):
        item = _item(shelf.get(key))
        try:
            return believed(item) if item else None
        except Disbelieved:
            shelf.drop(key)
        return None

    # Whom to believe.

    def _plan(self, item) -> bytes:
        fields = self._grant(item[1], self.authority, kinds.RULES)
        digest = sha256(item[2])
        if digest not in fields.get(L.PLANS, ()):
            raise Disbelieved("down.disbelieved", "the grant does not name this plan")
        if _rules_of(item[2]) != fields[L.RULES]:
            raise Disbelieved("down.disbelieved", "the plan is of other rules than the grant")
        return digest

    def _tenant(self, item):
        key, above = self.authority, None
        if len(item[2]) > MOST_ABOVE:
            raise Disbelieved("down.disbelieved", "%d delegations" % len(item[2]))
        for raw in item[2]:
            fields = self._grant(raw, key, kinds.DELEGATION, above)
            if kinds.SHARED_PLATFORMS not in fields[L.MEASURES]:
                raise Disbelieved("down.disbelieved", "a delegation without shared platforms")
            key, above = _key(fields[L.SUBJECT_KEY]), identity(raw)
        return self._grant(item[1], key, kinds.TENANT, above)

    def _grant(self, raw: bytes, key: bytes, kind: int, parent: bytes | None = None):
        fields = believe(raw, {L.KIND_GRANT: key}, self.verify)[1]
        if fields[L.GRANT] != kind or fields.get(L.PARENT) != parent:
            raise Disbelieved("down.disbelieved", "grant %d" % fields[L.GRANT])
        return fields


def _item(raw: bytes):
    # What the flash has damaged is as if it were not there.
    try:
        found = scan(raw, ITEM_BYTES) if raw else []
    except WireError:
        return []
    return found if is_granted(found) else []


def is_granted(item) -> bool:
    """True for an array of one of the two shapes."""
    if not isinstance(item, list) or len(item) != 3 or not isinstance(item[1], bytes):
        return False
    if item[0] == PLAN:
        return isinstance(item[2], bytes)
    return (
        item[0] == TENANT
        and isinstance(item[2], list)
        and not [raw for raw in item[2] if not isinstance(raw, bytes)]
    )


def _rules_of(document: bytes):
    try:
        fields = scan(document)
    except WireError:
        return None
    return fields.get(L.RULES) if isinstance(fields, dict) else None


def _key(cose) -> bytes:
    if cose != DEFAULT.cose_key(b"".join([cose.get(label, b"") for label in DEFAULT.labels])):
        raise Disbelieved("down.disbelieved", "a delegation to a key of another suite")
    found: bytes = b"".join([cose[label] for label in DEFAULT.labels])
    return found
