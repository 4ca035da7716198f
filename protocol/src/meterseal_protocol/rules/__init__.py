"""Rules as data: a regulation's numbers, and the plan that they make for a type of meter.

Read in this order: meter_type, schema, pack, plan. The packs are in packs/: YAML for people, CBOR for the judge.
"""

from meterseal_protocol.rules.pack import Pack, load_pack, shipped
from meterseal_protocol.rules.plan import House, plan_for

__all__ = ["House", "Pack", "load_pack", "plan_for", "shipped"]
