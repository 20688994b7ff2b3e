"""Threads for the work of requests, and how many requests may wait for them: beyond that a request is refused at once."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from vldeformer.serve.refusal import RefusedError

Result = TypeVar("Result")


class WorkQueue:
    """Work in the order in which it came, ``threads`` pieces at a time.

    ``most``: pieces that are worked on or wait; one more is refused with status 503.
    """

    def __init__(self, name: str, threads: int, most: int) -> None:
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self.most, self.held = most, 0
        # One piece more than there are threads, so that a thread that gets free has its next at hand.
        self.turns = asyncio.Semaphore(threads + 1)

    async def run(self, work: Callable[[], Result], gone: Callable[[], Awaitable[bool]]) -> Result:
        """What ``work`` returns or raises. ``gone``: asked when it is this piece's turn; if it says yes nobody waits any more.

        Raises RefusedError if too many wait, or if nobody does.
        """
        if self.held >= self.most:
            raise RefusedError(503, f"{self.most} requests are waiting already; ask again in a second", retry_after=1)
        self.held += 1
        try:
            async with self.turns:
                if await gone():
                    raise RefusedError(499, "whoever asked has gone")
                return await asyncio.get_running_loop().run_in_executor(self.pool, work)
        finally:
            self.held -= 1

    def close(self) -> None:
        """Wait for what is worked on; what waits is dropped."""
        self.pool.shutdown(cancel_futures=True)
