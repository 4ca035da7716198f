"""Subject statement (statement.md): the envelope, field by field. One good message of each suite, then each failure."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from maker import sm2
from maker.case import FixedKey, accept, refuse
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.sign1 import join, sig_structure
from meterseal_wire.statement import Author, build
from meterseal_wire.suites import SM2, SUITES

FIXTURE, OTHER = FixedKey("fixture"), FixedKey("another fixture")
AUTHOR = Author("YUHANG1", "W1", FIXTURE)
EVENT = {L.EVENT: "case opened", L.DETAIL: "seal 17"}
PLACE = (1, 1, sha256(b"the statement before").digest())
HEADER: dict[int, Any] = {1: -9, 4: AUTHOR.kid, 15: {1: "YUHANG1", 2: "W1"}, 16: 65005, -70001: list(PLACE)}
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
RULE = "statement.md, field "


def signed(header: Any, payload: bytes, key: FixedKey = FIXTURE) -> bytes:
    """A message whose signature holds, whatever its header and payload are."""
    protected = header if isinstance(header, bytes) else bytes(encode(header))
    signature = key.suite.canonical(key.sign(bytes(sig_structure(protected, payload))))
    return bytes(join(protected, payload, signature))


def given(message: bytes, *keys: FixedKey) -> dict[str, Any]:
    """Input of a case."""
    return {"message": message.hex(), "keys": [key.cose_hex for key in keys or (FIXTURE,)]}


def cases() -> Iterator[dict[str, Any]]:
    """Every case of the subject."""
    yield from _good()
    yield from _headers()
    yield from _payloads()
    yield from _signatures()
    yield from _sm2()


def _good() -> Iterator[dict[str, Any]]:
    body = bytes(encode(EVENT))
    for suite in SUITES:
        key = FixedKey(f"fixture {suite.name}", suite)
        raw = bytes(build(Author("YUHANG1", "W1", key), L.KIND_EVENT, EVENT, PLACE))
        yield accept(
            f"accept {suite.name}",
            f"{RULE}1",
            f"an event signed with suite {suite.number}",
            given(raw, key),
            kind="event",
            identity=suite.hash(raw).hex(),
            key=suite.thumbprint(key.public_xy).hex(),
            payload=body.hex(),
        )
    raw = signed(HEADER, body)
    expected = {"kind": "event", "identity": sha256(raw).hexdigest(), "key": FIXTURE.thumbprint.hex()}
    yield accept(
        "accept two keys that could be meant",
        f"{RULE}2",
        "the kid is a hint: the key under which the signature holds is the one",
        given(raw, OTHER, FIXTURE),
        **expected,
        payload=body.hex(),
    )


def _headers() -> Iterator[dict[str, Any]]:
    body = bytes(encode(EVENT))
    changed: tuple[tuple[str, str, str, dict[int, Any], str], ...] = (
        ("alg ES256", "1", "-7 is for foreign messages only", {**HEADER, 1: -7}, "verify.header"),
        ("alg EdDSA", "1", "-8 is for foreign messages only", {**HEADER, 1: -8}, "verify.header"),
        ("alg of another suite", "1", "the key is of suite 1", {**HEADER, 1: -19}, "verify.header"),
        ("no alg", "1", "it must stand in the protected header", _without(1), "verify.header"),
        ("kid of seven bytes", "2", "eight bytes", {**HEADER, 4: AUTHOR.kid[:7]}, "verify.header"),
        ("unknown kid", "2", "no key is known for it", {**HEADER, 4: bytes(8)}, "verify.unknown_key"),
        ("no kid", "2", "it must be there", _without(4), "verify.header"),
        ("issuer of seventeen", "3", "16 characters at most", _claims("A" * 17, "W1"), "verify.header"),
        ("empty subject", "3", "one character at least", _claims("YUHANG1", ""), "verify.header"),
        ("a third claim", "3", "iss and sub alone", {**HEADER, 15: {1: "Y", 2: "W", 6: 1}}, "verify.header"),
        ("typ of no kind", "4", "65000 is no kind", {**HEADER, 16: 65000}, "verify.header"),
        ("typ as text", "4", "an integer", {**HEADER, 16: "event"}, "verify.header"),
        ("no chain", "5", "a fixture's statement has its place", _without(-70001), "verify.header"),
        (
            "a chain where none belongs",
            "5",
            "a beacon is no fixture's",
            {**HEADER, 16: 65041},
            "verify.header",
        ),
        ("epoch 0", "5", "epochs count from 1", {**HEADER, -70001: [0, 1, PLACE[2]]}, "wire.shape"),
        ("prev of 31 bytes", "5", "an identity has 32", {**HEADER, -70001: [1, 1, bytes(31)]}, "wire.shape"),
        (
            "critical label",
            "6",
            "crit names a label that is not understood",
            {**HEADER, 2: [99]},
            "verify.header",
        ),
        ("unknown label", "6", "only the labels of the table", {**HEADER, 99: 1}, "verify.header"),
    )
    for name, field, why, header, code in changed:
        payload = body if header.get(16) != 65041 else bytes(encode(BEACON))
        yield refuse(f"refuse {name}", RULE + field, why, given(signed(header, payload)), code)
    spelled = encode(HEADER).replace(bytes.fromhex("0128"), bytes.fromhex("013808"))
    yield refuse(
        "refuse alg in two bytes",
        f"{RULE}1",
        "-9 fits in one byte",
        given(signed(bytes(spelled), body)),
        "wire.not_shortest",
    )


BEACON = {L.NUMBER: 1, L.TIME_S: 1, L.LOG_SIZE: 0, L.LOG_ROOT: bytes(32)}


def _without(label: int) -> dict[int, Any]:
    return {other: value for other, value in HEADER.items() if other != label}


def _claims(issuer: str, subject: str) -> dict[int, Any]:
    return {**HEADER, 15: {1: issuer, 2: subject}}


def _payloads() -> Iterator[dict[str, Any]]:
    rows: tuple[tuple[str, str, Any, str], ...] = (
        ("a field missing", "an event has its detail", {L.EVENT: "x"}, "wire.shape"),
        ("a field unknown", "label 9999 is not in the table", {**EVENT, 9999: 1}, "wire.shape"),
        ("a field of another type", "a text", {**EVENT, L.DETAIL: 7}, "wire.shape"),
        ("text of 201 characters", "200 at most", {**EVENT, L.DETAIL: "x" * 201}, "wire.shape"),
        ("text not in NFC", "e and a combining accent", {**EVENT, L.DETAIL: "e\u0301"}, "wire.text"),
    )
    for name, why, payload, code in rows:
        raw = signed(HEADER, bytes(encode(payload)))
        yield refuse(f"refuse {name}", f"{RULE}8", why, given(raw), code)
    raw = signed(HEADER, bytes(encode(EVENT)) + b"\x00")
    yield refuse(
        "refuse a byte behind the payload", f"{RULE}8", "one item, no more", given(raw), "wire.trailing"
    )


def _signatures() -> Iterator[dict[str, Any]]:
    raw = signed(HEADER, bytes(encode(EVENT)))
    s = int.from_bytes(raw[-32:], "big")
    respelled = raw[:-32] + (ORDER - s).to_bytes(32, "big")
    flipped = raw[:-1] + bytes([raw[-1] ^ 1])
    unprotected = raw.replace(
        b"\xa0" + raw[raw.index(b"\xa0") + 1 :], b"\xa1\x18\x63\x01" + raw[raw.index(b"\xa0") + 1 :]
    )
    rows = (
        ("a flipped bit", "9", "the last bit of the signature", flipped, "verify.signature"),
        ("the second spelling", "9", "(r, n - s) verifies and is refused", respelled, "verify.signature"),
        ("63 bytes of signature", "9", "64 bytes", bytes(join(raw[4:4], b"", bytes(63))), "wire.shape"),
        ("no tag", "0", "tag 18 stands first", raw[1:], "wire.shape"),
        ("an unprotected header", "7", "nothing stands there", unprotected, "wire.shape"),
        ("a byte behind", "0", "one message, no more", raw + b"\x00", "wire.trailing"),
    )
    for name, field, why, message, code in rows:
        yield refuse(f"refuse {name}", RULE + field, why, given(message), code)
    signed_by_other = signed({**HEADER, 4: AUTHOR.kid}, bytes(encode(EVENT)), OTHER)
    yield refuse(
        "refuse another's signature",
        f"{RULE}9",
        "made with a key that the kid does not name",
        given(signed_by_other),
        "verify.signature",
    )


def _sm2() -> Iterator[dict[str, Any]]:
    """What suite 2 has of its own: signer's id, hash, curve and numbers."""
    key, n = FixedKey("fixture SM2", SM2), sm2.N
    header = {**HEADER, 1: SM2.alg, 4: SM2.thumbprint(key.public_xy)[:8]}
    protected, body = bytes(encode(header)), bytes(encode(EVENT))
    said = bytes(sig_structure(protected, body))
    good = sm2.sign(key.secret, said)
    r, s = int.from_bytes(good[:32], "big"), int.from_bytes(good[32:], "big")

    def halves(first: int, second: int) -> bytes:
        return first.to_bytes(32, "big") + second.to_bytes(32, "big")

    rows: tuple[tuple[str, str, bytes, str], ...] = (
        ("a flipped bit", "the last bit of s", good[:-1] + bytes([good[-1] ^ 1]), "verify.signature"),
        (
            "no signer's id",
            "it is hashed before the message",
            sm2.sign(key.secret, said, b""),
            "verify.signature",
        ),
        (
            "another signer's id",
            "that of GB/T 32918.5's other example",
            sm2.sign(key.secret, said, b"ALICE123@YAHOO.COM"),
            "verify.signature",
        ),
        (
            "SHA-256 for SM3",
            "the suite fixes its hash",
            sm2.sign(key.secret, said, hashed=lambda data: sha256(data).digest()),
            "verify.signature",
        ),
        ("s then r", "r stands first", good[32:] + good[:32], "verify.signature"),
        ("n - s for s", "ECDSA's second spelling is none here", halves(r, n - s), "verify.signature"),
        ("r of 0", "1 at least", halves(0, s), "verify.signature"),
        ("s of n", "below the order", halves(r, n), "verify.signature"),
        ("r and s that add up to n", "t is not 0", halves(r, n - r), "verify.signature"),
    )
    for name, why, signature, code in rows:
        raw = bytes(join(protected, body, signature))
        yield refuse(f"refuse SM2 with {name}", f"{RULE}9", why, given(raw, key), code)
    on_other_curve = {**key.public.cose, -1: 1}
    raw = bytes(join(protected, body, good))
    yield refuse(
        "refuse SM2's point on another curve",
        "statement.md, Suites",
        "its x and y are no point of P-256",
        {"message": raw.hex(), "keys": [bytes(encode(on_other_curve)).hex()]},
        "key",
    )
    yield refuse(
        "refuse SM2's key under alg -9",
        f"{RULE}1",
        "the key is of suite 2",
        given(signed({**header, 1: -9}, body, key), key),
        "verify.header",
    )
