"""The cryptography behind the suite table: one sibling a row, one test for all (docs/decisions/0007-suites.md).

Read in this order: scheme, esp256, lanes, ed25519, sm2.
"""

from collections.abc import Callable, Mapping, Sequence

from meterseal_protocol.signing import ed25519, esp256, lanes, sm2
from meterseal_protocol.signing.scheme import Scheme, Task
from meterseal_wire import suites

SCHEMES: Mapping[int, Scheme] = {
    suites.ESP256.number: esp256,
    suites.SM2.number: sm2,
    suites.ED25519.number: ed25519,
}
# Where many signatures of a suite can be checked at once: for each task whether it holds for sure. Here "not sure" is
# not "no": the scheme's verifier says that.
TOGETHER: Mapping[int, Callable[[Sequence[Task]], list[bool]]] = {suites.ESP256.number: lanes.hold}
