"""Run the demo and put what it printed into README.md between its two marks: `python scripts/record_demo.py`.

The QR code's block characters are left out: a page's line spacing would tear it.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"
START, END = "<!-- demo-output -->", "<!-- /demo-output -->"
BLOCKS = re.compile(r"[▀▄█]")
COLUMNS = "110"


def output() -> str:
    """Everything one demo prints, without its code; SystemExit when the demo failed."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "meterseal_tools", "demo", "--folder", f"{folder}/demo"],
            capture_output=True,
            text=True,
            env={**os.environ, "COLUMNS": COLUMNS},
            check=False,
        )
        if done.returncode:
            sys.exit(f"the demo ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr}")
        text = done.stdout.replace(f"{Path(folder).resolve()}/demo", "build/demo")
    lines = [line.rstrip() for line in text.splitlines() if not BLOCKS.search(line)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def main() -> None:
    """Replace the recording."""
    page = README.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    after = rest.partition(END)[2] if END in rest else rest
    README.write_text(f"{before}{START}\n\n```text\n{output()}\n```\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
