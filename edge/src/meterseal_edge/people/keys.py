"""A person's signing key: made in the browser, which shows that it has it; bound to one account, named by a grant.

The browser signs PROOF, the account's name and the COSE_Key. So an account can't claim a key that somebody else holds.
What the key may sign is the authority's to say, by a person grant over this very key.
"""

from meterseal_edge.errors import NotTaken
from meterseal_edge.people.roll import Account
from meterseal_edge.people.trail import Trail
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import PublicKey
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan
from meterseal_wire.suites import ESP256

PROOF = b"MeterSeal: this signing key is mine\n"
KEY_BYTES = 256


def enrol(trail: Trail, account: Account, cose: bytes, proof: bytes) -> PublicKey:
    """Bind a key to an account, in the place of the one it had; NotTaken where it isn't proved or is another's."""
    try:
        key = PublicKey.from_cose(scan(cose, KEY_BYTES))
        key.verify(PROOF + account.name.encode() + b"\n" + cose, proof)
    except (ProtocolError, WireError) as error:
        raise NotTaken("edge.key", f"the key is not taken: {error}") from None
    if key.suite is not ESP256 or cose != encode(key.cose):
        raise NotTaken("edge.key", "a signing key is a COSE_Key of ESP256 and nothing more")
    roll = trail.roll
    with roll.together():
        other = roll.one("SELECT name FROM account WHERE key = ? AND id <> ?", key.thumbprint, account.id)
        if other is not None:
            raise NotTaken("edge.key", "this key belongs to somebody else; each person makes their own")
        values = (key.thumbprint, cose, account.id)
        roll.change("UPDATE account SET key = ?, cose = ? WHERE id = ?", *values)
        trail.write(account.id, "signing key", {"thumbprint": key.thumbprint.hex()})
    return key
