"""`meterseal provision`: settings, a signing key made on the board, a request for a certificate; then the certificate.

There are two keys: one signs statements, in a file or in the secure element, and one is for TLS. Neither leaves the
board: they are drawn, written and read there. Exit codes: 0 done, 1 the board stopped it, 64 misuse (settings that the
firmware refuses, a certificate of another key, digits that are wrong).
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from rich.console import Console

from meterseal_tools.boards import identity, records, site_file, tls_files
from meterseal_tools.boards.identity import ELEMENT_SLOT, Place
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
    """What is to be done to a board, checked and ready to be written; `tls` is certificate and authority."""

    settings: dict[str, object] | None = None
    certificate: bytes | None = None
    tls: tuple[bytes, bytes] | None = None
    new_key: bool = False
    lock_element: bool = False


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


def read_authority(path: Path) -> bytes:
    """The certificate of an authority, PEM or DER, as DER; Misuse where it is none."""
    try:
        data = path.read_bytes()
        found = x509.load_pem_x509_certificate(data) if PEM in data else x509.load_der_x509_certificate(data)
        right = found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except OSError:
        raise Misuse("没有该证书文件", f"there is no certificate {path}") from None
    except (ValueError, x509.ExtensionNotFound):
        right = False
    if not right:
        raise Misuse("不是机构证书", f"{path} is no X.509 certificate of an authority, PEM or DER")
    return found.public_bytes(Encoding.DER)


def certified_key(certificate: x509.Certificate) -> bytes:
    """The certificate's public key as x || y; ValueError where it is not of P-256."""
    key = certificate.public_key()
    if not isinstance(key, EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise ValueError
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]


def placed(link: BoardLink, work: Work) -> Place:
    """The board, with the element's slot that its settings will name; Misuse for settings that leave an element."""
    place = identity.at(link)
    if work.settings is None:
        return place
    element = work.settings.get(ELEMENT_SLOT)
    if element is None and place.element is not None:
        raise Misuse(
            "此电路板用安全芯片签名，设置中缺少 element_slot",
            "this board signs with its element; keep 'element_slot' in the site file",
        )
    return replace(place, element=element if isinstance(element, int) else None)


def key_of(place: Place, work: Work) -> tuple[bytes, str]:
    """The board's public key and whether it is new: one is made where there is none, or where a person insists."""
    public = identity.public_key(place)
    if public and not work.new_key:
        return public, HELD
    if public and place.element is not None:
        raise Misuse("安全芯片中的密钥不可更换", "the key in the element is for ever; it cannot be replaced")
    if public:
        insist(records.thumbprint(public))
    elif work.settings is None:
        raise BoardError("no_key", place.link.port)
    elif place.element is not None and not work.lock_element:
        raise BoardError("open_element", place.link.port)
    return identity.make_key(place), MADE


def insist(name: bytes) -> None:
    """A person types the last digits of the key that will be gone; Misuse else."""
    print(f"将被销毁的密钥 this key will be gone: {identity.fingerprint(name)}")
    typed = typer.prompt(f"请输入其最后 {DIGITS} 位 type its last {DIGITS} digits")
    if typed.replace(" ", "").lower() != name.hex()[-DIGITS:]:
        raise Misuse("数字不符，密钥未更改", "those are not its last digits; the key is unchanged")


def provision(link: BoardLink, work: Work, out: Path) -> Record:
    """All of it on one board; what comes back goes into `out`: requests or public key, label, record."""
    place = placed(link, work)
    public, how = key_of(place, work)
    if work.certificate:
        belongs(work.certificate, public)
    if work.tls:
        belongs(work.tls[0], tls_files.public_key(place))
    if work.settings is not None:
        link.put(identity.SETTINGS, site_file.to_json(work.settings | tls_files.fields(place)))
    if work.certificate:
        link.put(identity.CERTIFICATE, work.certificate)
    unique_id, name = link.unique_id(), records.thumbprint(public)
    print(f"{how}\n指纹 fingerprint {identity.fingerprint(name)}")
    if work.settings is not None:
        names = [str(work.settings[name]) for name in ("site", "bench", "fixture")]
        bring_back(place, out / unique_id, public, names)
    if work.tls:
        tls_files.install(identity.again(place), *work.tls)
    records.write_label(out / records.LABELS, unique_id, "", name)
    link.start()
    return Record(records.now(), link.port, unique_id, "", "", name.hex(), "provisioned")


def belongs(certificate: bytes, public: bytes) -> None:
    """Misuse unless the certificate is of that key."""
    if certified_key(x509.load_der_x509_certificate(certificate)) != public:
        raise Misuse(
            "证书不属于此电路板的密钥",
            "the certificate is of another key than this board's; nothing was written",
        )


def bring_back(place: Place, path: Path, public: bytes, names: list[str]) -> None:
    """`<unique id>.csr` (PKCS#10, DER) if the firmware can make one, else `.cosekey`; `.tls.csr` for the TLS key, and
    `.tls.proof`, by which the signing key says that it is its own.
    """
    request = identity.request(place, names)
    if request is not None:
        check_request(place.link.port, request, public)
    keep(
        path.with_suffix(".cosekey" if request is None else ".csr"),
        request or encode(ESP256.cose_key(public)),
    )
    request = tls_files.request(place, names)
    if request is not None:
        check_request(place.link.port, request, tls_files.public_key(identity.again(place)))
        keep(path.with_suffix(".tls.csr"), request)
        keep(path.with_suffix(".tls.proof"), tls_files.proof(place, request))


def keep(path: Path, content: bytes) -> None:
    """Write a file and say where."""
    path.write_bytes(content)
    print(f"已保存 kept {path}")


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
    tls: Annotated[
        tuple[Path, Path] | None,
        typer.Option(help="the TLS certificate that came back, and the site's authority"),
    ] = None,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="replace the board's key; asks for digits")
    ] = False,
    lock_element: Annotated[
        bool, typer.Option("--lock-element", help="lock the secure element and make its key, for ever")
    ] = False,
    out: Annotated[Path, typer.Option(help="folder for request, label and record")] = Path(),
) -> None:
    """Give a board its site, its key and its certificate. Exit 0 done, 1 the board stopped it, 64 misuse."""
    try:
        checked(port, settings, certificate, tls, new_key)
        work = Work(
            read_settings(settings) if settings else None,
            read_certificate(certificate) if certificate else None,
            (read_certificate(tls[0]), read_authority(tls[1])) if tls else None,
            new_key,
            lock_element,
        )
        out.mkdir(parents=True, exist_ok=True)
        with BoardLink(port) as link:
            record = provision(link, work, out)
    except Misuse as error:
        end(USAGE, *error.args)
    except BoardError as error:
        end(FAILED, error.zh, str(error))
    record.append(out / "boards.jsonl")
    Console().print("[green]完成 done")


def checked(
    port: str, settings: Path | None, certificate: Path | None, tls: tuple[Path, Path] | None, new_key: bool
) -> None:
    """Misuse for options that do not go together; no board was touched."""
    if not port or not (settings or certificate or tls):
        raise Misuse(
            "请给出 --port 以及 --settings、--certificate 或 --tls",
            "give --port, and --settings, --certificate or --tls",
        )
    if new_key and certificate:
        raise Misuse("新密钥尚无证书", "a new key has no certificate yet; run once without --certificate")
    if new_key and settings is None:
        raise Misuse("--new-key 需要 --settings", "--new-key goes with --settings")


def read_settings(path: Path) -> dict[str, object]:
    """The site file's settings; Misuse with the sentence that says what to correct."""
    try:
        return site_file.settings(path)
    except site_file.BadSite as error:
        raise Misuse("设置不可用", str(error)) from None


def end(code: int, chinese: str, english: str) -> NoReturn:
    """Both sentences on standard error, and the exit code."""
    print(f"provision: {chinese}\nprovision: {english}", file=sys.stderr)
    raise typer.Exit(code)
