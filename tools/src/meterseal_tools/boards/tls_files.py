"""The three files with which a board shows itself to its broker and knows it: authority, certificate, key; DER.

The key is made on the board and stays there, as the signing key does, and is another one (docs: keys on the device).
The settings name the files only once all three are there, so a cut never leaves a fixture that cannot start.
"""

import json

from meterseal_edge.site.request import BINDING
from meterseal_tools.boards import onboard
from meterseal_tools.boards.identity import CSR, SETTINGS, Place, again, checked
from meterseal_tools.boards.site_file import STATE, TLS, to_json
from meterseal_tools.boards.words import BoardError

PATHS = {name: f"state/{name}.der" for name in TLS}
AUTHORITY, CERTIFICATE, KEY = (PATHS[name] for name in TLS)


def request(place: Place, names: object) -> bytes | None:
    """A PKCS#10 request for the TLS key, which is made where there is none; None where the firmware cannot."""
    if not place.has(CSR):
        return None
    if KEY not in place.sizes:
        if CERTIFICATE in place.sizes:  # of a key that somebody removed
            place.link.remove(CERTIFICATE)
        if not place.run(CSR, onboard.MAKE, onboard.MAKE_TLS_KEY):
            raise BoardError("open_key", place.link.port)
    return bytes(place.run(CSR, onboard.KEY_OF_TLS, onboard.REQUEST, names=names))


def proof(place: Place, request: bytes) -> bytes:
    """The signing key's signature that binds the TLS request to it."""
    return bytes(place.run(*place.signer, onboard.BIND, message=BINDING + request))


def public_key(place: Place) -> bytes:
    """The TLS key's public half x || y; BoardError where the board has none."""
    if KEY not in place.sizes:
        raise BoardError("no_key", place.link.port)
    return checked(place, bytes(place.run(CSR, onboard.KEY_OF_TLS, onboard.PUBLIC)))


def fields(place: Place) -> dict[str, str]:
    """What the settings say of TLS on this board: all three files, or nothing."""
    whole = all(path in place.sizes for path in PATHS.values())
    return {name: f"{STATE}/{name}.der" for name in TLS} if whole else {}


def install(place: Place, certificate: bytes, authority: bytes) -> None:
    """Write both, then name all three in the board's settings."""
    if SETTINGS not in place.sizes:
        raise BoardError("no_settings", place.link.port)
    place.link.put(AUTHORITY, authority)
    place.link.put(CERTIFICATE, certificate)
    settings = json.loads(place.link.read(SETTINGS))
    place.link.put(SETTINGS, to_json(settings | fields(again(place))))
