"""Our own vectors, one JSON object a case, in a folder a subject: protocol/spec/vectors.

    {"name", "maker", "rule", "why", "input": {...}, "expect": {"accept": {...}} or {"refuse": "code"}}

`rule` is the numbered field or sentence of the spec that the case is about, `why` one sentence, and byte strings are
hex. A subject has one runner: it computes from the input what `accept` holds, or raises an error with a code.
Another implementation reads the same files; ours is held to them by `meterseal vectors verify` and by the tests.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from meterseal_protocol.check import LITRES, check, compare
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.evidence import Entry, select
from meterseal_protocol.grant import Grants
from meterseal_protocol.judge import decide
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_protocol.proof import verify_proof
from meterseal_protocol.qr import from_url
from meterseal_protocol.rules import Pack
from meterseal_protocol.statement import read
from meterseal_protocol.testing import log_vectors
from meterseal_protocol.testing.suites import Case
from meterseal_protocol.trust import Trust
from meterseal_protocol.verify import verify
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.chain import Head, link
from meterseal_wire.custody import may_drop
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

FIELDS = {"name", "maker", "rule", "why", "input", "expect"}
OUTCOMES = {kinds.GRANTED: "granted", kinds.REFUSED: "refused", kinds.UNDECIDED: "undecided"}
Runner = Callable[[Mapping[str, Any]], dict[str, Any]]


def cases(path: Path) -> Iterator[Case]:
    """The case of a file of our own form in a folder whose name is a subject; nothing for other files."""
    runner = RUNNERS.get(path.parent.name)
    if path.suffix != ".json" or runner is None:
        return
    try:
        found = read_case(path)
    except ValueError:
        return
    if isinstance(found, dict) and set(found) == FIELDS:
        yield Case(f"meterseal {path.parent.name}", found["name"], lambda: _run(runner, found))


def read_case(path: Path) -> Any:
    """The JSON of a file, its input whole: what it takes from the case that it is `like` is put in.

    ValueError where it is no JSON, or is like no case of its folder.
    """
    found = json.loads(path.read_text("utf-8"))
    given = found.get("input") if isinstance(found, dict) else None
    if not isinstance(given, dict) or "like" not in given:
        return found
    try:
        base = json.loads((path.parent / f"{given['like']}.json").read_text("utf-8"))["input"]
        rows = dict(enumerate(base["log"]))
        log = [rows[row] if isinstance(row, int) else row for row in given["log"]]
    except (OSError, LookupError, TypeError):
        raise ValueError(
            f"{path.name} is like no case of its folder, or like a row that it has not"
        ) from None
    own = {name: value for name, value in given.items() if name != "like"}
    return {**found, "input": {**base, **own, "log": log}}


def _run(runner: Runner, case: Mapping[str, Any]) -> str | None:
    wanted = case["expect"]
    try:
        found = runner(case["input"])
    except (ProtocolError, WireError) as error:
        if wanted.get("refuse") == error.code:
            return None
        return f"refused as {error.code} ({error}), expected {wanted}"
    if "accept" not in wanted:
        return f"accepted, expected {wanted['refuse']}"
    differing = [
        name for name in {**wanted["accept"], **found} if wanted["accept"].get(name) != found.get(name)
    ]
    return f"{differing[0]} is {found.get(differing[0])}" if differing else None


def ring(keys: list[str]) -> KeyRing:
    """Public keys from the hex of their COSE_Key maps."""
    found = KeyRing()
    for key in keys:
        found.add(PublicKey.from_cose(scan(bytes.fromhex(key))))
    return found


def scanned(given: Mapping[str, Any]) -> dict[str, Any]:
    """Subject scan: strict deterministic CBOR in, the same bytes out."""
    return {"cbor": bytes(encode(scan(bytes.fromhex(given["cbor"])))).hex()}


def read_statement(given: Mapping[str, Any]) -> dict[str, Any]:
    """Subject statement: one message under a set of keys."""
    found = verify(bytes.fromhex(given["message"]), ring(given["keys"]))
    statement = found.statement
    return {
        "kind": statement.kind,
        "identity": statement.identity.hex(),
        "key": found.key.thumbprint.hex(),
        "payload": bytes(encode(statement.payload)).hex(),
    }


def linked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Subject chain: messages of one key in the order of their arrival, and how each stands to what is held."""
    held, known, found = None, dict[tuple[int, int], bytes](), []
    for text in given["messages"]:
        statement = read(bytes.fromhex(text))
        assert statement.chain is not None
        place = statement.chain[:2]
        found.append(link(held, statement.chain, statement.identity, known.get(place)))
        if found[-1] == "linked":
            held = Head(*place, statement.identity)
            known[place] = statement.identity
    return {"links": found}


def covered(given: Mapping[str, Any]) -> dict[str, Any]:
    """Subject custody: whether a custody, its signature and head checked, covers a stored statement."""
    verify(bytes.fromhex(given["custody"]), ring(given["keys"]))
    payload = read(bytes.fromhex(given["custody"])).payload
    stored = bytes.fromhex(given["stored"]["key"]), given["stored"]["epoch"], given["stored"]["seq"]
    return {"may_drop": may_drop(stored, (payload[L.KEY], payload[L.EPOCH], payload[L.SEQ]))}


def judged(given: Mapping[str, Any]) -> dict[str, Any]:
    """Subject judge: a log, anchors, packs, a meter and an instant; the decision's payload, byte for byte."""
    keys, entries = ring(given["keys"]), []
    for leaf, row in enumerate(given["log"]):
        found = verify(bytes.fromhex(row["message"]), keys)
        entries.append(Entry(found.statement, found.key.thumbprint, leaf, row["entered_s"]))
    blobs = {
        entries[leaf].statement.identity: tuple(bytes.fromhex(item) for item in row["items"])
        for leaf, row in enumerate(given["log"])
        if row["items"]
    }
    evidence = select(given["meter"], entries, given["log_size"], blobs)
    grants = Grants([e for e in entries if e.statement.typ in AUTHORITY], list(ring(given["anchors"])))
    packs = [Pack.load(bytes.fromhex(raw)) for raw in given["packs"]]
    decision = decide(evidence, grants, packs, given["at_s"])
    return {
        "outcome": OUTCOMES[decision.outcome],
        "reasons": [[code, list(numbers)] for code, numbers in decision.reasons],
        "decision": bytes(encode(decision.payload())).hex(),
    }


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Subject certificate: an address as a QR code holds it, a trust file, an instant and a territory.

    `dial_l` and `marks`, where there are any: litres and the marks hash that a person read off the meter.
    """
    meter, raw = from_url(given["url"])
    answer = check(
        raw, Trust.load(bytes.fromhex(given["trust"])), given["as_of_s"], given["territory"], meter
    )
    dial_m3 = Fraction(given["dial_l"], LITRES) if "dial_l" in given else None
    answer = compare(answer, dial_m3, bytes.fromhex(given["marks"]) if "marks" in given else None)
    return {"outcome": answer.outcome, "reasons": [[code, list(numbers)] for code, numbers in answer.reasons]}


def proved(given: Mapping[str, Any]) -> dict[str, Any]:
    """Subject proof: a proof file under the keys that are trusted."""
    verdict = verify_proof(bytes.fromhex(given["file"]), list(ring(given["anchors"])))
    return {
        "proof": verdict.proof,
        "signer": verdict.name,
        "key": verdict.key.hex(),
        "at": list(verdict.at),
        "identities": [identity.hex() for identity in verdict.identities],
    }


AUTHORITY = (L.KIND_GRANT, L.KIND_WITHDRAWAL)
RUNNERS: dict[str, Runner] = {
    "scan": scanned,
    "statement": read_statement,
    "chain": linked,
    "custody": covered,
    "judge": judged,
    "certificate": checked,
    "log": log_vectors.run,
    "proof": proved,
}
"""Runner by subject, the name of a folder of vectors."""
