"""`edge init`: everything a site needs, with the right modes, once."""

import json
import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from edge.tests.secured import HOST, made_site

from meterseal_edge.errors import BadSite
from meterseal_edge.settings import load
from meterseal_edge.site import layout as layouts
from meterseal_edge.site.layout import Layout
from meterseal_protocol.keys import PrivateKey, PublicKey
from meterseal_wire.scan import scan

SECRETS = {"authority/ca.key", "broker/broker.key", "edge/edge.key", "edge/tls.key"}
PUBLIC = {"ca.pem", "ca.der", "edge.cosekey"}


def everything(layout: Layout) -> dict[str, bytes]:
    """All files of a site by their path."""
    files = (path for path in layout.folder.rglob("*") if path.is_file())
    return {path.relative_to(layout.folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_every_file_has_its_mode_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    """Keys 0600; certificates and units may be read by all, what is the edge's or the broker's by nobody else."""
    before = os.umask(umask)
    try:
        layout = made_site(tmp_path / "site")
    finally:
        os.umask(before)
    modes = {name: (layout.folder / name).stat().st_mode & 0o777 for name in everything(layout)}
    open_to_all = {name for name, mode in modes.items() if mode & 0o077}
    assert set(modes) > SECRETS
    assert open_to_all == PUBLIC | {name for name in modes if name.startswith("systemd/")}
    assert {modes[name] for name in SECRETS} == {0o600}
    for private in ("authority", "broker", "broker/data", "edge", "edge/state"):
        assert (layout.folder / private).stat().st_mode & 0o777 == 0o700


def test_no_secret_lies_in_any_other_file(tmp_path: Path) -> None:
    """House rule: keys are in their own files and nowhere else."""
    layout = made_site(tmp_path / "site")
    files = everything(layout)
    secret = files["edge/edge.key"]
    assert [
        name for name, content in files.items() if secret in content or secret.hex().encode() in content
    ] == ["edge/edge.key"]
    assert {name for name, content in files.items() if b"PRIVATE KEY" in content} == SECRETS - {
        "edge/edge.key"
    }


def test_the_settings_are_accepted_and_name_files_that_are_there(tmp_path: Path) -> None:
    """settings.py's own rules; paths are those of the finished site, not of the one that was being built."""
    anchors = tmp_path / "anchors"
    anchors.write_bytes(b"given")
    layout = made_site(tmp_path / "site", anchors=anchors)
    settings = load(layout.settings)
    assert (settings.site, settings.edge, settings.host) == ("YUHANG1", "EDGE1", HOST)
    for path in (
        settings.folder,
        settings.key,
        settings.tls_authority,
        settings.tls_certificate,
        settings.tls_key,
    ):
        assert path is not None and path.exists()
    assert settings.anchors.read_bytes() == b"given"
    public = PublicKey.from_cose(scan((layout.folder / "edge.cosekey").read_bytes(), 1024))
    assert public == PrivateKey.load(settings.key).public


def test_a_site_is_never_made_over_another(tmp_path: Path) -> None:
    """One sentence, and every byte as before: a second authority would lock out all that the first let in."""
    layout = made_site(tmp_path / "site")
    before = everything(layout)
    with pytest.raises(BadSite, match="was left as it is"):
        made_site(tmp_path / "site")
    assert everything(layout) == before
    assert list(tmp_path.glob("*.part")) == []


def test_a_folder_with_one_strange_file_is_left_alone_and_an_empty_one_is_taken(tmp_path: Path) -> None:
    """Only what is empty is ours."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note").write_text("mine")
    with pytest.raises(BadSite):
        made_site(tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["note"]
    (tmp_path / "empty").mkdir()
    assert made_site(tmp_path / "empty").settings.exists()


def test_making_a_site_that_stops_in_the_middle_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up after any number of files: no half site is ever found under the name."""
    whole = len(everything(made_site(tmp_path / "whole")))
    honest = layouts.put
    for count in range(whole - 2):
        left = [count]

        def put(path: Path, content: bytes, mode: int = 0o600, left: list[int] = left) -> None:
            if not left[0]:
                raise OSError(28, "No space left on device")
            left[0] -= 1
            honest(path, content, mode)

        for module in ("founding", "authority", "identities"):
            monkeypatch.setattr(f"meterseal_edge.site.{module}.put", put)
        with pytest.raises(BadSite, match="no site was made"):
            made_site(tmp_path / "half")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["whole"]


@pytest.mark.parametrize("wrong", ["", "a/b", "x" * 17, "#", "two words", ".", "line\nuser"])
def test_a_name_that_cannot_stand_in_a_topic_is_refused(tmp_path: Path, wrong: str) -> None:
    """MQTT 3.1.1 section 4.7: / + # have their own meaning; a line break would be a line of the access list."""
    with pytest.raises(BadSite, match="is no name"):
        made_site(tmp_path / "site", site=wrong)
    assert not (tmp_path / "site").exists()


def test_a_user_that_this_machine_has_not_is_named(tmp_path: Path) -> None:
    """Design section 13: one sentence that says what to do; nothing is left behind."""
    with pytest.raises(BadSite, match="cannot be given to nobody-here"):
        made_site(tmp_path / "site", users=("nobody-here", ""))
    assert not (tmp_path / "site").exists()


def test_a_folder_for_backups_elsewhere_is_there_or_is_named(tmp_path: Path) -> None:
    """The unit may write there, and the settings say where; a folder that is missing would stop it each night."""
    disk = tmp_path / "disk"
    with pytest.raises(BadSite, match="disk is no folder: make it"):
        made_site(tmp_path / "site", backups=disk)
    disk.mkdir()
    layout = made_site(tmp_path / "site", backups=disk)
    unit = (layout.folder / "systemd/meterseal-backup.service").read_text()
    assert f"ReadWritePaths={layout.state} {disk}\n" in unit
    assert json.loads(layout.settings.read_text())["backups"] == str(disk)


def test_a_link_in_the_way_of_a_file_is_not_followed(tmp_path: Path) -> None:
    """Root writes into the broker's folder: a link that a broken broker left there leads nowhere."""
    victim, path = tmp_path / "victim", tmp_path / "access"
    victim.write_text("untouched")
    for name in ("access.part", "access"):
        (tmp_path / name).symlink_to(victim)
    layouts.put(path, b"list")
    assert victim.read_text() == "untouched"
    assert not path.is_symlink() and path.read_bytes() == b"list"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["access", "victim"]


def test_each_folder_belongs_to_its_user_and_the_authority_to_nobody_else(tmp_path: Path) -> None:
    """Whoever runs this test is the one user that is surely there; what is written later has its folder's owner."""
    mine = pwd.getpwuid(os.getuid())
    layout = made_site(tmp_path / "site", users=(mine.pw_name, mine.pw_name))
    owned = [path for folder in (layout.edge, layout.broker) for path in (folder, *folder.rglob("*"))]
    assert {(path.stat().st_uid, path.stat().st_gid) for path in owned} == {(mine.pw_uid, mine.pw_gid)}
    unit = (layout.folder / "systemd/meterseal-edge.service").read_text()
    assert f"User={mine.pw_name}\n" in unit
    assert f"user {mine.pw_name}\n" in (layout.broker / "mosquitto.conf").read_text()


def test_the_authority_signs_certificates_and_nothing_below_it_does(tmp_path: Path) -> None:
    """RFC 5280 sections 4.2.1.3, 4.2.1.9, 4.2.1.12, read by `openssl verify`; a broker's certificate is no client's."""
    layout = made_site(tmp_path / "site")
    for path, purpose, good in (
        (layout.broker / "broker.pem", "sslserver", True),
        (layout.broker / "broker.pem", "sslclient", False),
        (layout.edge / "tls.pem", "sslclient", True),
        (layout.edge / "tls.pem", "sslserver", False),
    ):
        command = [
            "openssl",
            "verify",
            "-x509_strict",
            "-purpose",
            purpose,
            "-CAfile",
            layout.authority_certificate,
            path,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is good, done.stderr
    certificate = x509.load_pem_x509_certificate((layout.edge / "tls.pem").read_bytes())
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_the_units_are_accepted_by_systemd_and_hardened(tmp_path: Path) -> None:
    """`systemd-analyze verify` finds nothing, and `security` rates the exposure of each below 3 of 10."""
    layout = made_site(tmp_path / "site", users=("", ""))
    units = layout.folder / "systemd"
    place = tmp_path / "units"
    shutil.copytree(units, place)
    # The distribution's own unit, which the drop-in changes; its program is not at that path on every machine.
    (place / "mosquitto.service").write_text(
        "[Unit]\nDescription=broker\n[Service]\nType=notify\nExecStart=/bin/true\n"
    )
    names = [
        "meterseal-edge.service",
        "meterseal-renew.service",
        "meterseal-renew.timer",
        "meterseal-backup.service",
        "meterseal-backup.timer",
        "mosquitto.service",
    ]
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{place}:"}
    command = [
        "systemd-analyze",
        "verify",
        "--man=no",
        "--generators=no",
        *(str(place / name) for name in names),
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    about_ours = [line for line in done.stderr.splitlines() if str(place) in line or "meterseal" in line]
    assert (done.returncode, about_ours) == (0, []), done.stderr
    for name, most in (
        ("meterseal-edge.service", 20),
        ("mosquitto.service", 20),
        ("meterseal-backup.service", 20),
        ("meterseal-renew.service", 30),
    ):
        command = ["systemd-analyze", "security", "--offline=true", f"--threshold={most}", str(place / name)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, done.stdout[-600:]


def test_a_unit_with_a_wrong_word_is_found_by_the_same_check(tmp_path: Path) -> None:
    """A planted fault: were the check deaf, a misspelt line would harden nothing."""
    path = tmp_path / "meterseal-edge.service"
    layout = made_site(tmp_path / "site")
    text = (layout.folder / "systemd/meterseal-edge.service").read_text()
    path.write_text(text.replace("ProtectSystem=strict", "ProtectSystems=strict"))
    command = ["systemd-analyze", "verify", "--man=no", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "ProtectSystems" in done.stderr


def test_the_units_confine_each_to_its_own_data(tmp_path: Path) -> None:
    """Neither edge nor broker sees the authority's key; each writes its own folder alone."""
    layout = made_site(tmp_path / "site")
    edge = (layout.folder / "systemd/meterseal-edge.service").read_text().splitlines()
    broker = (layout.folder / "systemd/mosquitto.service.d/meterseal.conf").read_text().splitlines()
    for lines, own in ((edge, layout.state), (broker, layout.broker / "data")):
        assert [line for line in lines if line.startswith("ReadWritePaths=")] == [f"ReadWritePaths={own}"]
        assert f"InaccessiblePaths={layout.authority}" in lines
        assert {"NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet="} <= set(lines)
    # Debian's own unit makes and gives away folders before the start, which a user without rights can't.
    assert broker.index("ExecStartPre=") < broker.index("ExecStart=")


def test_the_brokers_limits_are_on_purpose(tmp_path: Path) -> None:
    """docs/decisions/0004: mosquitto's own bound of 1000 messages dropped 4000 of 5000. A parcel has 64 KiB at most."""
    layout = made_site(tmp_path / "site")
    lines = (layout.broker / "mosquitto.conf").read_text().splitlines()
    words = dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    assert int(words["max_queued_messages"]) == 100_000
    assert 65536 < int(words["max_packet_size"]) <= 1 << 17
    assert words["tls_version"] == "tlsv1.2"
    assert (words["set_tcp_nodelay"], words["persistence"], words["allow_anonymous"]) == (
        "true",
        "true",
        "false",
    )


def test_the_list_of_the_enrolled_begins_empty(tmp_path: Path) -> None:
    """Nobody is let in who was not enrolled."""
    layout = made_site(tmp_path / "site")
    assert json.loads(layout.identities.read_text()) == {"rows": []}
