"""Write errors.toml, fields.toml and reasons.md from the code and its tables; `--check` only compares."""

import inspect
import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from meterseal_protocol import errors as protocol_errors
from meterseal_wire import errors as wire_errors
from meterseal_wire.telegram import errors as telegram_errors

SPEC = Path(__file__).resolve().parent
PACKAGE = SPEC.parent / "src" / "meterseal_protocol"
REASONS, FIELDS = PACKAGE / "reasons.toml", PACKAGE / "rules" / "fields.toml"


def error_rows() -> Iterator[tuple[str, str]]:
    """Code and meaning of every error, in the order of the codes."""
    found: dict[str, str] = {}
    for module in (wire_errors, protocol_errors, telegram_errors):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Exception) and kind.__module__ == module.__name__:
                found[kind.code] = " ".join((kind.__doc__ or "").split())
    yield from sorted(found.items())


def errors_toml() -> str:
    """The table of errors."""
    lines = ["# Codes of errors, made by generate_tables.py from the classes that carry them.", ""]
    for code, text in error_rows():
        lines += [f'["{code}"]', f"text = {json.dumps(text)}", ""]
    return "\n".join(lines)


def reasons_md() -> str:
    """The table of reasons for people who write another judge."""
    rows = tomllib.loads(REASONS.read_text("utf-8"))["reason"]
    lines = [
        "# Reasons",
        "",
        "Made by generate_tables.py from `reasons.toml`, which has the words in Chinese and English, and what to do.",
        "",
        "| code | outcome | numbers | in words |",
        "|---|---|---|---|",
    ]
    for row in sorted(rows, key=lambda row: str(row["code"])):
        numbers = ", ".join(row["numbers"]) or "none"
        lines.append(f"| `{row['code']}` | {row['outcome']} | {numbers} | {row['en']} / {row['zh']} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write or compare; 1 when a comparison fails."""
    wrong = 0
    fields = FIELDS.read_text("utf-8")
    for name, text in (("errors.toml", errors_toml()), ("fields.toml", fields), ("reasons.md", reasons_md())):
        path = SPEC / name
        if "--check" not in sys.argv:
            path.write_text(text, "utf-8")
        elif not path.is_file() or path.read_text("utf-8") != text:
            print(f"{name} is out of date: run generate_tables.py", file=sys.stderr)
            wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
