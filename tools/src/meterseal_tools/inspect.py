"""`meterseal inspect`: any message as annotated diagnostic notation (RFC 8949 section 8), without verifying it.

Accepts a file (`-` for standard input), hex text, or a certificate's URL. Labels are named from the label table;
byte strings that hold CBOR are opened. The strict scanner reads it: what it refuses is refused here, by name.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from meterseal_protocol import qr
from meterseal_protocol.errors import ProtocolError
from meterseal_wire import labels as L
from meterseal_wire.encode import Tag
from meterseal_wire.errors import BadShape, WireError
from meterseal_wire.point import FIELDS
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity

LIMIT = 1 << 20
NESTING = 12
INDENT = "  "
SIGN1 = ([bytes, dict, bytes, bytes], [bytes, dict, type(None), bytes])
DATA_ERROR = 65
CERTIFICATE_ITEMS = (
    "territory",
    "rules",
    "result",
    "position",
    "end_register",
    "exponent",
    "marks",
    "status_list",
    "status_index",
    "demo",
)

HEADER, CLAIM, FIELD = "HEADER_", "CLAIM_", ""
OTHERS = ("HEADER_", "CLAIM_", "KIND_")


def _names(prefix: str) -> dict[int, str]:
    rows = {name: value for name, value in vars(L).items() if name.isupper() and isinstance(value, int)}
    if prefix:
        return {value: name[len(prefix) :].lower() for name, value in rows.items() if name.startswith(prefix)}
    return {value: name.lower() for name, value in rows.items() if not name.startswith(OTHERS)}


NAMES = {space: _names(space) for space in (HEADER, CLAIM, FIELD)}


def message_bytes(source: str) -> bytes:
    """The bytes meant by `source`: a path, `-`, hex text or a URL with a certificate in its fragment."""
    if source == "-":
        return unhex(sys.stdin.buffer.read())
    if is_file(source):
        return unhex(Path(source).read_bytes())
    if "#" in source:
        return qr.from_url(source)[1]
    return bytes.fromhex(source)


def is_file(source: str) -> bool:
    """True if there is a file of that name; a text that is too long for a name is none."""
    try:
        return Path(source).is_file()
    except OSError:
        return False


def unhex(raw: bytes) -> bytes:
    """`raw` itself, or what it spells when it is hex text."""
    try:
        return bytes.fromhex(raw.decode("ascii"))
    except ValueError:
        return raw


def describe(raw: bytes) -> list[str]:
    """Lines of annotated diagnostic notation; raises WireError where the bytes break our profile."""
    value = scan(raw, LIMIT, NESTING)
    lines = list(_lines(value, FIELD, ""))
    if isinstance(value, Tag):
        try:
            lines.insert(0, f"/ identity {identity(raw, LIMIT).hex()} /")
        except WireError:
            lines.insert(0, "/ payload is detached: a receipt or a proof /")
    return lines


def _lines(value: Any, space: str, indent: str) -> Iterator[str]:
    if isinstance(value, Tag):
        yield from _message(value.value, indent)
    elif isinstance(value, dict):
        yield from _map(value, space, indent)
    elif isinstance(value, list):
        yield from _list(value, space, indent)
    else:
        yield from _leaf(value, space, indent)


def _message(parts: Any, indent: str) -> Iterator[str]:
    """COSE_Sign1 (RFC 9052 section 4.2), its two byte strings opened."""
    if not isinstance(parts, list) or [type(part) for part in parts] not in SIGN1:
        raise BadShape(0, "tag 18 is not followed by the four parts of a COSE_Sign1")
    protected, unprotected, payload, signature = parts
    header = scan(protected)
    if not isinstance(header, dict):
        raise BadShape(0, "a protected header is a map")
    inner = indent + INDENT
    yield f"{indent}18( / COSE_Sign1 / ["
    yield from _embedded("/ protected / ", header, HEADER, inner)
    yield f"{inner}/ unprotected /"
    yield from _with_comma(_lines(unprotected, HEADER, inner))
    if payload is None:
        yield f"{inner}/ payload / null,"
    else:
        space = CLAIM if header.get(L.HEADER_TYP) in (None, L.KIND_CERTIFICATE) else FIELD
        yield from _embedded("/ payload / ", scan(payload, LIMIT, NESTING), space, inner)
    yield f"{inner}/ signature / {_scalar(signature)}"
    yield f"{indent}])"


def _embedded(name: str, value: Any, space: str, indent: str) -> Iterator[str]:
    yield f"{indent}{name}<<"
    yield from _lines(value, space, indent + INDENT)
    yield f"{indent}>>,"


def _with_comma(lines: Iterator[str]) -> Iterator[str]:
    """The same lines with a comma behind the last."""
    found = list(lines)
    yield from found[:-1]
    yield found[-1] + ","


def _map(value: dict[Any, Any], space: str, indent: str) -> Iterator[str]:
    if not value:
        yield indent + "{}"
        return
    inner = indent + INDENT
    yield indent + "{"
    for key, item in value.items():
        name = NAMES[space].get(key)
        label = f"/ {name} / {key}" if name else _scalar(key)
        below = CLAIM if name == "cwt_claims" else space
        if space == HEADER and key == L.HEADER_TYP:
            yield f"{inner}{label}: {_scalar(item)} / {L.KIND_NAMES.get(item, 'unknown')} /,"
        elif space == CLAIM and key == L.CLAIM_CERTIFICATE and isinstance(item, list):
            yield f"{inner}{label}:"
            yield from _named(item, inner + INDENT)
        elif isinstance(item, (dict, list, Tag)):
            yield f"{inner}{label}:"
            yield from _with_comma(_lines(item, below, inner + INDENT))
        else:
            yield f"{inner}{label}: {_scalar(item)},"
    yield indent + "}"


def _named(value: list[Any], indent: str) -> Iterator[str]:
    """A certificate's own claim: each item behind its name (certificate.py)."""
    yield indent + "["
    for name, item in zip(CERTIFICATE_ITEMS, value, strict=False):
        shown = json.dumps(item) if isinstance(item, list) else _scalar(item)
        yield f"{indent}{INDENT}/ {name} / {shown},"
    yield indent + "],"


def _list(value: list[Any], space: str, indent: str) -> Iterator[str]:
    if all(isinstance(item, int) for item in value):
        names = FIELDS if len(value) == len(FIELDS) else ()
        named = [f"/{name}/ {item}" for name, item in zip(names, value, strict=False)]
        yield f"{indent}[{', '.join(named or map(_scalar, value))}]"
        return
    yield indent + "["
    for item in value:
        yield from _with_comma(_lines(item, space, indent + INDENT))
    yield indent + "]"


def _leaf(value: Any, space: str, indent: str) -> Iterator[str]:
    """A value alone; a byte string in an array that holds a message, a list or a map is opened."""
    inside = _inside(value) if isinstance(value, bytes) else None
    if inside is None:
        yield indent + _scalar(value)
        return
    yield indent + "<<"
    yield from _lines(inside, space, indent + INDENT)
    yield indent + ">>"


def _inside(raw: bytes) -> Any:
    try:
        value = scan(raw, LIMIT, NESTING)
    except WireError:
        return None
    return value if isinstance(value, (dict, list, Tag)) else None


def _scalar(value: Any) -> str:
    """One value in diagnostic notation; what a terminal would obey is escaped."""
    if isinstance(value, bytes):
        return f"h'{value.hex()}'"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=not value.isprintable())
    if value is None:
        return "null"
    return str(value).lower()


def command(
    source: Annotated[str, typer.Argument(metavar="FILE|HEX|URL", help="a message, or - for standard input")],
) -> None:
    """Show any message as annotated diagnostic notation. Nothing is verified."""
    try:
        print("\n".join(describe(message_bytes(source))))
    except (WireError, ProtocolError, ValueError, OSError) as error:
        print(
            f"inspect: {source}: {error}. Give a message file, hex or a certificate's URL.", file=sys.stderr
        )
        raise typer.Exit(DATA_ERROR) from None
