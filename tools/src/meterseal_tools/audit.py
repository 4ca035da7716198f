"""`meterseal audit`: prove an evidence folder from the anchors alone, decide again, and compare.

Order: names against contents, grants and keys, signatures, receipts against one tree and its checkpoint,
evidence against digests and roots, decisions recomputed from the log as it stood, certificates against decisions.
Every finding names the statement and the file. Nothing is asked of any server.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from meterseal_tools import audit_decisions, audit_log
from meterseal_tools.audit_state import Audit
from meterseal_tools.evidence_folder import Folder, FolderError, load

NO_INPUT = 66
STEPS = (
    audit_log.names,
    audit_log.signatures,
    audit_log.log,
    audit_log.evidence,
    audit_log.rules,
    audit_decisions.decisions,
    audit_decisions.certificates,
)


def audit(folder: Folder, anchors: bytes | None = None) -> Audit:
    """Prove the whole folder; see the module's docstring for the order. `anchors` are your own, as a file's bytes."""
    state = Audit(folder)
    for item in folder.strange:
        state.blame("", item, "does not belong into an evidence folder")
    audit_log.anchors(state, anchors)
    for step in STEPS:
        step(state)
    return state


def report(state: Audit, console: Console) -> None:
    """One line a finding, then one summary line."""
    for finding in state.findings:
        console.print(f"[red]✗[/red] {escape(str(finding))}", highlight=False, soft_wrap=True)
    verdict = "[green]holds[/green]" if not state.findings else f"[red]{len(state.findings)} findings[/red]"
    console.print(
        f"audit: {len(state.statements)} statements, {len(state.folder.files['receipts'])} receipts, "
        f"{state.decisions} decisions made again, {state.certificates} certificates: {verdict}",
        highlight=False,
        soft_wrap=True,
    )


def command(
    folder: Annotated[Path, typer.Argument(help="an evidence folder, such as build/demo/evidence")],
    anchors: Annotated[
        Path | None, typer.Option(help="your own anchors file; without it the folder's own is believed")
    ] = None,
) -> None:
    """Verify everything in an evidence folder, decide again and compare. Exit 0 holds, 1 findings."""
    try:
        loaded = load(folder)
        given = None if anchors is None else anchors.read_bytes()
    except (FolderError, OSError) as error:
        print(f"audit: {error}", file=sys.stderr)
        raise typer.Exit(NO_INPUT) from None
    console = Console()
    if given is None:
        console.print(
            "[yellow]anchors: the folder's own. Give --anchors to check against keys you trust.[/yellow]"
        )
    state = audit(loaded, given)
    report(state, console)
    raise typer.Exit(1 if state.findings else 0)
