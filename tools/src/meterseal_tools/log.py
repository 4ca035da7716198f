"""`meterseal log verify`: what holds of a log's checkpoint, in one sentence.

The checkpoint is a C2SP note. Whom to believe is one verifier key (`--key`), or a C2SP tlog-policy file (`--policy`)
with logs, witnesses and a quorum. `--grown` gives an older checkpoint and the proof between them (base64, a hash a
line, as in tlog-witness); `--entry` a receipt, the statement it is for and the keys of receipts (a CBOR array of
COSE_Keys, as anchors.cbor). Exit codes: 0 all of it holds, 1 something does not; 64 misuse, 65 a file of another form,
66 no such file.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from meterseal_protocol import receipt
from meterseal_protocol.checkpoint_text import LogHead, open_checkpoint, read_hash, read_head
from meterseal_protocol.errors import BadKey, BadNote, BadProof, ProtocolError, UnknownKey
from meterseal_protocol.keys import KeyRing
from meterseal_protocol.merkle import verify_consistency
from meterseal_protocol.note import parse
from meterseal_protocol.note_key import VerifierKey
from meterseal_protocol.quorum import witnessed
from meterseal_protocol.statement import read
from meterseal_protocol.witness_policy import WitnessPolicy, read_policy
from meterseal_tools.audit_log import anchor_keys
from meterseal_wire.errors import WireError

FAILED, USAGE, NO_CHECKPOINT, NO_INPUT = 1, 64, 65, 66
app = typer.Typer(no_args_is_help=True, help="Logs: verify a checkpoint and what hangs on it.")


@app.callback()
def group() -> None:
    """Logs: verify a checkpoint and what hangs on it."""


@app.command()
def verify(
    checkpoint: Annotated[Path, typer.Argument(help="a checkpoint note")],
    key: Annotated[str | None, typer.Option(help="the log's verifier key, name+id+base64")] = None,
    policy: Annotated[Path | None, typer.Option(help="a tlog-policy file: logs, witnesses, quorum")] = None,
    grown: Annotated[
        tuple[Path, Path] | None, typer.Option(help="an older checkpoint, and the proof up to this one")
    ] = None,
    entry: Annotated[
        tuple[Path, Path, Path] | None,
        typer.Option(help="a receipt, its statement, and the keys that receipts are signed with"),
    ] = None,
) -> None:
    """Say in one sentence what holds. Exit 0 all of it, 1 not; 64 and above: misuse, or files of another form."""
    if (key is None) == (policy is None):
        print("log verify: give the log's --key, or a --policy file with logs and witnesses", file=sys.stderr)
        raise typer.Exit(USAGE)
    try:
        believed = (
            read_policy(policy.read_bytes())
            if policy
            else WitnessPolicy((VerifierKey.parse(key or ""),), None)
        )
        head, said = _checkpoint(checkpoint.read_bytes(), believed)
        heads = [head]
        if grown:
            heads.append(_older(grown, head, believed))
            said.append(f"it continues the tree of {heads[1].size} leaves")
        if entry:
            said.append(_entry(entry, heads))
    except OSError as error:
        _end(NO_INPUT, f"{error.filename} cannot be read: {error.strerror}")
    except (BadNote, BadKey, WireError) as error:
        _end(NO_CHECKPOINT, f"a file or key has another form ({error.code}): {error}")
    except ProtocolError as error:
        _end(FAILED, f"this does not hold ({error.code}): {error}")
    print("; ".join(said) + ".")


def _end(code: int, why: str) -> None:
    print(f"log verify: {' '.join(why.split())}", file=sys.stderr)
    raise typer.Exit(code) from None


def _checkpoint(raw: bytes, believed: WitnessPolicy) -> tuple[LogHead, list[str]]:
    """The head, and what to say of it; the quorum's word where the policy asks for one."""
    origin = read_head(parse(raw).text).origin
    keys = [key for key in believed.logs if key.name == origin]
    if not keys:
        raise UnknownKey(
            f"no verifier key is given for the log {origin}: a log signs under the name of its origin"
        )
    if believed.quorum is None:
        head, reached_s = open_checkpoint(raw, keys)[0], None
    else:
        head, reached_s = witnessed(raw, believed.trust(origin))
    said = [f"{origin} signed a tree of {head.size} leaves with root {head.root.hex()}"]
    return head, said + (
        [f"its quorum of witnesses had seen it by {_instant(reached_s)}"] if reached_s else []
    )


def _older(grown: tuple[Path, Path], head: LogHead, believed: WitnessPolicy) -> LogHead:
    keys = [key for key in believed.logs if key.name == head.origin]
    older, _ = open_checkpoint(grown[0].read_bytes(), keys)
    if older.origin != head.origin:
        raise BadProof(f"the older checkpoint is of {older.origin}, not of {head.origin}")
    lines = grown[1].read_bytes().decode("ascii", "replace").split("\n")
    proof = [read_hash(line) for line in lines if line]
    verify_consistency(older.size, head.size, proof, older.root, head.root)
    return older


def _entry(entry: tuple[Path, Path, Path], heads: list[LogHead]) -> str:
    raw, message, keys = (path.read_bytes() for path in entry)
    ring = KeyRing()
    for item in anchor_keys(keys):
        ring.add(item)
    identity = read(message).identity
    found = receipt.check(raw, identity, ring)
    if (found.size, found.root) not in {(head.size, head.root) for head in heads}:
        raise BadProof(
            f"the receipt is of a tree of {found.size} leaves; give the checkpoint of that tree with it"
        )
    return f"statement {identity.hex()} is leaf {found.leaf}, entered at {_instant(found.entered_s)}"


def _instant(seconds: int) -> str:
    """UTC to the second, or the number itself where no calendar has it."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"Unix second {seconds}"
