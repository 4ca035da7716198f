"""Fuzz target: what a stranger's QR code holds. Bytes get an Answer; text gets certificate bytes or BadCode."""

from meterseal_protocol import qr
from meterseal_protocol.certificate import Certificate, issue
from meterseal_protocol.check import NO, UNSURE, YES, check
from meterseal_protocol.errors import BadCode
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.status import VALID, Validity, publish
from meterseal_protocol.testing.world import DAY_S, REGISTRY, ROLES, World
from meterseal_protocol.trust import Trust
from meterseal_wire.statement import Author
from meterseal_wire.suites import ED25519

# Fixed numbers, so that a kept file means the same in every run.
START_S = 1_790_000_000
WORLD = World(
    START_S, keys={role: PrivateKey(bytes(31) + bytes((at + 1,)), ED25519) for at, role in enumerate(ROLES)}
)
METER = "DEMO.12082058"


def _trust() -> Trust:
    validity = Validity(START_S, START_S + 7 * DAY_S, 60)
    status = publish(
        WORLD.author("registry", "status"), "https://registry.example/status/1", [VALID] * 3, validity
    )
    return Trust(WORLD.anchors, [WORLD.grants["registry"]], [status], START_S)


TRUST = _trust()


def one(data: bytes) -> None:
    """Judge `data` as a certificate and as the text of a QR code; AssertionError where a yes holds nothing."""
    _judged(data, None)
    try:
        meter, raw = qr.from_url(data.decode("utf-8", "replace"))
    except BadCode as error:
        assert str(error), "BadCode says nothing"
        return
    _judged(raw, meter)


def _judged(raw: bytes, meter: str | None) -> None:
    answer = check(raw, TRUST, START_S, "330110", meter)
    assert answer.outcome in {YES, NO, UNSURE}, f"outcome {answer.outcome!r}"
    assert (answer.outcome == YES) == (not answer.reasons), "a refusal without a reason, or a yes with one"
    assert answer.outcome != YES or raw in GOOD, "a yes for a certificate that nobody issued"


def _certificate(author: Author, meter: str) -> bytes:
    return issue(
        author,
        Certificate(
            issuer=REGISTRY,
            meter=meter,
            issued_s=START_S,
            expires_s=START_S + 100 * DAY_S,
            territory=("33",),
            rules=bytes(8),
            result=bytes(16),
            position=1,
            end_register=1234,
            exponent=-3,
            marks=bytes(8),
            status_list=1,
            status_index=2,
            demo=True,
        ),
    )


GOOD = [_certificate(WORLD.author("registry", "record"), meter) for meter in (METER, "演示.水-1")]


def seeds() -> list[bytes]:
    """Certificates as bytes and as addresses, some damaged, one under a key that no anchor grants."""
    urls = [qr.url("https://registry.example", raw, METER).encode() for raw in GOOD]
    wrong = _certificate(WORLD.author("edge", "record"), METER)
    damaged = [GOOD[0][:-1], GOOD[0] + b"\0", GOOD[0][1:], GOOD[0][:40] + b"\x18" + GOOD[0][41:]]
    texts = [
        urls[0].lower(),
        urls[0] + b"=",
        urls[0].replace(b"#", b"?a#"),
        b"https://x/m/%zz/1#AA",
        b"m/a/b#",
        b"#AB",
    ]
    return [*GOOD, *urls, wrong, *damaged, *texts]
