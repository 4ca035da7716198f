"""The alerting rules and the board under Prometheus itself: its checker of rules, its server on a real edge."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from edge.tests.secured import UP
from edge.tests.secured_edge import factory
from edge.tests.site import served, wait_until

from meterseal_edge.nightly import back_up_tonight
from meterseal_edge.settings import load
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_tools.services import free_port
from meterseal_wire.encode import encode

GRAFANA = Path(__file__).parents[1] / "grafana"
ALERTS, BOARD = GRAFANA / "alerts.yml", GRAFANA / "meterseal-edge.json"
EDGE = 'job="meterseal-edge", instance="e"'
# Alarm, series with a sample a minute from minute 0, the last minute in which it is silent and the first in which it
# is not. Prometheus' clock begins at 0 here.
CASES = [
    ("MeterSealEdgeDown", {f"up{{{EDGE}}}": "1 0x9"}, 2, 3),
    ("MeterSealEdgeRestarts", {f"process_start_time_seconds{{{EDGE}}}": "1 2 3 4 5"}, 3, 4),
    ("MeterSealNotAccepting", {"meterseal_edge_accepting_up": "1 0x9"}, 1, 2),
    ("MeterSealBrokerAway", {"meterseal_edge_broker_up": "1 0x9"}, 2, 3),
    ("MeterSealRegistryAway", {"meterseal_edge_registry_up": "1 0x99"}, 60, 61),
    ("MeterSealBeaconOld", {"meterseal_edge_beacon_age_seconds": "86400 86401"}, 0, 1),
    (
        "MeterSealDiskNearlyFull",
        {"meterseal_edge_disk_free_bytes": "10 9x9", "meterseal_edge_disk_bytes": "100x9"},
        5,
        6,
    ),
    ("MeterSealRefuses", {'meterseal_edge_refused_total{code="edge.topic"}': "0x58 20 21"}, 59, 60),
    ("MeterSealBackupOld", {"meterseal_edge_backup_timestamp_seconds": "0x2999"}, 2 * 1440, 2 * 1440 + 1),
    ("MeterSealNoBackup", {f"up{{{EDGE}}}": "1x2999"}, 2 * 1440 - 1, 2 * 1440),
    ("MeterSealCertificateEnds", {"meterseal_edge_certificate_end_seconds": f"{30 * 86400 + 60}x9"}, 1, 2),
]


def promtool(*words: object) -> None:
    """Prometheus' own checker; AssertionError with what it says."""
    done = subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_rules_and_each_has_a_case() -> None:
    """`promtool check rules`; a new alarm wants a row above."""
    promtool("check", "rules", ALERTS)
    rules = [rule for group in yaml.safe_load(ALERTS.read_text("utf-8"))["groups"] for rule in group["rules"]]
    assert [rule["alert"] for rule in rules] == [name for name, *_ in CASES]


@pytest.mark.parametrize("name, series, quiet, due", CASES)
def test_each_alarm_is_silent_until_it_is_due(
    tmp_path: Path, name: str, series: dict[str, str], quiet: int, due: int
) -> None:
    """`promtool test rules`: the boundaries stand in the case, a person's arithmetic."""
    fires = f'count(ALERTS{{alertname="{name}", alertstate="firing"}})'
    looked = [
        {"expr": fires, "eval_time": f"{quiet}m", "exp_samples": []},
        {"expr": fires, "eval_time": f"{due}m", "exp_samples": [{"labels": "{}", "value": 1}]},
    ]
    rows = [{"series": one, "values": values} for one, values in series.items()]
    test = {"interval": "1m", "input_series": rows, "promql_expr_test": looked}
    file = tmp_path / "test.yml"
    file.write_text(
        yaml.safe_dump({"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": [test]})
    )
    promtool("test", "rules", file)


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[str]:
    """A server that scrapes `target` five times a second with our rules; yields its address."""
    scrape = {"job_name": "meterseal-edge", "static_configs": [{"targets": [target]}]}
    settings = {
        "global": {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"},
        "rule_files": [str(ALERTS)],
        "scrape_configs": [scrape],
    }
    file, port = folder / "prometheus.yml", free_port()
    file.write_text(yaml.safe_dump(settings))
    command = ["prometheus", f"--config.file={file}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log
        )
    try:
        yield f"http://127.0.0.1:{port}/api/v1"
    finally:
        process.kill()
        process.wait()


def answered(address: str, what: str, **words: str) -> list[dict[str, Any]]:
    """What its interface answers; nothing while it starts."""
    try:
        answer = httpx.get(f"{address}/{what}", params=words)
    except httpx.TransportError:
        return []
    if answer.status_code != httpx.codes.OK:
        return []
    data = answer.json()["data"]
    return list(data.get("result") or data.get("groups") or [])


def test_a_real_server_draws_every_panel_from_a_real_edge(tmp_path: Path) -> None:
    """Each expression of the board has data once the edge has worked, refused and been backed up; each rule is well."""
    board = json.loads(BOARD.read_text())
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    with factory(tmp_path) as (found, broker), served(found.registry, found.registry_port):
        found.edge.start()
        caller, fixture = found.connect(broker, "W1"), ModelFixture(found.world.author("W1"))
        stranger = ModelFixture(found.world.author("G1"))
        for raw in (fixture.boot().raw, stranger.boot().raw):
            caller.say(UP.format("W1"), encode([[raw]]))
        back_up_tonight(load(found.layout.settings), keep=1)
        target = found.page.removeprefix("http://")
        with prometheus(tmp_path, target) as address:
            for shown in expressions:
                asked = shown.replace("$edge", target).replace("$__rate_interval", "1m")
                wait_until(partial(answered, address, "query", query=asked), f"data of {asked}")
            wait_until(partial(answered, address, "rules"), "the rules")
            rules = [rule for group in answered(address, "rules") for rule in group["rules"]]
        assert {rule["health"] for rule in rules} <= {"ok", "unknown"} and len(rules) == len(CASES)
