"""Who a board is: its signing key is made on it and stays there; what comes out is the public half and a request.

The key lies in a file, or, on a board whose settings name an `element_slot`, in the secure element and in no file.
"""

from dataclasses import dataclass, replace
from typing import Any

from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import PublicKey
from meterseal_tools.boards import onboard
from meterseal_tools.boards.link import BoardLink
from meterseal_tools.boards.standing import Contents, cell_of
from meterseal_tools.boards.words import BoardError

KEY, CERTIFICATE, SETTINGS = "state/key", "state/certificate.der", "state/settings.json"
SOFTWARE, ELEMENT, CSR = (f"meterseal_fixture/signer/{name}" for name in ("software_p256", "atecc608", "csr"))
ELEMENT_SLOT = "element_slot"
GROUP = 4


def fingerprint(thumbprint: bytes) -> str:
    """A thumbprint (RFC 9679) as sixteen groups of four hex digits, for people to compare."""
    digits = thumbprint.hex()
    return " ".join(digits[at : at + GROUP] for at in range(0, len(digits), GROUP))


@dataclass(frozen=True)
class Place:
    """A board as it lies there: its files, the slot that starts ("a/"), and the element's slot of its key or None."""

    link: BoardLink
    sizes: dict[str, int]
    slot: str
    element: int | None

    def has(self, module: str) -> bool:
        """True if the firmware has the module, as source or compiled."""
        return any(f"{self.slot}{module}{end}" in self.sizes for end in (".py", ".mpy"))

    def run(self, needs: str, *programs: str, **values: object) -> Any:
        """Run programs of `onboard` with the firmware's own modules; BoardError `no_firmware` without the one needed,
        `element` where the element fails, `refused` for what else the firmware says.
        """
        if not self.has(needs):
            raise BoardError("no_firmware", self.link.port)
        values |= {"slot": f"/{self.slot.rstrip('/')}", "element": self.element}
        answer = self.link.ask("".join((onboard.FIRMWARE, *programs)), **values)
        if isinstance(answer, tuple):
            code = "element" if answer[0].startswith("element.") else "refused"
            raise BoardError(code, self.link.port, " ".join(answer).strip())
        return answer

    @property
    def signer(self) -> tuple[str, str]:
        """The module that signs, and the program that gives its `key()`."""
        if self.element is None:
            return SOFTWARE, onboard.KEY_FILE
        return ELEMENT, onboard.KEY_IN_ELEMENT


def at(link: BoardLink) -> Place:
    """The board as its files and its settings say."""
    sizes = link.sizes()
    running = cell_of(Contents(sizes, link.hash, link.read)).running
    element = link.ask(onboard.SETTING, name=ELEMENT_SLOT) if SETTINGS in sizes else None
    return Place(link, sizes, running, element)


def again(place: Place) -> Place:
    """The same with its files as they are now."""
    return replace(place, sizes=place.link.sizes())


def public_key(place: Place) -> bytes:
    """The board's public key x || y, computed there; b"" where it has none."""
    if place.element is None and KEY not in place.sizes:
        return b""
    if place.element is not None and not has_key(place):
        return b""
    return checked(place, bytes(place.run(*place.signer, onboard.PUBLIC)))


def checked(place: Place, public: bytes) -> bytes:
    """The key, if it is one; BoardError else."""
    try:
        return PublicKey(public).xy
    except ProtocolError:
        raise BoardError("bad_key", place.link.port) from None


def has_key(place: Place) -> bool:
    """True if the element is set up and its slot keeps a key for ever; BoardError where a key file lies beside it."""
    if KEY in place.sizes:
        raise BoardError("two_keys", place.link.port)
    fault, kept = place.run(ELEMENT, onboard.ELEMENT_STATE)
    return kept and not fault


def make_key(place: Place) -> bytes:
    """A new key on the board, in the place of any older one, whose certificate goes too; gives x || y.

    In an element this is for ever: the caller has asked for it.
    """
    place.link.make_folders([KEY])
    if place.element is not None:
        has_key(place)
        public = bytes(place.run(ELEMENT, onboard.SET_UP_ELEMENT))
    else:
        if not place.run(SOFTWARE, onboard.MAKE, onboard.MAKE_KEY):
            raise BoardError("open_key", place.link.port)
        public = bytes(place.run(*place.signer, onboard.PUBLIC))
    if CERTIFICATE in place.sizes:
        place.link.remove(CERTIFICATE)
    return checked(place, public)


def request(place: Place, names: object) -> bytes | None:
    """A PKCS#10 request that the board signed, DER; None where its firmware cannot make one."""
    if not place.has(CSR):
        return None
    return bytes(place.run(*place.signer, onboard.REQUEST, names=names))
