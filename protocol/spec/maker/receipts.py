"""Subject log, fourth part (receipt.md): receipts of both kinds."""

from collections.abc import Iterator
from typing import Any

from maker.case import FixedKey, accept, refuse
from maker.logs import ENTRIES, HASHES, ROOTS
from meterseal_protocol.merkle import grow, include
from meterseal_protocol.receipt import issue, issue_consistency
from meterseal_wire.encode import Tag, encode
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import sig_structure
from meterseal_wire.statement import Author
from meterseal_wire.suites import ED25519

PAGE = "receipt.md, rule"
KEY, STRANGER, EDWARDS = FixedKey("registry"), FixedKey("a stranger"), FixedKey("registry", ED25519)
AUTHOR = Author("REG-CN", "log", KEY)
ENTERED_S = 1_790_000_300
ENTRY, PLACE, GROWTH = ENTRIES[4], include(HASHES, 4, 7), grow(HASHES, 3, 7)


def cases() -> Iterator[dict[str, Any]]:
    """Every case of this part."""
    yield from entry_cases()
    yield from growth_cases()


def remade(raw: bytes, header: dict[Any, Any] | None = None, **parts: Any) -> bytes:
    """A receipt with parts exchanged: header labels (and the root to sign anew), `proofs`, `payload`."""
    protected, unprotected, payload, signature = scan(raw).value
    if header is not None:
        protected = encode({**scan(protected), **header})
        signature = KEY.suite.canonical(KEY.sign(sig_structure(protected, parts["root"])))
    return bytes(
        encode(
            Tag(
                18,
                [protected, parts.get("unprotected", unprotected), parts.get("payload", payload), signature],
            )
        )
    )


def proofs(kind: int, *items: Any) -> dict[int, Any]:
    """An unprotected header with these proofs of one kind."""
    return {396: {kind: [encode(item) for item in items]}}


def entry_cases() -> Iterator[dict[str, Any]]:
    """Receipts of inclusion."""
    raw = issue(AUTHOR, ENTRY, PLACE, ENTERED_S)

    def given(receipt: bytes, entry: bytes = ENTRY, key: FixedKey = KEY) -> dict[str, Any]:
        return {
            "what": "receipt of inclusion",
            "receipt": receipt.hex(),
            "identity": entry.hex(),
            "keys": [key.cose_hex],
        }

    right = {"leaf": 4, "size": 7, "root": ROOTS[7].hex(), "entered_s": ENTERED_S}
    yield accept(
        "receipt of an entry", f"{PAGE} 1", "leaf 4 of 7", given(raw), key=KEY.thumbprint.hex(), **right
    )
    other = issue(Author("REG-CN", "log", EDWARDS), ENTRY, PLACE, ENTERED_S)
    yield accept(
        "receipt of an entry in suite 3",
        f"{PAGE} 1",
        "the suite is the key's, the tree SHA-256",
        given(other, key=EDWARDS),
        key=EDWARDS.thumbprint.hex(),
        **right,
    )
    larger = remade(raw, unprotected=proofs(-1, [8, 4, PLACE.path]))
    yield accept(
        "receipt that names a larger tree",
        f"{PAGE} 3",
        "sizes are not signed: they count with a checkpoint",
        given(larger),
        key=KEY.thumbprint.hex(),
        **{**right, "size": 8},
    )
    late = issue(AUTHOR, ENTRIES[6], include(HASHES, 6, 7), ENTERED_S + 1000)
    borrowed = remade(raw, unprotected=proofs(-1, [7, 6, include(HASHES, 6, 7).path]))
    yield accept(
        "receipt of a later entry",
        f"{PAGE} 4",
        "its own time",
        given(late, ENTRIES[6]),
        **{**right, "leaf": 6, "entered_s": ENTERED_S + 1000},
        key=KEY.thumbprint.hex(),
    )
    rows = (
        (1, "receipt for another entry", given(raw, ENTRIES[3]), "the leaf is the entry", "proof"),
        (
            4,
            "receipt that borrows an earlier time",
            given(borrowed, ENTRIES[6]),
            "`cti` names the entry, so its time is its own",
            "proof",
        ),
        (
            1,
            "receipt of an unknown log",
            given(raw, key=STRANGER),
            "the key is the registry's",
            "verify.unknown_key",
        ),
        (
            1,
            "receipt with another root",
            given(remade(raw, unprotected=proofs(-1, [7, 4, [bytes(32)] * 3]))),
            "the root is what was signed",
            "verify.signature",
        ),
        (
            1,
            "receipt with its root attached",
            given(remade(raw, payload=ROOTS[7])),
            "the root is computed, never believed",
            "wire.shape",
        ),
        (
            1,
            "receipt with two proofs",
            given(remade(raw, unprotected=proofs(-1, [7, 4, PLACE.path], [7, 4, PLACE.path]))),
            "exactly one",
            "wire.shape",
        ),
        (
            1,
            "receipt with both kinds of proof",
            given(
                remade(
                    raw,
                    unprotected={
                        396: {**proofs(-1, [7, 4, PLACE.path])[396], **proofs(-2, [3, 7, GROWTH.path])[396]}
                    },
                )
            ),
            "exactly one",
            "wire.shape",
        ),
        (
            1,
            "receipt with another unprotected label",
            given(remade(raw, unprotected={4: b"", **proofs(-1, [7, 4, PLACE.path])})),
            "396 and nothing else",
            "wire.shape",
        ),
        (
            1,
            "receipt with a path of 64 hashes",
            given(remade(raw, unprotected=proofs(-1, [7, 4, [bytes(32)] * 64]))),
            "at most 63",
            "wire.shape",
        ),
        (
            1,
            "receipt with a hash of 31 bytes",
            given(remade(raw, unprotected=proofs(-1, [7, 4, [bytes(31)] * 3]))),
            "32 bytes",
            "wire.shape",
        ),
        (
            1,
            "receipt with a size that is true",
            given(remade(raw, unprotected=proofs(-1, [True, 0, []]))),
            "numbers are integers",
            "wire.shape",
        ),
        (
            1,
            "receipt with a path too short",
            given(remade(raw, unprotected=proofs(-1, [7, 4, PLACE.path[:-1]]))),
            "as in rule 2",
            "proof",
        ),
        (
            1,
            "receipt of another data structure",
            given(remade(raw, {395: 2}, root=ROOTS[7])),
            "395 is 1",
            "verify.header",
        ),
        (
            1,
            "receipt with a kind of statement",
            given(remade(raw, {16: 65014}, root=ROOTS[7])),
            "alg, kid, claims, 395 and nothing else",
            "verify.header",
        ),
        (
            4,
            "receipt without the entry's name",
            given(remade(raw, {15: {1: "REG-CN", 2: "log", 6: ENTERED_S}}, root=ROOTS[7])),
            "`cti` is there",
            "verify.header",
        ),
        (
            4,
            "receipt without a time",
            given(remade(raw, {15: {1: "REG-CN", 2: "log", 7: ENTRY}}, root=ROOTS[7])),
            "`iat` is there",
            "verify.header",
        ),
    )
    for rule, name, case, why, code in rows:
        yield refuse(name, f"{PAGE} {rule}", why, case, code)


def growth_cases() -> Iterator[dict[str, Any]]:
    """Receipts of consistency."""
    raw = issue_consistency(AUTHOR, ROOTS[3], GROWTH, ENTERED_S)

    def given(receipt: bytes, size: int = 3, root: bytes = ROOTS[3], key: FixedKey = KEY) -> dict[str, Any]:
        return {
            "what": "receipt of consistency",
            "receipt": receipt.hex(),
            "size": size,
            "root": root.hex(),
            "keys": [key.cose_hex],
        }

    right = {
        "first": 3,
        "second": 7,
        "root": ROOTS[7].hex(),
        "signed_s": ENTERED_S,
        "key": KEY.thumbprint.hex(),
    }
    yield accept("growth signed", f"{PAGE} 6", "3 to 7", given(raw), **right)
    larger = remade(raw, unprotected=proofs(-2, [3, 8, GROWTH.path]))
    yield accept(
        "growth signed that names a larger tree",
        f"{PAGE} 3",
        "sizes are not signed: they count with a checkpoint",
        given(larger),
        **{**right, "second": 8},
    )
    entry = issue(AUTHOR, ENTRY, PLACE, ENTERED_S)
    crossed = remade(entry, unprotected=proofs(-2, [3, 7, GROWTH.path]))
    rows = (
        (
            "growth signed from another size",
            given(raw, 4, ROOTS[4]),
            "the old tree is the one that is known",
            "proof",
        ),
        (
            "growth signed from another root",
            given(raw, 3, ROOTS[4]),
            "the proof starts from the old root",
            "proof",
        ),
        (
            "growth signed by an unknown log",
            given(raw, key=STRANGER),
            "the key is the log's",
            "verify.unknown_key",
        ),
        (
            "growth signed with an entry's signature",
            given(crossed),
            "the claims differ: {iss, sub, iat}",
            "verify.header",
        ),
        (
            "growth signed for an entry",
            given(entry),
            "a receipt of inclusion is none of consistency",
            "wire.shape",
        ),
        (
            "growth signed with another new root",
            given(remade(raw, unprotected=proofs(-2, [3, 7, [*GROWTH.path[:-1], bytes(32)]]))),
            "the new root is what was signed",
            "verify.signature",
        ),
        (
            "growth signed with its root attached",
            given(remade(raw, payload=ROOTS[7])),
            "the root is computed, never believed",
            "wire.shape",
        ),
        (
            "growth signed of no growth",
            given(remade(raw, unprotected=proofs(-2, [3, 3, []]))),
            "the first size is below the second",
            "proof",
        ),
        (
            "growth signed with a proof too long",
            given(remade(raw, unprotected=proofs(-2, [3, 7, [*GROWTH.path, bytes(32)]]))),
            "no hash is left over",
            "proof",
        ),
    )
    for name, case, why, code in rows:
        yield refuse(name, f"{PAGE} 6", why, case, code)
