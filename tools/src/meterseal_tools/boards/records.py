"""What stays of a board: one line in the records, and a label for its housing."""

import json
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

from meterseal_protocol.keys import PublicKey
from meterseal_tools.boards.identity import fingerprint

LABELS = "labels"
WIDTH, MARGIN, LINE, FONT = 640, 20, 30, 24
_writing = threading.Lock()


@dataclass(frozen=True)
class Record:
    """One board, once: `outcome` is same, flashed, provisioned, or the code of what stopped it, and `why` its words.

    `fingerprint` is the thumbprint of the board's key in hex, "" where it has none.
    """

    time: str
    port: str
    unique_id: str
    version: str
    digest: str
    fingerprint: str
    outcome: str
    why: str = ""

    def append(self, path: Path) -> None:
        """Add it to a file as one JSON line."""
        line = json.dumps(asdict(self), ensure_ascii=False) + "\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        with _writing, path.open("a", encoding="utf-8") as file:
            file.write(line)


def now() -> str:
    """The present, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def thumbprint(public_xy: bytes) -> bytes:
    """The name of the board's key; b"" where there is no key."""
    return PublicKey(public_xy).thumbprint if public_xy else b""


def label_text(unique_id: str, version: str, name: bytes) -> str:
    """The label's lines: board, firmware, and the fingerprint on two lines."""
    digits = fingerprint(name)
    half = len(digits) // 2
    return f"MeterSeal {version}\nboard {unique_id}\n{digits[:half]}\n{digits[half + 1 :]}\n"


def write_label(folder: Path, unique_id: str, version: str, name: bytes) -> Path:
    """`<unique id>.txt` and `.png`, whose QR code holds the fingerprint's 64 digits; gives the picture's path."""
    folder.mkdir(parents=True, exist_ok=True)
    text = label_text(unique_id, version, name)
    (folder / f"{unique_id}.txt").write_text(text, encoding="utf-8")
    picture = folder / f"{unique_id}.png"
    _drawn(text, name.hex().upper()).save(picture)
    return picture


def _drawn(text: str, code: str) -> Image.Image:
    buffer = BytesIO()
    segno.make(code, error="m", micro=False).save(buffer, kind="png", scale=8, border=4)
    qr = Image.open(buffer).convert("L")
    lines = text.splitlines()
    label = Image.new("L", (WIDTH, qr.height + LINE * len(lines) + MARGIN), 255)
    label.paste(qr, ((WIDTH - qr.width) // 2, 0))
    draw = ImageDraw.Draw(label)
    for number, line in enumerate(lines):
        draw.text((MARGIN, qr.height + LINE * number), line, fill=0, font=ImageFont.load_default(FONT))
    return label
