"""The cryptography behind the suite table: one sibling a row, one test for all (docs/decisions/0007-suites.md).

Read in this order: scheme, esp256, ed25519, sm2.
"""

from collections.abc import Mapping

from meterseal_protocol.signing import ed25519, esp256, sm2
from meterseal_protocol.signing.scheme import Scheme
from meterseal_wire import suites

SCHEMES: Mapping[int, Scheme] = {
    suites.ESP256.number: esp256,
    suites.SM2.number: sm2,
    suites.ED25519.number: ed25519,
}
