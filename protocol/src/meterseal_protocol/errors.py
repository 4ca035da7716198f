"""What can be wrong above the bytes. One root; `WireError` stays for what breaks the format itself."""


class ProtocolError(Exception):
    """A message, key, grant or pack can't be used. `code` is stable; the text says what and what to do."""

    code = "protocol"


class Unverified(ProtocolError):
    """The signature does not hold under any key that its kid names. The sender's fault: refuse."""

    code = "verify.signature"


class UnknownKey(ProtocolError):
    """No key is known under this kid. Nobody's fault yet: learn the grant that names the key, then try again."""

    code = "verify.unknown_key"


class BadHeader(ProtocolError):
    """The protected header names an algorithm, kind or critical label that is not accepted here."""

    code = "verify.header"


class BadProof(ProtocolError):
    """A Merkle proof or receipt does not lead to the root that was signed."""

    code = "proof"


class BadNote(ProtocolError):
    """What a log shows the world is not in its one form: a note, checkpoint, verifier key, request or tile path."""

    code = "note"


class BadKey(ProtocolError):
    """A key or key file can't be used: not on the curve, readable by others, already there."""

    code = "key"


class BadPack(ProtocolError):
    """A rule pack can't be used. `code`: rules.gap, rules.overlap, rules.unit, rules.field, else rules.pack."""

    code = "rules.pack"

    def __init__(self, why: str, code: str = "rules.pack") -> None:
        super().__init__(why)
        self.code = code


class BadCode(ProtocolError):
    """Text that should hold a certificate does not: wrong address, no fragment, not base32."""

    code = "code"
