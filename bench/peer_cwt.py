"""The other side of protocol.verify_vs_python_cwt: python-cwt in a process of its own, with the cbor2 that it wants.

    python -S peer_cwt.py <folder with cwt>

First line in: JSON with a P-256 key (alg; kid, x, y in hex) and messages in hex. First line out: versions. Each line
in after it: how often to verify all messages; each line out: verifications a second.
"""

import json
import sys
import time
from typing import Any

sys.path.insert(0, sys.argv[1])

import cbor2
import cryptography
import cwt

EC2, P256, VERIFY = 2, 1, 2


def verify_all(cose: Any, key: Any, messages: list[bytes]) -> None:
    """An exception where one does not hold."""
    for message in messages:
        cose.decode(message, key)


def rate(cose: Any, key: Any, messages: list[bytes], times: int) -> float:
    """Verifications a second, after a first round that warms up."""
    verify_all(cose, key, messages)
    began = time.process_time()
    for _ in range(times):
        verify_all(cose, key, messages)
    return times * len(messages) / (time.process_time() - began)


def main() -> None:
    """Answer until the input ends."""
    given = json.loads(sys.stdin.readline())
    x, y = (bytes.fromhex(given[name]) for name in ("x", "y"))
    kid = bytes.fromhex(given["kid"])
    key = cwt.COSEKey.new({1: EC2, 2: kid, 3: given["alg"], 4: [VERIFY], -1: P256, -2: x, -3: y})
    messages, cose = [bytes.fromhex(message) for message in given["messages"]], cwt.COSE.new()
    version = {module.__name__: getattr(module, "__version__", "") for module in (cwt, cryptography)}
    print(json.dumps(version | {"cbor2": cbor2.__file__}), flush=True)
    for line in sys.stdin:
        print(rate(cose, key, messages, int(line)), flush=True)


if __name__ == "__main__":
    main()
