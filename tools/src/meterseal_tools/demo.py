"""`meterseal demo`: the whole chain on real processes, then every answer compared with the one it had to be."""

import csv
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx
import segno
import typer
from rich.console import Console
from segno import consts

from meterseal_protocol import qr
from meterseal_protocol.statement import read
from meterseal_protocol.status import Validity, publish
from meterseal_protocol.trust import Trust
from meterseal_tools import people
from meterseal_tools.audit import audit
from meterseal_tools.evidence_folder import FolderError, export, load
from meterseal_tools.report import Counts, Row, counts_line, rows, table
from meterseal_tools.services import ServiceFailed
from meterseal_tools.sim.errors import SimError
from meterseal_tools.stage import Stage, play, statements_made, summary
from meterseal_tools.world import DAY_S, PEOPLE, SITE
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.statement import Author

MARK = "made-by-meterseal-demo"
DRAIN_S = 60
LOOK_S = 0.1
FAILED, UNUSABLE = 1, 73
ERROR_LEVEL = "m"
SCALE = 6


@dataclass
class Story:
    """Lines of progress, each with its second since the start."""

    console: Console
    began: float

    def tell(self, who: str, what: str) -> None:
        """One line."""
        at = time.monotonic() - self.began
        self.console.print(f"[dim]{at:6.1f} s[/dim]  [bold cyan]{who:<9}[/bold cyan]{what}", highlight=False)


def clear(folder: Path) -> None:
    """Make room for this run; only a folder that an earlier demo made is ever removed."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        unusable(folder, "is no folder")
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).is_file():
            unusable(folder, "holds something else")
        shutil.rmtree(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).write_text("This folder is removed and made again by `meterseal demo`.\n")
    except OSError as error:
        unusable(folder, f"cannot be made: {error.strerror}")


def unusable(folder: Path, why: str) -> NoReturn:
    """One sentence on standard error, and out."""
    print(f"demo: {folder} {why}; name another --folder", file=sys.stderr)
    raise typer.Exit(UNUSABLE) from None


def drained(stage: Stage) -> Counts:
    """Wait until edge and registry have everything the fixtures made, or `DRAIN_S` passes."""
    until = time.monotonic() + DRAIN_S
    while True:
        now = summary(stage)
        made = sum(statements_made(rig) for rig in stage.rigs.values())
        counts = Counts(made, now["durable"], now["entered"], now["quarantined"])
        if counts.lost == 0 or time.monotonic() > until:
            return counts
        time.sleep(LOOK_S)


def write_certificates(stage: Stage, found: list[Row]) -> list[Path]:
    """PNG and CBOR of every certificate; the PNGs' paths."""
    folder = stage.folder / "certificates"
    folder.mkdir()
    pictures = []
    for row in found:
        meter = row.seat.meter_id
        answer = httpx.get(f"{stage.registry_url}/certificates/{meter}")
        if answer.status_code != httpx.codes.OK:
            continue
        (folder / f"{meter}.cbor").write_bytes(answer.content)
        pictures.append(folder / f"{meter}.png")
        code(stage, answer.content, meter).save(str(pictures[-1]), scale=SCALE, border=4)
    return pictures


def write_index(stage: Stage, found: list[Row]) -> None:
    """meters.csv: for each meter its answer and the identities of decision and result, for `inspect`."""
    with (stage.folder / "meters.csv").open("w", newline="", encoding="utf-8") as file:
        rows_out = csv.writer(file)
        rows_out.writerow(("meter", "answer", "tries", "decision", "result"))
        for row in found:
            answer = httpx.get(f"{stage.registry_url}/decisions/{row.seat.meter_id}")
            if answer.status_code == httpx.codes.OK:
                decision = read(answer.content)
                result = decision.payload.get(L.RESULT, b"").hex()
                rows_out.writerow(
                    (row.seat.meter_id, row.outcome, row.tries, decision.identity.hex(), result)
                )


def code(stage: Stage, certificate: bytes, meter: str) -> segno.QRCode:
    """The QR of a certificate's URL, level M: the address in bytes, the fragment in alphanumeric mode."""
    address, _, fragment = qr.url(stage.registry_url, certificate, meter).partition("#")
    parts: Any = [(address + "#", consts.MODE_BYTE), (fragment, consts.MODE_ALPHANUMERIC)]
    return segno.make(parts, error=ERROR_LEVEL, boost_error=False)


def write_trust(stage: Stage) -> None:
    """The trust file of now, and one whose status list ended two weeks ago."""
    current = httpx.get(f"{stage.registry_url}/trust").content
    (stage.folder / "trust.cbor").write_bytes(current)
    now = int(time.time())
    author = stage.registry_author()
    ended = Validity(now - 21 * DAY_S, now - 14 * DAY_S, 3600)
    old = publish(author, f"{stage.registry_url}/status/1", [0] * 64, ended)
    root = stage.world.keys["root"].public
    grants = tuple(raw for name, raw in stage.world.grants if name == "registry")
    (stage.folder / "trust-old.cbor").write_bytes(Trust((root,), grants, (old,), now - 21 * DAY_S).dump())


def run_self(story: Story, *arguments: str) -> int:
    """Run this very command line as a user would, and show what it prints."""
    story.console.print(f"\n[bold]$ meterseal {' '.join(arguments)}[/bold]", highlight=False, soft_wrap=True)
    done = subprocess.run([sys.executable, "-m", "meterseal_tools", *arguments], check=False)
    return done.returncode


def checks(story: Story, stage: Stage, pictures: list[Path]) -> list[tuple[str, bool]]:
    """What an installer and an inspector do with what the demo left behind; (name, came out as expected)."""
    picture, trust = str(pictures[0]), str(stage.folder / "trust.cbor")
    old = str(stage.folder / "trust-old.cbor")
    expectations: list[tuple[str, int, tuple[str, ...]]] = [
        ("check", 0, ("check", picture, "--trust", trust, "--territory", "330110")),
        ("check elsewhere", 1, ("check", picture, "--trust", trust, "--territory", "440300")),
        ("check with an old trust file", 2, ("check", picture, "--trust", old)),
        (
            "audit",
            0,
            ("audit", str(stage.folder / "evidence"), "--anchors", str(stage.folder / "anchors.cbor")),
        ),
    ]
    return [(name, run_self(story, *arguments) == wanted) for name, wanted, arguments in expectations]


def people_sign(story: Story, stage: Stage) -> None:
    """Verifier, checker and approver sign the sheet that the evidence gives them; seals and notices follow."""
    folder = stage.folder / "to-be-signed"
    export(stage.registry_url, stage.world.anchors, folder)
    sheet, now = people.rows_of(audit(load(folder), stage.world.anchors)), int(time.time())
    authors = {name: Author(SITE, name, stage.world.keys[name]) for name in PEOPLE}
    items = [people.signoff(authors[name], role, sheet, now) for name, role in PEOPLE.items()]
    for number, row in enumerate(sheet, 1):
        said = people.marks(authors["verifier"], row, [f"DEMO-{number:04d}"], now)
        good = row.outcome == kinds.PASSED
        items.append(said if good else people.notice(authors["verifier"], row, ["error.limit"], now))
    refused = people.hand_in(stage.registry_url, items)
    if refused:
        raise ServiceFailed(f"the registry refused what people signed: {refused[0]}")
    passed = sum(row.outcome == kinds.PASSED for row in sheet)
    story.tell(
        "people", f"verifier, checker and approver signed {len(sheet)} meters, {passed} of them sealed"
    )


def finish(story: Story, stage: Stage) -> bool:
    """Everything after the last scene; True if every expected answer came out."""
    counts = drained(stage)
    people_sign(story, stage)
    found = rows(stage.registry_url)
    story.console.print()
    story.console.print(table(found))
    story.console.print(counts_line(counts), highlight=False)
    pictures = write_certificates(stage, found)
    write_index(stage, found)
    write_trust(stage)
    leaves = export(stage.registry_url, stage.world.anchors, stage.folder / "evidence")
    story.tell("evidence", f"{leaves} log entries, {len(pictures)} certificates in {stage.folder}")
    if not pictures:
        story.console.print("[red]no certificate was issued[/red]")
        return False
    show_code(story, stage, pictures[0])
    done = checks(story, stage, pictures)
    met = sum(row.as_expected for row in found)
    right = met == len(found) and counts.lost == 0 and all(good for _, good in done)
    failed = ", ".join(name for name, good in done if not good)
    checked = f"NOT as expected: {failed}" if failed else f"{len(done)} checks as expected"
    story.console.print(
        f"\n{'[green]demo: ok[/green]' if right else '[red]demo: FAILED[/red]'}: {met} of {len(found)} meters as "
        f"expected, {counts.made} statements made, {counts.lost} lost, {len(pictures)} certificates, "
        f"{checked}, {time.monotonic() - story.began:.0f} s",
        highlight=False,
        soft_wrap=True,
    )
    return right


def show_code(story: Story, stage: Stage, picture: Path) -> None:
    """One QR in the terminal."""
    meter = picture.stem
    symbol = code(stage, picture.with_suffix(".cbor").read_bytes(), meter)
    story.console.print(
        f"\ncertificate of {meter}: QR version {symbol.version}-{symbol.error}", highlight=False
    )
    symbol.terminal(compact=True)


def stay(story: Story, stage: Stage) -> None:
    """Leave the services up until Ctrl-C."""
    story.tell("edge", f"live page {stage.edge_url}/")
    story.tell("registry", f"look-up page {stage.registry_url}/")
    story.tell("keep", "services stay up; Ctrl-C ends them")
    forever: Callable[[float], None] = time.sleep
    while True:
        forever(3600)


def command(
    keep: Annotated[bool, typer.Option(help="leave the services up and print both pages' addresses")] = False,
    folder: Annotated[
        Path, typer.Option(help="where certificates, evidence and trust file shall lie")
    ] = Path("build/demo"),
) -> None:
    """Test sixteen meters on two benches, with faults, and show what comes of it. Exit 0 if all came out right."""
    # A shell that starts this in the background leaves SIGINT ignored; a supervisor ends it with SIGTERM.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    clear(folder)
    story = Story(Console(), time.monotonic())
    try:
        with Stage(folder.resolve(), story.tell) as stage:
            play(stage)
            right = finish(story, stage)
            if keep:
                stay(story, stage)
    except KeyboardInterrupt:
        story.console.print("\nstopped; nothing is left running")
        raise typer.Exit(130) from None
    except (ServiceFailed, SimError, FolderError, httpx.HTTPError) as error:
        print(f"demo: {error}", file=sys.stderr)
        raise typer.Exit(FAILED) from None
    raise typer.Exit(0 if right else FAILED)
