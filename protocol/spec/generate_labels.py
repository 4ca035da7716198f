"""Write `meterseal_wire/labels.py` from `labels.toml`; `--check` only compares.

Run from anywhere: `python protocol/spec/generate_labels.py`.
"""

import sys
import tomllib
from pathlib import Path

SPEC = Path(__file__).resolve().parent
TARGET = SPEC.parent / "src" / "meterseal_wire" / "labels.py"
HEAD = '''"""Every label of every message, made from `spec/labels.toml` by `spec/generate_labels.py`. Do not edit."""
'''


def render(table: dict[str, dict[str, int]]) -> str:
    """The module's text: one constant a row, `<SECTION>_<NAME>`; fields carry no prefix."""
    lines = [HEAD]
    for section, rows in table.items():
        lines.append(f"# {section}")
        prefix = "" if section == "field" else section.upper() + "_"
        lines += [f"{prefix}{name.upper()} = {value}" for name, value in rows.items()]
        lines.append("")
    names = ", ".join(f'{value}: "{name}"' for name, value in table["kind"].items())
    lines.append("KIND_NAMES = {" + names.replace(", ", ",\n    ").join(["\n    ", ",\n"]) + "}")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write or compare; 1 when a comparison fails."""
    text = render(tomllib.loads((SPEC / "labels.toml").read_text()))
    if "--check" in sys.argv:
        return int(TARGET.read_text() != text)
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
