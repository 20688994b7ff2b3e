"""What holds for every request, whatever its route: who may ask, which headers the answer has, that it is counted.

Plain ASGI around the app. A page of another site cannot read this server: it may not name another host than the server's own (a
name that leads to this machine by DNS would make the browser think that both are one site), nor show or load what comes from it.
"""

import ipaddress
import json
import logging
import time
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from vldeformer.serve.metrics import Metrics

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOG = logging.getLogger("vldeformer.serve")
POLICY = (
    "default-src 'none'; img-src 'self' blob:; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class Guard:
    """Wraps the app. ``hosts``: names by which it may be asked; empty: by any address of this machine, and no other name."""

    def __init__(self, app: App, metrics: Metrics, hosts: Collection[str]) -> None:
        self.app, self.metrics, self.hosts = app, metrics, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        with self.metrics.in_flight.track_inprogress():
            try:
                host = _host(scope)
                if host is None:
                    await send_line(send_guarded, 400, "expected one Host, got several; name the server once")
                elif self._known(host) and not self._is_own(scope):
                    line = "asked for by a page of another site; open this server's own page, or ask it from no page"
                    await send_line(send_guarded, 403, line)
                elif self._known(host):
                    await self.app(scope, receive, send_guarded)
                else:
                    line = f"this server is not called {host[:100]!r}; ask it as {' or '.join(self.hosts) or 'its address'}"
                    await send_line(send_guarded, 421, line)
            except Exception:
                LOG.exception("%s %s", scope["method"], ascii(scope["path"][:200]))
                if not status:
                    await send_line(send_guarded, 500, "something failed here; the server's log says what")
            finally:
                route = getattr(scope.get("route"), "path", "other")
                method = scope["method"] if scope["method"] in ("GET", "POST", "HEAD") else "other"
                self.metrics.answered(route, method, status, time.perf_counter() - started)

    def _is_own(self, scope: Scope) -> bool:
        """Whether no page of another site asks, which browsers say of every request; to the pages themselves others may lead."""
        if scope["path"] in ("/", "/docs") and scope["method"] in ("GET", "HEAD"):
            return True
        site, origin = (_headers(scope, name) for name in (b"sec-fetch-site", b"origin"))
        if any(value.lower() not in ("same-origin", "none") for value in site):
            return False
        return all(self._known(_name(value.partition("://")[2].lower())) for value in origin)

    def _known(self, host: str) -> bool:
        return host in self.hosts or (not self.hosts and (host in THIS_MACHINE or _is_address(host)))


def allowed_hosts(host: str) -> tuple[str, ...]:
    """The names that a server bound to ``host`` has; none if it is bound to all addresses, which are not known."""
    bound = host.strip("[]").lower()
    return () if bound in ("", "0.0.0.0", "::") else tuple(dict.fromkeys((*THIS_MACHINE, bound)))


async def send_line(send: Send, status: int, line: str) -> None:
    """An answer of one line, as JSON."""
    body = json.dumps({"error": line}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _headers(scope: Scope, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]


def _host(scope: Scope) -> str | None:
    """The host that the request names, without its port; None: it names several."""
    given = _headers(scope, b"host")
    return _name(given[0].lower()) if len(given) == 1 else (None if given else "")


def _name(given: str) -> str:
    """A host without its port."""
    if given.startswith("["):
        return str(given[1:].partition("]")[0])
    return str(given.rpartition(":")[0] if ":" in given else given)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
