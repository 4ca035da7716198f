"""Shapes of payloads, on both interpreters. Expected: the tables of design sections 5 and 7, written out here."""

from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.errors import BadShape
from meterseal_wire.kinds import CHAINED, KINDS, check_payload
from meterseal_wire.point import FIELDS, MAY_BE_NEGATIVE, REGISTER_DIFF
from meterseal_wire.scan import scan

HASH = bytes(32)
KEY = {1: 2, -1: 1, -2: HASH, -3: HASH}
POINT = [0, 0, 1, 100, 5000000, 100, 5000000, 0, 20000, 20000, 10130, 10130, 60000, 100, 110]
SPREAD = [1, 2, 3]


def of_one_meter(fields):
    """`fields` with what names a meter in a result; MicroPython does not know {**fields}."""
    fields.update({L.METER: "DEMO.1", L.RESULT: HASH, L.POSITION: 1})
    return fields


SAMPLES = {
    L.KIND_BOOT: {
        L.COUNTER: 0,
        L.FIRMWARE_DIGEST: HASH,
        L.FIRMWARE_VERSION: "0.1",
        L.BOARD: "unix",
        L.CLOCK: [1000000, 1, 0],
        L.RESET_CAUSE: 1,
    },
    L.KIND_ATTEMPT: {
        L.MODE: kinds.VERIFY,
        L.COUNTER: 1,
        L.PLAN: HASH,
        L.OPERATOR: b"op",
        L.BEACON: HASH,
        L.CLOCK: [1000000, 1, 0],
        L.POSITIONS: [{L.POSITION: 1, L.METER: "DEMO.1", L.TYPE: "T", L.READ_BY: kinds.BY_BUS}],
        L.BENCH_CHECKS: [15000, 15000, 60, 0],
    },
    L.KIND_RESULT: {
        L.ATTEMPT: [1, 1],
        L.POSITIONS: [{L.POSITION: 1, L.POINTS: [POINT]}],
        L.CONDITIONS: [SPREAD, SPREAD, SPREAD],
        L.EVIDENCE_ROOT: HASH,
    },
    L.KIND_ABANDONED: {L.ATTEMPT: [1, 1], L.REASON: kinds.POWER, L.RAW_COUNTS: [[1, 2, 3]]},
    L.KIND_EVENT: {L.EVENT: "e", L.DETAIL: "d"},
    L.KIND_TIME: {L.NONCE: b"n", L.TIME_S: 1, L.KEY: HASH},
    L.KIND_CUSTODY: {L.KEY: HASH, L.EPOCH: 1, L.SEQ: 0, L.HEAD: HASH, L.LOG_SIZE: 1, L.LOG_ROOT: HASH},
    L.KIND_CHECKPOINT: {L.ORIGIN: "o", L.LOG_SIZE: 1, L.LOG_ROOT: HASH, L.TIME_S: 1},
    L.KIND_SIGHTING: {L.STATEMENT: HASH, L.NOTE: b"n", L.INCLUSION: [2, 1, [HASH]]},
    L.KIND_GRANT: {
        L.GRANT: kinds.REGISTRY,
        L.NUMBER: 1,
        L.WINDOW: [0, 1],
        L.SUBJECT_KEY: KEY,
        L.REGISTRY: "R",
    },
    L.KIND_BEACON: {L.NUMBER: 1, L.TIME_S: 1, L.LOG_SIZE: 0, L.LOG_ROOT: HASH},
    L.KIND_SCOPE: {L.METER: "DEMO.1", L.LOG_SIZE: 1, L.ENTRIES: [HASH], L.TIME_S: 1},
    L.KIND_DECISION: {
        L.METER: "DEMO.1",
        L.OUTCOME: kinds.REFUSED,
        L.REASONS: [["error.limit", [1, -2]]],
        L.INPUTS_DIGEST: HASH,
        L.JUDGE: "judge/1",
        L.LOG_SIZE: 1,
        L.AT_S: 1,
        L.TRIES: 1,
    },
    L.KIND_REFUSED: {L.KEY: HASH, L.EPOCH: 1, L.SEQ: 2, L.STATEMENT: HASH, L.CODE: "wire.trailing"},
    L.KIND_SIGNOFF: {L.ROLE: kinds.CHECKER, L.ROWS: HASH, L.TIME_S: 1},
    L.KIND_MARKS: of_one_meter({L.SEALS: ["A17"], L.TIME_S: 1}),
    L.KIND_CORRECTION: {L.REPLACES: HASH, L.TIME_S: 1, L.DETAIL: "d"},
    L.KIND_NOTICE: of_one_meter({L.CODES: ["error.limit"], L.TIME_S: 1}),
    L.KIND_WITHDRAWAL: {L.STATEMENT: HASH, L.TAINTED_FROM_S: 1, L.TIME_S: 2, L.DETAIL: "d"},
    L.KIND_SAMPLING: {L.NUMBER: 1, L.MAKER: "DEMO", L.WINDOW: [1, 2]},
    L.KIND_REMEASUREMENT: of_one_meter({L.OUTCOME: kinds.PASSED, L.TIME_S: 1, L.INSTITUTION: "ZJIM"}),
    L.KIND_CLAIM: {L.STATEMENT: HASH, L.TIME_S: 1, L.PLACE: "330110"},
}


def copy(value):
    """A deep copy through our own bytes; row and list become list alike."""
    return scan(encode(value))


def refused(typ, payload):
    """The sentence with which a payload is refused; fails when it is not."""
    try:
        check_payload(typ, payload)
    except BadShape as error:
        return error.why
    raise AssertionError("not refused: %r" % (payload,))


def changed(typ, label, value):
    """The sample of a kind with one label set to another value."""
    payload = copy(SAMPLES[typ])
    payload[label] = value
    return payload


def test_every_kind_of_statement_has_a_sample_that_is_accepted():
    """Design section 5's kinds; the certificate is a CWT and has its own reader."""
    assert set(SAMPLES) == set(KINDS)
    for typ, sample in SAMPLES.items():
        check_payload(typ, copy(sample))


def test_every_label_of_every_sample_is_required():
    """The samples hold required labels only (a grant's also by its kind), so each one missing is named."""
    for typ, sample in SAMPLES.items():
        for label in sample:
            payload = copy(sample)
            del payload[label]
            assert str(label) in refused(typ, payload), (typ, label)


def test_a_label_that_the_kind_does_not_have_is_refused():
    """One label space, closed maps: nothing unknown is signed over unseen."""
    for typ in SAMPLES:
        assert "9999" in refused(typ, changed(typ, 9999, 1))


def test_a_kind_that_does_not_exist_is_refused():
    """Also the certificate's number: it is never a statement."""
    refused(65000, {})
    refused(L.KIND_CERTIFICATE, {})


def test_a_payload_is_a_map():
    """Labels need one."""
    for value in ([], 1, b"", None):
        refused(L.KIND_EVENT, value)


def test_numbers_are_integers_and_never_true_or_false():
    """An unsigned field takes no negative; true is not 1, on either interpreter."""
    for value in (-1, True, False, None, "1", [1]):
        refused(L.KIND_BEACON, changed(L.KIND_BEACON, L.NUMBER, value))


def test_texts_have_their_greatest_length():
    """A name has 16 characters, a line 200, a meter id 48."""
    check_payload(L.KIND_SCOPE, changed(L.KIND_SCOPE, L.METER, "M" * 48))
    refused(L.KIND_SCOPE, changed(L.KIND_SCOPE, L.METER, "M" * 49))
    refused(L.KIND_EVENT, changed(L.KIND_EVENT, L.DETAIL, "d" * 201))
    refused(L.KIND_EVENT, changed(L.KIND_EVENT, L.DETAIL, b"d"))


def test_hashes_have_32_bytes_and_blobs_a_greatest_size():
    """Names of statements and keys are whole; an operator's hint is at most 32 bytes."""
    for value in (b"", bytes(31), bytes(33), "a" * 32):
        refused(L.KIND_BEACON, changed(L.KIND_BEACON, L.LOG_ROOT, value))
    refused(L.KIND_ATTEMPT, changed(L.KIND_ATTEMPT, L.OPERATOR, bytes(33)))
    check_payload(L.KIND_ATTEMPT, changed(L.KIND_ATTEMPT, L.OPERATOR, b""))


def test_rows_have_exactly_their_items():
    """A clock is three numbers, a place two."""
    refused(L.KIND_BOOT, changed(L.KIND_BOOT, L.CLOCK, [1, 2]))
    refused(L.KIND_BOOT, changed(L.KIND_BOOT, L.CLOCK, [1, 2, 3, 4]))
    refused(L.KIND_RESULT, changed(L.KIND_RESULT, L.ATTEMPT, 5))


def test_a_point_has_fifteen_integers_of_which_three_may_be_negative():
    """Design section 5: register difference and the two temperatures around zero Celsius."""
    assert len(FIELDS) == 15
    assert len(MAY_BE_NEGATIVE) == 3
    for index in range(15):
        point = list(POINT)
        point[index] = -1
        payload = changed(L.KIND_RESULT, L.POSITIONS, [{L.POSITION: 1, L.POINTS: [point]}])
        if index in MAY_BE_NEGATIVE:
            check_payload(L.KIND_RESULT, payload)
        else:
            refused(L.KIND_RESULT, payload)
    for points in ([POINT[:14]], [POINT + [0]], [5], 5):
        refused(L.KIND_RESULT, changed(L.KIND_RESULT, L.POSITIONS, [{L.POSITION: 1, L.POINTS: points}]))
    assert FIELDS[REGISTER_DIFF] == "register_diff"


def test_a_key_is_a_cose_key_of_a_suite():
    """RFC 9053 sections 7.1.1 and 7.2: type, curve, the suite's coordinates of 32 bytes and nothing else."""
    right = (
        {1: 2, -1: 1, -2: HASH, -3: HASH},
        {1: 2, -1: -70202, -2: HASH, -3: HASH},
        {1: 1, -1: 6, -2: HASH},
    )
    for key in right:
        check_payload(L.KIND_GRANT, changed(L.KIND_GRANT, L.SUBJECT_KEY, key))
        longer = dict(key)
        longer[3] = -9
        refused(L.KIND_GRANT, changed(L.KIND_GRANT, L.SUBJECT_KEY, longer))
    wrong = (
        {},
        {1: 2, -1: 1, -2: HASH},
        {1: 1, -1: 6, -2: HASH, -3: HASH},
        {1: 2, -1: 1, -2: HASH, -3: b"y"},
        {1: 1, -1: 6, -2: b"x"},
        {1: 1, -1: 7, -2: HASH},
        {1: 2, -1: 6, -2: HASH, -3: HASH},
        {1: 1, -1: 1, -2: HASH},
        {1: 2, -1: 8, -2: HASH, -3: HASH},
        {1: [], -1: {}, -2: HASH, -3: HASH},
        5,
    )
    for key in wrong:
        refused(L.KIND_GRANT, changed(L.KIND_GRANT, L.SUBJECT_KEY, key))


def test_each_kind_of_grant_needs_its_own_labels():
    """Design section 7's table; the label that is missing is named."""
    for grant in kinds.GRANT_FIELDS:
        payload = changed(L.KIND_GRANT, L.GRANT, grant)
        if grant != kinds.REGISTRY:
            assert kinds.GRANT_NAMES[grant] in refused(L.KIND_GRANT, payload)
    assert "unknown" in refused(L.KIND_GRANT, changed(L.KIND_GRANT, L.GRANT, 99))


def test_a_key_spelled_with_true_is_refused():
    """In Python true equals 1, on both interpreters; in CBOR it is F5 and no curve."""
    for key in ({1: 2, -1: True, -2: HASH, -3: HASH}, {1: True, -1: 6, -2: HASH}):
        refused(L.KIND_GRANT, changed(L.KIND_GRANT, L.SUBJECT_KEY, key))


def test_a_grant_carries_no_label_of_another_kind_of_grant():
    """The CDDL's grants are closed maps: what a registry's grant does not mean must not stand in it."""
    assert "57" in refused(L.KIND_GRANT, changed(L.KIND_GRANT, L.MEASURES, [5]))
    assert "95" in refused(L.KIND_GRANT, changed(L.KIND_GRANT, L.PARAMETER_CHECKSUMS, []))
    for label, value in ((L.PARENT, HASH), (L.DEMO, 1)):
        check_payload(L.KIND_GRANT, changed(L.KIND_GRANT, label, value))


def test_a_types_flows_are_two_numbers():
    """Design section 7: Q3 and R for water, qmax and qmin for gas."""
    for flows in ([], [1], [1, 2, 3]):
        payload = changed(L.KIND_GRANT, L.GRANT, kinds.TYPE)
        payload[L.FLOWS_ML_PER_H] = flows
        assert "64" in refused(L.KIND_GRANT, payload)


def test_only_a_fixtures_kinds_are_chained():
    """Design section 5: chain is a fixture's header."""
    assert set(CHAINED) == {L.KIND_BOOT, L.KIND_ATTEMPT, L.KIND_RESULT, L.KIND_ABANDONED, L.KIND_EVENT}


def test_reasons_of_a_decision_are_a_code_and_its_numbers():
    """Stable codes of at most 40 characters, each with integers."""
    check_payload(L.KIND_DECISION, changed(L.KIND_DECISION, L.REASONS, []))
    for reasons in ([["code"]], [["code", 1]], [[1, []]], [["c" * 41, []]], [["code", ["1"]]]):
        refused(L.KIND_DECISION, changed(L.KIND_DECISION, L.REASONS, reasons))
