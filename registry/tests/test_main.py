"""The registry as a process: what it says when it cannot start, and what SIGKILL cannot take from it."""

import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from registry.tests.conftest import BAD_PPM, METER, Office, root_by_hand

from meterseal_protocol import receipt
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.statement import read
from meterseal_protocol.testing.fixture import Signed
from meterseal_protocol.trust import Trust
from meterseal_registry.main import main
from meterseal_tools.services import Service, free_port, write_settings
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity

LARGE = 1 << 22
Started = Callable[[Path], tuple[int, str]]
TIMEOUT_S = 30


class Process:
    """The real process on its own folder and port; the office only signs for it."""

    def __init__(self, office: Office, folder: Path) -> None:
        self.office = office
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.settings = write_settings(
            folder / "settings.json",
            **{**fields(office), "folder": folder / "data", "port": port, "base_url": self.url},
        )
        self.service = Service("meterseal_registry", self.settings, f"{self.url}/healthz").start()

    def get(self, path: str) -> Any:
        """Body of an address that must answer."""
        answer = httpx.get(self.url + path, timeout=TIMEOUT_S)
        assert answer.status_code == 200, answer.text
        return answer.content

    def send(self, *items: Signed) -> list[Any]:
        """One bundle: the answers."""
        body = encode([[item.raw, *item.evidence] for item in items])
        answer = httpx.post(f"{self.url}/bundles", content=body, timeout=TIMEOUT_S)
        assert answer.status_code == 200, answer.text
        found: list[Any] = scan(answer.content, LARGE)
        return found

    def leaves(self) -> list[bytes]:
        """Every leaf."""
        found: list[bytes] = scan(self.get("/log/leaves"), LARGE)["leaves"]
        return found


def fields(office: Office) -> dict[str, Any]:
    """The office's settings as a file has them."""
    found = {
        name: getattr(office.settings, name)
        for name in ("folder", "port", "registry", "key", "anchors", "rules")
    }
    return {**found, "base_url": office.settings.base_url}


@pytest.fixture
def process(office: Office, tmp_path: Path) -> Iterator[Process]:
    """A registry process that holds every grant."""
    folder = tmp_path / "process"
    folder.mkdir()
    found = Process(office, folder)
    for raw in office.world.grants.values():
        assert httpx.post(f"{found.url}/entries", content=raw, timeout=TIMEOUT_S).status_code == 201
    yield found
    found.service.kill()


def test_what_was_acknowledged_is_there_after_sigkill(process: Process) -> None:
    """Design section 1 item 3: acknowledged means durable. Killed between bundles, without a goodbye."""
    office = process.office
    office.beacon = identity(process.get("/beacon"))
    held: dict[bytes, receipt.Receipt] = {}
    bundles = [[office.fixture.signed[0], *office.run()], office.run(BAD_PPM)]
    for bundle in bundles:
        for item, raw in zip(bundle, process.send(*bundle), strict=True):
            held[item.identity] = receipt.check(raw, item.identity, office.ring)
        before = process.leaves()
        process.service.kill()
        process.service.start()
        assert process.leaves() == before
    head = read(process.get("/checkpoint")).payload
    assert head[L.LOG_ROOT] == root_by_hand(process.leaves())
    for name, found in held.items():
        again = receipt.check(process.get(f"/receipts/{name.hex()}?size={found.size}"), name, office.ring)
        assert again == found
    lists = Trust.load(process.get("/trust"))
    assert lists.status_lists(lists.registries())["REG-CN", 1].get(0) == 1
    assert httpx.get(f"{process.url}/records/{METER}").json()["outcome"] == "refused"


def test_the_same_bundle_after_sigkill_gives_the_same_leaves(process: Process) -> None:
    """An edge that saw no answer sends again: nothing is entered or decided twice."""
    office = process.office
    office.beacon = identity(process.get("/beacon"))
    bundle = [office.fixture.signed[0], *office.run()]
    first = [
        receipt.check(raw, item.identity, office.ring)
        for item, raw in zip(bundle, process.send(*bundle), strict=True)
    ]
    size = len(process.leaves())
    process.service.kill()
    process.service.start()
    again = [
        receipt.check(raw, item.identity, office.ring)
        for item, raw in zip(bundle, process.send(*bundle), strict=True)
    ]
    assert [(item.leaf, item.entered_s) for item in again] == [(item.leaf, item.entered_s) for item in first]
    assert len(process.leaves()) == size


@pytest.fixture
def started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Path], tuple[int, str]]:
    """Calls the entry point with a settings file that cannot be served: its exit code and what it says."""

    def start(settings: Path) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["meterseal_registry", str(settings)])
        return main(), capsys.readouterr().err

    return start


def test_a_key_that_others_can_read_is_refused(office: Office, tmp_path: Path, started: Started) -> None:
    """COMMON: key files 0600. One sentence, no traceback, and the secret is not in it."""
    office.settings.key.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP)
    code, said = started(write_settings(tmp_path / "settings.json", **fields(office)))
    assert code == 1 and "chmod 600" in said and said.count("\n") == 1
    assert office.settings.key.read_bytes().hex() not in said


@pytest.mark.parametrize(
    "changes,why",
    [
        ({"key": "absent.key"}, "absent.key"),
        ({"anchors": "absent.cbor"}, "absent.cbor"),
        ({"rules": ["jjg999"]}, "jjg999"),
        ({"registry": ""}, '"registry" is a text'),
        ({"colour": "green"}, '"colour", which is no setting'),
    ],
)
def test_settings_that_cannot_be_used_are_one_sentence(
    office: Office, tmp_path: Path, started: Started, changes: dict[str, Any], why: str
) -> None:
    """Design section 13: one sentence that says what and what to do; never a traceback."""
    code, said = started(write_settings(tmp_path / "settings.json", **{**fields(office), **changes}))
    assert code == 1 and why in said and said.startswith("registry: ") and said.count("\n") == 1


@pytest.mark.parametrize("content", [b"", b"\xff", b"\x80", b"\x01", b"\x81\xa0", b"\xa0"])
def test_a_file_that_is_no_list_of_anchors_is_refused(
    office: Office, tmp_path: Path, started: Started, content: bytes
) -> None:
    """Without an anchor nothing could ever be believed."""
    path = tmp_path / "other.cbor"
    path.write_bytes(content)
    code, said = started(write_settings(tmp_path / "settings.json", **{**fields(office), "anchors": path}))
    assert code == 1 and "other.cbor" in said and said.count("\n") == 1


def test_a_damaged_store_is_one_sentence(office: Office, tmp_path: Path, started: Started) -> None:
    """A file of which the middle was overwritten: restore a backup."""
    office.record.entries.store.close()
    path = office.settings.folder / "registry.sqlite"
    raw = bytearray(path.read_bytes())
    raw[4096 : len(raw)] = bytes(len(raw) - 4096)
    path.write_bytes(raw)
    code, said = started(write_settings(tmp_path / "settings.json", **fields(office)))
    assert code == 1 and "backup" in said and "Traceback" not in said


def test_another_key_than_the_one_that_signed_is_noticed(office: Office, tmp_path: Path) -> None:
    """The folder is whole; but no logged grant names the new key, so the registry is not ready."""
    key = PrivateKey.generate()
    key.save(tmp_path / "new.key")
    office.record.entries.store.close()
    office.settings = replace(office.settings, key=tmp_path / "new.key")
    office.record = office.open()
    assert not office.record.granted


def test_without_a_settings_file_the_usage_is_said() -> None:
    """Exit 64: usage."""
    command = [sys.executable, "-m", "meterseal_registry"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert ended.returncode == 64 and "settings.json" in ended.stderr
