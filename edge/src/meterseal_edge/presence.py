"""What a fixture tells of itself on its retained state topic, each value in its right shape or not at all.

The table of the fields stands in the fixture's own presence.py. Nobody believes a word of it: it only says what to
send, and a fixture that lies is sent what it has no use for.
"""

from dataclasses import dataclass
from typing import Any

MOST_NUMBER = 2**32
NAMES, NAME_DIGITS = 64, 16
NONCE_BYTES, HASH_BYTES = 32, 32
TEXT_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Presence:
    """A fixture that came online. `entered` is the place up to which it has receipts; empty values were not told.

    `plans` and `tenants` are the names of what it holds, None where it acts on no grants.
    """

    fixture: str
    entered: tuple[int, int] = (0, -1)
    key: bytes = b""
    nonce: bytes = b""
    plans: frozenset[str] | None = None
    tenants: frozenset[str] | None = None
    board: str = ""
    firmware: bytes = b""
    slot: str = ""
    staged: bytes = b""
    certificate: bytes = b""


def read_presence(fixture: str, told: dict[str, Any]) -> Presence:
    """The presence in the JSON object of a state message."""
    return Presence(
        fixture,
        _place(told.get("entered")),
        _bytes(told.get("key"), HASH_BYTES),
        _bytes(told.get("nonce"), NONCE_BYTES),
        _names(told.get("plans")),
        _names(told.get("tenants")),
        _text(told.get("board")),
        _bytes(told.get("firmware"), HASH_BYTES),
        _text(told.get("slot")),
        _bytes(told.get("staged"), HASH_BYTES),
        _bytes(told.get("certificate"), HASH_BYTES),
    )


def _place(told: object) -> tuple[int, int]:
    if isinstance(told, list) and len(told) == 2 and all(type(number) is int for number in told):
        return max(0, min(told[0], MOST_NUMBER)), max(-1, min(told[1], MOST_NUMBER))
    return 0, -1


def _bytes(told: object, most: int) -> bytes:
    try:
        return bytes.fromhex(told) if isinstance(told, str) and len(told) <= 2 * most else b""
    except ValueError:
        return b""


def _names(told: object) -> frozenset[str] | None:
    if not isinstance(told, list) or len(told) > NAMES:
        return None
    return frozenset(name for name in told if isinstance(name, str) and len(name) == NAME_DIGITS)


def _text(told: object) -> str:
    fits = isinstance(told, str) and len(told) <= TEXT_CHARACTERS and told.isascii() and told.isprintable()
    return str(told) if fits else ""
