"""What Prometheus is told, read back by Prometheus' own parser, and the board that draws it."""

import json
import os
import re
import subprocess
from datetime import datetime
from pathlib import Path

import httpx
import pytest
import yaml
from edge.tests.conftest import Box
from edge.tests.site import on_port
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from meterseal_edge.errors import StoreFailed
from meterseal_edge.examine import Examined
from meterseal_edge.examiners import Here
from meterseal_edge.metrics import TYPE, Metrics, TimedExaminer, TimedLog, metrics_route
from meterseal_edge.pages.app import Site, make_app
from meterseal_edge.settings import Settings
from meterseal_edge.surroundings import Surroundings
from meterseal_tools.services import free_port
from meterseal_wire.encode import encode

BOARD = Path(__file__).parents[1] / "grafana" / "meterseal-edge.json"
ALERTS = BOARD.with_name("alerts.yml")


def told(metrics: Metrics) -> dict[str, Metric]:
    """Families by name, as Prometheus reads the text."""
    return {family.name: family for family in text_string_to_metric_families(metrics.text().decode())}


def value(metrics: Metrics, name: str, **labels: str) -> float:
    """One sample of that name and those labels."""
    samples = [sample for family in told(metrics).values() for sample in family.samples]
    [found] = [
        one.value
        for one in samples
        if one.name == f"meterseal_edge_{name}" and labels.items() <= one.labels.items()
    ]
    return float(found)


def surroundings(box: Box) -> Surroundings:
    """Of an edge with one backup, which says that it was made at 1 790 000 000, and no certificate."""
    folder = box.folder / "backups"
    folder.mkdir()
    (folder / "b.manifest").write_bytes(encode([b"", b"", 1_790_000_000, b"", b""]))
    here = box.folder
    return Surroundings(Settings(here, 1, "YUHANG1", "EDGE1", here, here, "", 1, backups=folder))


@pytest.fixture
def metrics(box: Box) -> Metrics:
    """Metrics over an edge that times its log and its examiner."""
    found = Metrics(box.state, box.store, lambda: 3, surroundings(box))
    box.log = box.ingest.log = TimedLog(box.store, found)
    box.ingest.examiner = TimedExaminer(Here(box.keys), found)
    return found


def test_counts_are_those_of_what_was_offered(box: Box, metrics: Metrics) -> None:
    """Two good statements in one batch, then one of a stranger's topic: one refusal with its code."""
    fixture = box.fixture()
    box.offer(fixture.signed[0], fixture.event("tick", "1"))
    box.offer(fixture.event("tick", "2"), fixture="G1")
    assert value(metrics, "durable_total") == 2
    assert value(metrics, "entered_total") == 0
    assert value(metrics, "waiting") == 2
    assert value(metrics, "quarantined") == 1
    assert value(metrics, "refused_total", code="edge.topic") == 1
    assert value(metrics, "alarms_total", code="edge.topic") == 1
    assert value(metrics, "batches_total") == value(metrics, "commit_seconds_count") == 2
    assert value(metrics, "examine_seconds_count") == 2
    assert value(metrics, "parcels_queued") == 3


def test_facts_are_ones_and_zeros(box: Box, metrics: Metrics) -> None:
    """Broker, registry, accepting, fixtures online and the beacon's age follow the state."""
    assert [value(metrics, f"{name}_up") for name in ("broker", "registry", "accepting")] == [0, 0, 1]
    assert "meterseal_edge_beacon_age_seconds" not in told(metrics)
    box.state.broker(True)
    box.state.registry(True)
    box.state.accepting(False)
    box.state.presence("W1", True)
    box.state.beacon(1, 0)
    assert [value(metrics, f"{name}_up") for name in ("broker", "registry", "accepting")] == [1, 1, 0]
    assert value(metrics, "fixtures_online") == 1
    assert value(metrics, "beacon_age_seconds") > 1_700_000_000


def test_the_ends_of_certificates_are_told_with_which_they_are(box: Box, tmp_path: Path) -> None:
    """Issue 6 point 6: renewed before they end. Times by openssl; a file that is not there is left out."""
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "9",
    ]
    pem = tmp_path / "edge.pem"
    subprocess.run(
        [*made, "-subj", "/CN=x", "-keyout", tmp_path / "key", "-out", pem], check=True, capture_output=True
    )
    read = ["openssl", "x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in", pem]
    said = (
        subprocess.run(read, check=True, capture_output=True, text=True)
        .stdout.removeprefix("notAfter=")
        .strip()
    )
    here = box.folder
    settings = Settings(
        here, 1, "YUHANG1", "EDGE1", here, here, "", 1, tls_certificate=pem, tls_authority=here / "no"
    )
    metrics = Metrics(box.state, box.store, lambda: 3, Surroundings(settings))
    end = datetime.fromisoformat(said).timestamp()
    assert value(metrics, "certificate_end_seconds", which="edge") == end
    assert len(told(metrics)["meterseal_edge_certificate_end_seconds"].samples) == 1


def test_the_newest_backup_and_the_room_on_the_disk_are_told(box: Box, metrics: Metrics) -> None:
    """Room by statvfs(3), which `df` asks too; a younger manifest counts, one that can't be read does not."""
    assert value(metrics, "backup_timestamp_seconds") == 1_790_000_000
    for name, content in (("younger", encode([b"", b"", 1_790_086_400])), ("torn", b"\x83")):
        (box.folder / "backups" / f"{name}.manifest").write_bytes(content)
    assert value(metrics, "backup_timestamp_seconds") == 1_790_086_400
    said = os.statvfs(box.folder)
    assert value(metrics, "disk_bytes") == said.f_frsize * said.f_blocks
    assert 0 < value(metrics, "disk_free_bytes") < said.f_frsize * said.f_blocks
    for path in (box.folder / "backups").iterdir():
        path.unlink()
    assert "meterseal_edge_backup_timestamp_seconds" not in told(metrics)


def test_a_commit_that_fails_is_not_counted(box: Box, metrics: Metrics) -> None:
    """Batches are those that are durable."""
    [pages] = box.store._db.execute("PRAGMA page_count").fetchone()
    box.store._db.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    fixture = box.fixture()
    for number in range(50):
        fixture.event("tick", str(number) * 100)
    with pytest.raises(StoreFailed):
        box.offer(*fixture.signed)
    assert value(metrics, "batches_total") == 0


def test_a_store_that_cannot_be_read_leaves_the_rest_to_be_scraped(box: Box, metrics: Metrics) -> None:
    """A scrape that fails would hide what else is wrong."""

    def broken() -> tuple[int, int, int]:
        raise StoreFailed("damaged")

    box.store.counts = broken  # type: ignore[method-assign]
    found = told(metrics)
    assert "meterseal_edge_durable" not in found
    assert "meterseal_edge_accepting_up" in found


def test_every_name_is_ours_or_the_process(metrics: Metrics) -> None:
    """Issue 6 point 9: names meterseal_edge_*; each has a help text."""
    for name, family in told(metrics).items():
        assert name.startswith(("meterseal_edge_", "process_"))
        assert family.documentation


def test_the_page_serves_the_text_format(box: Box, metrics: Metrics) -> None:
    """Prometheus exposition formats, text 0.0.4: the content type says so."""
    port = free_port()
    with on_port(make_app(box.state, box.store, lambda: b"", Site(more=[metrics_route(metrics)])), port):
        answer = httpx.get(f"http://127.0.0.1:{port}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == TYPE == "text/plain; version=0.0.4; charset=utf-8"
    assert "meterseal_edge_durable_total 0.0" in answer.text.splitlines()


def test_everything_that_is_exported_is_drawn(box: Box, metrics: Metrics) -> None:
    """That every panel has data is shown by a server in test_prometheus.py."""
    box.state.beacon(1, 0)
    box.state.alarm("", "edge.store", "why")
    box.state.refused("edge.topic")
    exported = {sample.name for family in told(metrics).values() for sample in family.samples}
    board = json.loads(BOARD.read_text())
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    used = {name for one in expressions for name in re.findall(r"\b(?:meterseal_edge|process)_\w+", one)}
    ours = {name for name in exported if name.startswith("meterseal_edge_") and not name.endswith("_created")}
    assert ours - used <= {
        f"meterseal_edge_{one}_seconds_{part}" for one in ("commit", "examine") for part in ("count", "sum")
    }


def test_every_alerting_rule_names_a_metric_that_is_exported_and_speaks_both_languages(
    box: Box, metrics: Metrics
) -> None:
    """prometheus.io, alerting rules: a misspelt name is a rule that never fires. test_prometheus.py runs them."""
    box.state.beacon(1, 0)
    box.state.refused("edge.topic")
    exported = {sample.name for family in told(metrics).values() for sample in family.samples}
    rules = [rule for group in yaml.safe_load(ALERTS.read_text("utf-8"))["groups"] for rule in group["rules"]]
    used = {name for rule in rules for name in re.findall(r"\b(?:meterseal_edge|process)_\w+", rule["expr"])}
    assert used - exported <= {"meterseal_edge_certificate_end_seconds"}
    for rule in rules:
        assert re.search(r"[\u4e00-\u9fff].*[a-z]{4}", rule["annotations"]["summary"])


def test_an_examiner_that_is_timed_is_the_same_examiner(box: Box, metrics: Metrics) -> None:
    """What it finds is what the one within finds; nothing is left to be finished."""
    fixture = box.fixture()
    parcel = box.parcel(fixture.signed[0])
    timed, plain = TimedExaminer(Here(box.keys), metrics), Here(box.keys)
    found: list[Examined] = []
    for one in (timed, plain):
        one.start([parcel])
        found.append(one.finish())
        one.close()
    assert found[0] == found[1]
