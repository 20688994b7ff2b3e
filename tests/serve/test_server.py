"""The server as a process: a thousand requests at once, addresses that are in use, the end by Ctrl-C."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import urllib.request

import httpx
import pytest

from vldeformer.errors import InputError
from vldeformer.serve.server import MOST_HEAD_BYTES, address, listen

from .conftest import ODD_NAMES

pytestmark = pytest.mark.slow  # it starts servers


@pytest.fixture(scope="module")
def server(folder):
    """Its address. In the end it is stopped by Ctrl-C, whatever the tests did to it."""
    command = [sys.executable, "-m", "vldeformer.cli", "serve", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            words = process.stdout.readline().split()
            assert words, process.stderr.read()
            yield next(word for word in words if word.startswith("http://127.0.0.1:"))
            process.send_signal(signal.SIGINT)
            said, errors = process.communicate(timeout=120)
            assert process.returncode == 0 and said == "" and "Traceback" not in errors, errors
        finally:
            process.kill()


async def ask_at_once(url, number):
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=120) as client:
        paths = ["/search?q=ring%20{}&k=3", "/thumb/a/0{}.png", "/similar/a/0{}.png?k=2", "/health?{}"]
        asked = [client.get(paths[n % 4].format(n if n % 4 == 0 else n % 10)) for n in range(number)]
        return await asyncio.gather(*asked)


def test_a_thousand_requests_at_once_are_answered_or_refused_and_the_server_lives(server):
    url = server
    answers = asyncio.run(ask_at_once(url, 1_000))
    statuses = {answer.status_code for answer in answers}
    assert len(answers) == 1_000 and 200 in statuses and statuses <= {200, 503}
    for answer in answers:
        if answer.status_code == 503:
            assert list(answer.json()) == ["error"] and answer.headers["retry-after"] == "1"
    with urllib.request.urlopen(f"{url}search?q=alive") as answer:
        assert answer.status == 200


def raw(url, content):
    """All that comes back for these bytes."""
    host, port = url.removeprefix("http://").rstrip("/").split(":")
    opened = socket.create_connection((host, int(port)), timeout=60)
    with opened, contextlib.suppress(ConnectionError):  # it may be refused before all is sent
        opened.sendall(content)
        return b"".join(iter(lambda: opened.recv(1 << 16), b""))
    return b""


def test_broken_and_endless_requests_end(server):
    url = server
    end = b"Host: localhost\r\nConnection: close\r\n\r\n"
    assert raw(url, b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert raw(url, b"GET /image/../../../../etc/passwd HTTP/1.1\r\n" + end).startswith(b"HTTP/1.1 404")
    assert raw(url, b"GET /image/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + end).startswith(b"HTTP/1.1 404")
    long = b"GET /search?q=" + b"a" * 3 * MOST_HEAD_BYTES + b" HTTP/1.1\r\n" + end
    assert raw(url, long).startswith(b"HTTP/1.1 400") or not raw(url, long)
    header = b"GET /health HTTP/1.1\r\nX: " + b"a" * 3 * MOST_HEAD_BYTES + b"\r\n" + end
    assert raw(url, header).startswith(b"HTTP/1.1 400") or not raw(url, header)
    twice = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2 + b"GET /health HTTP/1.1\r\n" + end
    assert raw(url, twice).count(b'{"status":"ok","images":29}') == 3


def test_every_name_has_an_address(server):
    with httpx.Client(base_url=server, timeout=60) as client:
        hits = client.get("/search?q=ring&k=200").json()["hits"]
        assert {f"a/{name}" for name in ODD_NAMES} < {hit["id"] for hit in hits}
        for hit in hits:
            assert client.get(hit["thumb"]).status_code == 200, hit["id"]
            place = hit["image"].removeprefix("/image/")
            assert client.get(f"/similar/{place}?k=1").json()["query"] == hit["id"]


def test_addresses_that_cannot_be_listened_on():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert address(taken, "127.0.0.1") == f"http://127.0.0.1:{port}/"
        assert address(taken, "0.0.0.0") == f"http://localhost:{port}/"
        for host, number, expected in (
            ("127.0.0.1", port, f"--port {port} is in use"),
            ("127.0.0.1", 70_000, "from 0 to 65535"),
            ("127.0.0.1", -1, "from 0 to 65535"),
            ("nowhere.invalid", 0, "name of this machine"),
            ("192.0.2.1", 0, "cannot listen there"),
        ):
            with pytest.raises(InputError, match=expected):
                listen(host, number)


def test_a_head_that_does_not_end_and_an_idle_connection_are_closed(server):
    host, port = server.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port))) as slow, socket.create_connection((host, int(port))) as idle:
        slow.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        idle.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for connection in (slow, idle):
            connection.settimeout(30)
            while connection.recv(4096):
                pass
    with urllib.request.urlopen(f"{server}health") as answer:
        assert answer.status == 200
