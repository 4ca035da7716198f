"""An evidence folder without a server: the model world's statements and the real judge's decisions, on disk."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from meterseal_protocol import checkpoint
from meterseal_protocol.certificate import Certificate, issue, marks_hash
from meterseal_protocol.checkpoint import TreeHead
from meterseal_protocol.evidence import Entry
from meterseal_protocol.judge import Decision
from meterseal_protocol.merkle import Tree, include, leaf_hash
from meterseal_protocol.receipt import issue as issue_receipt
from meterseal_protocol.rules import load_pack, plan_for
from meterseal_protocol.testing.fixture import ModelFixture, Signed
from meterseal_protocol.testing.runs import Seat, point
from meterseal_protocol.testing.trial import GOOD_PPM, Trial
from meterseal_tools import demo
from meterseal_tools.audit import audit
from meterseal_tools.evidence_folder import FOLDERS, load
from meterseal_tools.stage import Stage
from meterseal_tools.world import TYPES, make_world, type_fields
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import Author, build

YEAR_S = 365 * 86_400
UNSIGNED = {"signoff_roles": [], "least_people": 0, "marks_needed": 0}


class Archive:
    """A registry's log with a meter in it, to be written as an evidence folder; tests put lies into it.

    Its rules ask for no signatures unless there are `people`.
    """

    def __init__(self, people: bool = False) -> None:
        self.trial = Trial() if people else Trial(rules=UNSIGNED, people=False)
        for name in () if people else [name for name in self.trial.world.grants if name.startswith("person")]:
            del self.trial.world.grants[name]
        self.record = self.trial.record
        self.world = self.trial.world
        self.certificates: dict[int, tuple[bytes, int]] = {}

    def test_meter(self) -> "Archive":
        """Grants, beacon, boot, attempt and result."""
        self.trial.begin().run()
        return self

    def sign(self, role: str, kind: int, payload: Mapping[int, Any]) -> Entry:
        """A statement that `role` signs, entered whatever it is."""
        return self.record.enter(build(self.world.author(role), kind, dict(payload)))

    def decide(self, role: str = "registry", **changes: Any) -> Decision:
        """Scope and decision, logged; `changes` are payload fields that the registry invents."""
        decision = self.trial.decide()
        lies = {getattr(L, name): value for name, value in changes.items()}
        self.sign(role, L.KIND_DECISION, {**decision.payload(), **lies})
        return decision

    def content(self, decision: Decision) -> Certificate:
        """What the certificate of a granted decision says, by the contract's table of claims."""
        assert decision.window and decision.territory and decision.rules and decision.result
        assert decision.position is not None and decision.end_register is not None
        return Certificate(
            issuer="REG-CN",
            meter=decision.meter,
            issued_s=self.record.now_s,
            expires_s=min(decision.window[1], self.record.now_s + YEAR_S),
            territory=decision.territory,
            rules=decision.rules[:8],
            result=decision.result[:16],
            position=decision.position,
            end_register=decision.end_register,
            exponent=-3,  # the world's types count litres
            marks=marks_hash(self.trial.serial, self.trial.seat().address, " ".join(decision.seals)),
            status_list=1,
            status_index=len(self.certificates),
            demo=True,
        )

    def certify(self, decision: Decision, role: str = "registry", **changes: Any) -> str:
        """A certificate, logged; its name in the folder. `changes` are claims that differ from the decision."""
        raw = issue(self.world.author(role), replace(self.content(decision), **changes))
        self.certificates[self.record.tree.size] = (raw, self.record.now_s)
        self.record.tree.append(identity(raw))
        return identity(raw).hex()

    def leaves(self) -> list[tuple[str, bytes, int]]:
        """(sub-folder, bytes, time of entry) in the log's order."""
        logged = {
            entry.leaf: ("statements", entry.statement.raw, entry.entered_s) for entry in self.record.pool
        }
        logged |= {leaf: ("certificates", *found) for leaf, found in self.certificates.items()}
        return [logged[leaf] for leaf in sorted(logged)]

    def write(self, folder: Path, log_role: str = "registry", head_role: str = "registry") -> Path:
        """The folder as evidence_folder.py describes it; receipts and checkpoint signed by these roles."""
        for name in FOLDERS:
            (folder / name).mkdir(parents=True)
        leaves = self.leaves()
        names = [identity(raw) for _, raw, _ in leaves]
        hashes = [leaf_hash(name) for name in names]
        for index, (place, raw, entered_s) in enumerate(leaves):
            name = names[index].hex()
            proof = include(hashes, index, len(hashes))
            (folder / place / f"{name}{FOLDERS[place]}").write_bytes(raw)
            receipt = issue_receipt(self.world.author(log_role), names[index], proof, entered_s)
            (folder / "receipts" / f"{name}.cose").write_bytes(receipt)
        for name, items in self.record.blobs.items():
            (folder / "evidence" / f"{name.hex()}.cbor").write_bytes(encode(list(items)))
        for pack in self.trial.packs:
            (folder / "rules" / f"{pack.digest.hex()}.cbor").write_bytes(pack.raw)
        (folder / "anchors.cbor").write_bytes(self.world.anchors_file)
        (folder / "checkpoint.cose").write_bytes(self.head(names, head_role))
        return folder

    def head(self, names: list[bytes], role: str) -> bytes:
        """The signed tree head over these identities."""
        tree = Tree()
        for name in names:
            tree.append(name)
        origin = f"registry/{self.world.author(role).issuer}"
        return checkpoint.sign(
            self.world.author(role), TreeHead(origin, tree.size, tree.root(), self.record.now_s)
        )

    def findings(self, folder: Path) -> list[str]:
        """What an audit of the written folder finds, in words."""
        return [str(finding) for finding in audit(load(self.write(folder))).findings]


@pytest.fixture
def archive() -> Archive:
    """A meter tested in a fresh world; no decision yet."""
    return Archive().test_meter()


@pytest.fixture
def evidence(archive: Archive, tmp_path: Path) -> Path:
    """A written folder with one granted meter and its certificate: nothing is wrong with it."""
    archive.certify(archive.decide())
    return archive.write(tmp_path / "evidence")


class Desk:
    """A real registry process with the demo's own grants; `stage` is the demo's, with nothing else on it."""

    serial = (
        "00025777"  # the scenario's good meter of type 2026F103-33, whose bus identity the model seats have
    )

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stage = Stage(folder, lambda *_: None)
        self.stage.world = make_world(folder / "run" / "keys")
        (folder / "anchors.cbor").write_bytes(self.stage.world.anchors)
        self.stage.registry = self.stage._registry(folder / "run")
        self.url = self.stage.registry_url

    def get(self, path: str) -> bytes:
        """What the registry answers with 200."""
        return httpx.get(f"{self.url}{path}").raise_for_status().content

    def offer(self, *items: Signed) -> None:
        """A parcel, every item of which must be receipted."""
        parcel = encode([[item.raw, *item.evidence] for item in items])
        answers = scan(httpx.post(f"{self.url}/bundles", content=parcel).raise_for_status().content, 1 << 20)
        assert all(isinstance(answer, bytes) for answer in answers), answers

    def test_meter(self) -> None:
        """Boot, attempt and result of a model fixture with W1's key: the registry decides and certifies."""
        fixture = ModelFixture(Author("W1", "WATER-1", self.stage.world.keys["W1"]))
        plan = plan_for(load_pack("jjg162"), type_fields(TYPES["ram"]))
        flows = [row[0] for row in scan(plan)[L.PLAN_POINTS]]
        rows = [
            point(index, flow, ppm) for index, (flow, ppm) in enumerate(zip(flows, GOOD_PPM, strict=True))
        ]
        seat = Seat(1, self.serial, points=rows, extra={L.TYPE: TYPES["ram"].number})
        self.offer(fixture.boot(), fixture.attempt([seat], plan, identity(self.get("/beacon"))))
        self.offer(fixture.result([seat]))
        demo.people_sign(demo.Story(Console(quiet=True), 0.0), self.stage)


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One registry for all tests that only read from it; one meter is tested and certified."""
    found = Desk(tmp_path_factory.mktemp("desk"))
    try:
        found.test_meter()
        yield found
    finally:
        found.stage.registry.stop()
