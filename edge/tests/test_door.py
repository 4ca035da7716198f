"""The page's door: connections on which nothing is said, or half a request, are bounded in number and in time."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import httpx
import pytest
import uvicorn
from edge.tests.site import WAIT_S, wait_until
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from meterseal_edge.pages.door import MOST, Door
from meterseal_tools.services import free_port

PATIENCE_S = 1.0


class Hasty(Door):
    """The same with less patience."""

    patience_s = PATIENCE_S


async def hello(_request: Request) -> Response:
    """An answer at once."""
    return Response("hello")


async def stream(_request: Request) -> Response:
    """An answer that takes four times the patience."""

    async def beats() -> AsyncIterator[str]:
        for _ in range(20):
            yield "beat\n"
            await asyncio.sleep(0.2)

    return StreamingResponse(beats())


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[tuple[uvicorn.Server, int]]:
    """A server behind the door, and its port."""
    app = Starlette(routes=[Route("/", hello), Route("/stream", stream)])
    port = free_port()
    config = uvicorn.Config(
        app, port=port, http=request.param, log_level="critical", timeout_graceful_shutdown=1
    )
    found = uvicorn.Server(config)
    thread = threading.Thread(target=found.run, daemon=True)
    thread.start()
    wait_until(lambda: found.started, "the server's start")
    yield found, port
    found.should_exit = True
    thread.join(WAIT_S)


def half_open(stack: ExitStack, port: int, count: int) -> list[socket.socket]:
    """So many connections with half a request on each."""
    opened = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(count)]
    for one in opened:
        one.settimeout(WAIT_S)
        one.sendall(b"GET / HTTP/1.1\r\nhost: ")
    return opened


def ended(opened: socket.socket) -> bool:
    """True once the other side has closed or reset it."""
    try:
        return opened.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("server", [Door], indirect=True)
def test_more_connections_than_it_holds_are_closed_at_once(server: tuple[uvicorn.Server, int]) -> None:
    """door.py: at most MOST are open, so that the process keeps its file handles."""
    found, port = server
    with ExitStack() as stack:
        half_open(stack, port, MOST)
        wait_until(lambda: len(found.server_state.connections) == MOST, "all are in")
        beyond = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        beyond.settimeout(WAIT_S)
        assert ended(beyond)
        assert len(found.server_state.connections) == MOST


@pytest.mark.parametrize("server", [Hasty], indirect=True)
def test_half_a_request_is_not_waited_for_and_others_are_answered_again(
    server: tuple[uvicorn.Server, int],
) -> None:
    """door.py: closed after PATIENCE_S to twice that; then there is room."""
    found, port = server
    with ExitStack() as stack:
        silent = half_open(stack, port, MOST)
        assert all(ended(one) for one in silent)
        assert not found.server_state.connections
        assert httpx.get(f"http://127.0.0.1:{port}/").text == "hello"


@pytest.mark.parametrize("server", [Hasty], indirect=True)
def test_a_stream_that_is_being_answered_is_left_alone(server: tuple[uvicorn.Server, int]) -> None:
    """door.py: the page's own events stay open as long as they like."""
    assert httpx.get(f"http://127.0.0.1:{server[1]}/stream").text == "beat\n" * 20
