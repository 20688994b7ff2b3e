"""The process that listens: one address, one line when it is ready, a clean end on Ctrl-C."""

import asyncio
import contextlib
import errno
import os
import resource
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from vldeformer.errors import InputError

BACKLOG = 2_048
MOST_HEAD_BYTES = 1 << 20
END_SECONDS = 5
HEAD_SECONDS, IDLE_SECONDS = 10, 5
"""Until a request's head is complete; between two requests of one connection."""


def listen(host: str, port: int) -> socket.socket:
    """A socket on this address; port 0: a free one.

    Raises InputError if the port is in use or the address is not this machine's.
    """
    if not 0 <= port < 1 << 16:
        raise InputError(f"--port: expected a number from 0 to 65535, got {port}")
    try:
        found = socket.getaddrinfo(host.strip("[]") or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, place = found[0]
        return socket.create_server(place[:2], family=family, backlog=BACKLOG)
    except socket.gaierror:
        raise InputError(f"--host {host}: expected an address or name of this machine, found none of that name") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InputError(f"--port {port} is in use on {host}; give another, or 0 for a free one") from None
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise InputError(f"--host {host} --port {port}: cannot listen there ({reason}); give others") from None


def address(listening: socket.socket, host: str) -> str:
    """What to type into a browser."""
    name = {"0.0.0.0": "localhost", "::": "localhost", "": "localhost"}.get(host.strip("[]"), host.strip("[]"))
    return f"http://{f'[{name}]' if ':' in name else name}:{listening.getsockname()[1]}/"


def run(app: FastAPI, listening: socket.socket, ready: Callable[[], object]) -> None:
    """Serve until Ctrl-C or a signal to end. ``ready`` is called when requests are answered."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # every connection is an open file
    config = uvicorn.Config(
        app,
        http=BoundedHttp,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=END_SECONDS,
        timeout_keep_alive=IDLE_SECONDS,
    )
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again when it has ended
        _Server(config, ready).run(sockets=[listening])


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's protocol, which else collects an address or headers of any length."""

    head_bytes: int | None = 0
    late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """A connection; its first head must come in time."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more comes."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        if self.late is None:
            self.late = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self.late is not None:
            self.late.cancel()
            self.late = None

    def data_received(self, data: bytes) -> None:
        """Bytes from the other side."""
        if self.head_bytes is not None:
            self.head_bytes += len(data)
            if self.head_bytes > MOST_HEAD_BYTES:
                self.send_400_response("Request too long.")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A request begins; its first bytes are counted already."""
        self.head_bytes = self.head_bytes or 0
        self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """What follows is its body, which the app bounds."""
        self.head_bytes = None
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next bytes are another request's."""
        self.head_bytes = 0
        super().on_message_complete()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], object]) -> None:
        super().__init__(config)
        self.ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready()
