"""`meterseal check` from the outside: pictures, URLs, files, serials, and one exit code for each kind of answer."""

import os
from pathlib import Path

import pytest
import segno
from typer.testing import CliRunner

from meterseal_protocol import qr
from meterseal_protocol.certificate import Certificate, issue, marks_hash
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.status import INVALID, Validity, publish
from meterseal_protocol.trust import Trust
from meterseal_tools.cli import app
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import cose_key
from meterseal_wire.statement import Author, build

NOW_S = 1_795_000_000  # 2026-11-18
DAY_S = 86_400
AS_OF = ("--as-of", "2026-11-18T08:00:00")
METER = "DEMO.12082058"
BASE = "https://registry.example"
WITHDRAWN = 5


class Shop:
    """A root, a registry and certificates under them, without any server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root, self.registry = PrivateKey.generate(), PrivateKey.generate()
        fields = {
            L.GRANT: kinds.REGISTRY,
            L.NUMBER: 1,
            L.WINDOW: [0, NOW_S * 2],
            L.SUBJECT_KEY: cose_key(self.registry.public_xy),
            L.REGISTRY: "REG-CN",
        }
        self.grant = build(Author("SAMR", "registry", self.root), L.KIND_GRANT, fields)
        self.author = Author("REG-CN", "record", self.registry)

    def certificate(self, index: int = 0, author: Author | None = None) -> bytes:
        """A certificate for Zhejiang, to be installed within 90 days."""
        content = Certificate(
            issuer="REG-CN",
            meter=METER,
            issued_s=NOW_S,
            expires_s=NOW_S + 90 * DAY_S,
            territory=("33",),
            rules=bytes(8),
            result=bytes(16),
            position=1,
            end_register=1234,
            exponent=-3,
            marks=marks_hash("12082058", bytes(8), ""),
            status_list=1,
            status_index=index,
            demo=True,
        )
        return issue(author or self.author, content)

    def trust(self, ended: bool = False) -> Path:
        """A trust file of now, or one whose status list ended a week before NOW_S."""
        made = NOW_S - 14 * DAY_S if ended else NOW_S
        statuses = [INVALID if index == WITHDRAWN else 0 for index in range(8)]
        status = publish(self.author, f"{BASE}/status/1", statuses, Validity(made, made + 7 * DAY_S, 3600))
        path = self.folder / ("old.cbor" if ended else "trust.cbor")
        path.write_bytes(Trust([self.root.public], [self.grant], [status], made).dump())
        return path

    def picture(self, certificate: bytes) -> Path:
        """A QR picture as the demo makes it, by an encoder that is not ours."""
        path = self.folder / "code.png"
        segno.make(qr.url(BASE, certificate, METER), error="m").save(str(path), scale=4)
        return path


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A fresh root and registry."""
    return Shop(tmp_path)


def run(*arguments: object) -> tuple[int, str]:
    """(exit code, everything printed) of `meterseal check ...`."""
    done = CliRunner().invoke(app, ["check", *map(str, arguments)], env={**os.environ, "COLUMNS": "120"})
    return done.exit_code, done.output


def test_a_picture_of_a_good_code_is_valid_and_says_what_to_compare(shop: Shop) -> None:
    """Issue 3: exit 0 valid; design section 10: the dial must not show less than the end register."""
    code, text = run(
        shop.picture(shop.certificate()), "--trust", shop.trust(), "--territory", "330110", *AS_OF
    )
    assert code == 0
    assert "VALID" in text and "有效" in text and METER in text
    assert "1.234 m³" in text and "DEMO" in text


def test_another_territory_is_not_valid_with_the_reason(shop: Shop) -> None:
    """Issue 3's acceptance: ask for another territory: 1 with the reason. 44 is Guangdong (GB/T 2260)."""
    code, text = run(
        shop.picture(shop.certificate()), "--trust", shop.trust(), "--territory", "440300", *AS_OF
    )
    assert code == 1
    assert "certificate.territory" in text


@pytest.mark.parametrize(
    "dial, exit_code, said",
    [
        ("1.234", 0, "VALID"),
        ("1,334", 0, "VALID"),
        ("1.233", 2, "dial.below"),
        ("1.335", 2, "dial.above"),
        ("about 1", 64, "no reading of a dial"),
    ],
)
def test_the_dial_is_compared_where_it_is_given(shop: Shop, dial: str, exit_code: int, said: str) -> None:
    """Design section 10: 1.234 m3 at the end of the test, and 100 L may run in transport."""
    code, text = run(shop.picture(shop.certificate()), "--trust", shop.trust(), "--dial", dial, *AS_OF)
    assert code == exit_code and said in text


def test_an_old_trust_file_cannot_say(shop: Shop) -> None:
    """Issue 3's acceptance: give an old trust file: 2. Its list ended a week before."""
    code, text = run(shop.picture(shop.certificate()), "--trust", shop.trust(ended=True), *AS_OF)
    assert code == 2
    assert "status.stale" in text and "CANNOT SAY" in text


@pytest.mark.parametrize("place", [4, 40, 90, 150])
def test_a_changed_payload_is_not_valid(shop: Shop, place: int) -> None:
    """Issue 3's acceptance: change the QR's payload: exit 1."""
    raw = bytearray(shop.certificate())
    raw[place] ^= 1
    code, _ = run(qr.url(BASE, bytes(raw), METER), "--trust", shop.trust(), *AS_OF)
    assert code == 1


def test_a_withdrawn_certificate_is_not_valid(shop: Shop) -> None:
    """Design section 10: status 1 is invalid."""
    code, text = run(qr.url(BASE, shop.certificate(WITHDRAWN), METER), "--trust", shop.trust(), *AS_OF)
    assert code == 1
    assert "status.invalid" in text


def test_a_path_that_names_another_meter_is_not_valid(shop: Shop) -> None:
    """Design section 10: identity comes only from the fragment, and a path that differs is not valid."""
    code, text = run(qr.url(BASE, shop.certificate(), "DEMO.99999999"), "--trust", shop.trust(), *AS_OF)
    assert code == 1
    assert "certificate.other_meter" in text


def test_a_forger_in_the_name_of_a_known_registry_is_not_valid(shop: Shop) -> None:
    """A trust file younger than the certificate knows every key of that registry: another key is a forgery."""
    forger = Author("REG-CN", "record", PrivateKey.generate())
    code, text = run(qr.url(BASE, shop.certificate(author=forger), METER), "--trust", shop.trust(), *AS_OF)
    assert code == 1
    assert "certificate.signature" in text


def test_a_key_newer_than_the_trust_file_cannot_be_judged(shop: Shop) -> None:
    """Design section 1 item 9: the registry may have a new key since; missing knowledge is cannot say now."""
    renewed = Author("REG-CN", "record", PrivateKey.generate())
    old = shop.trust(ended=True)
    code, text = run(qr.url(BASE, shop.certificate(author=renewed), METER), "--trust", old, *AS_OF)
    assert code == 2
    assert "key.unknown" in text


def test_after_the_last_day_it_is_not_valid(shop: Shop) -> None:
    """90 days after 2026-11-18 is 2027-02-16; a day later is too late, whatever the list says."""
    url = qr.url(BASE, shop.certificate(), METER)
    code, text = run(url, "--trust", shop.trust(), "--as-of", "2027-02-17")
    assert code == 1
    assert "certificate.expired" in text


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (("nothing.png", "--trust", "trust.cbor"), 66),
        (("https://registry.example/m/DEMO/1", "--trust", "trust.cbor"), 64),
        (("https://registry.example/m/DEMO/1#not-base32", "--trust", "trust.cbor"), 65),
        (("DEMO.12082058",), 64),
        (("code.png", "--trust", "missing.cbor"), 66),
        (("code.png", "--trust", "trust.cbor", "--as-of", "yesterday"), 64),
        (("code.png", "--trust", "code.png"), 65),
        (("code.png", "--trust", "trust.cbor", "--registry", "http://127.0.0.1:9"), 0),
        (("DEMO.12082058", "--registry", "http://127.0.0.1:9"), 69),
    ],
)
def test_misuse_has_exit_codes_of_its_own_and_one_sentence(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], expected: int
) -> None:
    """Issue 3: other codes for misuse (sysexits: 64 usage, 65 data, 66 no input, 69 unavailable)."""
    shop.picture(shop.certificate())
    shop.trust()
    monkeypatch.chdir(shop.folder)
    dated = arguments if "--as-of" in arguments else (*arguments, *AS_OF)
    code, text = run(*dated)
    assert code == expected
    assert "Traceback" not in text


def test_a_picture_without_a_code_is_said_to_have_none(shop: Shop, tmp_path: Path) -> None:
    """Design section 13: wrong file: one sentence that says what and what to do."""
    empty = tmp_path / "empty.png"
    segno.make("no certificate").save(str(empty), scale=4)
    code, text = run(empty, "--trust", shop.trust(), *AS_OF)
    assert code == 65
    assert "0 certificate codes" in text


@pytest.mark.parametrize(
    "source, exit_code",
    [
        ("x" * 5000, 64),
        ("https://[::1/m/DEMO/1#", 65),
        ("https://a.example:port/m/DEMO/12082058#", 65),
        ("#", 65),
        (".", 64),
    ],
    ids=["too long for a name", "half an address", "a port of letters", "nothing", "a folder"],
)
def test_a_source_that_is_none_is_one_sentence(source: str, exit_code: int) -> None:
    """sysexits.h: 64 usage, 65 data: a serial without a registry, an address that is none."""
    code, text = run(source)
    assert code == exit_code
    assert text.startswith("check: ") and "Traceback" not in text


def test_an_address_with_a_good_fragment_and_a_broken_host_is_one_sentence(shop: Shop) -> None:
    """The certificate reads; the host, which would be asked for the trust file, is no host."""
    url = qr.url("https://a.example:port", shop.certificate(), METER)
    code, text = run(url)
    assert code == 65
    assert "this is no address" in text


def test_a_registry_that_is_no_address_is_misuse() -> None:
    """A port of letters: nothing can be asked there."""
    code, text = run("DEMO.12082058", "--registry", "http://a.example:port")
    assert code == 64
    assert "is no address" in text


def test_half_a_picture_is_one_sentence(shop: Shop) -> None:
    """A photo whose transfer was cut: the head says PNG, the rest is not there."""
    path = shop.picture(shop.certificate())
    path.write_bytes(path.read_bytes()[:200])
    code, text = run(path, "--trust", shop.trust(), *AS_OF)
    assert code == 65
    assert "is no picture that can be read" in text
