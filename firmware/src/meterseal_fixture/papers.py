"""The three TLS files of a fixture, and a renewed certificate that comes down as ["certificate", DER].

It is public, and nobody signs for it here: it must be of the key that the one in force is of, and whether it is good
the broker says. So it is laid beside that one, tried at the next connection, takes its place once the broker has taken
it, and goes where the broker refused it and took the old one after. After a power cut at any step the certificate in
force is a whole one: what changes it is one rename.
"""

import os

from meterseal_fixture.connection import read_file, tls_context
from meterseal_fixture.errors import BadSettings, Disbelieved, NotKept
from meterseal_wire.digest import sha256

CERTIFICATE, BESIDE, PART = "certificate", ".new", ".part"
MOST_BYTES = 2048
# The end of a SubjectPublicKeyInfo of P-256 (RFC 5480 section 2.2): BIT STRING of 66 bytes, an uncompressed point.
POINT, POINT_BYTES = b"\x03\x42\x00\x04", 68
RENEWED, REFUSED = "certificate renewed", "certificate refused"


class Papers:
    """`paths` are the files of authority, certificate and key, DER. BadSettings where they are no such files.

    `again` is True while somebody should connect anew, to try what came.
    """

    def __init__(self, paths: list[str]) -> None:
        self.paths = paths
        self.again = False
        self._in_force = self._context(paths[1])
        self._beside = self._whole(paths[1] + BESIDE)
        self._trying = self._refused = False
        self._news: list[tuple[str, str]] = []

    # What the link asks and says.

    def context(self):
        """For the next connection: with the new certificate where there is one that did not just fail."""
        self.again = False
        self._trying = self._beside and not self._refused
        return self._context(self.paths[1] + BESIDE) if self._trying else self._in_force

    def failed(self) -> None:
        """The broker was reached and took nothing: next time the other one is tried."""
        self._refused = self._trying

    def passed(self) -> None:
        """The broker took the certificate of `context`."""
        if not self._beside:
            return
        new = self.paths[1] + BESIDE
        digest = self._digest(new)
        if self._trying:
            os.rename(new, self.paths[1])
            self._in_force = self._context(self.paths[1])
        else:
            os.remove(new)
        self._news.append((RENEWED if self._trying else REFUSED, digest))
        self._beside = self._trying = self._refused = False

    # What came down, and what is told.

    def take(self, raw: bytes) -> None:
        """Lay a certificate beside the one in force; Disbelieved where it is none of its key, NotKept by the flash."""
        held = read_file(self.paths[1])
        if len(raw) > MOST_BYTES or _point(raw) is None or _point(raw) != _point(held):
            raise Disbelieved("down.disbelieved", "a certificate of another key")
        if raw == held:
            return
        part = self.paths[1] + PART
        try:
            with open(part, "wb") as file:
                file.write(raw)
            if read_file(part) != raw:
                raise NotKept("keep.not_kept", part)
            os.rename(part, self.paths[1] + BESIDE)
        except OSError as wrong:
            raise NotKept("keep.not_kept", "%s: %s" % (part, wrong))
        self._beside = self._whole(self.paths[1] + BESIDE)
        self._refused, self.again = False, self._beside

    def told(self) -> dict[str, object]:
        """For the state topic: the SHA-256 of the certificate in force, so that the edge knows an older one."""
        return {CERTIFICATE: self._digest(self.paths[1])}

    def tell(self, station) -> None:
        """Sign what became of a new certificate as an `event`, while no gate is open."""
        while self._news and station.note(*self._news[0]):
            name, digest = self._news.pop(0)
            if name == REFUSED:
                station.panel.complain("link.certificate", digest[:16])

    def _whole(self, path: str) -> bool:
        try:
            self._context(path)
        except BadSettings:
            return False
        return True

    def _context(self, certificate: str):
        try:
            return tls_context(read_file(self.paths[0]), read_file(certificate), read_file(self.paths[2]))
        except ValueError:
            raise BadSettings(
                "settings", "the TLS files are no DER or do not fit; provision this board again"
            )

    def _digest(self, path: str) -> str:
        return sha256(read_file(path)).hex()


def _point(raw: bytes) -> bytes | None:
    at = raw.find(POINT)
    return raw[at : at + POINT_BYTES] if at >= 0 else None
