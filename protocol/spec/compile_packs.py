"""Compile every rule pack from YAML to the canonical CBOR that is loaded and hashed; `--check` only compares.

Run from anywhere: `python protocol/spec/compile_packs.py`. Prints each pack's digest, which a rules grant names.
"""

import sys
from hashlib import sha256
from pathlib import Path

import yaml

from meterseal_protocol.errors import BadPack
from meterseal_protocol.rules.pack import compile_pack

PACKS = Path(__file__).resolve().parent.parent / "src" / "meterseal_protocol" / "rules" / "packs"


def render(source: Path) -> bytes:
    """Canonical CBOR of one YAML file."""
    return compile_pack(yaml.safe_load(source.read_text("utf-8")))


def main() -> int:
    """Write or compare; 1 when a pack is wrong or a comparison fails."""
    wrong = 0
    for source in sorted(PACKS.glob("*.yaml")):
        target = source.with_suffix(".cbor")
        try:
            raw = render(source)
        except BadPack as error:
            print(f"{source.name}: {error}", file=sys.stderr)
            wrong = 1
            continue
        if "--check" not in sys.argv:
            target.write_bytes(raw)
        elif not target.is_file() or target.read_bytes() != raw:
            print(
                f"{target.name} is not what {source.name} compiles to: run compile_packs.py", file=sys.stderr
            )
            wrong = 1
        print(f"{source.stem} {sha256(raw).hexdigest()}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
