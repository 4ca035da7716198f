"""Subject certificate (certificate.md): an address as a QR code holds it, a trust file, an instant, a territory."""

from collections.abc import Iterator
from typing import Any

from maker.case import FixedKey, accept, refuse
from meterseal_protocol import qr
from meterseal_protocol.certificate import Certificate, issue
from meterseal_protocol.status import INVALID, SUSPENDED, VALID, Validity, publish
from meterseal_protocol.trust import Trust
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.statement import Author, build

ROOT, REGISTRY, STRANGER = FixedKey("root"), FixedKey("registry"), FixedKey("a stranger")
BASE, METER = "https://check.example", "DEMO.12345678"
ISSUED_S, EXPIRES_S, DAY_S = 1_795_000_000, 1_826_536_000, 86_400
MADE_S = ISSUED_S + DAY_S
STATUSES = [VALID, INVALID, SUSPENDED, 3]
RULE = "certificate.md, answer "


def certificate(index: int = 0, key: FixedKey = REGISTRY, issued_s: int = ISSUED_S) -> bytes:
    """A certificate of the meter, in Zhejiang, with its place in the status list."""
    claims = Certificate(
        issuer="REG-CN",
        meter=METER,
        issued_s=issued_s,
        expires_s=EXPIRES_S,
        territory=("33",),
        rules=bytes(range(8)),
        result=bytes(range(16)),
        position=1,
        end_register=123_456,
        exponent=-3,
        marks=bytes(range(8)),
        status_list=1,
        status_index=index,
        demo=False,
    )
    return bytes(issue(Author("REG-CN", "record", key), claims))


def trust(with_list: bool = True, made_s: int = MADE_S) -> bytes:
    """A trust file with the root, the registry's grant and its list of a week."""
    payload = {
        L.GRANT: kinds.REGISTRY,
        L.NUMBER: 1,
        L.WINDOW: [ISSUED_S - DAY_S, EXPIRES_S],
        L.SUBJECT_KEY: REGISTRY.public.cose,
        L.REGISTRY: "REG-CN",
    }
    grant = bytes(build(Author("SAMR", "registry", ROOT), L.KIND_GRANT, payload))
    author = Author("REG-CN", "status", REGISTRY)
    validity = Validity(MADE_S, MADE_S + 7 * DAY_S, 3600)
    status = bytes(publish(author, f"{BASE}/status/1", STATUSES, validity))
    return Trust([ROOT.public], [grant], [status] if with_list else [], made_s).dump()


def address(raw: bytes, meter: str = METER) -> str:
    """What the QR code holds."""
    return qr.url(BASE, raw, meter)


def read_off(length: int) -> Iterator[tuple[str, str, str, dict[str, Any], str, list[Any]]]:
    """Certificates of other bytes or times, and what a person reads: 123 456 in 10^-3 m3 is 123 456 L."""
    start_s = ISSUED_S - DAY_S
    marks, url = bytes(range(8)).hex(), {"url": address(certificate() + b"\x00")}
    early = [{"url": address(certificate(issued_s=at_s))} for at_s in (start_s, start_s - 1)]
    yield (
        "a byte too many",
        "2",
        "right behind its end",
        url,
        "not_valid",
        [["certificate.malformed", [length]]],
    )
    yield "in the grant's first second", "1", "both ends belong to it", early[0], "valid", []
    yield "before the grant", "3", "one second", early[1], "cannot_say", [["key.window", [start_s - 1]]]
    yield "marks that agree", "1", "as engraved", {"marks": marks}, "valid", []
    yield "marks that differ", "3", "of zeros", {"marks": "00" * 8}, "cannot_say", [["certificate.marks", []]]
    for name, dial_l, reasons in (
        ("a dial at the end register", 123_456, []),
        ("a dial below", 123_455, [["dial.below", [123_455, 123_456]]]),
        ("a dial after the transport", 123_556, []),
        ("a dial above", 123_557, [["dial.above", [123_557, 123_456, 100]]]),
    ):
        answer = ("3", "one litre too far") if reasons else ("1", "the limit belongs to it")
        yield name, *answer, {"dial_l": dial_l}, "cannot_say" if reasons else "valid", reasons


def cases() -> Iterator[dict[str, Any]]:
    """Every case of the subject."""
    good, end_s = address(certificate()), MADE_S + 7 * DAY_S
    flipped = bytearray(certificate())
    flipped[-1] ^= 1
    rows: tuple[tuple[str, str, str, dict[str, Any], str, list[Any]], ...] = (
        ("in order", "1", "every check holds", {}, "valid", []),
        ("on its last second", "1", "the end belongs to it", {"as_of_s": end_s}, "valid", []),
        (
            "in another city of the province",
            "1",
            "330110 begins with 33",
            {"territory": "330110"},
            "valid",
            [],
        ),
        ("no territory asked", "1", "nothing to compare", {"territory": None}, "valid", []),
        (
            "in another province",
            "2",
            "440300 does not",
            {"territory": "440300"},
            "not_valid",
            [["certificate.territory", []]],
        ),
        (
            "a flipped bit",
            "2",
            "the signature does not hold",
            {"url": address(bytes(flipped))},
            "not_valid",
            [["certificate.signature", []]],
        ),
        (
            "another meter's path",
            "2",
            "the path must name the fragment's meter",
            {"url": address(certificate(), "DEMO.87654321")},
            "not_valid",
            [["certificate.other_meter", []]],
        ),
        (
            "withdrawn",
            "2",
            "status 1",
            {"url": address(certificate(1))},
            "not_valid",
            [["status.invalid", []]],
        ),
        (
            "past its end",
            "2",
            "one second",
            {"as_of_s": EXPIRES_S + 1},
            "not_valid",
            [["certificate.expired", [EXPIRES_S, EXPIRES_S + 1]], ["status.stale", [end_s, EXPIRES_S + 1]]],
        ),
        (
            "by a stranger",
            "2",
            "a younger trust file would know the registry's key",
            {"url": address(certificate(0, STRANGER))},
            "not_valid",
            [["certificate.signature", []]],
        ),
        (
            "by a key that may be new",
            "3",
            "the certificate is younger than the trust file",
            {"url": address(certificate(0, STRANGER, MADE_S + 1))},
            "cannot_say",
            [["key.unknown", []]],
        ),
        (
            "suspended",
            "3",
            "status 2",
            {"url": address(certificate(2))},
            "cannot_say",
            [["status.suspended", []]],
        ),
        (
            "a status of no meaning",
            "3",
            "status 3",
            {"url": address(certificate(3))},
            "cannot_say",
            [["status.missing", []]],
        ),
        (
            "beyond the list",
            "3",
            "index 400",
            {"url": address(certificate(400))},
            "cannot_say",
            [["status.missing", []]],
        ),
        (
            "an old list",
            "3",
            "one second past its end",
            {"as_of_s": end_s + 1},
            "cannot_say",
            [["status.stale", [end_s, end_s + 1]]],
        ),
        (
            "no list",
            "3",
            "silence is never a yes",
            {"trust": trust(False).hex()},
            "cannot_say",
            [["status.missing", []]],
        ),
    )
    rows += tuple(read_off(len(certificate())))
    given = {"url": good, "trust": trust().hex(), "as_of_s": MADE_S, "territory": "33"}
    for name, rule, why, change, outcome, reasons in rows:
        yield accept(name, RULE + rule, why, {**given, **change}, outcome=outcome, reasons=reasons)
    for name, why, url in (
        ("no fragment", "the certificate is missing", f"{BASE}/m/DEMO/12345678"),
        (
            "lower case",
            "base32 has one spelling",
            good.replace(good.partition("#")[2], good.partition("#")[2].lower()),
        ),
        ("padded", "base32 without padding", good + "="),
    ):
        yield refuse(f"refuse {name}", "certificate.md, fragment", why, {**given, "url": url}, "code")
