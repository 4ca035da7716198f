"""Decides every judge vector of a folder and prints {name: decision payload as hex}: one line of JSON.

Run it on any CPython that has the package, and compare: the bytes are the same everywhere.
"""

import json
import sys
from pathlib import Path

from meterseal_protocol.testing.vectors import RUNNERS, read_case


def main(folder: str) -> None:
    """Print the decisions of all vectors of `folder`, by name."""
    found = {}
    for path in sorted(Path(folder).glob("*.json")):
        vector = read_case(path)
        found[vector["name"]] = RUNNERS["judge"](vector["input"])["decision"]
    print(json.dumps(found, sort_keys=True))


if __name__ == "__main__":
    main(sys.argv[1])
