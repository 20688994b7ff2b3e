"""A file that is sent in: read to its end or refused, by size, by time, and by how many are sent at once."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import BinaryIO

from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from vldeformer.serve.refusal import RefusedError

MOST_MB = 20
FRAME_BYTES = 64 << 10  # of a form around its file
PIECE_SECONDS = 20
WHOLE_SECONDS = 180  # 20 MB at 1 Mbit/s take 168; else a byte now and then would hold one of the few places for ever
MOST_AT_ONCE = 16
SCHEMA = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary", "description": "a photograph"}},
                }
            }
        },
    }
}
"""The form for OpenAPI: it is read here and not by the framework, which would read it whole before anything is asked."""


class Uploads:
    """Receives the field ``file`` of forms, at most 16 at once; files of more than 1 MB wait on disk, not in memory."""

    def __init__(self, most_mb: int = MOST_MB) -> None:
        self.most_bytes, self.most_mb, self.held = most_mb << 20, most_mb, 0

    async def receive(self, request: Request) -> tuple[str, BinaryIO]:
        """Name and content.

        Raises RefusedError: 413 if it is too large, 408 if it does not come in time, 503 if too many are on their way, 400 or
        415 if it is no form with a file.
        """
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise RefusedError(415, "expected multipart/form-data with a photograph as `file`")
        self._check_size(_stated_length(request.headers))
        if self.held >= MOST_AT_ONCE:
            raise RefusedError(503, f"{MOST_AT_ONCE} photographs are being sent already; try again in a second", retry_after=1)
        self.held += 1
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                form = await MultiPartParser(request.headers, self._pieces(request), max_files=1, max_fields=4).parse()
        except TimeoutError:
            raise RefusedError(408, f"the photograph took over {WHOLE_SECONDS} seconds; send a smaller one") from None
        except (MultiPartException, KeyError):  # KeyError: no boundary
            raise RefusedError(400, "expected a form with one photograph as `file`, got one that is broken") from None
        except ClientDisconnect:
            raise RefusedError(499, "whoever asked has gone") from None
        finally:
            self.held -= 1
        file = form.get("file")
        if file is None or isinstance(file, str):
            await form.close()
            raise RefusedError(400, "expected a form with a photograph as `file`, got none")
        return (file.filename or "")[:200], file.file

    async def _pieces(self, request: Request) -> AsyncGenerator[bytes, None]:
        total, pieces = 0, aiter(request.stream())
        while True:
            try:
                async with asyncio.timeout(PIECE_SECONDS):
                    piece = await anext(pieces)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise RefusedError(408, f"nothing came for {PIECE_SECONDS} seconds; send the photograph again") from None
            total += len(piece)
            self._check_size(total)
            yield piece

    def _check_size(self, number: int) -> None:
        if number > self.most_bytes + FRAME_BYTES:
            raise RefusedError(413, f"expected a photograph of at most {self.most_mb} MB; send a smaller one")


def _stated_length(headers: Mapping[str, str]) -> int:
    stated = headers.get("content-length", "0")
    return int(stated) if stated.isdecimal() else 0
