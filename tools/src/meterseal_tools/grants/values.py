"""One field's value: from TOML to what a grant says, by the shape that kinds.py gives, and back to words."""

from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

from meterseal_edge.errors import EdgeError
from meterseal_edge.site import request
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import PublicKey
from meterseal_protocol.measures import MEASURES
from meterseal_protocol.statement import read
from meterseal_tools.grants.errors import BadGrant
from meterseal_tools.grants.fields import Field
from meterseal_tools.keys import read_public
from meterseal_tools.rules import load_named
from meterseal_wire import labels as L
from meterseal_wire.errors import WireError

FILE_BYTES = 1 << 20


def value_of(field: Field, said: Any, folder: Path) -> Any:
    """What a grant says where a form says `said`; files are named from `folder`. BadGrant names the field."""
    try:
        return _shaped(field, field.shape, said, folder)
    except OSError as error:
        raise BadGrant(
            f"{field.name}: {error.filename} cannot be read: {error.strerror} ({field.en})"
        ) from None
    except (ValueError, TypeError, ZeroDivisionError, ProtocolError, WireError, EdgeError) as error:
        why = " ".join(str(error).split())
        raise BadGrant(f"{field.name}: {why} ({field.en})") from None


def _shaped(field: Field, shape: Any, said: Any, folder: Path) -> Any:
    kind, *inner = shape
    if kind == "list":
        _is(said, list, "a list")
        return [_shaped(field, inner[0], one, folder) for one in said]
    if kind == "row" and inner == [("uint",), ("uint",)] and not isinstance(said, list):
        return _fraction(said)
    if kind == "row":
        _is(said, list, f"{len(inner)} values in brackets")
        if len(said) != len(inner):
            raise ValueError(f"{len(said)} values are given and {len(inner)} wanted")
        return [_shaped(field, part, one, folder) for part, one in zip(inner, said, strict=True)]
    if kind in ("uint", "int"):
        return _number(field, said, least=0 if kind == "uint" else None)
    if kind == "key":
        return _key(said, folder)
    if kind == "text":
        _is(said, str, "a text")
        if len(said) > inner[0]:
            raise ValueError(f"{said!r} has more than {inner[0]} characters")
        return said
    return _bytes(field, shape, said, folder)


def _number(field: Field, said: Any, least: int | None) -> int:
    if field.choices and isinstance(said, str):
        if said not in field.choices:
            raise ValueError(f"{said!r} is none of {', '.join(field.choices)}")
        return field.choices[said]
    if type(said) is not int or (least is not None and said < least):
        raise ValueError(f"{said!r} is no whole number{'' if least is None else ' from 0'}")
    return said


def _fraction(said: Any) -> list[int]:
    if isinstance(said, float) or not isinstance(said, int | str):
        raise TypeError(f'{said!r} is no exact number; write it as a text, "3/2" or "1.5"')
    found = Fraction(said)
    if found < 0:
        raise ValueError(f"{said!r} is below 0")
    return [found.numerator, found.denominator]


def _key(said: Any, folder: Path) -> dict[int, Any]:
    _is(said, str, "a file or hex")
    path = folder / said
    if path.suffix == ".csr":
        return request.holds(path.read_bytes()).key.cose
    if path.suffix in (".cosekey", ".cose_key"):
        return read_public(path).cose
    return PublicKey(_hex(said)).cose


def _bytes(field: Field, shape: Any, said: Any, folder: Path) -> bytes:
    _is(said, str, "a text")
    if field.label == L.VARIANT_OF and (folder / said).suffix == ".cose":
        return read((folder / said).read_bytes()).identity
    if field.label == L.PLANS and (folder / said).suffix == ".cbor":
        return sha256((folder / said).read_bytes()[:FILE_BYTES]).digest()
    if field.label == L.RULES and not _is_hex(said, shape[1]):
        return load_named(said).digest
    found = _hex(said)
    kind, size = shape
    if len(found) > size or (kind == "bytes" and len(found) != size):
        raise ValueError(f"{len(found)} bytes are given and {size} wanted")
    return found


def _hex(said: str) -> bytes:
    try:
        return bytes.fromhex(said)
    except ValueError:
        raise ValueError(f"{said!r} is neither a file of these kinds nor hex") from None


def _is(said: Any, kind: type, what: str) -> None:
    if not isinstance(said, kind):
        raise TypeError(f"{said!r} is not {what}")


def _is_hex(said: str, size: int) -> bool:
    return len(said) == 2 * size and set(said.lower()) <= set("0123456789abcdef")


def in_words(field: Field, value: Any) -> str:
    """A value as people read it."""
    if field.shape[0] == "key":
        return f"thumbprint {PublicKey.from_cose(value).thumbprint.hex()}"
    if field.label == L.MEASURES:
        names = {measure.number: f"{measure.number} {measure.zh} {measure.en}" for measure in MEASURES}
        return "; ".join(names.get(number, str(number)) for number in value)
    if field.shape == ("row", ("uint",), ("uint",)) and field.name in ("meter_pulse_ul", "share"):
        return str(Fraction(*value))
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return ", ".join(_part(field, one) for one in value)
    return _part(field, value)


def _part(field: Field, value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        flow, pulse, expanded = value
        return f"{flow} mL/h: {Fraction(*pulse)} µL, {expanded} ppm"
    names = {number: name for name, number in field.choices.items()}
    return str(names.get(value, value))
