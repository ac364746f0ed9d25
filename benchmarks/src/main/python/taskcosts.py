"""What TaskCosts measures, in asyncio. Prints a line for each: name, value, unit."""

import asyncio
import time

BATCH = 10_000
SLEEPERS = 100_000


async def per_operation(name, batch):
    """Runs batches for about a second after a warm-up of half that length."""
    end = time.perf_counter() + 0.5
    while time.perf_counter() < end:
        await batch()
    operations = 0
    begin = time.perf_counter()
    while time.perf_counter() - begin < 1:
        await batch()
        operations += BATCH
    print(f"{name} {(time.perf_counter() - begin) * 1e6 / operations:.4f} us", flush=True)


async def nothing():
    pass


async def spawn_and_await():
    for _ in range(BATCH):
        await asyncio.create_task(nothing())


async def queue_ping_pong():
    there, back = asyncio.Queue(1), asyncio.Queue(1)

    async def echo():
        for _ in range(BATCH):
            await back.put(await there.get())

    task = asyncio.create_task(echo())
    for i in range(BATCH):
        await there.put(i)
        await back.get()
    await task


async def timeout_scope():
    for _ in range(BATCH):
        async with asyncio.timeout(10):
            pass


async def sleepers():
    tasks = [asyncio.create_task(asyncio.sleep(1)) for _ in range(SLEEPERS)]
    for task in tasks:
        await task


async def main():
    await per_operation("spawnAndAwait", spawn_and_await)
    await per_operation("queuePingPong", queue_ping_pong)
    await per_operation("timeoutScope", timeout_scope)
    begin = time.perf_counter()
    await sleepers()
    print(f"sleepers {time.perf_counter() - begin:.4f} s")


asyncio.run(main())
