"""The queue: once each, never twice at a time, with delays."""

from __future__ import annotations

import asyncio

from agentjobs.operator.workqueue import FIRST_BACKOFF_SECONDS, LAST_BACKOFF_SECONDS, WorkQueue

A, B = ("ns", "a"), ("ns", "b")


async def taken(queue: WorkQueue, seconds: float = 1.0) -> tuple[str, str] | None:
    try:
        return await asyncio.wait_for(queue.get(), seconds)
    except TimeoutError:
        return None


def test_a_key_that_is_added_often_is_handed_out_once() -> None:
    async def scenario() -> None:
        queue = WorkQueue()
        for key in (A, A, B, A):
            queue.add(key)
        assert [await taken(queue), await taken(queue)] == [A, B]
        assert len(queue) == 0

    asyncio.run(scenario())


def test_a_key_in_work_is_handed_out_again_only_when_it_is_done() -> None:
    async def scenario() -> None:
        queue = WorkQueue()
        queue.add(A)
        key = await queue.get()
        queue.add(A)
        assert await taken(queue, 0.05) is None
        queue.done(key)
        assert await taken(queue) == A

    asyncio.run(scenario())


def test_of_two_delays_the_shorter_counts_and_an_add_does_not_wait() -> None:
    async def scenario() -> None:
        queue = WorkQueue()
        loop = asyncio.get_running_loop()
        began = loop.time()
        queue.add_after(A, 60)
        queue.add_after(A, 0.01)
        queue.add_after(A, 60)
        assert await taken(queue) == A
        assert loop.time() - began >= 0.01
        queue.done(A)
        queue.add_after(A, 60)
        queue.add(A)
        assert await taken(queue) == A
        queue.done(A)
        assert await taken(queue, 0.02) is None

    asyncio.run(scenario())


def test_a_delay_that_ends_while_the_key_is_in_work_is_not_lost() -> None:
    async def scenario() -> None:
        queue = WorkQueue()
        queue.add(A)
        key = await queue.get()
        queue.add_after(A, 0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        queue.done(key)
        assert await taken(queue) == A

    asyncio.run(scenario())


def test_the_back_off_doubles_up_to_its_limit_and_a_success_starts_it_anew() -> None:
    async def scenario() -> None:
        queue = WorkQueue()
        loop = asyncio.get_running_loop()
        waits = []
        for _ in range(20):
            queue.retry(A)
            timer = queue._timers.pop(A)
            waits.append(timer.when() - loop.time())
            timer.cancel()
        assert abs(waits[1] / waits[0] - 2) < 0.2
        assert FIRST_BACKOFF_SECONDS * 0.9 < waits[0] <= FIRST_BACKOFF_SECONDS
        assert waits[-1] <= LAST_BACKOFF_SECONDS
        queue.forget(A)
        assert queue.retry(A) == 1

    asyncio.run(scenario())
