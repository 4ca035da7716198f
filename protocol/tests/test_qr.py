"""A certificate in a URL, and the URL in a QR code: made by segno, read by zxing-cpp, both strangers."""

import base64
import io
from typing import Any

import pytest
import segno
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from segno.consts import MODE_ALPHANUMERIC, MODE_BYTE

from meterseal_protocol.certificate import Certificate, issue
from meterseal_protocol.errors import BadCode
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.qr import certificate_of, fragment, from_url, url
from meterseal_wire.statement import Author

BASE = "https://registry.example.cn"
METER = "DEMO.12082058"
RAW = issue(
    Author("REG-CN", "record", PrivateKey(bytes(31) + b"\x07")),
    Certificate(
        "REG-CN",
        METER,
        1_790_000_000,
        1_800_000_000,
        ("33",),
        bytes(8),
        bytes(16),
        8,
        12_345_678,
        -3,
        bytes(8),
        1,
        99_999,
        True,
    ),
)


def symbol(text: str) -> segno.QRCode:
    """The code at level M: the address in byte mode, the fragment in alphanumeric mode."""
    address, _, tail = text.partition("#")
    parts = [(address + "#", MODE_BYTE), (tail, MODE_ALPHANUMERIC)]
    return segno.make(parts, error="m", boost_error=False, micro=False)


def test_the_fragment_is_unpadded_upper_case_base32() -> None:
    """RFC 4648 section 10: "foobar" is MZXW6YTBOI======."""
    assert fragment(b"foobar") == "MZXW6YTBOI"
    assert certificate_of("MZXW6YTBOI") == b"foobar"
    assert certificate_of("MZXW6") == b"foo"


def test_the_path_tells_a_plain_camera_where_to_go() -> None:
    """Design section 10: .../m/{maker}/{serial}; the certificate stands behind the # and is never sent."""
    text = url(BASE + "/", RAW, METER)
    assert text.startswith("https://registry.example.cn/m/DEMO/12082058#")
    assert from_url(text) == (METER, RAW)


def test_a_serial_with_unusual_characters_survives_the_path() -> None:
    """RFC 3986: a slash, a blank, a percent sign and Chinese are escaped and come back."""
    for meter in ("DEMO.A/B", "DEMO.水 1", "DEMO.50%", "DEMO.A.B"):
        assert from_url(url(BASE, RAW, meter)) == (meter, RAW)


@pytest.mark.parametrize("path", ["", "/", "/01/06901234567892/21/12082058", "/n/DEMO/1", "/m/DEMO"])
def test_a_path_of_another_form_names_no_meter(path: str) -> None:
    """Identity comes from the fragment alone; a GS1 path is resolved by the registry."""
    assert from_url(f"{BASE}{path}#{fragment(RAW)}") == (None, RAW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        BASE,
        BASE + "/m/DEMO/1",
        BASE + "/m/DEMO/1#",
        BASE + "#mzxw6ytboi",
        BASE + "#MZXW6YTBOI======",
        BASE + "#MZXW6YTBO1",
        BASE + "#MZXW6YTBOJ",
        BASE + "#M",
        BASE + "#水",
        BASE + "/m/DEMO/%Z1#MZXW6YTBOI",
        BASE + "/m/DEMO/%F#MZXW6YTBOI",
        BASE + "/m/DEMO/1%#MZXW6YTBOI",
        BASE + "/m/DEMO/%  1#MZXW6YTBOI",
        BASE + "/m/DEMO/% 11#MZXW6YTBOI",
        BASE + "/m/DEMO/%FF#MZXW6YTBOI",
        BASE + "#" + "A" * 5000,
    ],
)
def test_what_holds_no_certificate_is_refused(text: str) -> None:
    """No fragment, lower case, padding, a digit that base32 has not, spare bits set, damaged escapes, too long."""
    with pytest.raises(BadCode):
        from_url(text)


@given(st.binary(min_size=1, max_size=300))
def test_any_certificate_comes_back_from_its_url(raw: bytes) -> None:
    """And Python's own base32 agrees about the text."""
    assert from_url(url(BASE, raw, METER)) == (METER, raw)
    assert base64.b32encode(raw).decode().rstrip("=") == fragment(raw)


@given(st.text(max_size=60))
def test_any_text_gives_a_certificate_or_one_sentence(text: str) -> None:
    """Whatever a camera reads."""
    try:
        raw = from_url(text)[1]
    except BadCode:
        return
    assert fragment(raw) == text.strip().partition("#")[2]


def test_the_code_is_at_most_version_12_at_level_m(record_property: Any) -> None:
    """Design section 10's goal, with a URL of 59 characters before the fragment."""
    address = f"{BASE}/m/DEMO/12082058#"
    padded = address.replace("registry.", "registry" + "x" * (59 - len(address)) + ".")
    assert len(padded) == 59
    made = symbol(padded + fragment(RAW))
    record_property("qr_version", made.version)
    print(f"certificate of {len(RAW)} bytes: QR version {made.version}-{made.error}")
    assert made.error == "M"
    assert int(made.version) <= 12


def test_a_stranger_reads_the_code_from_a_picture() -> None:
    """zxing-cpp reads what segno drew; the certificate is the same to the last byte."""
    text = url(BASE, RAW, METER)
    picture = io.BytesIO()
    symbol(text).save(picture, kind="png", scale=4)
    with Image.open(picture) as image:
        found = zxingcpp.read_barcodes(image.convert("L"))
    assert [code.text for code in found] == [text]
    assert from_url(found[0].text) == (METER, RAW)
