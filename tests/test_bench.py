"""The benches' pure parts: other forms of a statement really hold it, a row knows its goal, the best round counts.

No figure is looked at here: those are made by `make bench` alone.
"""

import base64
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import cbor2
import pytest

from meterseal_protocol.errors import Unverified
from meterseal_protocol.statement import Statement, read
from meterseal_protocol.testing.trial import Trial
from meterseal_wire import labels as L

BENCH = Path(__file__).resolve().parent.parent / "bench"
SI, DS = "{https://ptb.de/si}", "{http://www.w3.org/2000/09/xmldsig#}"


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    """Loads a file of bench/ by its name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCH)

        def load(name: str) -> ModuleType:
            # By its path: the folder protocol/ has the name of one of them.
            found = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
            assert found is not None and found.loader is not None
            module = sys.modules[found.name] = importlib.util.module_from_spec(found)
            found.loader.exec_module(module)
            return module

        yield load


@pytest.fixture(scope="module")
def result() -> Statement:
    """A result of one position with three points, as the model fixture signs it."""
    return Trial().begin().run().record.of_kind(L.KIND_RESULT)[0].statement


def unpadded(text: str) -> bytes:
    """Base64url as RFC 7515 writes it."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_jws_holds_every_field_under_its_name(bench: Any, result: Statement) -> None:
    """Taken apart by RFC 7515 section 7.1; cbor2 reads the other side. Names are those of labels.toml."""
    header, payload, signature = bench("forms").jws(result).decode().split(".")
    protected, _, body, raw_signature = cbor2.loads(result.raw).value
    theirs, ours = cbor2.loads(body), json.loads(unpadded(payload))
    assert unpadded(signature) == raw_signature
    assert ours["attempt"] == theirs[L.ATTEMPT]
    assert unpadded(ours["evidence_root"]) == theirs[L.EVIDENCE_ROOT]
    assert ours["conditions"] == theirs[L.CONDITIONS]
    assert [row["points"] for row in ours["positions"]] == [row[L.POINTS] for row in theirs[L.POSITIONS]]
    assert len(ours["positions"][0]) == len(theirs[L.POSITIONS][0])
    said = json.loads(unpadded(header))
    named = cbor2.loads(protected)
    assert (said["alg"], said["iss"], said["sub"]) == ("ES256", *named[L.HEADER_CWT_CLAIMS].values())
    assert [*said["chain"][:2], unpadded(said["chain"][2])] == named[L.HEADER_CHAIN]


def test_the_xml_holds_every_figure_with_a_unit(bench: Any, result: Statement) -> None:
    """Nine conditions, fifteen figures a point, and what is said of the position, each as si:real."""
    root = ET.fromstring(bench("forms").dcc(result))
    reals = [(real.findtext(f"{SI}value"), real.findtext(f"{SI}unit")) for real in root.iter(f"{SI}real")]
    payload = cbor2.loads(result.body)
    position = payload[L.POSITIONS][0]
    figures = [number for spread in payload[L.CONDITIONS] for number in spread]
    for label, value in position.items():
        if label != L.POINTS:
            figures += value if isinstance(value, list) else [value]
    figures += [number for row in position[L.POINTS] for number in row]
    assert [int(value or "") for value, _ in reals] == figures
    assert all(unit for _, unit in reals)


def test_the_signature_of_the_xml_has_the_right_length(bench: Any, result: Statement) -> None:
    """ECDSA on P-256 is 64 bytes (RFC 6931 section 2.3.6), the digest 32: figures of an honest comparison."""
    root = ET.fromstring(bench("forms").dcc(result))
    lengths = [
        len(base64.b64decode(root.findtext(f".//{DS}{name}") or ""))
        for name in ("SignatureValue", "DigestValue")
    ]
    assert lengths == [64, 32]


def test_the_statement_measured_is_accepted(bench: Any) -> None:
    """A size of something that nobody would take says nothing: one and twenty positions are read."""
    for positions in (1, 20):
        assert len(read(bench("protocol").result(positions)).payload[L.POSITIONS]) == positions


@pytest.mark.parametrize(
    "figures, met",
    [
        ((91.0, "1/s", 100.0, 0.9, False), True),
        ((89.0, "1/s", 100.0, 0.9, False), False),
        ((400.0, "B", None, 400.0, True), True),
        ((401.0, "B", None, 400.0, True), False),
        ((7.0, "B", None, None, True), None),
    ],
)
def test_a_goal_bounds_the_ratio_or_else_the_value(
    bench: Any, figures: tuple[Any, ...], met: bool | None
) -> None:
    """Value, unit, limit, goal, at most: design section 14; without a goal there is nothing to meet."""
    assert bench("row").Row("name", *figures).met is met


def test_the_best_of_interleaved_rounds_counts(bench: Any) -> None:
    """Each call is made once a round, first and second in turns; its best rate is given."""
    speed = bench("speed")
    calls: list[str] = []

    def round_of(name: str) -> float:
        calls.append(name)
        return float(len(calls))

    best = speed.interleaved(lambda: round_of("a"), lambda: round_of("b"))
    assert calls == ["a", "b", "b", "a"] * (speed.ROUNDS // 2)
    assert best == (len(calls), len(calls) - 1)


def test_both_sides_verify_the_same_bytes(bench: Any) -> None:
    """One message with a changed byte is refused by ours, by the bare key and by python-cwt in its process."""
    speed = bench("speed")
    messages = speed.Messages(
        L.KIND_CHECKPOINT, {L.ORIGIN: "e", L.LOG_SIZE: 1, L.LOG_ROOT: bytes(32), L.TIME_S: 1}
    )
    messages.verify()
    messages.verify_bare()
    with messages.peer() as peer:
        assert peer() > 0
    assert messages.peer_versions["cwt"]
    good = messages.raws[0]
    messages.raws[0] = good[:-80] + bytes([good[-80] ^ 1]) + good[-79:]
    with pytest.raises(Unverified):
        messages.verify()
    with pytest.raises(ValueError, match="could not convert"), messages.peer() as peer:
        peer()
