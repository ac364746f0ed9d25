"""Scenarios of section 1.7: queues."""

import asyncio

from scenarios import rounds, scenario, trace


@scenario()
async def a_full_queue_makes_givers_wait():
    queue = asyncio.Queue(2)

    async def giver():
        for i in range(5):
            await queue.put(i)
            trace("put", i, "size:", queue.qsize())

    task = asyncio.create_task(giver())
    await rounds(3)
    for _ in range(5):
        item = await queue.get()
        trace("got", item)
        await asyncio.sleep(0)
    await task


@scenario()
async def takers_are_served_in_the_order_of_asking():
    queue = asyncio.Queue()

    async def taker(name):
        trace(name, "got", await queue.get())
        trace(name, "got", await queue.get())

    tasks = [asyncio.create_task(taker(name)) for name in "abc"]
    await asyncio.sleep(0)
    for i in range(6):
        queue.put_nowait(i)
    trace("put six")
    for task in tasks:
        await task


@scenario()
async def a_woken_taker_that_is_cancelled_lets_the_next_one_have_the_item():
    queue = asyncio.Queue()

    async def taker(name):
        try:
            trace(name, "got", await queue.get())
        except asyncio.CancelledError:
            trace(name, "cancelled, size:", queue.qsize())
            raise

    a, b = [asyncio.create_task(taker(name)) for name in "ab"]
    await asyncio.sleep(0)
    queue.put_nowait("item")
    a.cancel()
    await asyncio.wait([a, b])
    trace("size:", queue.qsize())


@scenario()
async def a_woken_giver_that_is_cancelled_lets_the_next_one_put():
    queue = asyncio.Queue(1)
    queue.put_nowait("first")

    async def giver(name):
        await queue.put(name)
        trace(name, "put")

    a, b = [asyncio.create_task(giver(name)) for name in "ab"]
    await asyncio.sleep(0)
    trace("got", queue.get_nowait())
    a.cancel()
    await asyncio.wait([a, b])
    trace("got", queue.get_nowait(), "size:", queue.qsize())


@scenario()
async def a_woken_taker_that_finds_nothing_waits_again_at_the_end():
    queue = asyncio.Queue()

    async def taker(name):
        trace(name, "got", await queue.get())

    tasks = [asyncio.create_task(taker(name)) for name in "ab"]
    await asyncio.sleep(0)
    queue.put_nowait(1)
    trace("main got", queue.get_nowait())
    await rounds(2)
    queue.put_nowait(2)
    queue.put_nowait(3)
    for task in tasks:
        await task


@scenario()
async def join_returns_when_everything_was_dealt_with():
    queue = asyncio.Queue()

    async def worker():
        while True:
            item = await queue.get()
            await rounds(2)
            trace("done with", item)
            queue.task_done()

    async def joiner():
        await queue.join()
        trace("joined")

    for i in range(3):
        queue.put_nowait(i)
    workers = [asyncio.create_task(worker()) for _ in range(2)]
    await joiner()
    for task in workers:
        task.cancel()
    await asyncio.wait(workers)
    await queue.join()
    trace("joined at once")


@scenario()
async def the_smallest_and_the_newest_come_first():
    priority, lifo = asyncio.PriorityQueue(), asyncio.LifoQueue()

    async def giver(queue):
        for item in (3, 1, 2):
            await queue.put(item)
        await asyncio.sleep(0)
        await queue.put(0)
        await queue.put(4)

    for name, queue in (("priority", priority), ("lifo", lifo)):
        task = asyncio.create_task(giver(queue))
        trace(name, "got", await queue.get())
        await task
        while not queue.empty():
            trace(name, "got", await queue.get())


@scenario(since=(3, 13))
async def a_shutdown_lets_the_rest_be_taken_and_wakes_who_waits():
    queue = asyncio.Queue(1)

    async def giver(name):
        try:
            await queue.put(name)
            trace(name, "put")
        except asyncio.QueueShutDown:
            trace(name, "refused")

    async def taker(name):
        try:
            while True:
                trace(name, "got", await queue.get())
        except asyncio.QueueShutDown:
            trace(name, "ends")

    givers = [asyncio.create_task(giver(name)) for name in "abc"]
    await asyncio.sleep(0)
    queue.shutdown()
    trace("shut down")
    await asyncio.wait(givers)
    await taker("taker")


@scenario(since=(3, 13))
async def an_immediate_shutdown_drops_the_rest():
    queue = asyncio.Queue()

    async def taker(name):
        try:
            trace(name, "got", await queue.get())
            await rounds(3)
            await queue.get()
        except asyncio.QueueShutDown:
            trace(name, "ends")

    async def joiner():
        await queue.join()
        trace("joined")

    takers = [asyncio.create_task(taker(name)) for name in "ab"]
    await asyncio.sleep(0)
    for i in range(4):
        queue.put_nowait(i)
    joining = asyncio.create_task(joiner())
    await asyncio.sleep(0)
    queue.shutdown(immediate=True)
    trace("shut down, size:", queue.qsize())
    await asyncio.wait(takers)
    for _ in range(2):
        queue.task_done()
    trace("dealt with")
    await joining
