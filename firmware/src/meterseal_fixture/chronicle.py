"""Station 3 to 4: one chain of signed statements, each kept before anybody hears of it.

Promise: what `sign` returns is in the store and was read back. So a power cut leaves either nothing or a whole
statement, and a number (epoch, seq) is never given to two statements that anyone could have seen. Where keeping
fails, sequence and head stay as they were and the error goes up: the application ends, and the next boot opens a
new epoch on the head that the store then shows.
"""

from meterseal_fixture.keep import Keep
from meterseal_wire.chain import GENESIS
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import Author, build


class Chronicle:
    """Signs for `author` in the epoch that `keep` opens, and keeps; `epoch` and `seq` name the newest statement.

    `counter` is a secure element's, None without one. `last_head` is (epoch, seq) of the head this epoch cites, None
    in the very first; `refused` the SHA-256 of what the edge refused behind it, empty where nothing was.
    """

    def __init__(self, author: Author, keep: Keep, counter=None) -> None:
        self.author = author
        self.keep = keep
        self.counter = counter
        self.begin()

    def begin(self) -> None:
        """Open the next epoch, on the newest record that was not set aside; its boot must be signed next."""
        head = self.keep.cited()
        self.last_head = (head.epoch, head.seq) if head else None
        self.refused = self.keep.refused()
        self._prev = head.identity if head else GENESIS
        self.epoch = self.keep.next_epoch(self.counter)
        self.seq = -1

    def sign(
        self,
        typ: int,
        payload: dict[int, object],
        evidence: list[bytes] | tuple[()] = (),
        closes: tuple[int, int] | None = None,
    ) -> tuple[int, int]:
        """Build, sign and keep one statement; its (epoch, seq). `closes` is the attempt it ends, if any."""
        chain = (self.epoch, self.seq + 1, self._prev)
        statement = build(self.author, typ, payload, chain)
        name = identity(statement)
        self.keep.append((self.epoch, self.seq + 1), name, statement, evidence, closes)
        self.seq += 1
        self._prev = name
        return self.epoch, self.seq
