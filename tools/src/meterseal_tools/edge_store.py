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
from meterseal_edge.nightly import Made, back_up_tonight
from meterseal_edge.people.copied import PutBack, people_path
from meterseal_edge.restore import lowered, recount
from meterseal_edge.restore import restore as put_back
from meterseal_edge.settings import load
from meterseal_protocol.errors import ProtocolError
from meterseal_tools.edge_acts import note

FAILED, JSON = 1, ".json"
SettingsFile = Annotated[Path, typer.Argument(metavar="SETTINGS", help="the edge's settings file")]
NewFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="[FILE]", help="the backup; unless given, a new one where the settings' `backups` says"
    ),
]
BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="the backup; its manifest lies beside it")]


@contextmanager
def in_one_sentence(verb: str) -> Iterator[None]:
    """What goes wrong inside becomes one line and exit code 1."""
    try:
        yield
    except (EdgeError, ProtocolError, OSError) as error:
        print(f"edge {verb}: {error}", file=sys.stderr)
        raise typer.Exit(FAILED) from None


def backup(
    settings: SettingsFile,
    file: NewFile = None,
    keep: Annotated[
        int, typer.Option(min=1, help="without FILE: how many stay there, the new one included")
    ] = 14,
) -> None:
    """Copy the edge's store and its people while it runs, with a signed manifest beside the copy."""
    with in_one_sentence("backup"):
        found = load(settings)
        if file is None:
            made = back_up_tonight(found, keep)
        else:
            made = Made(file, back_up(found, file), [])
    head = made.manifest.head
    print(f"{made.file}: {head.size} statements of {head.origin}, root {head.root.hex()}")
    if made.manifest.people:
        people = people_path(made.file)
        print(f"{people}: 人员（无会话），请妥善保管 people, without sessions; guard it as the original")
    for old in made.gone:
        print(f"{old}: 已删除（过旧） removed, older than the {keep} that are kept")


def restore(settings: SettingsFile, file: BackupFile) -> None:
    """Put a backup in the place of store and people while the edge is stopped; what was there is kept aside."""
    with in_one_sentence("restore"):
        found = load(settings)
        done = put_back(found, file)
        about = {"statements": done.size, "log": done.log, "declared": done.declared, "missing": done.missing}
        note(found, "store restored", about)
    print(
        f"{done.size} statements are in place; the old store is in {done.aside or 'no place: there was none'}"
    )
    if done.declared:
        lost = "an unknown number of" if done.missing is None else str(done.missing)
        print(
            f"Declared: {lost} statements that were signed for are not in it. The edge goes on as log {done.log} "
            "under its new key, and fixtures that have this key offer again what no receipt covers"
        )
    if done.people is not None:
        print(people_restored(done.people))


def people_restored(done: PutBack) -> str:
    """What became of the people's file, in both languages."""
    if done.kept:
        return "人员文件完好且更新，保持不变 The people's file is whole and newer than the backup's; it stays"
    if not done.declared:
        return "人员文件已恢复，会话已结束 The people's file is in place and lacks no act; everybody logs in anew"
    missing = "?" if done.missing is None else done.missing
    return (
        f"声明：人员文件较旧，缺少 {missing} 条操作，{done.closed} 个账号已关闭，核实后用 edge person reset 逐一开通\n"
        f"Declared: the people's file is older and lacks {missing} acts; {done.closed} accounts are closed. Make sure "
        "of each person, remove who has left, and open the others with `meterseal edge person reset`"
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
        found = load(settings)
        version = lowered(found.folder)
        note(found, "store downgraded", {"version": version})
    print(f"the store is of version {version} now; start the edge of the release before")
