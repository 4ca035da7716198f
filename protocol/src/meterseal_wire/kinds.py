"""The kinds of statement and the shape of each payload: one table, read by whoever signs and whoever verifies.

A shape is a small tuple, its first item the rule's name:

    ("uint",) ("int",) ("text", most) ("bytes", exactly) ("blob", most)
    ("list", shape) ("row", shape, ...) ("map", required, optional) ("point",) ("key",)

A kind is (required fields, optional fields), each a map from label to shape. `spec/meterseal.cddl` says the same
for other implementations, and a test holds both together. Meaning beyond shape is the judge's.
"""

from meterseal_wire import labels as L
from meterseal_wire import point
from meterseal_wire.encode import LARGEST
from meterseal_wire.errors import BadShape
from meterseal_wire.suites import of_key

VERIFY, TRAINING, CHECK = MODES = (1, 2, 3)
BY_BUS, BY_MARK, BY_HAND = 1, 2, 3
# Why a position ended early, or a run was abandoned. The first three are on the packs' short lists: with raw
# evidence they do not count as a failed try.
SILENT, NO_FLOW, TEMPERATURE, OPERATOR, POWER, IDENTITY, FAULT = 1, 2, 3, 4, 5, 6, 7
REASON_NAMES = {
    SILENT: "silent",
    NO_FLOW: "no_flow",
    TEMPERATURE: "temperature",
    OPERATOR: "operator",
    POWER: "power",
    IDENTITY: "identity",
    FAULT: "fault",
}
WATER, GAS = 1, 2
GRANTED, REFUSED, UNDECIDED = 1, 2, 3

PASSED, FAILED = 1, 2  # outcome of a row that a person signs off, and of a remeasurement
# Roles of people: verifier (检定员), checker (核验员), approver (批准人), and the outside supervisor.
VERIFIER, CHECKER, APPROVER, SUPERVISING = 1, 2, 3, 4
ROLE_NAMES = {VERIFIER: "verifier", CHECKER: "checker", APPROVER: "approver", SUPERVISING: "supervising"}

DELEGATION, MANUFACTURER, TYPE, STANDARD, FIXTURE, EDGE, REGISTRY = 1, 2, 3, 4, 5, 6, 7
WITNESS, PERSON, TENANT, SUPERVISOR, RULES, FIRMWARE, REFERENCE_MATERIAL = 8, 9, 10, 11, 12, 13, 14
GRANT_NAMES = {
    DELEGATION: "delegation",
    MANUFACTURER: "manufacturer",
    TYPE: "type",
    STANDARD: "standard",
    FIXTURE: "fixture",
    EDGE: "edge",
    REGISTRY: "registry",
    WITNESS: "witness",
    PERSON: "person",
    TENANT: "tenant",
    SUPERVISOR: "supervisor",
    RULES: "rules",
    FIRMWARE: "firmware",
    REFERENCE_MATERIAL: "reference material",
}
# The nine measures of 2025 by their numbers; 5 is two verifications in one.
TYPE_APPROVAL, OIML, REFERENCE_MATERIALS, ENTERPRISE_STANDARDS, TWO_IN_ONE = 1, 2, 3, 4, 5
INDUSTRY_CENTRES, SHARED_PLATFORMS, COUNTERPART_ASSISTANCE, TRAINING_OF_PEOPLE = 6, 7, 8, 9

UINT, INT = ("uint",), ("int",)
NAME, LINE, METER_ID = ("text", 16), ("text", 200), ("text", 48)
HASH, ADDRESS = ("bytes", 32), ("bytes", 8)
PLACE = ("row", UINT, UINT)  # epoch, seq
SPREAD = ("row", INT, INT, INT)  # least, mean, greatest
FRACTION = ("row", UINT, UINT)  # numerator, denominator
FRONT_END = ("row", ("text", 32), UINT, UINT, UINT, UINT, UINT)  # name, channels, clock, greatest rate
TERRITORY, CODE = ("list", ("text", 6)), ("text", 40)


def _of_one_meter(fields):
    # MicroPython does not know {**fields}.
    fields.update({L.METER: METER_ID, L.RESULT: HASH, L.POSITION: UINT})
    return fields


ATTEMPT_POSITION = (
    {L.POSITION: UINT, L.METER: METER_ID, L.TYPE: ("text", 32), L.READ_BY: UINT},
    {L.ELECTRONIC_ADDRESS: ADDRESS, L.PARAMETERS: ("blob", 32), L.START_REGISTER: INT},
)
RESULT_POSITION = (
    {L.POSITION: UINT, L.POINTS: ("list", ("point",))},
    {L.END_REGISTER: INT, L.ENDED: UINT, L.TIGHTNESS: ("row", UINT, UINT, UINT)},
)
GRANT_FIELDS = {
    DELEGATION: (L.SUBJECT_KEY, L.MEASURES, L.TERRITORY, L.DEPTH),
    MANUFACTURER: (L.MAKER, L.MEDIA, L.NOMINAL_RANGE, L.SITES, L.TERRITORY),
    TYPE: (
        L.MAKER,
        L.TYPE,
        L.MEDIUM,
        L.NOMINAL,
        L.ACCURACY_CLASS,
        L.FLOWS_ML_PER_H,
        L.METER_PULSE_UL,
        L.REGISTER_EXPONENT,
        L.CYCLE_VOLUME_UL,
        L.UPDATE_INTERVAL_MS,
        L.BUS_IDENTITY,
    ),
    STANDARD: (L.STANDARD, L.CALIBRATION, L.MANAGEMENT, L.TRACEABILITY),
    FIXTURE: (L.SUBJECT_KEY, L.FIXTURE, L.BENCH, L.SITE, L.POSITION_COUNT, L.STANDARDS, L.ASSURANCE),
    EDGE: (L.SUBJECT_KEY, L.EDGE, L.SITE),
    REGISTRY: (L.SUBJECT_KEY, L.REGISTRY),
    WITNESS: (L.SUBJECT_KEY, L.WITNESS),
    PERSON: (L.SUBJECT_KEY, L.ROLES, L.QUALIFICATION, L.INSTITUTION),
    TENANT: (L.TENANT, L.MAKER, L.BENCHES),
    SUPERVISOR: (L.SUBJECT_KEY, L.SUPERVISOR, L.MAKER, L.SHARE),
    RULES: (L.RULES, L.RULES_NAME),
    FIRMWARE: (L.FIRMWARE_DIGEST, L.FIRMWARE_VERSION, L.BOARD, L.FIRMWARE_FLOOR),
    REFERENCE_MATERIAL: (L.REFERENCE_MATERIAL, L.MAKER),
}
GRANT_HEAD = (L.GRANT, L.NUMBER, L.WINDOW, L.PARENT, L.DEMO)
GRANT_OPTIONS = {
    DELEGATION: (L.MAKER, L.MEDIA, L.NOMINAL_RANGE, L.SITES),
    TYPE: (L.PARAMETER_CHECKSUMS, L.APPROVAL),
    FIXTURE: (L.CHECK_METER, L.SEALS),
    EDGE: (L.LOG_KEY, L.QUORUM),
    REGISTRY: (L.LOG_KEY,),
    RULES: (L.PLANS,),
}
# An improved type names the type it varies and the clauses evaluated again, and inherits what it leaves out.
VARIANT_FIELDS = (L.MAKER, L.TYPE, L.VARIANT_OF, L.CLAUSES)

KINDS = {
    L.KIND_BOOT: (
        {
            L.COUNTER: UINT,
            L.FIRMWARE_DIGEST: HASH,
            L.FIRMWARE_VERSION: ("text", 32),
            L.BOARD: ("text", 32),
            L.CLOCK: ("row", UINT, UINT, UINT),
            L.RESET_CAUSE: UINT,
        },
        {L.LAST_HEAD: PLACE, L.PACKS: ("list", HASH), L.REFUSED: HASH, L.FRONT_ENDS: ("list", FRONT_END)},
    ),
    L.KIND_ATTEMPT: (
        {
            L.MODE: UINT,
            L.COUNTER: UINT,
            L.PLAN: HASH,
            L.OPERATOR: ("blob", 32),
            L.BEACON: HASH,
            L.CLOCK: ("row", UINT, UINT, UINT),
            L.POSITIONS: ("list", ("map",) + ATTEMPT_POSITION),
            L.BENCH_CHECKS: ("row", UINT, UINT, UINT, UINT),
        },
        {L.TENANT: NAME},
    ),
    L.KIND_RESULT: (
        {
            L.ATTEMPT: PLACE,
            L.POSITIONS: ("list", ("map",) + RESULT_POSITION),
            L.CONDITIONS: ("row", SPREAD, SPREAD, SPREAD),
            L.EVIDENCE_ROOT: HASH,
        },
        {},
    ),
    L.KIND_ABANDONED: (
        {L.ATTEMPT: PLACE, L.REASON: UINT, L.RAW_COUNTS: ("list", ("row", UINT, UINT, UINT))},
        {},
    ),
    L.KIND_EVENT: (
        {L.EVENT: ("text", 32), L.DETAIL: LINE},
        {
            L.ATTEMPT: PLACE,
            L.POSITION: UINT,
            L.SUBJECT_KEY: ("key",),
            L.COUNTERSIGNATURE: ("bytes", 64),
        },
    ),
    L.KIND_TIME: ({L.NONCE: ("blob", 32), L.TIME_S: UINT, L.KEY: HASH}, {}),
    L.KIND_CUSTODY: (
        {L.KEY: HASH, L.EPOCH: UINT, L.SEQ: UINT, L.HEAD: HASH, L.LOG_SIZE: UINT, L.LOG_ROOT: HASH},
        {},
    ),
    L.KIND_REFUSED: ({L.KEY: HASH, L.EPOCH: UINT, L.SEQ: UINT, L.STATEMENT: HASH, L.CODE: CODE}, {}),
    L.KIND_CHECKPOINT: ({L.ORIGIN: ("text", 64), L.LOG_SIZE: UINT, L.LOG_ROOT: HASH, L.TIME_S: UINT}, {}),
    L.KIND_SIGHTING: (
        {L.STATEMENT: HASH, L.NOTE: ("blob", 8192), L.INCLUSION: ("row", UINT, UINT, ("list", HASH))},
        {},
    ),
    L.KIND_GRANT: (
        {L.GRANT: UINT, L.NUMBER: UINT, L.WINDOW: ("row", UINT, UINT)},
        {
            L.PARENT: HASH,
            L.TERRITORY: TERRITORY,
            L.SUBJECT_KEY: ("key",),
            L.MEASURES: ("list", UINT),
            L.DEPTH: UINT,
            L.MAKER: NAME,
            L.MEDIA: ("list", UINT),
            L.NOMINAL_RANGE: ("row", UINT, UINT),
            L.SITES: ("list", NAME),
            L.SITE: NAME,
            L.TYPE: ("text", 32),
            L.MEDIUM: UINT,
            L.NOMINAL: UINT,
            L.ACCURACY_CLASS: UINT,
            L.FLOWS_ML_PER_H: ("row", UINT, UINT),
            L.METER_PULSE_UL: FRACTION,
            L.REGISTER_EXPONENT: INT,
            L.BUS_IDENTITY: ("bytes", 4),
            L.UPDATE_INTERVAL_MS: UINT,
            L.CYCLE_VOLUME_UL: UINT,
            L.PARAMETER_CHECKSUMS: ("list", ("blob", 32)),
            L.STANDARD: NAME,
            L.CALIBRATION: ("list", ("row", UINT, FRACTION, UINT)),
            L.MANAGEMENT: UINT,
            L.TRACEABILITY: ("list", LINE),
            L.FIXTURE: NAME,
            L.BENCH: NAME,
            L.POSITION_COUNT: UINT,
            L.STANDARDS: ("list", NAME),
            L.ASSURANCE: UINT,
            L.EDGE: NAME,
            L.REGISTRY: NAME,
            L.RULES: HASH,
            L.RULES_NAME: ("text", 64),
            L.DEMO: UINT,
            L.TENANT: NAME,
            L.FIRMWARE_DIGEST: HASH,
            L.FIRMWARE_VERSION: ("text", 32),
            L.BOARD: ("text", 32),
            L.ROLES: ("list", UINT),
            L.INSTITUTION: ("text", 64),
            L.QUALIFICATION: ("list", UINT),
            L.SEALS: ("list", ("text", 32)),
            L.SHARE: FRACTION,
            L.WITNESS: ("text", 64),
            L.QUORUM: UINT,
            L.SUPERVISOR: NAME,
            L.CHECK_METER: NAME,
            L.FIRMWARE_FLOOR: UINT,
            L.VARIANT_OF: HASH,
            L.CLAUSES: ("list", ("text", 64)),
            L.APPROVAL: ("text", 64),
            L.REFERENCE_MATERIAL: ("text", 64),
            L.LOG_KEY: ("key",),
            L.BENCHES: ("list", NAME),
            L.PLANS: ("list", HASH),
        },
    ),
    L.KIND_WITHDRAWAL: ({L.STATEMENT: HASH, L.TAINTED_FROM_S: UINT, L.TIME_S: UINT, L.DETAIL: LINE}, {}),
    # Committed with commitment and share while the window runs, revealed with the seed after it.
    L.KIND_SAMPLING: (
        {L.NUMBER: UINT, L.MAKER: NAME, L.WINDOW: ("row", UINT, UINT)},
        {L.COMMITMENT: HASH, L.SHARE: FRACTION, L.SEED: ("bytes", 32)},
    ),
    L.KIND_SIGNOFF: ({L.ROLE: UINT, L.ROWS: HASH, L.TIME_S: UINT}, {L.TENANT: NAME}),
    L.KIND_MARKS: (_of_one_meter({L.SEALS: ("list", ("text", 32)), L.TIME_S: UINT}), {}),
    L.KIND_CORRECTION: ({L.REPLACES: HASH, L.TIME_S: UINT, L.DETAIL: LINE}, {L.REPLACEMENT: HASH}),
    L.KIND_NOTICE: (_of_one_meter({L.CODES: ("list", CODE), L.TIME_S: UINT}), {}),
    L.KIND_REMEASUREMENT: (
        _of_one_meter({L.OUTCOME: UINT, L.TIME_S: UINT, L.INSTITUTION: ("text", 64)}),
        {L.NUMBER: UINT, L.DETAIL: LINE},
    ),
    L.KIND_CLAIM: ({L.STATEMENT: HASH, L.TIME_S: UINT, L.PLACE: ("text", 64)}, {}),
    L.KIND_BEACON: ({L.NUMBER: UINT, L.TIME_S: UINT, L.LOG_SIZE: UINT, L.LOG_ROOT: HASH}, {}),
    L.KIND_SCOPE: (
        {L.METER: METER_ID, L.LOG_SIZE: UINT, L.ENTRIES: ("list", HASH), L.TIME_S: UINT},
        {},
    ),
    L.KIND_DECISION: (
        {
            L.METER: METER_ID,
            L.OUTCOME: UINT,
            L.REASONS: ("list", ("row", CODE, ("list", INT))),
            L.INPUTS_DIGEST: HASH,
            L.JUDGE: NAME,
            L.LOG_SIZE: UINT,
            L.AT_S: UINT,
            L.TRIES: UINT,
        },
        {
            L.RESULT: HASH,
            L.POSITION: UINT,
            L.WINDOW: ("row", UINT, UINT),
            L.TERRITORY: TERRITORY,
            L.RULES: HASH,
            L.END_REGISTER: INT,
            L.BUDGET: ("list", ("row", UINT, UINT, ("text", 32), INT)),
            L.DEMO: UINT,
        },
    ),
}
CHAINED = (L.KIND_BOOT, L.KIND_ATTEMPT, L.KIND_RESULT, L.KIND_ABANDONED, L.KIND_EVENT)


def check_payload(typ, payload):
    """Raise BadShape unless `payload` has every required field of kind `typ`, each in shape, and no unknown one."""
    if typ not in KINDS:
        raise BadShape(0, "typ %s is no kind of statement" % (typ,))
    _check_map(payload, KINDS[typ], L.KIND_NAMES[typ])
    if typ == L.KIND_GRANT:
        _check_grant(payload)


def _check_grant(payload):
    kind = payload[L.GRANT]
    if kind not in GRANT_FIELDS:
        raise BadShape(0, "grant kind %d is unknown" % kind)
    required, allowed = GRANT_FIELDS[kind], GRANT_HEAD + GRANT_FIELDS[kind] + GRANT_OPTIONS.get(kind, ())
    if kind == TYPE and L.VARIANT_OF in payload:
        required, allowed = VARIANT_FIELDS, allowed + VARIANT_FIELDS
    for label in required:
        if label not in payload:
            raise BadShape(0, "a %s grant needs label %d" % (GRANT_NAMES[kind], label))
    for label in payload:
        if label not in allowed:
            raise BadShape(0, "a %s grant has no label %d" % (GRANT_NAMES[kind], label))


def _check_map(value, fields, where):
    if not isinstance(value, dict):
        raise BadShape(0, "%s is a map" % where)
    required, optional = fields
    for label in required:
        if label not in value:
            raise BadShape(0, "%s lacks label %d" % (where, label))
    for label, item in value.items():
        shape = required.get(label) or optional.get(label)
        if shape is None:
            raise BadShape(0, "%s has no label %s" % (where, label))
        _check(item, shape, "%s label %d" % (where, label))


def _check(value, shape, where):
    rule = shape[0]
    if rule == "map":
        _check_map(value, shape[1:], where)
    elif rule == "list" or rule == "row":
        _check_array(value, shape, where)
    elif not _CHECKS[rule](value, shape):
        raise BadShape(0, "%s is not %s" % (where, " ".join(str(part) for part in shape)))


def _check_array(value, shape, where):
    if not isinstance(value, (list, tuple)):
        raise BadShape(0, "%s is an array" % where)
    if shape[0] == "list":
        inner = [shape[1]] * len(value)
    else:
        inner = shape[1:]
    if len(inner) != len(value):
        raise BadShape(0, "%s has %d items, not %d" % (where, len(value), len(inner)))
    for item, part in zip(value, inner):
        _check(item, part, where)


def _is_int(value, shape):
    return (
        isinstance(value, int) and value is not True and value is not False and -LARGEST <= value <= LARGEST
    )


def _is_uint(value, shape):
    return _is_int(value, shape) and value >= 0


def _is_text(value, shape):
    return isinstance(value, str) and len(value) <= shape[1]


def _is_bytes(value, shape):
    return isinstance(value, bytes) and len(value) == shape[1]


def _is_blob(value, shape):
    return isinstance(value, bytes) and len(value) <= shape[1]


def _is_point(value, shape):
    if not isinstance(value, (list, tuple)) or len(value) != len(point.FIELDS):
        return False
    for index, item in enumerate(value):
        if not _is_int(item, shape) or (item < 0 and index not in point.MAY_BE_NEGATIVE):
            return False
    return True


def _is_key(value, shape):
    try:
        suite = of_key(value)[0]
    except BadShape:
        return False
    return len(value) == 2 + len(suite.labels)


_CHECKS = {
    "uint": _is_uint,
    "int": _is_int,
    "text": _is_text,
    "bytes": _is_bytes,
    "blob": _is_blob,
    "point": _is_point,
    "key": _is_key,
}
