"""What was made elsewhere lies here unchanged: the chart library, byte for byte as its maker published it."""

import hashlib
from pathlib import Path

import pytest

from meterseal_edge.pages import statics

VENDOR = Path(statics.__file__).parent / "vendor"
# uPlot 1.6.32, npm's uplot-1.6.32.tgz: dist/uPlot.iife.min.js, dist/uPlot.min.css (decisions/0012).
DIGESTS = {
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_a_vendored_file_is_its_makers(name: str) -> None:
    """Decision 12: renewed as a whole, never edited."""
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == DIGESTS[name]


def test_nothing_lies_there_that_is_not_named_and_the_licence_lies_beside_it() -> None:
    """MIT: the notice goes with the copies."""
    assert {path.name for path in VENDOR.iterdir()} == {*DIGESTS, "uPlot.LICENSE"}
    assert "The MIT License (MIT)" in (VENDOR / "uPlot.LICENSE").read_text("utf-8")
    assert statics.text("vendor/uPlot.iife.min.js").startswith(
        "/*! https://github.com/leeoniya/uPlot (v1.6.32)"
    )
