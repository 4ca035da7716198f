"""The edge's pages on a real port, with things to see on them, and a visitor who looks at them in Chromium."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import httpx
from edge.tests.batch import BAD_PPM, GOOD_PPM, PACK, Bench, seat
from edge.tests.conftest import Box
from edge.tests.site import on_port
from playwright.sync_api import Browser, Page

from meterseal_edge.checkpoint import Checkpointer
from meterseal_edge.pages.app import Site, everybody, make_app
from meterseal_edge.runs import catalogue
from meterseal_edge.runs.catalogue import Catalogue
from meterseal_edge.runs.figures import Judge
from meterseal_edge.runs.views import Views
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.testing.runs import Seat, plan_document, point
from meterseal_tools.services import free_port
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.sign1 import identity

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
LANGUAGES = ("zh-CN", "en-GB")
STATES = ("counting", "counting", "done", "waiting", "silent", "reading", "counting", "done")
LIVE = {
    "now": "running",
    "point": 2,
    "of": 3,
    "pending": 1,
    "positions": [{"position": n, "state": state} for n, state in enumerate(STATES, 1)],
}
ERRORS = [GOOD_PPM, (-6_000, 9_500, 12_000), BAD_PPM, (1_200, -2_300, 21_000), (15_400, 11_000, -41_000)]


def views_of(box: Box) -> Views:
    """Runs, figures and all over a box."""

    def name_of(key: bytes) -> str:
        holder = box.keys.fixture(key)
        return holder.name if holder else key.hex()[:16]

    return Views(Catalogue(box.folder / catalogue.FILE, box.store, name_of), Judge(box.keys, [PACK]))


def second_water_bench(box: Box, name: str = "W2") -> None:
    """Grants for one more bench, with the first one's standard."""
    world = box.world
    world.keys[name] = PrivateKey.generate()
    parent = {L.PARENT: identity(world.grants["delegation"])}
    fields = {**world.fixture_fields(name), L.STANDARDS: ["REF-W1"]}
    world.grants[f"fixture {name}"] = raw = world.grant("province", kinds.FIXTURE, {**parent, **fields})
    box.keys.learn([raw])


class Screen:
    """A box's pages on a real port; `stop` takes the server away, `start` brings it back."""

    def __init__(self, box: Box, **site: Any) -> None:
        self.box, self.port = box, free_port()
        self.views = views_of(box)
        checkpointer = Checkpointer(box.world.author("edge"), box.log)
        chosen = Site(**{"views": self.views, "viewer": everybody, **site})
        self.app = make_app(box.state, box.store, checkpointer.checkpoint, chosen)
        self._server = ExitStack()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve."""
        self._server.enter_context(on_port(self.app, self.port))

    def stop(self) -> None:
        """No longer."""
        self._server.close()

    def busy(self) -> None:
        """A water bench in the middle of a run, a gas bench that is away, three alarms."""
        fixture = self.box.fixture()
        seats = [Seat(n, f"{12345670 + n}", points=[point(0, 2_375_000, 0)]) for n in range(1, 9)]
        fixture.attempt(seats, plan_document(bytes(32), [[2_375_000, 100, 1_000_000, 1000, 1]]), bytes(32))
        self.box.offer(*fixture.signed)
        gas = self.box.fixture("G1")
        self.box.offer(*gas.signed, fixture="G1")
        self.present()
        state = self.box.state
        state.presence("W1", True)
        state.live("W1", LIVE)
        state.presence("G1", False)
        self.box.ingest.keep([self.box.message(b"\xff", "G1")])
        for _ in range(3):
            state.alarm("", "edge.registry", "registry http://registry.example is away: Connection refused")
        state.alarm("W1", "chain.fork", "1/2 contradicts the chain that is held up to 1/4: stop this fixture")

    def present(self) -> None:
        """Broker up, a beacon held."""
        self.box.state.broker(True)
        self.box.state.beacon(17, 1_790_000_000)

    def signed_run(self, name: str = "W1", errors: Sequence[Sequence[int]] = ERRORS, **changes: Any) -> str:
        """A bench that has signed a run over so many meters; the run's identity in hex."""
        attempt, _ = Bench(self.box, name).run(*errors, **changes)
        state, positions = self.box.state, range(1, len(errors) + 1)
        state.presence(name, True)
        done = [{"position": n, "state": "done"} for n in positions]
        state.live(name, {"now": "idle", "point": 3, "of": 3, "pending": 0, "positions": done})
        return attempt.identity.hex()

    def open_run(self, name: str, count: int = 4, **changes: Any) -> str:
        """A bench in the middle of a run that nothing closed yet; its identity in hex."""
        attempt = Bench(self.box, name).attempt([seat(n + 20) for n in range(1, count + 1)], **changes)
        self.box.state.presence(name, True)
        counting = [{"position": n + 20, "state": "counting"} for n in range(1, count + 1)]
        self.box.state.live(
            name, {"now": "running", "point": 2, "of": 3, "pending": 2, "positions": counting}
        )
        return attempt.identity.hex()


def answer(screen: Screen, path: str) -> httpx.Response:
    """What an address answers, without a network between."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(screen.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://edge.example") as client:
            return await client.get(path)

    return asyncio.run(ask())


class Visit:
    """One visitor; `said` is what the browser's console and its policy complained about."""

    def __init__(self, browser: Browser, size: Any, locale: str = "en-GB", colours: Any = "light") -> None:
        self.context = browser.new_context(viewport=size, locale=locale, color_scheme=colours)
        self.page: Page = self.context.new_page()
        self.said: list[str] = []
        self.page.on(
            "console", lambda message: self.said.append(message.text) if message.type != "log" else None
        )
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def tile(self, name: str) -> Any:
        """The number on a tile."""
        return self.page.locator(f'.tile[data-name="{name}"] b')

    def bench(self, name: str) -> Any:
        """A fixture's section."""
        return self.page.locator(f'section[data-fixture="{name}"]')

    def wide(self) -> list[int]:
        """Width of the content and of the window."""
        found: list[int] = self.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        return found
