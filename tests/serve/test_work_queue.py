"""Threads that requests wait for: in order, no more than stated, and nothing for nobody."""

import asyncio
import threading

import pytest

from vldeformer.serve.refusal import RefusedError
from vldeformer.serve.work_queue import WorkQueue


async def there():
    return False


async def left():
    return True


def test_one_more_than_may_wait_is_refused_and_the_others_are_answered_in_order():
    async def ask():
        queue, hold, order = WorkQueue("test", 1, 5), threading.Event(), []

        def work(number):
            hold.wait()
            order.append(number)
            return number

        waiting = [asyncio.create_task(queue.run(lambda n=number: work(n), there)) for number in range(5)]
        await asyncio.sleep(0)
        with pytest.raises(RefusedError) as refused:
            await queue.run(lambda: work(5), there)
        assert refused.value.status == 503 and refused.value.retry_after == 1
        hold.set()
        assert await asyncio.gather(*waiting) == order == list(range(5))
        assert await queue.run(lambda: 7, there) == 7, "there is room again"
        queue.close()

    asyncio.run(ask())


def test_what_nobody_waits_for_is_not_done_and_errors_give_the_place_back():
    async def ask():
        queue = WorkQueue("test", 1, 1)
        for _ in range(3):
            with pytest.raises(RefusedError) as refused:
                await queue.run(lambda: pytest.fail("was done"), left)
            assert refused.value.status == 499
            with pytest.raises(ZeroDivisionError):
                await queue.run(lambda: 1 / 0, there)
        assert queue.held == 0
        queue.close()

    asyncio.run(ask())
