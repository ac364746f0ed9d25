"""Scenarios of section 1.6: synchronization primitives."""

import asyncio

from scenarios import rounds, scenario, trace


async def holds(lock, name, waits):
    async with lock:
        trace(name, "holds it")
        await rounds(waits)
        trace(name, "lets go")


@scenario()
async def a_lock_is_taken_in_the_order_of_asking():
    lock = asyncio.Lock()
    tasks = [asyncio.create_task(holds(lock, name, 2)) for name in "abc"]
    for task in tasks:
        await task
    trace("locked:", lock.locked())


@scenario()
async def a_newcomer_does_not_overtake_the_task_that_was_woken():
    lock = asyncio.Lock()
    await lock.acquire()
    a = asyncio.create_task(holds(lock, "a", 1))
    await asyncio.sleep(0)
    lock.release()
    trace("released, locked:", lock.locked())
    b = asyncio.create_task(holds(lock, "b", 0))
    await holds(lock, "main", 0)
    await a
    await b


@scenario()
async def a_woken_waiter_that_is_cancelled_hands_the_lock_on():
    lock = asyncio.Lock()
    await lock.acquire()

    async def waiter():
        try:
            await holds(lock, "a", 0)
        except asyncio.CancelledError:
            trace("a cancelled, locked:", lock.locked())
            raise

    a = asyncio.create_task(waiter())
    b = asyncio.create_task(holds(lock, "b", 0))
    await asyncio.sleep(0)
    lock.release()
    a.cancel()
    await asyncio.wait([a, b])
    trace("a cancelled:", a.cancelled(), "locked:", lock.locked())


@scenario()
async def an_event_that_is_set_and_cleared_at_once_still_wakes():
    event = asyncio.Event()

    async def waiter(name):
        await event.wait()
        trace(name, "woken, set:", event.is_set())
        await event.wait()
        trace(name, "again, set:", event.is_set())

    tasks = [asyncio.create_task(waiter(name)) for name in "ab"]
    await asyncio.sleep(0)
    event.set()
    event.clear()
    trace("set and cleared")
    await rounds(2)
    event.set()
    for task in tasks:
        await task


@scenario()
async def a_condition_wakes_in_order_once_its_lock_is_free():
    condition = asyncio.Condition()

    async def waiter(name):
        async with condition:
            trace(name, "waits")
            await condition.wait()
            trace(name, "goes on")
            await asyncio.sleep(0)
            trace(name, "ends")

    tasks = [asyncio.create_task(waiter(name)) for name in "abcd"]
    await rounds(2)
    async with condition:
        condition.notify(2)
        trace("notified two")
        await rounds(2)
        trace("lets go")
    await rounds(6)
    async with condition:
        condition.notify_all()
        trace("notified all")
    for task in tasks:
        await task


@scenario(since=(3, 13))
async def a_notified_waiter_that_is_cancelled_passes_the_notification_on():
    condition = asyncio.Condition()

    async def waiter(name):
        async with condition:
            try:
                await condition.wait()
                trace(name, "notified")
            except asyncio.CancelledError:
                trace(name, "cancelled, locked:", condition.locked())
                raise

    a, b = [asyncio.create_task(waiter(name)) for name in "ab"]
    await rounds(2)
    async with condition:
        condition.notify()
        await asyncio.sleep(0)
        a.cancel()
        trace("a notified and cancelled")
    await asyncio.wait([a, b])
    trace("a cancelled:", a.cancelled())


@scenario(since=(3, 13))
async def a_cancelled_waiter_has_the_lock_again_before_it_goes():
    condition = asyncio.Condition()

    async def waiter():
        async with condition:
            try:
                await condition.wait()
            finally:
                trace("waiter goes, locked:", condition.locked())

    task = asyncio.create_task(waiter())
    await asyncio.sleep(0)
    async with condition:
        task.cancel("one")
        await rounds(2)
        task.cancel("two")
        await rounds(2)
        trace("main lets go")
    try:
        await task
    except asyncio.CancelledError as e:
        trace("cancelled:", e.args[0])


@scenario()
async def a_semaphore_admits_as_many_as_it_has_permits():
    semaphore = asyncio.Semaphore(2)
    tasks = [asyncio.create_task(holds(semaphore, name, waits)) for name, waits in zip("abcd", (3, 1, 1, 1))]
    for task in tasks:
        await task
    trace("locked:", semaphore.locked())


@scenario(since=(3, 13))
async def a_cancelled_waiter_gives_its_permit_back():
    semaphore = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(holds(semaphore, name, 1)) for name in "abc"]
    await asyncio.sleep(0)
    semaphore.release()
    semaphore.release()
    tasks[0].cancel()
    trace("released two, cancelled a")
    await asyncio.wait(tasks)
    trace("locked:", semaphore.locked())


@scenario()
async def a_barrier_lets_all_go_when_the_last_has_come():
    barrier = asyncio.Barrier(3)

    async def party(name, waits):
        await rounds(waits)
        trace(name, "comes, waiting:", barrier.n_waiting)
        index = await barrier.wait()
        trace(name, "goes with", index)

    tasks = [asyncio.create_task(party(name, waits)) for name, waits in zip("abcdef", (0, 1, 2, 2, 3, 4))]
    for task in tasks:
        await task
    trace("waiting:", barrier.n_waiting)


@scenario()
async def a_barrier_that_is_reset_breaks_for_those_who_wait_only():
    barrier = asyncio.Barrier(3)

    async def party(name):
        try:
            trace(name, "goes with", await barrier.wait())
        except asyncio.BrokenBarrierError:
            trace(name, "broken")

    waiting = [asyncio.create_task(party(name)) for name in "ab"]
    await rounds(2)
    await barrier.reset()
    trace("reset, broken:", barrier.broken)
    others = [asyncio.create_task(party(name)) for name in "cde"]
    await asyncio.wait(waiting + others)
    await barrier.abort()
    trace("aborted, broken:", barrier.broken)
    await party("f")
    await barrier.reset()
    trace("reset, broken:", barrier.broken)


@scenario()
async def a_party_that_is_cancelled_does_not_count():
    barrier = asyncio.Barrier(2)

    async def party(name):
        trace(name, "goes with", await barrier.wait())

    a = asyncio.create_task(party("a"))
    await rounds(2)
    a.cancel()
    await asyncio.wait([a])
    trace("waiting:", barrier.n_waiting)
    tasks = [asyncio.create_task(party(name)) for name in "bc"]
    await asyncio.wait(tasks)
