"""Who a board is: its signing key is made on it and stays there; what comes out is the public half and a request."""

from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import PublicKey
from meterseal_tools.boards import onboard
from meterseal_tools.boards.link import BoardLink
from meterseal_tools.boards.words import BoardError

KEY, CERTIFICATE, SETTINGS = "state/key", "state/certificate.der", "state/settings.json"
SIGNER = ("a/meterseal_fixture/signer/software_p256", "a/meterseal_fixture/signer/csr")
GROUP = 4


def fingerprint(thumbprint: bytes) -> str:
    """A thumbprint (RFC 9679) as sixteen groups of four hex digits, for people to compare."""
    digits = thumbprint.hex()
    return " ".join(digits[at : at + GROUP] for at in range(0, len(digits), GROUP))


def public_key(link: BoardLink) -> bytes:
    """The board's public key x || y, computed there; b"" where it has none."""
    sizes = link.sizes()
    if KEY not in sizes:
        return b""
    if not has(sizes, SIGNER[0]):
        raise BoardError("no_firmware", link.port)
    public = bytes(link.ask(onboard.PUBLIC))
    try:
        return PublicKey(public).xy
    except ProtocolError:
        raise BoardError("bad_key", link.port) from None


def has(sizes: dict[str, int], module: str) -> bool:
    """True if the module lies on the board, as source or compiled."""
    return f"{module}.py" in sizes or f"{module}.mpy" in sizes


def make_key(link: BoardLink) -> bytes:
    """A new key on the board, in the place of any older one, whose certificate goes too; gives x || y."""
    sizes = link.sizes()
    if not has(sizes, SIGNER[0]):
        raise BoardError("no_firmware", link.port)
    link.make_folders([KEY])
    if not link.ask(onboard.MAKE_KEY):
        raise BoardError("open_key", link.port)
    if CERTIFICATE in sizes:
        link.remove(CERTIFICATE)
    return public_key(link)


def request(link: BoardLink, names: object) -> bytes | None:
    """A PKCS#10 request that the board signed, DER; None where its firmware cannot make one."""
    if not has(link.sizes(), SIGNER[1]):
        return None
    return bytes(link.ask(onboard.REQUEST, names=names))
