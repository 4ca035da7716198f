"""An edge's log under the eyes of three witnesses, in memory: checkpoints, cosignatures, and sightings of its entries.

The log holds what a model fixture signed, in that order, behind one leaf of somebody else's. Grants for the log's key
and for the witnesses are put into the world, so this comes before its grants are entered anywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from meterseal_protocol.checkpoint_text import LogHead, sign_head
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.merkle import include, leaf_hash, subtree
from meterseal_protocol.note import Note
from meterseal_protocol.note_key import TIMED, NoteSigner
from meterseal_protocol.testing.fixture import ModelFixture, Signed
from meterseal_protocol.testing.people import says
from meterseal_protocol.testing.world import EDGE, SITE, World
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.sign1 import identity
from meterseal_wire.suites import ED25519

WITNESSES = ("a", "b", "c")
ELSE = sha256(b"another fixture's statement")


def fresh(_: str) -> PrivateKey:
    """A new Ed25519 key for any name."""
    return PrivateKey.generate(ED25519)


class Watched:
    """The log of a world's edge over what `fixture` signs. `quorum` is what the edge's grant says; `make` gives a key
    for a name.
    """

    def __init__(
        self,
        world: World,
        fixture: ModelFixture,
        quorum: int | None = 2,
        make: Callable[[str], PrivateKey] = fresh,
    ) -> None:
        self.world, self.fixture, self.make = world, fixture, make
        self.origin = f"edge/{EDGE}"
        self.key = make(self.origin)
        self.signers: dict[str, NoteSigner] = {}
        said: dict[int, Any] = {
            L.SUBJECT_KEY: world.cose("edge"),
            L.EDGE: EDGE,
            L.SITE: SITE,
            L.LOG_KEY: self.key.public.cose,
        }
        if quorum is not None:
            said[L.QUORUM] = quorum
        parent = identity(world.grants["delegation"])
        world.grants["edge"] = world.grant("province", kinds.EDGE, {L.PARENT: parent, **said})
        for name in WITNESSES:
            self.hire(name)

    def hire(self, name: str, private: PrivateKey | None = None) -> None:
        """A witness with a grant of the root's."""
        key, full = private or self.make(name), f"witness.example/{name}"
        self.signers[name] = NoteSigner(full, key, TIMED)
        fields = {L.SUBJECT_KEY: key.public.cose, L.WITNESS: full}
        self.world.grants[f"witness {name}"] = self.world.grant("root", kinds.WITNESS, fields)

    @property
    def leaves(self) -> list[bytes]:
        """Hashes of the log's leaves."""
        return [leaf_hash(name) for name in (ELSE, *(item.identity for item in self.fixture.signed))]

    def note(self, times: Mapping[str, int], hashes: Sequence[bytes] | None = None) -> Note:
        """The log's checkpoint (of other leaves, where given), cosigned by witnesses at seconds."""
        found = self.leaves if hashes is None else hashes
        head = LogHead(self.origin, len(found), subtree(found, 0, len(found)))
        bare = sign_head(NoteSigner(self.origin, self.key), head)
        return bare.signed(*(self.signers[name].sign(bare.text, time_s) for name, time_s in times.items()))

    def sighting(self, name: bytes, note: Note, named: bytes | None = None, role: str = "edge") -> Signed:
        """That an entry stands in the tree of a note; `named` is what the statement says instead."""
        leaves = self.leaves
        place = include(leaves, leaves.index(leaf_hash(name)), len(leaves))
        said = {
            L.STATEMENT: name if named is None else named,
            L.NOTE: note.raw,
            L.INCLUSION: [place.size, place.index, place.path],
        }
        return says(self.world, role, L.KIND_SIGHTING, said)

    def seen(self, times: Mapping[str, int], index: int = -1) -> Signed:
        """A sighting of the fixture's last statement, or of another."""
        return self.sighting(self.fixture.signed[index].identity, self.note(times))
