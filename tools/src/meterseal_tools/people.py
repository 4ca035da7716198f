"""What people do with results: see the sheet that they sign, sign it in a role, enter seal numbers, give notice.

The sheet is computed by the judge itself from an evidence folder that was proved first, so nobody signs what somebody
else reckoned. `meterseal people sheet` shows it, `people sign` signs all of it with one key in one role and hands it
to the registry.
"""

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, NoReturn

import httpx
import typer
from rich.console import Console
from rich.table import Table

from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.evidence import EvidenceIndex
from meterseal_protocol.grant import Grants
from meterseal_protocol.judge.sheet import sheet
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.signoff import Row, payload
from meterseal_tools.audit import audit
from meterseal_tools.audit_state import Audit
from meterseal_tools.evidence_folder import FolderError, load
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan
from meterseal_wire.statement import Author, build
from meterseal_wire.tree import tree_hash

REFUSED, NOT_USABLE, NO_INPUT, UNREACHABLE = 1, 65, 66, 69
ROLES = {name: number for number, name in kinds.ROLE_NAMES.items()}
OUTCOMES = {kinds.PASSED: "合格 passed", kinds.FAILED: "不合格 failed"}
app = typer.Typer(no_args_is_help=True, help="Sign-offs, seal numbers and notices by people.")
Folder = Annotated[Path, typer.Argument(help="an evidence folder")]


def rows_of(state: Audit) -> list[Row]:
    """The sheet of a proved folder: every meter whose newest result can be computed, in the order of their ids."""
    pool = state.entries()
    size = max((entry.leaf for entry in pool), default=-1) + 1
    authority = [entry for entry in pool if entry.statement.typ in (L.KIND_GRANT, L.KIND_WITHDRAWAL)]
    meters = {
        position[L.METER]
        for entry in pool
        if entry.statement.typ == L.KIND_ATTEMPT
        for position in entry.statement.payload[L.POSITIONS]
    }
    index = EvidenceIndex.over(pool, state.blobs)
    evidence = (index.select(meter, size) for meter in sorted(meters))
    return sheet(evidence, Grants(authority, state.anchors), state.packs)


def signoff(author: Author, role: int, rows: Iterable[Row], time_s: int) -> list[bytes]:
    """A sign-off over all rows in a role, as an item of a bundle: the statement, then its rows."""
    items = [row.encoded() for row in rows]
    return [bytes(build(author, L.KIND_SIGNOFF, payload(role, items, time_s))), *items]


def marks(author: Author, row: Row, seals: list[str], time_s: int) -> list[bytes]:
    """Seal numbers that were fitted to a meter that passed, as an item of a bundle."""
    said = {L.METER: row.meter, L.RESULT: row.result, L.POSITION: row.position}
    return [bytes(build(author, L.KIND_MARKS, {**said, L.SEALS: seals, L.TIME_S: time_s}))]


def notice(author: Author, row: Row, codes: list[str], time_s: int) -> list[bytes]:
    """检定结果通知书 for a meter that failed, as an item of a bundle."""
    said = {L.METER: row.meter, L.RESULT: row.result, L.POSITION: row.position}
    return [bytes(build(author, L.KIND_NOTICE, {**said, L.CODES: codes, L.TIME_S: time_s}))]


def hand_in(registry: str, items: list[list[bytes]]) -> list[str]:
    """Send a bundle to a registry; why each item was refused, none where all were entered. httpx.HTTPError."""
    answer = httpx.post(f"{registry}/bundles", content=bytes(encode(items)), timeout=60)
    answer.raise_for_status()
    from_registry = cbor_list(answer.content)
    return [": ".join(item) for item in from_registry if isinstance(item, list)]


def cbor_list(raw: bytes) -> list[bytes | list[str]]:
    """The registry's answer to a bundle: a receipt or [code, why] for each item."""
    found = scan(raw, 1 << 22)
    assert isinstance(found, list)
    return found


@app.command("sheet")
def show(folder: Folder) -> None:
    """Show what there is to be signed: one row a meter, and the root that a signature covers."""
    rows = _sheet(folder)
    table = Table(title="待签 to be signed")
    for column in ("表号 meter", "台位 position", "结论 outcome", "最大误差 largest error", "result"):
        table.add_column(column, overflow="fold")
    for row in rows:
        error = f"{row.largest_ppm / 10_000:+.2f} %"
        table.add_row(row.meter, str(row.position), OUTCOMES[row.outcome], error, row.result.hex()[:16])
    console = Console()
    console.print(table)
    console.print(f"root {tree_hash([row.encoded() for row in rows]).hex()}", highlight=False)


@app.command()
def sign(
    folder: Folder,
    *,
    role: Annotated[str, typer.Option(help="verifier, checker, approver or supervising")],
    key: Annotated[Path, typer.Option(help="your key file")],
    registry: Annotated[str, typer.Option(help="address of the registry")],
) -> None:
    """Sign the whole sheet of a folder in one role, and hand it in."""
    if role not in ROLES:
        raise typer.BadParameter(f"the roles are {', '.join(ROLES)}")
    rows = _sheet(folder)
    try:
        author = Author("people", role, PrivateKey.load(key))
        refused = hand_in(registry, [signoff(author, ROLES[role], rows, int(time.time()))])
    except (OSError, ProtocolError) as error:
        _end(NOT_USABLE, f"the key can't be used: {error}")
    except httpx.HTTPError as error:
        _end(UNREACHABLE, f"{registry} did not take it: {error}")
    if refused:
        _end(REFUSED, f"the registry refused it: {refused[0]}")
    print(f"{len(rows)} rows signed as {role}")


def _sheet(folder: Path) -> list[Row]:
    try:
        state = audit(load(folder))
    except (FolderError, OSError) as error:
        _end(NO_INPUT, str(error))
    if state.findings:
        _end(NOT_USABLE, f"the folder does not hold, so nobody should sign it: {state.findings[0]}")
    return rows_of(state)


def _end(code: int, why: str) -> NoReturn:
    print(f"people: {why}", file=sys.stderr)
    raise typer.Exit(code)
