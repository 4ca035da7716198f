"""The page behind a real nginx with the settings that `edge init` makes: TLS, events at once, each its own address."""

import json
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pyotp
import pytest
from edge.tests.office import PASSWORD
from edge.tests.secured import made_site, running
from edge.tests.site import wait_until
from typer.testing import CliRunner

from meterseal_edge.errors import BadSite
from meterseal_edge.pages.people_pages import COOKIE
from meterseal_edge.site.layout import Layout
from meterseal_protocol.testing.world import World
from meterseal_tools.cli import app
from meterseal_tools.services import Service, free_port

WRONG = {"name": "nobody", "password": "no", "code": "000000"}
MAIN = "daemon off; pid {0}/pid; error_log {0}/error.log;\nevents {{}}\nhttp {{ access_log off; include {1}; }}\n"


class Page:
    """An edge whose page has an address of its own, and nginx before it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.origin = folder, f"https://localhost:{free_port()}"
        anchors = folder / "anchors.cbor"
        anchors.write_bytes(World().anchors_file)
        self.layout: Layout = made_site(folder / "site", page_origin=self.origin, anchors=anchors)
        settings = json.loads(self.layout.settings.read_text())
        self.edge = Service(
            "meterseal_edge", self.layout.settings, f"http://127.0.0.1:{settings['page_port']}/readyz"
        )
        self.certificate = self.layout.web / "page.pem"
        made = (
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        )
        about = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
        files = ("-keyout", self.layout.web / "page.key", "-out", self.certificate)
        subprocess.run(["openssl", *made, *about, *files], check=True, capture_output=True)

    def ask(
        self, method: str, path: str, said: object = None, address: str = "127.0.0.1", **headers: str
    ) -> httpx.Response:
        """One request from an address of loopback, as a browser on the page would send it."""
        with self.caller(address) as client:
            return client.request(
                method, path, json=said, headers={"origin": self.origin} | headers, timeout=30
            )

    def caller(self, address: str = "127.0.0.1") -> httpx.Client:
        """A client that believes the page's own certificate alone."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        transport = httpx.HTTPTransport(verify=context, local_address=address)
        return httpx.Client(base_url=self.origin, transport=transport)

    def answers(self) -> bool:
        """True once nginx and the edge are there."""
        try:
            return self.ask("GET", "/healthz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


@contextmanager
def nginx(page: Page) -> Iterator[None]:
    """A real one, with the site's file in an otherwise empty set of settings."""
    file = page.folder / "nginx.conf"
    file.write_text(MAIN.format(page.folder, page.layout.web / "meterseal.conf"))
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    assert program is not None, "nginx is missing: make test installs it"
    process = subprocess.Popen([program, "-p", str(page.folder), "-c", str(file)], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Broker, edge and nginx."""
    found = Page(tmp_path_factory.mktemp("web"))
    with running(found.layout), nginx(found):
        found.edge.start()
        wait_until(found.answers, "the page through nginx")
        yield found
        found.edge.stop()


def test_events_come_as_they_happen(page: Page) -> None:
    """A proxy that buffers would show the line of a minute ago: here the first comes while the answer still lasts."""
    with page.caller() as client, client.stream("GET", "/events", timeout=30) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert any(line.startswith("data:") for line in answer.iter_lines())


def test_figures_for_prometheus_are_not_for_everybody(page: Page) -> None:
    """They are on the box itself."""
    assert page.ask("GET", "/metrics").status_code == httpx.codes.FORBIDDEN


def test_somebody_logs_in_and_the_cookie_is_for_https_alone(page: Page) -> None:
    """RFC 6265 section 4.1.2.5: Secure. The edge believes the page's https origin, and no other."""
    line = ["edge", "person", "add", str(page.layout.settings), "Li", "--role", "verifier"]
    done = CliRunner().invoke(app, line, input=f"{PASSWORD}\n{PASSWORD}\n")
    [address] = [part for part in done.output.splitlines() if part.startswith("otpauth://")]
    code = pyotp.parse_uri(address).now()  # type: ignore[union-attr]
    said = {"name": "Li", "password": PASSWORD, "code": code}
    assert page.ask("POST", "/api/login", said, origin="https://elsewhere.example").status_code == 403
    answer = page.ask("POST", "/api/login", said)
    assert answer.status_code == httpx.codes.OK, answer.text
    [cookie] = [one for one in answer.headers.get_list("set-cookie") if one.startswith(COOKIE)]
    assert {"secure", "httponly", "samesite=strict"} <= {part.strip().lower() for part in cookie.split(";")}


def test_who_tries_passwords_makes_itself_wait_and_nobody_else(page: Page) -> None:
    """Five are free. Another address still may, and to say that one has another address is of no use."""
    tried = [
        page.ask("POST", "/api/login", WRONG | {"name": f"n{number}"}, "127.0.0.2").status_code
        for number in range(6)
    ]
    assert tried == [401] * 5 + [429]
    other = WRONG | {"name": "m"}
    assert (
        page.ask("POST", "/api/login", other, "127.0.0.2", **{"X-Forwarded-For": "127.0.0.9"}).status_code
        == 429
    )
    assert page.ask("POST", "/api/login", other, "127.0.0.3").status_code == 401


def test_an_address_without_tls_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    """Design section 13: one sentence."""
    with pytest.raises(BadSite, match="is no https address"):
        made_site(tmp_path / "site", page_origin="http://edge.example")
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize(
    "origin", ["https://Edge.example", "https://edge.example/", "https://", "https://[", "https://a:x"]
)
def test_an_address_that_the_edge_would_refuse_at_its_start_is_refused_here(
    tmp_path: Path, origin: str
) -> None:
    """One rule (settings.py): the site would be made, and its edge would not come up."""
    with pytest.raises(BadSite, match="page_origin"):
        made_site(tmp_path / "site", page_origin=origin)
    assert not (tmp_path / "site").exists()
