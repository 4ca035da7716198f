"""The judge: from evidence to a decision, one pure function.

Read in this order: decide, decision, history, measured, sightings, case, identity, continuity, attempt, authority,
bench, checks, plan, numbers, registers, sheet, said, people, window, policy.

From identity on it is one file a family of reasons. Every code stands in reasons.toml, in words.
"""

from meterseal_protocol.judge.decide import decide
from meterseal_protocol.judge.decision import Decision

__all__ = ["Decision", "decide"]
