"""Whether a statement from above was signed by whom it must be: asked before a word of it is used."""

from meterseal_fixture.errors import Disbelieved
from meterseal_wire import labels as L
from meterseal_wire.errors import WireError
from meterseal_wire.kinds import check_payload
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import sig_structure, split
from meterseal_wire.suites import DEFAULT


def believe(raw: bytes, keys: dict[int, bytes], verify):
    """(typ, payload) of a statement signed by the key that `keys` has for its kind; else Disbelieved.

    `verify(public_xy, message, signature)` says True or False.
    """
    try:
        protected, unprotected, payload, signature = split(raw)
        typ = _typ(scan(protected))
        if unprotected or payload is None or typ not in keys:
            raise Disbelieved("down.disbelieved", "kind %s" % typ)
        # A respelled signature would give a beacon a second identity, and an attempt one that nobody finds.
        if len(signature) != DEFAULT.signature_bytes or not DEFAULT.is_canonical(signature):
            raise Disbelieved("down.disbelieved", "signature")
        if not verify(keys[typ], sig_structure(protected, payload), signature):
            raise Disbelieved("down.disbelieved", "signature")
        fields = scan(payload)
        check_payload(typ, fields)
    except WireError as wrong:
        raise Disbelieved("down.disbelieved", str(wrong))
    return typ, fields


def _typ(header) -> int:
    # A fixture can verify the first suite alone. A critical header is one that we would have to understand: none.
    if not isinstance(header, dict) or header.get(L.HEADER_ALG) != DEFAULT.alg or L.HEADER_CRIT in header:
        raise Disbelieved("down.disbelieved", "header")
    typ = header.get(L.HEADER_TYP)
    return typ if isinstance(typ, int) else 0
