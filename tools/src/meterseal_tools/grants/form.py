"""A form, TOML: as a template to be filled, and filled, as the payload of a grant.

kind = "manufacturer"
number = 7
valid_from = 2026-12-01T00:00:00Z
valid_to = 2027-12-01T00:00:00Z
maker = "DEMO"
...
"""

import json
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from meterseal_tools.grants.errors import BadGrant
from meterseal_tools.grants.fields import KINDS, VARIANT, Field, optional, wanted
from meterseal_tools.grants.values import value_of
from meterseal_wire import kinds
from meterseal_wire import labels as L

OWN = {
    "kind": "授权种类 kind of grant",
    "number": "发证方编号 the issuer's own number",
    "valid_from": "有效期起 valid from",
    "valid_to": "有效期止 valid to, that second included",
    "demo": "演示用 true where demonstration keys sign",
}
LEFT_OUT = "以下可省略 what follows may be left out"
YEAR = timedelta(days=365)


def template(kind: str, now: datetime) -> str:
    """The form of a kind with every field it may have, each with its words and an example; BadGrant for no kind."""
    number, variant = _kind(kind)
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [f'kind = "{kind}"  # {OWN["kind"]}', f"number = 1  # {OWN['number']}"]
    for name, at in (("valid_from", start), ("valid_to", start + YEAR)):
        lines.append(f"{name} = {at:%Y-%m-%dT%H:%M:%SZ}  # {OWN[name]}")
    for field in wanted(number, variant):
        lines += _lines(field)
    lines += ["", f"# --- {LEFT_OUT}"]
    for field in optional(number, variant):
        words, line = _lines(field)[1:]
        lines += ["", words, f"# {line}"]
    return "\n".join([*lines, "", f"# {OWN['demo']}", "# demo = true", ""])


def _lines(field: Field) -> list[str]:
    choices = f" ({', '.join(field.choices)})" if field.choices else ""
    example = json.dumps(field.example, ensure_ascii=False)
    return ["", f"# {field.zh} {field.en}{choices}", f"{field.name} = {example}"]


def read_form(path: Path) -> dict[int, Any]:
    """The payload of the grant that a form asks for, without its parent; BadGrant says what is wrong and where."""
    try:
        form = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadGrant(f"{path} cannot be read as TOML: {error}") from None
    number, variant = _kind(form.get("kind"))
    must = {field.name: field for field in wanted(number, variant)}
    fields = must | {field.name: field for field in optional(number, variant)}
    for name in form:
        if name not in fields and name not in OWN:
            raise BadGrant(f"{name} is no field of this grant; it has {', '.join((*OWN, *fields))}")
    for name in ("number", *must):
        if name not in form:
            raise BadGrant(f"{name} is missing; see `meterseal grant template {form['kind']}`")
    payload = {L.GRANT: number, L.NUMBER: _positive(form["number"]), L.WINDOW: _window(form)}
    if type(form.get("demo", False)) is not bool:
        raise BadGrant(f"demo is true or false, not {form['demo']!r}")
    if form.get("demo"):
        payload[L.DEMO] = 1
    said = ((fields[name], value) for name, value in form.items() if name in fields)
    return payload | {field.label: value_of(field, value, path.parent) for field, value in said}


def _kind(said: Any) -> tuple[int, bool]:
    if said == VARIANT:
        return kinds.TYPE, True
    if not isinstance(said, str) or said not in KINDS:
        raise BadGrant(f"kind {said!r} is none of {', '.join((*KINDS, VARIANT))}")
    return KINDS[said], False


def _positive(said: Any) -> int:
    if type(said) is not int or said < 1:
        raise BadGrant(f"number: {said!r} is no whole number from 1")
    return said


def _window(form: Mapping[str, Any]) -> list[int]:
    ends = []
    for name in ("valid_from", "valid_to"):
        said = form.get(name)
        if not isinstance(said, datetime) or said.tzinfo is None:
            raise BadGrant(f"{name} is no time with its zone, such as 2026-12-01T00:00:00Z")
        ends.append(int(said.timestamp()))
    if ends[0] >= ends[1] or ends[0] < 0:
        raise BadGrant("valid_to is not after valid_from")
    return ends


def at_time(seconds: int) -> str:
    """Unix seconds as UTC text."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
