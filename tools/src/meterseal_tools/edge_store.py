"""`meterseal edge backup`, `restore`, `verify-store`, `downgrade`: the edge's store, in the hands of whoever runs it.

Backup and verify-store work beside a running edge; restore and downgrade want it stopped. Exit codes: 0 done, or the
store holds; 1 not, with one sentence, and what was there before is untouched; verify-store: one line for each fault.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from meterseal_edge.backup import back_up
from meterseal_edge.errors import EdgeError
from meterseal_edge.folder import STORE
from meterseal_edge.restore import lowered, recount
from meterseal_edge.restore import restore as put_back
from meterseal_edge.settings import load
from meterseal_protocol.errors import ProtocolError

FAILED, JSON = 1, ".json"
SettingsFile = Annotated[Path, typer.Argument(metavar="SETTINGS", help="the edge's settings file")]
BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="the backup; its manifest lies beside it")]


@contextmanager
def in_one_sentence(verb: str) -> Iterator[None]:
    """What goes wrong inside becomes one line and exit code 1."""
    try:
        yield
    except (EdgeError, ProtocolError, OSError) as error:
        print(f"edge {verb}: {error}", file=sys.stderr)
        raise typer.Exit(FAILED) from None


def backup(settings: SettingsFile, file: BackupFile) -> None:
    """Copy the edge's store while it runs, with a signed manifest beside the copy."""
    with in_one_sentence("backup"):
        made = back_up(load(settings), file)
    print(f"{file}: {made.head.size} statements of {made.head.origin}, root {made.head.root.hex()}")


def restore(settings: SettingsFile, file: BackupFile) -> None:
    """Put a backup in the store's place while the edge is stopped; what was there is kept aside."""
    with in_one_sentence("restore"):
        done = put_back(load(settings), file)
    print(
        f"{done.size} statements are in place; the old store is in {done.aside or 'no place: there was none'}"
    )
    if done.declared:
        lost = "an unknown number of" if done.missing is None else str(done.missing)
        print(
            f"Declared: {lost} statements that were signed for are not in it. The edge goes on as log {done.log} "
            "under its new key, and fixtures that have this key offer again what no receipt covers"
        )


def verify_store(
    store: Annotated[
        Path, typer.Argument(metavar="SETTINGS|FILE", help="settings (.json), or a store's file")
    ],
) -> None:
    """Recompute everything in a store; one line for each fault. Signatures are checked with settings alone."""
    with in_one_sentence("verify-store"):
        settings = load(store) if store.suffix == JSON else None
        found, faults = recount(settings, settings.folder / STORE if settings else store)
    for fault in faults:
        print(fault)
    if faults:
        print(
            f"verify-store: {len(faults)} faults. Restore a backup with `meterseal edge restore`",
            file=sys.stderr,
        )
        raise typer.Exit(FAILED)
    checked = "" if settings else "; signatures were not checked: give the settings file for that"
    print(
        f"{found.size} statements hold, {found.pruned} of them by their receipt; root {found.root.hex()}{checked}"
    )


def downgrade(settings: SettingsFile) -> None:
    """Make the store readable for the edge of the release before, while the edge is stopped. Nothing is lost."""
    with in_one_sentence("downgrade"):
        version = lowered(load(settings).folder)
    print(f"the store is of version {version} now; start the edge of the release before")
