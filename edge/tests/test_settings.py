"""One typed settings object: each fault is one sentence that names the field (design section 13)."""

import json
from pathlib import Path
from typing import Any

import pytest

from meterseal_edge.errors import BadSettings
from meterseal_edge.settings import Settings, load
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.note_key import TIMED, NoteSigner
from meterseal_wire.suites import ED25519

GOOD: dict[str, Any] = {
    "folder": "edge",
    "port": 1883,
    "site": "YUHANG1",
    "edge": "EDGE1",
    "key": "edge.key",
    "anchors": "anchors.cbor",
    "registry": "http://127.0.0.1:8000",
    "page_port": 8080,
}


def written(place: Path, **changes: Any) -> Path:
    """GOOD as a file with fields changed; None takes one out."""
    path = place / "edge.json"
    path.write_text(json.dumps({k: v for k, v in {**GOOD, **changes}.items() if v is not None}))
    return path


def test_a_full_file_becomes_settings_with_paths_and_defaults(tmp_path: Path) -> None:
    """CONTRACT, edge: the file's fields; what is optional has the default that its docstring names."""
    found = load(written(tmp_path))
    assert found == Settings(
        folder=Path("edge"),
        port=1883,
        site="YUHANG1",
        edge="EDGE1",
        key=Path("edge.key"),
        anchors=Path("anchors.cbor"),
        registry="http://127.0.0.1:8000",
        page_port=8080,
    )
    assert (found.host, found.grants, found.mqtt_version, found.quarantine) == ("127.0.0.1", None, 5, 1000)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_each_field_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    """Design section 13: one sentence that says what."""
    with pytest.raises(BadSettings, match=f'lacks "{name}"'):
        load(written(tmp_path, **{name: None}))


def test_an_unknown_field_is_named(tmp_path: Path) -> None:
    """A misspelled field must not be silently without effect."""
    with pytest.raises(BadSettings, match='has "quarantene", which is no setting'):
        load(written(tmp_path, quarantene=5))


@pytest.mark.parametrize(
    "name, value",
    [
        ("port", "1883"),
        ("port", 0),
        ("port", True),
        ("page_port", 65536),
        ("mqtt_version", 3),
        ("batch", 401),
        ("quarantine", 0),
        ("registry_poll_s", 0.5),
        ("folder", 7),
        ("key", ""),
        ("host", []),
        ("site", "A/B"),
        ("site", "#"),
        ("edge", "SEVENTEEN-LETTERS"),
        ("registry", "registry.example"),
        ("registry", "http://registry:port"),
        ("registry", "http://"),
        ("registry", "ftp://registry.example"),
    ],
)
def test_a_value_out_of_shape_is_named_with_what_is_allowed(tmp_path: Path, name: str, value: Any) -> None:
    """Names go into topics (MQTT 5 section 4.7: / + # are taken) and into CWT claims of 1 to 16 characters."""
    with pytest.raises(BadSettings, match=f'"{name}"'):
        load(written(tmp_path, **{name: value}))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 100_000])
def test_a_file_that_is_no_json_object_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    """RFC 8259: an object begins with a brace; deep nesting must not end in a traceback either."""
    path = tmp_path / "edge.json"
    path.write_bytes(content)
    with pytest.raises(BadSettings, match=r"edge\.json"):
        load(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Design section 13: wrong file: one sentence."""
    with pytest.raises(BadSettings, match=r"no\.json cannot be read"):
        load(tmp_path / "no.json")


def test_grants_may_be_left_out_or_null(tmp_path: Path) -> None:
    """Grants come from the registry too; the folder is optional."""
    path = tmp_path / "edge.json"
    path.write_text(json.dumps({**GOOD, "grants": None}))
    assert load(path).grants is None
    assert load(written(tmp_path, grants="grants")).grants == Path("grants")


@pytest.mark.parametrize(
    "origin",
    ["https://edge.example", "https://edge.example:8443", "http://localhost:8080", "https://10.0.0.7"],
)
def test_the_pages_origin_is_https_or_this_machine(tmp_path: Path, origin: str) -> None:
    """W3C Secure Contexts: elsewhere a browser gives a page neither keys nor passkeys."""
    assert load(written(tmp_path, page_origin=origin)).page_origin == origin


@pytest.mark.parametrize(
    "origin",
    [
        "http://edge.example",
        "http://127.0.0.1:8080",
        "edge.example",
        "https://",
        "https://edge.example/",
        "https://edge.example:443",
        "https://edge.example/page",
        "https://EDGE.example",
        "https://edge.example?x",
        "https://li@edge.example",
        "ftp://localhost",
        "https://edge:x",
    ],
)
def test_an_origin_that_a_browser_would_never_send_is_refused(tmp_path: Path, origin: str) -> None:
    """RFC 6454 section 6.2: scheme, host and port in small letters, nothing behind them."""
    with pytest.raises(BadSettings, match='"page_origin"'):
        load(written(tmp_path, page_origin=origin))


def key_text(name: str) -> str:
    """A witness's verifier key."""
    return str(NoteSigner(name, PrivateKey.generate(ED25519), TIMED).key)


def test_witnesses_are_a_list_of_address_and_key(tmp_path: Path) -> None:
    """README's table: two, and a quorum no higher than their number."""
    texts = [key_text("witness.example/a"), key_text("witness.example/b")]
    listed = [{"url": f"http://{at}.example", "key": text} for at, text in zip("ab", texts, strict=True)]
    found = load(written(tmp_path, witnesses=listed, quorum=2, log_key="log.key"))
    assert [(at.url, str(at.key)) for at in found.witnesses] == [
        ("http://a.example", texts[0]),
        ("http://b.example", texts[1]),
    ]
    with pytest.raises(BadSettings, match='"quorum" is 3, and "witnesses" has 2'):
        load(written(tmp_path, witnesses=listed, quorum=3, log_key="log.key"))
    with pytest.raises(BadSettings, match='"witnesses" cosign what "log_key" signs'):
        load(written(tmp_path, witnesses=listed))
    with pytest.raises(BadSettings, match="has a key twice"):
        load(written(tmp_path, witnesses=[listed[0], {**listed[1], "key": texts[0]}], log_key="log.key"))


@pytest.mark.parametrize(
    "value, why",
    [
        ("http://a.example", "is a list"),
        (["http://a.example"], 'objects of "url" and "key"'),
        ([{"url": "http://a.example"}], 'objects of "url" and "key"'),
        ([{"url": "http://a.example", "key": 1}], 'objects of "url" and "key"'),
        ([{"url": "a.example", "key": "k"}], "begins with http"),
        ([{"url": "http://a.example", "key": "k"}], '"key" that is none'),
    ],
)
def test_what_is_no_witness_is_said(tmp_path: Path, value: Any, why: str) -> None:
    """Design section 13: one sentence that names the field."""
    with pytest.raises(BadSettings, match=f'"witnesses".*{why}'):
        load(written(tmp_path, witnesses=value, log_key="log.key"))
