"""What an audit has proved so far, and what it found wrong: each finding names the file and the statement."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.evidence import Entry
from meterseal_protocol.holders import Holders
from meterseal_protocol.judge import Decision
from meterseal_protocol.keys import PublicKey
from meterseal_protocol.receipt import Receipt
from meterseal_protocol.rules import Pack
from meterseal_protocol.statement import Statement
from meterseal_tools.evidence_folder import FOLDERS, Folder
from meterseal_wire.errors import WireError

LARGE = 1 << 22


@dataclass(frozen=True)
class Finding:
    """What is wrong with one file; `statement` is the identity (hex) it is named by, empty for the two others."""

    file: str
    statement: str
    why: str

    def __str__(self) -> str:
        named = f" statement {self.statement[:16]}:" if self.statement else ""
        return f"{self.file}:{named} {self.why}"


@dataclass
class Audit:
    """What was proved so far, by identity in hex; `findings` empty at the end means that everything holds.

    `decided` are decisions that came out again byte for byte, `blobs` and `packs` what digests cover.
    """

    folder: Folder
    anchors: list[PublicKey] = field(default_factory=list)
    holders: Holders = field(default_factory=lambda: Holders([]))
    findings: list[Finding] = field(default_factory=list)
    statements: dict[str, Statement] = field(default_factory=dict)
    signers: dict[str, bytes] = field(default_factory=dict)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    blobs: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    packs: list[Pack] = field(default_factory=list)
    decided: dict[str, Decision] = field(default_factory=dict)
    decisions: int = 0
    certificates: int = 0

    def blame(self, place: str, name: str, why: object) -> None:
        """Note a finding about the file of `name` in sub-folder `place`; "" is the folder itself."""
        file = f"{place}/{name}{FOLDERS[place]}" if place else name
        self.findings.append(Finding(file, name if place else "", str(why)))

    def attempt(self, place: str, name: str, work: Callable[[], Any]) -> Any:
        """What `work` gives; None, and a finding, where the bytes or the proof are refused."""
        try:
            return work()
        except (WireError, ProtocolError) as error:
            self.blame(place, name, error)
            return None

    def of_kind(self, typ: int) -> list[tuple[str, Statement]]:
        """Statements of one kind whose signatures hold, by identity."""
        return sorted((name, item) for name, item in self.statements.items() if item.typ == typ)

    def entries(self) -> list[Entry]:
        """Statements that are proved to be in the log, in its order."""
        proved = [(self.receipts[name], name) for name in self.statements if name in self.receipts]
        return [
            Entry(self.statements[name], self.signers[name], proof.leaf, proof.entered_s)
            for proof, name in sorted(proved, key=lambda pair: (pair[0].leaf, pair[1]))
        ]
