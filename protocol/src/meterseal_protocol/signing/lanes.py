"""Suite 1, eight signatures at a time: the multi-buffer routines of Intel's Cryptography Primitives Library.

Used where its wheel (ipp-crypto, Apache-2.0) is installed and the processor has AVX-512 with IFMA. Then eight checks
take about as long as three others. A yes is a yes. A no is no answer: the caller asks the suite's ordinary verifier, so
what is refused, and why, never depends on the machine. Before it is used it has to get a public example right, and the
same example with one bit changed, in every lane.

The library names four runtime libraries of Intel's compiler that it takes nothing from and whose licence is not ours.
`bare` makes an empty one, in memory, that answers to such a name. See docs/decisions/0016-eight-signatures-at-once.md.
"""

import ctypes
import os
import struct
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cache, lru_cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, files

from meterseal_protocol.signing.scheme import Task

WHEEL, LIBRARY = "ipp-crypto", "libcrypto_mb.so.13"
NAMED_ONLY = (b"libsvml.so", b"libirng.so", b"libimf.so", b"libintlc.so.5")
LANES, PART = 8, 32
WORTH = 3  # fewer are checked sooner one by one
TABLE = LANES * PART
TABLES = 5  # r, s, digest: big-endian; x, y: little-endian
Pointers = ctypes.c_void_p * LANES
Check = Callable[..., int]

# RFC 6979 appendix A.2.5, P-256 with SHA-256, "sample": public key, and the signature in its lower spelling of s.
EXAMPLE: Task = (
    bytes.fromhex(
        "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
        "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
    ),
    b"sample",
    bytes.fromhex(
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
        "0834E36AD29A83BF2BC9385E491D6099C8FDF9D1ED67AA7EA5F51F93782857A9"
    ),
)


class Lanes:
    """Room for eight checks. One thread uses it at a time."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._room = bytearray(TABLES * TABLE)
        start = ctypes.addressof((ctypes.c_char * len(self._room)).from_buffer(self._room))
        rows = range(start, start + len(self._room), PART)
        self._pointers = [Pointers(*rows[at : at + LANES]) for at in range(0, len(rows), LANES)]

    def hold(self, tasks: Sequence[Task]) -> list[bool]:
        """For each of at most eight tasks, whether its signature holds for sure."""
        empty = LANES - len(tasks)
        all_lanes = [*tasks, *[EXAMPLE] * empty]
        rows = [signature[:PART] for _, _, signature in all_lanes]
        rows += [signature[PART:] for _, _, signature in all_lanes]
        rows += [sha256(message).digest() for _, message, _ in all_lanes]
        points = [_reversed(public) for public, _, _ in all_lanes]
        rows += [x for x, _ in points] + [y for _, y in points]
        self._room[:] = b"".join(rows)
        status = self._check(*self._pointers, None, None)
        return [not status >> 4 * lane & 15 for lane in range(len(tasks))]


def hold(tasks: Sequence[Task]) -> list[bool]:
    """For each task whether its signature holds for sure; no for all of them where the library is not at hand."""
    found, sure = check(), [False] * len(tasks)
    if found is None:
        return sure
    lanes = Lanes(found)
    for at in range(0, len(tasks), LANES):
        part = tasks[at : at + LANES]
        if len(part) >= WORTH:
            sure[at : at + LANES] = lanes.hold(part)
    return sure


@lru_cache(1024)
def _reversed(public: bytes) -> tuple[bytes, bytes]:
    return public[PART - 1 :: -1], public[: PART - 1 : -1]


@cache
def check() -> Check | None:
    """The library's function, or None where there is none that this machine can run."""
    try:
        found = _loaded()
    except (OSError, AttributeError, PackageNotFoundError, StopIteration):
        return None
    return found if found is not None and is_right(found) else None


def is_right(found: Check) -> bool:
    """True if the example holds in all lanes, and changed by a bit in none."""
    public, message, signature = EXAMPLE
    changed = signature[:-1] + bytes((signature[-1] ^ 1,))
    lanes = Lanes(found)
    good, bad = lanes.hold([EXAMPLE] * LANES), lanes.hold([(public, message, changed)] * LANES)
    return all(good) and not any(bad)


def _loaded() -> Check | None:
    path = next(file for file in files(WHEEL) or () if file.name == LIBRARY)
    with ExitStack() as stack:
        # All stay open until the last is there: a library is known by its path too, and a closed number comes again.
        for name in NAMED_ONLY:
            file = stack.enter_context(os.fdopen(os.memfd_create(name.decode()), "wb"))
            file.write(bare(name))
            file.flush()
            ctypes.CDLL(f"/proc/self/fd/{file.fileno()}", mode=ctypes.RTLD_GLOBAL)
        library = ctypes.CDLL(str(path.locate()))
    library.mbx_is_crypto_mb_applicable.argtypes = [ctypes.c_uint64]
    if not library.mbx_is_crypto_mb_applicable(0):
        return None
    found: Check = library.mbx_nistp256_ecdsa_verify_mb8
    library.mbx_nistp256_ecdsa_verify_mb8.argtypes = [Pointers] * TABLES + [ctypes.c_void_p] * 2
    library.mbx_nistp256_ecdsa_verify_mb8.restype = ctypes.c_uint32
    return found


def bare(name: bytes) -> bytes:
    """An ELF shared object for x86-64 with this name and nothing in it (gABI: ELF header, program header, dynamic)."""
    dynamic, symbols, hashes, strings = 232, 344, 368, 384
    names = b"\0" + name + b"\0"
    size = strings + len(names)
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 3, 62, 1, 0, 64, 0, 0, 64, 56, 3, 64, 0, 0)
    segments = struct.pack("<IIQQQQQQ", 1, 6, 0, 0, 0, size, size, 4096)  # load, to read and write
    segments += struct.pack("<IIQQQQQQ", 2, 6, dynamic, dynamic, dynamic, 112, 112, 8)
    segments += struct.pack("<IIQQQQQQ", 0x6474E551, 6, 0, 0, 0, 0, 0, 16)  # a stack that is not executable
    entries = [(14, 1), (4, hashes), (5, strings), (6, symbols), (10, len(names)), (11, 24), (0, 0)]
    table = b"".join(struct.pack("<QQ", *entry) for entry in entries)
    return header + segments + table + bytes(24) + struct.pack("<IIII", 1, 1, 0, 0) + names
