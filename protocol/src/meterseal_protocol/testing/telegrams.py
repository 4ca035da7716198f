"""Public M-Bus telegrams (rscada/libmbus) against what libmbus prints of them: `.hex` beside `.norm.xml` or `.xml`.

A frame with a `.norm.xml` must decode to it, record by record. One with an `.xml` that names an error must be the
meter's own error of that name. Any other must be refused by name, or be more than libmbus could.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

from meterseal_protocol.testing.suites import Case
from meterseal_wire.telegram.errors import MBusError, MeterError
from meterseal_wire.telegram.mbus_record import Record
from meterseal_wire.telegram.mbus_telegram import Identity, decode

SIX_DECIMALS = Fraction(1, 2 * 10**6)
DOUBLE = 2**50


def cases(path: Path) -> Iterator[Case]:
    """The one case of a `.hex` file; nothing for other files."""
    if path.suffix != ".hex":
        return
    try:
        raw = bytes.fromhex(path.read_text("ascii"))
    except ValueError:
        return
    printed, named = path.with_name(f"{path.stem}.norm.xml"), path.with_suffix(".xml")
    if printed.exists():
        yield Case("libmbus frames", path.stem, lambda: _decodes(raw, _xml(printed)))
    elif named.exists() and _xml(named).findtext("SlaveInformation/Error"):
        wanted = _xml(named).findtext("SlaveInformation/Error") or ""
        yield Case("libmbus errors", path.stem, lambda: _meters_own(raw, wanted))
    else:
        yield Case("libmbus others", path.stem, lambda: _named(raw))


def _xml(path: Path) -> ET.Element:
    # The files declare ISO-8859-1 and hold UTF-8.
    text = re.sub(r"<\?xml.*?\?>", "", path.read_text("utf-8"))
    return ET.fromstring(text)  # noqa: S314  the user's own folder of vectors


def _decodes(raw: bytes, printed: ET.Element) -> str | None:
    try:
        telegram = decode(raw)
    except MBusError as error:
        return f"refused: {error}"
    slave, wanted = printed.find("SlaveInformation"), printed.findall("DataRecord")
    if slave is not None:
        for name, said in _slave(telegram.identity).items():
            if said != slave.findtext(name):
                return f"{name} is {said} where libmbus has {slave.findtext(name)}"
    if len(wanted) != len(telegram.records):
        return f"{len(telegram.records)} records where libmbus has {len(wanted)}"
    for number, (record, row) in enumerate(zip(telegram.records, wanted, strict=True)):
        ours = _record(record, row.findtext("Value") or "")
        for child in row:
            if ours[child.tag] != (child.text or ""):
                return f"record {number}: {child.tag} is {ours[child.tag]} where libmbus has {child.text}"
    return None


def _slave(identity: Identity) -> dict[str, str | None]:
    return {
        "Id": f"{int(identity.id, 16):X}",
        "Manufacturer": identity.manufacturer,
        "Version": None if identity.version is None else str(identity.version),
        "Medium": identity.medium_name,
        "AccessNumber": str(identity.access),
        "Status": f"{identity.status:02X}",
        "Signature": None if identity.signature is None else f"{identity.signature:04X}",
    }


def _record(record: Record, printed: str) -> dict[str, str]:
    return {
        "Function": record.function,
        "StorageNumber": str(record.storage),
        "Tariff": str(record.tariff),
        "Device": str(record.device),
        "Unit": record.unit,
        "Quantity": record.quantity,
        "Value": _as_printed(record, printed),
    }


def _as_printed(record: Record, printed: str) -> str:
    """Where libmbus computes in binary64 and prints six decimals, half a digit or 2^-50 is the same value."""
    text: str = record.value_text()
    if record.number is None:
        return text
    try:
        ours, theirs = Fraction(text), Fraction(printed)
    except ValueError:
        return text
    return printed if abs(ours - theirs) <= SIX_DECIMALS + abs(theirs) / DOUBLE else text


def _meters_own(raw: bytes, wanted: str) -> str | None:
    try:
        decode(raw)
    except MeterError as error:
        return (
            None if error.name == wanted else f"the error is called {error.name} where libmbus has {wanted}"
        )
    except MBusError as error:
        return f"refused as {error.code} where it is the meter's own error"
    return "accepted although it is the meter's own error"


def _named(raw: bytes) -> str | None:
    """Refused with a code; what decodes is more than libmbus could, and that is not held against us."""
    try:
        decode(raw)
    except MBusError as error:
        return None if error.code.startswith("mbus.") else f"refused without a name: {error}"
    return None
