"""The settings file: read whole, refused in one sentence that names the field."""

import json
import os

from meterseal_fixture.errors import BadSettings
from meterseal_fixture.settings import Settings, read_settings

GOOD = {
    "fixture": "W1",
    "site": "YUHANG1",
    "bench": "WATER-1",
    "folder": "state",
    "capture": "a",
    "mbus": "b",
    "panel": "c",
    "host": "127.0.0.1",
    "port": 1883,
    "edge_key": "01" * 64,
    "registry_key": "02" * 64,
    "positions": 8,
}
PATH = "settings-under-test.json"


def refused(**changes):
    fields = dict(GOOD)
    for name, value in changes.items():
        if value is None:
            del fields[name]
        else:
            fields[name] = value
    try:
        Settings(fields)
    except BadSettings as why:
        return why.detail
    return "accepted"


def read(text):
    with open(PATH, "w") as file:
        file.write(text)
    try:
        return read_settings(PATH)
    except BadSettings as why:
        return why.detail
    finally:
        os.unlink(PATH) if hasattr(os, "unlink") else os.remove(PATH)


def test_a_whole_file_gives_attributes_keys_as_bytes_and_topics():
    """The contract's settings and MQTT topics ms/1/{site}/{fixture}/up."""
    settings = read(json.dumps(GOOD))
    assert settings.edge_key == b"\x01" * 64 and settings.registry_key == b"\x02" * 64
    assert (settings.port, settings.positions, settings.closed_bench_s) == (1883, 8, 60)
    assert settings.topic("up") == "ms/1/YUHANG1/W1/up"


def test_each_field_that_is_missing_or_out_of_shape_is_named():
    """Every field but the one with a default is taken away, and some are spoiled."""
    assert refused() == "accepted"
    for name in GOOD:
        assert "'%s'" % name in refused(**{name: None}), name
    for name, wrong in (
        ("port", 0),
        ("port", True),
        ("port", "1"),
        ("positions", 32),
        ("edge_key", "01" * 63),
    ):
        assert "'%s'" % name in refused(**{name: wrong}), name
    assert "'registry_key'" in refused(registry_key="zz" * 64)
    assert "'fixture'" in refused(fixture="A" * 17)


def test_what_is_not_needed_has_a_default_and_its_own_rules():
    """A bus of two kinds, TLS whole or not at all, a flow controller with a step, an authority with a key."""
    settings = Settings(dict(GOOD))
    assert (settings.meters, settings.tls, settings.flow_line, settings.authority_key) == (
        "mbus",
        [],
        "",
        b"",
    )
    assert "'meters'" in refused(meters="modbus") and refused(meters="cjt188") == "accepted"
    assert "tls_key" in refused(tls_authority="a") and "tls_key" in refused(tls_authority="a", tls_key="b")
    assert refused(tls_authority="a", tls_certificate="b", tls_key="c") == "accepted"
    assert "'flow_unit'" in refused(flow_line="d", flow_unit=0) and refused(flow_line="d") == "accepted"
    assert "'flow_ml_per_h'" in refused(flow_line="d", flow_ml_per_h=0)
    assert "'authority_key'" in refused(authority_key="01")


def test_own_counters_need_sensors_the_references_volume_and_who_sets_the_flow():
    """All nine quantities, converters 0x48 to 0x4B; as many positions as there are meters, four channels or not."""
    names = ("air_mk", "air_10pa", "humidity", "ref_mk", "ref_10pa", "in_mk", "in_10pa", "out_mk", "out_10pa")
    rows = ["%s=%d:%d:0:50000" % (name, 72 + at // 4, at % 4) for at, name in enumerate(names)]
    given = {"capture": "own", "sensors": " ".join(rows), "ref_nl_per_pulse": 10000, "flow_line": "hand"}
    fields = dict(GOOD)
    fields.update(given)
    settings = Settings(fields)
    assert settings.sensors[1] == (72, 0, 0, 50000) and settings.sensors[9] == (74, 0, 0, 50000)
    assert (len(settings.sensors), settings.ref_nl) == (9, 10000)
    below = dict(fields)
    below["sensors"] = fields["sensors"].replace("air_mk=72:0:0:", "air_mk=72:0:-20000:")
    assert Settings(below).sensors[1] == (72, 0, -20000, 50000)
    for name in ("sensors", "ref_nl_per_pulse", "flow_line"):
        short = {key: value for key, value in given.items() if key != name}
        assert "'%s'" % name in refused(**short), name
    for wrong in ("flow=72:0:0:1", "air_mk=76:0:0:1", "air_mk=72:4:0:1", "air_mk=72:0:0", "air_mk=72:0:-1:1"):
        assert "air_mk" in refused(sensors=wrong) or "flow" in refused(sensors=wrong), wrong
    assert "out_10pa" in refused(sensors=" ".join(rows[:-1]))


def test_a_setting_that_nobody_knows_is_refused_by_name():
    """A misspelled field must not be silently without effect."""
    assert "'colour'" in refused(colour="red")


def test_what_is_no_json_object_is_refused_with_the_path():
    """The installer is told which file."""
    assert PATH in read("{")
    assert PATH in read("[1]")
    try:
        read_settings("nowhere/at-all.json")
    except BadSettings as why:
        assert "nowhere/at-all.json" in why.detail
    else:
        raise AssertionError("a file that is not there was read")
