"""`meterseal check`: may this meter be installed? A QR picture, a URL, a certificate file or a serial.

With `--trust` nothing is asked of any server; without, the registry named in the URL (or by `--registry`) gives
the trust file. The answer itself comes from the pure `meterseal_protocol.check`. Exit codes: 0 valid, 1 not valid,
2 cannot say now; 64 misuse, 65 no certificate in what was given, 66 no such file, 69 registry unreachable.
"""

import re
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, NoReturn

import httpx
import typer
import zxingcpp
from PIL import Image
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from meterseal_protocol import qr
from meterseal_protocol.check import Answer, check, compare
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.trust import Trust
from meterseal_protocol.words import next_step, say
from meterseal_tools.inspect import is_file
from meterseal_wire.errors import WireError

EXIT = {"valid": 0, "not_valid": 1, "cannot_say": 2}
USAGE, NO_CERTIFICATE, NO_INPUT, UNREACHABLE = 64, 65, 66, 69
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
HEAD = {
    "valid": ("green", "有效", "VALID"),
    "not_valid": ("red", "无效", "NOT VALID"),
    "cannot_say": ("yellow", "目前无法判定", "CANNOT SAY NOW"),
}


@dataclass(frozen=True)
class Subject:
    """What is to be checked: certificate bytes, the meter the path names (or None), the registry's address."""

    certificate: bytes
    meter: str | None
    registry: str | None


class NothingToCheck(Exception):
    """No certificate could be had from what was given; `exit_code` says of which kind the fault is."""

    def __init__(self, exit_code: int, why: str) -> None:
        super().__init__(why)
        self.exit_code = exit_code


def subject(source: str, registry: str | None) -> Subject:
    """Find the certificate meant by `source`; NothingToCheck where there is none."""
    path = Path(source)
    if "#" in source:
        return from_url(source, registry)
    if path.suffix.lower() in PICTURES:
        return from_url(from_picture(path), registry)
    if is_file(source):
        return Subject(path.read_bytes(), None, registry)
    if path.suffix in (".cwt", ".cbor"):
        raise NothingToCheck(NO_INPUT, f"there is no file {source}")
    return from_serial(source, registry)


def from_url(url: str, registry: str | None) -> Subject:
    """The certificate in a URL's fragment; the host serves as registry unless another is named."""
    try:
        meter, certificate = qr.from_url(url)
    except (ProtocolError, WireError) as error:
        raise NothingToCheck(NO_CERTIFICATE, f"no certificate in this address: {error}") from None
    return Subject(certificate, meter, registry or registry_of(url))


def registry_of(url: str) -> str:
    """Scheme, host and port of a URL."""
    try:
        host = httpx.URL(url.partition("#")[0])
    except httpx.InvalidURL as error:
        raise NothingToCheck(NO_CERTIFICATE, f"this is no address: {error}") from None
    return f"{host.scheme}://{host.netloc.decode()}"


def from_picture(path: Path) -> str:
    """The text of the one QR code in a picture."""
    if not path.is_file():
        raise NothingToCheck(NO_INPUT, f"there is no file {path}")
    try:
        with Image.open(path) as picture:
            found = zxingcpp.read_barcodes(picture.convert("L"))
    except (OSError, Image.DecompressionBombError):
        raise NothingToCheck(NO_CERTIFICATE, f"{path} is no picture that can be read") from None
    texts = [code.text for code in found if "#" in code.text]
    if len(texts) != 1:
        raise NothingToCheck(NO_CERTIFICATE, f"{path} shows {len(texts)} certificate codes; show exactly one")
    return texts[0]


def from_serial(meter: str, registry: str | None) -> Subject:
    """The newest certificate of a meter id, asked of the registry."""
    if registry is None:
        raise NothingToCheck(
            USAGE, f"{meter} is a serial: name the --registry that shall be asked, or give the QR"
        )
    answer = fetch(f"{registry}/certificates/{meter}")
    return Subject(answer, meter, registry)


def fetch(address: str) -> bytes:
    """Bytes at `address`; NothingToCheck when it can't be reached or has none."""
    try:
        answer = httpx.get(address, timeout=10)
    except httpx.InvalidURL as error:
        raise NothingToCheck(USAGE, f"{address} is no address: {error}") from None
    except httpx.HTTPError as error:
        raise NothingToCheck(
            UNREACHABLE, f"{address} did not answer ({error}); use --trust to check offline"
        ) from None
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise NothingToCheck(NO_CERTIFICATE, f"the registry has no certificate at {address}")
    if answer.status_code != httpx.codes.OK:
        raise NothingToCheck(UNREACHABLE, f"{address} answered {answer.status_code}")
    return answer.content


def instant(text: str | None) -> int:
    """Unix seconds of an ISO date or instant (UTC where no zone is given); the present without one."""
    if text is None:
        return int(time.time())
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise NothingToCheck(USAGE, f"{text} is no date such as 2026-11-23 or 2026-11-23T08:00:00") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def cubic_metres(text: str) -> Fraction:
    """A dial's reading as an exact fraction; NothingToCheck where it is no decimal number."""
    if not re.fullmatch(r"[0-9]{1,12}([.,][0-9]{1,6})?", text):
        raise NothingToCheck(USAGE, f"{text} is no reading of a dial such as 12.345")
    return Fraction(text.replace(",", "."))


def day(seconds: int) -> str:
    """UTC date and minute, for people."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def age(seconds: int) -> str:
    """A span in the largest unit that fills it, rounded down: seconds, minutes, hours or days."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def show(answer: Answer, console: Console) -> None:
    """The answer as a person reads it: which of the three, why, how old, what to do next."""
    colour, zh, en = HEAD[answer.outcome]
    lines = []
    if answer.meter:
        lines.append(f"表号 meter: {escape(answer.meter)}")
    for code, numbers in answer.reasons:
        lines.append(f"{say(code, numbers, 'zh')}\n{say(code, numbers, 'en')}  [dim]({code})[/dim]")
        lines.append(f"→ {next_step(code, numbers, 'zh')}\n→ {next_step(code, numbers, 'en')}")
    if answer.outcome == "valid":
        lines.append(f"安装前 install before: {day(answer.expires_s)}")
        lines.append(f"地区 territory: {escape(', '.join(answer.territory))}")
        dial = f"{Decimal(answer.end_register).scaleb(answer.exponent):f}"
        lines.append(f"核对表盘读数不低于 the dial must not show less than: {dial} m³")
    if answer.status_age_s is not None:
        lines.append(f"状态表签发于 status list issued {age(answer.status_age_s)} ago")
    if answer.demo:
        lines.append("[bold]演示密钥，不具法律效力 DEMO keys: no legal effect[/bold]")
    console.print(Panel("\n".join(lines), title=f"{zh} · {en}", border_style=colour, title_align="left"))


def fail(why: NothingToCheck) -> NoReturn:
    """One sentence on standard error and the exit code of its kind."""
    print(f"check: {why}", file=sys.stderr)
    raise typer.Exit(why.exit_code) from None


def command(
    source: Annotated[str, typer.Argument(metavar="PICTURE|URL|FILE|SERIAL", help="what is to be checked")],
    *,
    trust: Annotated[Path | None, typer.Option(help="trust file: check offline")] = None,
    territory: Annotated[str | None, typer.Option(help="GB/T 2260 code of the place of installation")] = None,
    registry: Annotated[
        str | None, typer.Option(help="address of the registry, for serials and trust")
    ] = None,
    as_of: Annotated[str | None, typer.Option(help="date or instant for which is asked; default now")] = None,
    dial: Annotated[str | None, typer.Option(help="what the meter's dial shows, in cubic metres")] = None,
) -> None:
    """May this meter be installed? Exit 0 valid, 1 not valid, 2 cannot say now; 64 and above: misuse."""
    try:
        what = subject(source, registry)
        moment, shown = instant(as_of), None if dial is None else cubic_metres(dial)
        believed = Trust.load(trust_bytes(trust, what.registry))
    except NothingToCheck as why:
        fail(why)
    except (ProtocolError, WireError) as error:
        fail(NothingToCheck(NO_CERTIFICATE, f"the trust file cannot be used: {error}"))
    answer = compare(check(what.certificate, believed, moment, territory, what.meter), shown)
    show(answer, Console())
    raise typer.Exit(EXIT[answer.outcome])


def trust_bytes(path: Path | None, registry: str | None) -> bytes:
    """The trust file's bytes: the one given, else the registry's own."""
    if path is not None:
        if not path.is_file():
            raise NothingToCheck(NO_INPUT, f"there is no trust file {path}")
        return path.read_bytes()
    if registry is None:
        raise NothingToCheck(USAGE, "give a --trust file, or the --registry that has one")
    return fetch(f"{registry}/trust")
