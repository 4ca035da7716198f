"""`meterseal provision`: settings, a signing key made on the board, a request for a certificate; then the certificate.

The key never leaves the board: it is drawn, written and read there. Exit codes: 0 done, 1 the board stopped it,
64 misuse (settings that the firmware refuses, a certificate of another key, digits that are wrong).
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from rich.console import Console

from meterseal_tools.boards import identity, records, site_file
from meterseal_tools.boards.link import BoardLink
from meterseal_tools.boards.records import Record
from meterseal_tools.boards.words import BoardError
from meterseal_wire.encode import encode
from meterseal_wire.suites import ESP256

FAILED, USAGE = 1, 64
DIGITS = 8
MADE, HELD = "新密钥 new key", "原有密钥 the key it had"
PEM = b"-----BEGIN"


class Misuse(Exception):
    """What was given cannot be used; a sentence in Chinese and one in English."""


@dataclass(frozen=True)
class Work:
    """What is to be done to a board; `settings` and `certificate` are checked and ready to be written."""

    settings: dict[str, object] | None
    certificate: bytes | None
    new_key: bool


def read_certificate(path: Path) -> bytes:
    """A certificate file, PEM or DER, as DER; Misuse where it is none over P-256."""
    try:
        data = path.read_bytes()
        found = x509.load_pem_x509_certificate(data) if PEM in data else x509.load_der_x509_certificate(data)
        certified_key(found)
    except OSError:
        raise Misuse("没有该证书文件", f"there is no certificate {path}") from None
    except ValueError:
        raise Misuse("证书无法使用", f"{path} is no X.509 certificate of a P-256 key, PEM or DER") from None
    return found.public_bytes(Encoding.DER)


def certified_key(certificate: x509.Certificate) -> bytes:
    """The certificate's public key as x || y; ValueError where it is not of P-256."""
    key = certificate.public_key()
    if not isinstance(key, EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise ValueError
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]


def key_of(link: BoardLink, work: Work) -> tuple[bytes, str]:
    """The board's public key and whether it is new: one is made where there is none, or where a person insists."""
    public = identity.public_key(link)
    if public and not work.new_key:
        return public, HELD
    if public:
        insist(records.thumbprint(public))
    elif work.settings is None:
        raise BoardError("no_key", link.port)
    return identity.make_key(link), MADE


def insist(name: bytes) -> None:
    """A person types the last digits of the key that will be gone; Misuse else."""
    print(f"将被销毁的密钥 this key will be gone: {identity.fingerprint(name)}")
    typed = typer.prompt(f"请输入其最后 {DIGITS} 位 type its last {DIGITS} digits")
    if typed.replace(" ", "").lower() != name.hex()[-DIGITS:]:
        raise Misuse("数字不符，密钥未更改", "those are not its last digits; the key is unchanged")


def provision(link: BoardLink, work: Work, out: Path) -> Record:
    """All of it on one board; what comes back goes into `out`: request or public key, label, record."""
    public, how = key_of(link, work)
    if work.certificate and certified_key(x509.load_der_x509_certificate(work.certificate)) != public:
        raise Misuse(
            "证书不属于此电路板的密钥",
            "the certificate is of another key than this board's; nothing was written",
        )
    if work.settings is not None:
        link.put(identity.SETTINGS, site_file.to_json(work.settings))
    if work.certificate:
        link.put(identity.CERTIFICATE, work.certificate)
    unique_id, name = link.unique_id(), records.thumbprint(public)
    print(f"{how}\n指纹 fingerprint {identity.fingerprint(name)}")
    if work.settings is not None:
        names = [str(work.settings[name]) for name in ("site", "bench", "fixture")]
        bring_back(link, out / unique_id, public, names)
    records.write_label(out / records.LABELS, unique_id, "", name)
    link.start()
    return Record(records.now(), link.port, unique_id, "", "", name.hex(), "provisioned")


def bring_back(link: BoardLink, path: Path, public: bytes, names: list[str]) -> None:
    """`<unique id>.csr` (PKCS#10, DER) if the firmware can make one, else `.cosekey`."""
    request = identity.request(link, names)
    if request is not None:
        check_request(link.port, request, public)
    kept = path.with_suffix(".cosekey" if request is None else ".csr")
    kept.write_bytes(encode(ESP256.cose_key(public)) if request is None else request)
    print(f"已保存 kept {kept}")


def check_request(port: str, request: bytes, public: bytes) -> None:
    """BoardError unless the request is signed by the board's own key."""
    try:
        found = x509.load_der_x509_csr(request)
        key = found.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        right = found.is_signature_valid and key[1:] == public
    except ValueError:
        right = False
    if not right:
        raise BoardError("refused", port, "a certificate request that does not hold")


def command(
    *,
    port: Annotated[str, typer.Option(help="the board's serial port")] = "",
    settings: Annotated[Path | None, typer.Option(help="the site file, TOML")] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="the certificate that came back, PEM or DER")
    ] = None,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="replace the board's key; asks for digits")
    ] = False,
    out: Annotated[Path, typer.Option(help="folder for request, label and record")] = Path(),
) -> None:
    """Give a board its site, its key and its certificate. Exit 0 done, 1 the board stopped it, 64 misuse."""
    try:
        work = prepared(port, settings, certificate, new_key)
        out.mkdir(parents=True, exist_ok=True)
        with BoardLink(port) as link:
            record = provision(link, work, out)
    except Misuse as error:
        end(USAGE, *error.args)
    except BoardError as error:
        end(FAILED, error.zh, str(error))
    record.append(out / "boards.jsonl")
    Console().print("[green]完成 done")


def prepared(port: str, settings: Path | None, certificate: Path | None, new_key: bool) -> Work:
    """Everything checked before any board is touched; Misuse else."""
    if not port or (settings is None and certificate is None):
        raise Misuse(
            "请给出 --port 以及 --settings 或 --certificate", "give --port, and --settings or --certificate"
        )
    if new_key and certificate:
        raise Misuse("新密钥尚无证书", "a new key has no certificate yet; run once without --certificate")
    if new_key and settings is None:
        raise Misuse("--new-key 需要 --settings", "--new-key goes with --settings")
    try:
        fields = site_file.settings(settings) if settings else None
    except site_file.BadSite as error:
        raise Misuse("设置不可用", str(error)) from None
    return Work(fields, read_certificate(certificate) if certificate else None, new_key)


def end(code: int, chinese: str, english: str) -> NoReturn:
    """Both sentences on standard error, and the exit code."""
    print(f"provision: {chinese}\nprovision: {english}", file=sys.stderr)
    raise typer.Exit(code)
