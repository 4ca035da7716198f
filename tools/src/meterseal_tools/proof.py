"""`meterseal proof`: check a proof file with the anchors alone, or make one from statements.

Exit codes: 0 it proves what it says, 1 it proves nothing, 65 not a proof file, 66 no such file.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import PublicKey
from meterseal_protocol.proof import FORK, OMISSION, TRUNCATION, Verdict, build, verify_proof
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

NOTHING, NOT_USABLE, NO_INPUT = 1, 65, 66
SAYS = {
    FORK: (
        "{name} 在第 {a} 纪元第 {b} 条处签署了两条互相矛盾的声明（分叉）",
        "{name} signed two statements that exclude each other at epoch {a}, statement {b}: a fork",
    ),
    TRUNCATION: (
        "{name} 否认了自己签署过的内容（{a}, {b}）：历史被截断",
        "{name} disowned what it had signed ({a}, {b}): its history was cut",
    ),
    OMISSION: (
        "{name} 的范围声明（前 {a} 条）漏掉了它已登记的第 {b} 条",
        "{name} left out entry {b}, which it had logged, from its scope of {a} entries: an omission",
    ),
}
app = typer.Typer(no_args_is_help=True, help="Proof files: fork, truncation, omission.")
Anchors = Annotated[Path, typer.Option(help="anchors.cbor: the keys trusted from outside")]
Files = Annotated[list[Path], typer.Option("--statement", help="a signed statement; the order matters")]


@app.command()
def verify(file: Annotated[Path, typer.Argument(help="a proof file")], anchors: Anchors) -> None:
    """Say what a proof file proves, and of whom."""
    raw, roots = _read(file), _anchors(anchors)
    try:
        verdict = verify_proof(raw, roots)
    except WireError as error:
        print(f"proof verify: {file} is no proof file: {error}", file=sys.stderr)
        raise typer.Exit(NOT_USABLE) from None
    except ProtocolError as error:
        print(f"proof verify: {file} proves nothing ({error.code}): {error}", file=sys.stderr)
        raise typer.Exit(NOTHING) from None
    for line in sentences(verdict):
        print(line)


@app.command()
def make(
    kind: Annotated[str, typer.Argument(help="fork, truncation or omission")],
    *,
    out: Annotated[Path, typer.Option(help="where the proof file shall stand")],
    anchors: Anchors,
    statement: Files,
    grant: Annotated[list[Path] | None, typer.Option(help="a grant that leads to the signers' keys")] = None,
    receipt: Annotated[list[Path] | None, typer.Option(help="a receipt, for an omission")] = None,
) -> None:
    """Make a proof file from statements, grants and receipts; written only if it proves something."""
    files = [[_read(path) for path in paths or ()] for paths in (grant, statement, receipt)]
    raw = build(kind, *files)
    try:
        verdict = verify_proof(raw, _anchors(anchors))
    except (ProtocolError, WireError) as error:
        print(f"proof make: this proves nothing: {error}", file=sys.stderr)
        raise typer.Exit(NOTHING) from None
    out.write_bytes(raw)
    for line in sentences(verdict):
        print(line)


def sentences(verdict: Verdict) -> list[str]:
    """What a verdict says, Chinese then English, and the two statements."""
    said = [text.format(name=verdict.name, a=verdict.at[0], b=verdict.at[1]) for text in SAYS[verdict.proof]]
    return [*said, f"key {verdict.key.hex()}", *(f"statement {name.hex()}" for name in verdict.identities)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        print(f"proof: {path} can't be read: {error.strerror}", file=sys.stderr)
        raise typer.Exit(NO_INPUT) from None


def _anchors(path: Path) -> list[PublicKey]:
    try:
        return [PublicKey.from_cose(key) for key in scan(_read(path))]
    except (ProtocolError, WireError, TypeError) as error:
        print(f"proof: {path} is no file of anchors: {error}", file=sys.stderr)
        raise typer.Exit(NOT_USABLE) from None
