"""Make every vector of this folder anew, from fixed keys; `--check` only compares. Same input, same bytes.

    python protocol/spec/make_vectors.py [--check]

What is expected is written by hand in maker/*.py: an outcome, an error's code, a chain's links. Bytes that nobody
writes by hand (a signature, an identity, a decision) are taken from our implementation, and the tests hold them
against others: OpenSSL, python-cwt, an independent CDDL tool, arithmetic.
"""

import json
import sys
from pathlib import Path

from maker import (
    case,
    certificates,
    chains,
    conditions,
    judges,
    logs,
    people,
    proofs,
    reasons,
    receipts,
    rotations,
    scans,
    sighted,
    statements,
    trees,
    witnesses,
)

VECTORS = Path(__file__).resolve().parent / "vectors"
JUDGED = (judges, people, sighted, rotations, conditions, reasons)
SUBJECTS = {
    "scan": scans.cases,
    "statement": statements.cases,
    "chain": chains.chain_cases,
    "custody": chains.custody_cases,
    "judge": lambda: judges.shared(part for maker in JUDGED for part in maker.cases()),
    "certificate": certificates.cases,
    "log": lambda: (*logs.cases(), *witnesses.cases(), *trees.cases(), *receipts.cases()),
    "proof": proofs.cases,
}


def main() -> int:
    """Write or compare; 1 when a comparison fails."""
    wanted = {
        VECTORS / subject / f"{item['name']}.json": case.text(item)
        for subject, make in SUBJECTS.items()
        for item in make()
    }
    if "--check" not in sys.argv:
        for path, text in wanted.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    there = {path for subject in SUBJECTS for path in (VECTORS / subject).glob("*.json")}
    wrong = [path for path, text in wanted.items() if path not in there or path.read_text("utf-8") != text]
    wrong += sorted(there - set(wanted))
    for path in wrong:
        print(f"{path.relative_to(VECTORS)} is not what make_vectors.py makes: run it", file=sys.stderr)
    print(json.dumps({subject: len(list((VECTORS / subject).glob("*.json"))) for subject in SUBJECTS}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
