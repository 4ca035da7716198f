"""Subject log, third part (receipt.md): paths, growth, tiles."""

from collections.abc import Iterator, Sequence
from typing import Any

from maker.case import accept, refuse
from maker.logs import ENTRIES, HASHES, OTHERS, ROOTS
from meterseal_protocol.merkle import consistency_proof, inclusion_proof

PAGE = "receipt.md, rule"


def cases() -> Iterator[dict[str, Any]]:
    """Every case of this part."""
    yield from inclusion_cases()
    yield from consistency_cases()
    yield from tile_cases()


def hexes(items: Sequence[bytes]) -> list[str]:
    """Byte strings as hex."""
    return [item.hex() for item in items]


def inclusion_cases() -> Iterator[dict[str, Any]]:
    """Paths (RFC 9162 section 2.1.3)."""

    def given(index: int, size: int, path: Sequence[bytes], entry: int | None = None) -> dict[str, Any]:
        named = ENTRIES[index if entry is None else entry].hex()
        return {
            "what": "inclusion",
            "entry": named,
            "index": index,
            "size": size,
            "path": hexes(path),
            "root": ROOTS[7].hex(),
        }

    for index in range(7):
        path = inclusion_proof(HASHES, index, 7)
        yield accept(
            f"path of leaf {index} of 7",
            f"{PAGE} 2",
            "each leaf of an unbalanced tree",
            given(index, 7, path),
        )
    alone = {**given(0, 1, []), "root": ROOTS[1].hex()}
    yield accept("path of the only leaf", f"{PAGE} 2", "the root is the leaf's hash", alone)
    good = inclusion_proof(HASHES, 4, 7)
    for name, case, why in (
        ("path too long", given(4, 7, [*good, bytes(32)]), "no hash is left over"),
        ("path too short", given(4, 7, good[:-1]), "every hash is needed"),
        ("path of another leaf", given(5, 7, good), "the index says left or right"),
        ("path of another entry", given(4, 7, good, 5), "the leaf is the entry's hash"),
        ("path in a smaller tree", given(6, 1, inclusion_proof(HASHES, 6, 7)), "the index is below the size"),
        (
            "path of a leaf taken for a tree of one",
            given(0, 1, inclusion_proof(HASHES, 6, 7), 6),
            "a tree of one has no path",
        ),
        ("path beyond the tree", given(7, 7, good), "the index is below the size"),
        ("path in no tree", given(0, 0, []), "a tree of no leaves holds none"),
        ("path upside down", given(4, 7, good[::-1]), "from the leaf upwards"),
    ):
        yield refuse(name, f"{PAGE} 2", why, case, "proof")


def consistency_cases() -> Iterator[dict[str, Any]]:
    """Growth (RFC 9162 section 2.1.4)."""

    def given(first: int, second: int, path: Sequence[bytes], old: bytes | None = None) -> dict[str, Any]:
        return {
            "what": "consistency",
            "first": first,
            "second": second,
            "path": hexes(path),
            "old": (ROOTS[first] if old is None else old).hex(),
            "new": ROOTS[second].hex(),
        }

    for first, second in ((1, 2), (1, 7), (2, 7), (3, 7), (4, 7), (6, 7), (4, 8), (7, 12), (8, 12)):
        path = consistency_proof(HASHES, first, second)
        yield accept(
            f"growth from {first} to {second}",
            f"{PAGE} 5",
            "a tree is the beginning of another",
            given(first, second, path),
        )
    yield accept("growth from 7 to 7", f"{PAGE} 5", "equal sizes, equal roots, no hashes", given(7, 7, []))
    good = consistency_proof(HASHES, 3, 7)
    for name, case, why in (
        ("growth with a proof too long", given(3, 7, [*good, bytes(32)]), "no hash is left over"),
        ("growth with a proof too short", given(3, 7, good[:-1]), "every hash is needed"),
        ("growth without a proof", given(3, 7, []), "a tree that grew needs one"),
        ("growth from nothing", given(0, 7, []), "undefined in RFC 9162, so it says nothing"),
        ("growth backwards", given(7, 3, good), "the first size is not above the second"),
        (
            "growth of a rewritten tree",
            given(7, 9, consistency_proof(OTHERS, 7, 9)),
            "the proof starts from the old root",
        ),
        ("growth from another root", given(3, 7, good, ROOTS[4]), "the proof starts from the old root"),
        (
            "growth from a power of two from another root",
            given(4, 7, consistency_proof(HASHES, 4, 7), ROOTS[3]),
            "the old root is the first hash",
        ),
        ("growth from 7 to 7 with a proof", given(7, 7, good), "equal sizes have none"),
        ("growth from 7 to 7 with two roots", given(7, 7, [], ROOTS[6]), "equal sizes, equal roots"),
    ):
        yield refuse(name, f"{PAGE} 5", why, case, "proof")


def tile_cases() -> Iterator[dict[str, Any]]:
    """Tiles (C2SP tlog-tiles)."""
    for name, path, level, index, width in (
        ("tile of C2SP's example", "tile/0/x001/x234/067", 0, 1_234_067, 256),
        ("tile that is the first", "tile/0/000", 0, 0, 256),
        ("tile that is partial", "tile/1/001.p/17", 1, 1, 17),
        ("tile of entries", "tile/entries/000.p/7", -1, 0, 7),
    ):
        yield accept(
            name,
            f"{PAGE} 7",
            "level, index, width",
            {"what": "tile", "path": path},
            level=level,
            index=index,
            width=width,
        )
    for name, path, why in (
        ("tile with a short index", "tile/0/1", "three digits"),
        ("tile with leading zeroes", "tile/0/x000/001", "no group too many"),
        ("tile without its x", "tile/0/001/234", "an x before all groups but the last"),
        ("tile with a level of two zeroes", "tile/00/000", "decimal without leading zeroes"),
        ("tile above level 63", "tile/64/000", "63 at most"),
        ("tile that is partial and full", "tile/0/000.p/256", "a full tile has no width in its path"),
        ("tile that is partial and empty", "tile/0/000.p/0", "1 to 255"),
    ):
        yield refuse(name, f"{PAGE} 7", why, {"what": "tile", "path": path}, "note")
    for since, size, paths in (
        (0, 256, ["tile/0/000", "tile/1/000.p/1"]),
        (255, 257, ["tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1"]),
        (65_535, 65_536, ["tile/0/255", "tile/1/000", "tile/2/000.p/1"]),
        (70_000, 70_001, ["tile/0/273.p/113"]),
        (7, 7, []),
    ):
        given = {"what": "tiles", "since": since, "size": size}
        yield accept(f"tiles from {since} to {size}", f"{PAGE} 8", "what growing writes", given, paths=paths)
