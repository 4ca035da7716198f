"""The site file of an installer, TOML, as the settings.json of a fixture.

    fixture = "W1"
    site = "HZ-01"
    bench = "B3"
    host = "edge.hz-01.example"
    port = 8883
    positions = 20
    capture = "uart1"
    mbus = "uart2"
    panel = "usb"
    edge_key = "edge.cosekey"
    registry_key = "3f0a...  128 hex digits, x then y"

A key is 128 hex digits or a file with a COSE_Key, beside the site file. Everything else goes to the fixture as it
stands, and the fixture's own rules say whether it is good: they run here, in MicroPython, from firmware/src.
"""

import json
import os
import subprocess
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import PublicKey
from meterseal_tools.sim.errors import BadSetup
from meterseal_tools.sim.fixture import firmware_paths, interpreter
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan
from meterseal_wire.suites import ESP256

KEYS = ("edge_key", "registry_key")
TLS = ("tls_authority", "tls_certificate", "tls_key")
STATE = "/state"
RULES = """
import sys
from meterseal_fixture.errors import BadSettings
from meterseal_fixture.settings import read_settings
try:
    read_settings(sys.argv[1])
except BadSettings as wrong:
    print(wrong.detail)
    sys.exit(78)
"""
UNUSABLE = 78
LARGEST_KEY = 1024


class BadSite(Exception):
    """The site file cannot be used; one sentence that says what to correct."""


def settings(path: Path) -> dict[str, Any]:
    """The fixture's settings, accepted by its own rules; BadSite else."""
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise BadSite(f"there is no settings file {path}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSite(f"{path} is not TOML: {error}") from None
    if "folder" in fields:
        raise BadSite(f"remove 'folder' from {path}; on a board it is always {STATE}")
    for name in TLS:
        if name in fields:
            raise BadSite(
                f"remove '{name}' from {path}; `meterseal provision` writes the files of TLS and names them"
            )
    for name in KEYS:
        fields[name] = public_hex(fields.get(name), path.parent, name)
    fields["folder"] = STATE
    obey(fields)
    return fields


def public_hex(value: object, folder: Path, name: str) -> str:
    """A key given as hex digits or as the path of a COSE_Key, as 128 hex digits."""
    if not isinstance(value, str) or not value:
        raise BadSite(f"'{name}' must be 128 hexadecimal digits or the path of a COSE key file")
    file = folder / value
    if len(value) == 2 * ESP256.public_bytes and not file.exists():
        return _checked(value, name)
    try:
        key = PublicKey.from_cose(scan(file.read_bytes(), LARGEST_KEY))
    except OSError:
        raise BadSite(
            f"'{name}': there is no key file {file}, and it is not 128 hexadecimal digits"
        ) from None
    except (ProtocolError, WireError):
        raise BadSite(f"'{name}': {file} is no public key as COSE_Key") from None
    if key.suite is not ESP256:
        raise BadSite(
            f"'{name}': a fixture believes keys of {ESP256.name} only, {file} is of {key.suite.name}"
        )
    return key.xy.hex()


def _checked(digits: str, name: str) -> str:
    try:
        return PublicKey(bytes.fromhex(digits)).xy.hex()
    except (ValueError, ProtocolError):
        raise BadSite(f"'{name}' is not a point of P-256; copy the digits again") from None


def obey(fields: dict[str, Any]) -> None:
    """Run the firmware's own rules over the settings; BadSite with the firmware's sentence."""
    try:
        text, search = to_json(fields), ":".join([".frozen", *map(str, firmware_paths().search)])
        program = str(interpreter())
    except (BadSetup, TypeError) as error:
        raise BadSite(f"the settings can't be checked: {error}") from None
    with tempfile.TemporaryDirectory() as folder:
        rules, given = Path(folder, "rules.py"), Path(folder, "settings.json")
        rules.write_text(RULES, encoding="utf-8")
        given.write_bytes(text)
        done = subprocess.run(
            [program, str(rules), str(given)],
            capture_output=True,
            text=True,
            env={**os.environ, "MICROPYPATH": search},
            check=False,
        )
    if done.returncode == UNUSABLE:
        raise BadSite(done.stdout.strip())
    if done.returncode:
        raise BadSite(f"the firmware's rules did not run: {done.stdout.strip()} {done.stderr.strip()}")


def to_json(fields: dict[str, Any]) -> bytes:
    """settings.json as it goes onto the board."""
    return (json.dumps(fields, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
