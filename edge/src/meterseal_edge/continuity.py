"""Is this the store that this edge has signed for? Asked once, at the start, before anything is signed.

A store that lacks what was signed for is refused: the same key would sign a second history. The honest way on is a
declared restore (restore.py): a new log under a new key, to which fixtures offer again what no receipt covers.
"""

from meterseal_edge.errors import RolledBack
from meterseal_edge.log import EdgeLog
from meterseal_edge.mark import FIRST_LOG, Mark, Signed
from meterseal_edge.store.contract import Store
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan

LOG, KEYS, ENDED, MARKED, RESTORED = "log", "keys", "ended", "marked", "restored_s"
TELL_S = 7 * 86400
THUMBPRINT = 32
CURE = "Run `meterseal edge restore` with the newest backup; it says what it needs"


def begin(store: Store, log: EdgeLog, mark: Mark, key: bytes) -> int:
    """The number of the log that the store holds, once it is known to go on; RolledBack else.

    `key` is the thumbprint of the key that will sign from now on; the mark says so when this returns.
    """
    number = log_number(store)
    if key in thumbprints(store, ENDED):
        raise RolledBack(
            f"the edge's key {key.hex()[:16]} ended when a backup was restored: it signed for more than the store "
            "holds. Make a new key with `meterseal keys new`, name it in the settings, and have it granted"
        )
    compare(store, log, mark.signed)
    size, root = log.tip()
    mark.begin(Signed(number, size, root, 0, key))
    known = thumbprints(store, KEYS)
    if key not in known:
        write_thumbprints(store, KEYS, [*known, key])
    if store.note(MARKED) is None:
        store.write_note(MARKED, encode(1))
    return number


def compare(store: Store, log: EdgeLog, signed: Signed | None) -> None:
    """RolledBack unless the store holds all that was signed for."""
    size, _ = log.tip()
    if signed is None:
        if size and store.note(MARKED) is not None:
            raise RolledBack(
                "the mark of what this edge has signed for is missing or damaged, so nobody can tell whether the "
                f"store is the newest. {CURE}"
            )
        return
    number = log_number(store)
    if number > signed.log:
        return  # only a declared restore counts on, and it ends with the mark
    if number < signed.log or size < signed.size:
        raise RolledBack(
            f"this store is older than what the edge has signed for: {size} statements of log {number}, signed for "
            f"{signed.size} of log {signed.log}. {CURE}"
        )
    if not holds(log, signed):
        raise RolledBack(
            f"the store's first {signed.size} statements are not those that the edge has signed for. Run `meterseal "
            f"edge verify-store`. {CURE}"
        )


def holds(log: EdgeLog, signed: Signed) -> bool:
    """True if the log has the tree that was signed for as its beginning, or is it."""
    return signed.size <= log.tip()[0] and log.root_at(signed.size) == signed.root


def restored_lately(store: Store, now_s: int) -> bool:
    """True in the first days after a declared restore, in which people are told."""
    raw = store.note(RESTORED)
    return raw is not None and now_s - int(scan(raw, len(raw))) < TELL_S


def log_number(store: Store) -> int:
    """Which of the edge's logs the store holds, from 1."""
    raw = store.note(LOG)
    return FIRST_LOG if raw is None else int(scan(raw, len(raw)))


def thumbprints(store: Store, name: str) -> list[bytes]:
    """Keys noted under a name."""
    return split_keys(store.note(name) or b"")


def split_keys(raw: bytes) -> list[bytes]:
    """Thumbprints that stand one after the other."""
    return [raw[at : at + THUMBPRINT] for at in range(0, len(raw), THUMBPRINT)]


def write_thumbprints(store: Store, name: str, keys: list[bytes]) -> None:
    """Note keys under a name."""
    store.write_note(name, b"".join(keys))
