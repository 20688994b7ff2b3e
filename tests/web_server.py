"""A web server on this machine that behaves as badly as a test asks it to."""

import contextlib
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Behaviour:
    """What the server has and how it misbehaves; ``asked`` collects (path, Range) of each request."""

    files: dict = field(default_factory=dict)
    cuts: list = field(default_factory=list)  # bytes after which each coming answer is cut off
    knows_ranges: bool = True
    says_length: bool = True
    stated_length: int | None = None
    seconds_a_piece: float = 0.0
    asked: list = field(default_factory=list)
    url: str = ""


@contextlib.contextmanager
def served(**files):
    """The behaviour of a running server that has ``files`` (name → bytes; ``__`` in a name stands for a dot)."""
    behaviour = Behaviour({name.replace("__", "."): content for name, content in files.items()})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = self.headers.get("Range")
            behaviour.asked.append((self.path, asked))
            content = behaviour.files.get(self.path.rsplit("/", 1)[-1])
            if content is None:
                self.send_error(404)
                return
            first = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and behaviour.knows_ranges else 0
            if first >= len(content) and first:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if first else 200)
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            if behaviour.says_length:
                self.send_header("Content-Length", str(behaviour.stated_length or len(content) - first))
            self.end_headers()
            body = content[first:]
            body = body[: behaviour.cuts.pop(0)] if behaviour.cuts else body
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for start in range(0, len(body), 1 << 16):
                    self.wfile.write(body[start : start + (1 << 16)])
                    time.sleep(behaviour.seconds_a_piece)
            self.close_connection = True

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    behaviour.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield behaviour
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
