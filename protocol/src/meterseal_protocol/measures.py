"""The nine measures for metrology parks (SAMR, 2025), and which grants a delegation with each of them may give.

A delegation says by number what it hands on. Measures 6 and 1 to 9 as a whole stand here in both languages for pages
and documents; a measure without kinds concerns no grant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meterseal_wire import kinds
from meterseal_wire import labels as L

ASSESSED, SELF_MANAGED = 1, 2  # management of a measurement standard


@dataclass(frozen=True)
class Measure:
    """One measure: what it is in words, and what it is in the software."""

    number: int
    zh: str
    en: str
    software: str


MEASURES = (
    Measure(1, "型式批准", "type approval", "type grants and their variants (JJF 1015)"),
    Measure(2, "OIML 证书", "OIML certificates", "type grants with a certificate's reference, OIML packs"),
    Measure(3, "二级标准物质定级鉴定", "level-2 reference materials", "reference material grants"),
    Measure(
        4, "企业计量标准", "enterprise measurement standards", "standard grants, assessed or self-managed"
    ),
    Measure(
        5,
        "两检合一",
        "two verifications in one",
        "manufacturer, fixture, edge, firmware, person and standard grants",
    ),
    Measure(6, "产业计量测试中心", "industry metrology centres", "no grant: documented export and analytics"),
    Measure(7, "共享平台和实验室", "shared platforms and laboratories", "tenant grants"),
    Measure(8, "对口帮扶", "counterpart assistance", "supervisor grants"),
    Measure(9, "人员培训", "training of people", "person grants, training mode"),
)

_ANY_OF = {
    kinds.MANUFACTURER: (kinds.TWO_IN_ONE,),
    kinds.FIXTURE: (kinds.TWO_IN_ONE,),
    kinds.EDGE: (kinds.TWO_IN_ONE,),
    kinds.FIRMWARE: (kinds.TWO_IN_ONE,),
    kinds.PERSON: (kinds.TWO_IN_ONE, kinds.TRAINING_OF_PEOPLE),
    kinds.TENANT: (kinds.SHARED_PLATFORMS,),
    kinds.SUPERVISOR: (kinds.COUNTERPART_ASSISTANCE,),
    kinds.REFERENCE_MATERIAL: (kinds.REFERENCE_MATERIALS,),
    # Registries, witnesses and rules are the anchors' own business: no measure hands them on.
    kinds.REGISTRY: (),
    kinds.WITNESS: (),
    kinds.RULES: (),
}


def measures_for(payload: Mapping[int, Any]) -> tuple[int, ...]:
    """Measures of which a delegation needs one to give this grant; empty where only an anchor may."""
    kind = payload[L.GRANT]
    if kind == kinds.TYPE:
        return (kinds.OIML,) if L.APPROVAL in payload else (kinds.TYPE_APPROVAL,)
    if kind == kinds.STANDARD:
        assessed = payload[L.MANAGEMENT] == ASSESSED
        return (kinds.ENTERPRISE_STANDARDS, kinds.TWO_IN_ONE) if assessed else (kinds.ENTERPRISE_STANDARDS,)
    return _ANY_OF.get(kind, ())
