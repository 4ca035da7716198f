"""The settings file: one JSON object, every field named here, nothing else accepted. The key lies beside it."""

import json

from meterseal_fixture.errors import BadSettings

TEXTS = {
    "fixture": 16,
    "site": 16,
    "bench": 16,
    "folder": 255,
    "capture": 255,
    "mbus": 255,
    "panel": 255,
    "host": 255,
}
KEYS = ("edge_key", "registry_key")
AUTHORITY = "authority_key"
# A line of its own each; TLS with all three files or none, DER.
OPTIONAL = {"meters": 16, "tls_authority": 255, "tls_certificate": 255, "tls_key": 255, "flow_line": 255}
OPTIONAL.update({"scanner": 255, "scanner_gtin": 255, "sensors": 512})
TLS = ("tls_authority", "tls_certificate", "tls_key")
BUSES = ("mbus", "cjt188")
# `capture` of a board that counts with its own counters, and `flow_line` where a person turns the valve.
OWN, BY_HAND = "own", "hand"
# In the order of the boards' sensors.QUANTITIES; the first is the flow, which own counters know by themselves.
QUANTITIES = (
    "flow",
    "air_mk",
    "air_10pa",
    "humidity",
    "ref_mk",
    "ref_10pa",
    "in_mk",
    "in_10pa",
    "out_mk",
    "out_10pa",
)
NUMBERS = {
    "port": (1, 65535),
    "positions": (1, 31),
    "closed_bench_s": (1, 3600),
    "flow_unit": (1, 247),
    "flow_register": (0, 65535),
    "flow_ml_per_h": (1, 1000000),
    "flow_words": (1, 2),
    "element_slot": (0, 15),
    "buttons": (0, 1),
    "display": (0, 127),
    "trial_s": (1, 2592000),
    "ref_nl_per_pulse": (1, 1000000000000),
}
DEFAULTS = {
    "closed_bench_s": 60,
    "flow_unit": 1,
    "flow_register": 0,
    "flow_ml_per_h": 1000,
    "flow_words": 1,
    "buttons": 0,
    "display": 0,
    "trial_s": 1800,
}


class Settings:
    """What an installer decides, as attributes named like the file's fields.

    Texts: fixture, site, bench (at most 16 characters each), folder, capture (the front end's line; several with blanks
    between, in the order of their positions; `own` for the board's own counters), mbus, panel, host. Keys as 64 bytes
    x || y: edge_key, registry_key. Numbers: port, positions, closed_bench_s (60 unless told).

    Not needed: meters ("mbus" or "cjt188": what stands on the line `mbus`); tls_authority, tls_certificate, tls_key
    (paths of DER files, all three or none); flow_line (a Modbus RTU controller of the flow, with flow_unit,
    flow_register, flow_ml_per_h a step and flow_words; `hand`: a person turns the valve; without it the front end
    sets the flow); element_slot (of the secure element that signs; without it the key file does); authority_key (who
    grants firmware, plans and tenants; without it no update is taken); scanner (the line of a barcode or QR scanner)
    and scanner_gtin (which maker a GTIN's first digits belong to: `0690123=DEMO`, several with blanks between);
    sensors and ref_nl_per_pulse (needed with `own` in capture, where the board counts by itself: nine quantities like
    `ref_mk=72:0:0:50000`, converter, input, values at 4 and 20 mA, with blanks between; nanolitres a pulse of the
    reference, by which flow is told); buttons (1 where start and stop are wired); display (the I2C address of an
    SSD1306, mostly 60; 0: none); trial_s (for how many seconds a start of an updated version may hear no edge before
    the board restarts by itself; 1800 unless told, more where a bench is offline on purpose, at most 30 days).
    """

    def __init__(self, fields: dict[str, object]) -> None:
        for name in fields:
            if not any(name in names for names in (TEXTS, KEYS, NUMBERS, OPTIONAL, (AUTHORITY,))):
                raise BadSettings("settings", "no setting is called '%s'; remove it" % name)
        self.fixture, self.site, self.bench = (_text(fields, name) for name in ("fixture", "site", "bench"))
        self.folder, self.host = _text(fields, "folder"), _text(fields, "host")
        self.capture, self.mbus, self.panel = (_text(fields, name) for name in ("capture", "mbus", "panel"))
        self.edge_key, self.registry_key = (_key(fields, name) for name in KEYS)
        if not self.capture.split():
            raise BadSettings("settings", "'capture' names no line")
        self.port, self.positions = _number(fields, "port"), _number(fields, "positions")
        self.closed_bench_s = _number(fields, "closed_bench_s")
        self.meters = _text(fields, "meters", OPTIONAL["meters"]) if "meters" in fields else BUSES[0]
        if self.meters not in BUSES:
            raise BadSettings("settings", "'meters' must be mbus or cjt188")
        self.tls = [_text(fields, name, OPTIONAL[name]) for name in TLS if name in fields]
        if len(self.tls) not in (0, len(TLS)):
            raise BadSettings("settings", "give all of tls_authority, tls_certificate and tls_key, or none")
        self.flow_line = _text(fields, "flow_line", OPTIONAL["flow_line"]) if "flow_line" in fields else ""
        names = ("flow_unit", "flow_register", "flow_ml_per_h", "flow_words")
        self.flow = [_number(fields, name) for name in names]
        self.scanner = _text(fields, "scanner", OPTIONAL["scanner"]) if "scanner" in fields else ""
        self.makers = _makers(fields)
        self.sensors = _sensors(fields)
        self.ref_nl = _number(fields, "ref_nl_per_pulse") if "ref_nl_per_pulse" in fields else 0
        if self.capture == OWN and not (self.sensors and self.ref_nl and self.flow_line):
            raise BadSettings(
                "settings", "with 'capture' own give 'sensors', 'ref_nl_per_pulse' and 'flow_line' too"
            )
        self.trial_s = _number(fields, "trial_s")
        self.buttons, self.display = _number(fields, "buttons"), _number(fields, "display")
        self.element_slot = _number(fields, "element_slot") if "element_slot" in fields else None
        self.authority_key = _key(fields, AUTHORITY) if AUTHORITY in fields else b""

    def topic(self, end: str) -> str:
        """`ms/1/{site}/{fixture}/{end}`, end being up, down, live or state."""
        return "ms/1/%s/%s/%s" % (self.site, self.fixture, end)


def read_settings(path: str) -> Settings:
    """The settings in the file at `path`. BadSettings says in one sentence what to correct."""
    try:
        with open(path) as file:
            fields = json.load(file)
    except OSError:
        raise BadSettings("settings", "cannot open %s; give the settings file's path" % path)
    except ValueError:
        raise BadSettings("settings", "%s is not JSON; correct it" % path)
    if not isinstance(fields, dict):
        raise BadSettings("settings", "%s is not one JSON object; correct it" % path)
    return Settings(fields)


def _text(fields: dict[str, object], name: str, most: int = 0) -> str:
    value, most = fields.get(name), most or TEXTS[name]
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise BadSettings("settings", "'%s' must be text of 1 to %d characters" % (name, most))
    return value


def _makers(fields: dict[str, object]) -> dict[str, str]:
    # First digits of a GTIN, its indicator left out, to a maker code.
    found = {}
    for pair in (
        _text(fields, "scanner_gtin", OPTIONAL["scanner_gtin"]).split() if "scanner_gtin" in fields else ()
    ):
        digits, _, maker = pair.partition("=")
        if not digits.isdigit() or not 4 <= len(digits) <= 12 or not 0 < len(maker) <= TEXTS["fixture"]:
            raise BadSettings(
                "settings", "'scanner_gtin' must be pairs like 0690123=DEMO, with blanks between"
            )
        found[digits] = maker
    return found


def _sensors(fields: dict[str, object]) -> dict[int, tuple[int, int, int, int]]:
    # A quantity's number to (converter's address, input, value at 4 mA, value at 20 mA).
    found: dict[int, tuple[int, int, int, int]] = {}
    for row in _text(fields, "sensors", OPTIONAL["sensors"]).split() if "sensors" in fields else ():
        name, _, rest = row.partition("=")
        numbers = rest.split(":")
        # Only the values may be below zero: a transmitter's span may be -20 to 80 degrees.
        digits = numbers[:2] + [number[1:] if number[:1] == "-" else number for number in numbers[2:]]
        if name not in QUANTITIES[1:] or len(numbers) != 4 or not all(number.isdigit() for number in digits):
            raise BadSettings(
                "settings", "'%s' in 'sensors' is none; write it like ref_mk=72:0:0:50000" % row
            )
        address, channel, low, high = [int(number) for number in numbers]
        if not 72 <= address <= 75 or channel > 3:
            raise BadSettings("settings", "'%s': converters are 72 to 75, inputs 0 to 3" % row)
        found[QUANTITIES.index(name)] = (address, channel, low, high)
    if found and len(found) < len(QUANTITIES) - 1:
        raise BadSettings("settings", "'sensors' must name all of %s" % ", ".join(QUANTITIES[1:]))
    return found


def _number(fields: dict[str, object], name: str) -> int:
    least, most = NUMBERS[name]
    value = fields.get(name, DEFAULTS.get(name))
    if not isinstance(value, int) or value is True or value is False or not least <= value <= most:
        raise BadSettings("settings", "'%s' must be a number from %d to %d" % (name, least, most))
    return value


def _key(fields: dict[str, object], name: str) -> bytes:
    value = fields.get(name)
    try:
        if isinstance(value, str) and len(value) == 128:
            return bytes.fromhex(value)
    except ValueError:
        value = None
    raise BadSettings("settings", "'%s' must be a public key as 128 hexadecimal digits, x then y" % name)
