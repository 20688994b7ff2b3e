"""Photographs that are sent in are decoded in a process of their own, with limits: a file made to cost much costs that process.

The child reads one file after the other from its standard input and answers with the pixels or a refusal; it has no model and no
index. A child that dies or does not answer in time is replaced.
"""

import contextlib
import json
import os
import resource
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import IO, BinaryIO

import PIL.Image

from vldeformer.serve.refusal import RefusedError
from vldeformer.serve.sent_pictures import uploaded

MEMORY_BYTES = 1_536 << 20
"""Address space of a child: a photograph of 80 million pixels takes three copies of 240 MB on its way."""
CPU_SECONDS = 10
WALL_SECONDS = 30
HEADER = struct.Struct("<Q")
COSTLY = f"expected an ordinary photograph, got one that takes over {CPU_SECONDS} seconds or {MEMORY_BYTES >> 20:,} MB to decode"


class Decoder:
    """Up to two children, started when they are needed; as many threads may decode at once."""

    def __init__(self) -> None:
        self._idle, self._lock = list[subprocess.Popen[bytes]](), threading.Lock()

    def decode(self, file: BinaryIO) -> PIL.Image.Image:
        """The photograph in a file, as RGB, upright.

        Raises RefusedError: 413 if it is too large or costs too much, 415 if it is none.
        """
        content = file.read()
        child = self._taken()
        try:
            with _ended_after(child, WALL_SECONDS):
                assert child.stdin is not None and child.stdout is not None
                child.stdin.write(HEADER.pack(len(content)) + content)
                child.stdin.flush()
                said = json.loads(_exactly(child.stdout, HEADER.unpack(_exactly(child.stdout, HEADER.size))[0]))
                pixels = _exactly(child.stdout, 3 * said["width"] * said["height"]) if "width" in said else b""
        except (OSError, EOFError):  # it ran into a limit
            _end(child)
            raise RefusedError(413, COSTLY) from None
        except BaseException:
            _end(child)
            raise
        with self._lock:
            self._idle.append(child)
        if "status" in said:
            raise RefusedError(said["status"], said["line"])
        return PIL.Image.frombuffer("RGB", (said["width"], said["height"]), pixels, "raw", "RGB", 0, 1)

    def close(self) -> None:
        """End the children."""
        with self._lock:
            for child in self._idle:
                _end(child)
            self._idle.clear()

    def _taken(self) -> "subprocess.Popen[bytes]":
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.poll() is None:
                    return child
                _end(child)
        code = f"from {__name__} import serve_files; serve_files()"
        return subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )


@contextlib.contextmanager
def _ended_after(child: "subprocess.Popen[bytes]", seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, child.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.kill()
    with contextlib.suppress(BrokenPipeError):
        child.communicate()


def _exactly(file: IO[bytes], number: int) -> bytes:
    content = file.read(number)
    if len(content) < number:
        raise EOFError
    return content


def serve_files() -> None:
    """What a child does: until its standard input ends."""
    import io
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends its children
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    asked, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    while header := asked.read(HEADER.size):
        content = asked.read(HEADER.unpack(header)[0])
        used = resource.getrusage(resource.RUSAGE_SELF)
        most = int(used.ru_utime + used.ru_stime) + CPU_SECONDS + 1
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))
        pixels = b""
        try:
            image = uploaded(io.BytesIO(content))
            pixels = image.tobytes()
            said: dict[str, object] = {"width": image.width, "height": image.height}
        except RefusedError as refusal:
            said = {"status": refusal.status, "line": refusal.line}
        except MemoryError:
            said = {"status": 413, "line": COSTLY}
        text = json.dumps(said).encode()
        answers.write(HEADER.pack(len(text)) + text + pixels)
        answers.flush()
        del content
