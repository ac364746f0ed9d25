"""Scenarios of section 1.2: tasks and coroutines."""

import asyncio
import contextvars

from scenarios import rounds, scenario, trace


@scenario()
async def tasks_take_turns_in_the_order_of_their_making():
    async def ticks(name):
        for i in range(3):
            trace(name, i)
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(ticks(name)) for name in "abc"]
    trace("made")
    for task in tasks:
        await task
        trace("awaited")


@scenario()
async def a_task_cancelled_before_it_begins_never_begins():
    async def body():
        trace("began")

    task = asyncio.create_task(body())
    trace("cancel:", task.cancel())
    try:
        await task
    except asyncio.CancelledError:
        trace("cancelled")
    trace("cancel again:", task.cancel())


@scenario()
async def a_cancellation_goes_down_to_the_innermost_wait_and_up_again():
    async def inner(future):
        try:
            await future
        finally:
            trace("inner: finally")
            await asyncio.sleep(0)
            trace("inner: after a wait")

    async def middle(task):
        try:
            await task
        finally:
            trace("middle: finally")

    future = asyncio.get_running_loop().create_future()
    inner_task = asyncio.create_task(inner(future))
    middle_task = asyncio.create_task(middle(inner_task))
    outer_task = asyncio.create_task(middle(middle_task))
    await rounds(2)
    outer_task.cancel("from the top")
    trace("asked")
    try:
        await outer_task
    except asyncio.CancelledError:
        trace("outer: cancelled")
    trace("future cancelled:", future.cancelled())
    trace("inner cancelled:", inner_task.cancelled())


@scenario()
async def a_cancellation_that_is_swallowed_counts_until_it_is_taken_back():
    async def body():
        task = asyncio.current_task()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            trace("swallowed, cancelling:", task.cancelling())
        await asyncio.sleep(0)
        trace("went on, cancelling:", task.cancelling())
        trace("uncancel:", task.uncancel())
        await asyncio.sleep(0)
        return "value"

    task = asyncio.create_task(body())
    await asyncio.sleep(0)
    task.cancel()
    trace("result:", await task)


@scenario()
async def two_requests_before_the_task_runs_are_thrown_once():
    async def body():
        for i in range(3):
            try:
                await rounds(2)
                trace("slept", i)
            except asyncio.CancelledError as e:
                trace("cancelled in", i, "by", e.args[0])

    task = asyncio.create_task(body())
    await asyncio.sleep(0)
    task.cancel("one")
    task.cancel("two")
    trace("cancelling:", task.cancelling())
    await task


@scenario()
async def a_result_and_a_cancellation_in_one_round():
    async def body(future):
        try:
            trace("got", await future)
        except asyncio.CancelledError:
            trace("cancelled, the future has", future.result())
            raise

    future = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(body(future))
    await asyncio.sleep(0)
    future.set_result("a value")
    task.cancel()
    await asyncio.wait([task])
    trace("cancelled:", task.cancelled())


@scenario(since=(3, 13))
async def uncancel_to_zero_takes_an_undelivered_cancellation_back():
    async def body():
        task = asyncio.current_task()
        task.cancel()
        trace("uncancel:", task.uncancel())
        await asyncio.sleep(0)
        trace("went on")

    await asyncio.create_task(body())


@scenario()
async def a_task_cancelled_while_it_finishes_is_cancelled():
    async def body():
        await asyncio.sleep(0)
        asyncio.current_task().cancel()
        trace("returns nevertheless")
        return "ignored"

    task = asyncio.create_task(body())
    await asyncio.wait([task])
    trace("cancelled:", task.cancelled())


@scenario(since=(3, 12))
async def eager_tasks_run_to_their_first_wait_at_once():
    async def body(name, waits):
        trace(name, "begins")
        for _ in range(waits):
            await asyncio.sleep(0)
            trace(name, "goes on")
        return name

    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    trace("before a")
    a = asyncio.create_task(body("a", 0))
    trace("a done:", a.done())
    b = asyncio.create_task(body("b", 1))
    trace("b done:", b.done())
    b.add_done_callback(lambda _: trace("callback of b"))
    trace("awaited", await a, await b)
    await asyncio.sleep(0)


@scenario(since=(3, 12))
async def an_eager_task_makes_another_and_cancels_it():
    async def child():
        trace("child begins")
        try:
            await asyncio.sleep(3600)
        finally:
            trace("child: finally")

    async def parent():
        trace("parent begins")
        task = asyncio.create_task(child())
        trace("parent cancels")
        task.cancel()
        await asyncio.wait([task])
        trace("parent ends")

    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    task = asyncio.create_task(parent())
    trace("main goes on")
    await task


@scenario()
async def gather_fails_at_the_first_failure_and_the_others_go_on():
    async def child(name, waits, fails):
        await rounds(waits)
        trace(name, "fails" if fails else "ends")
        if fails:
            raise ValueError(name)
        return name

    asyncio.get_running_loop().set_exception_handler(lambda _, context: None)
    tasks = [asyncio.create_task(child(*args)) for args in (("a", 1, False), ("b", 2, True), ("c", 4, False))]
    try:
        await asyncio.gather(*tasks)
    except ValueError as e:
        trace("gather failed:", e)
    trace("c done:", tasks[2].done())
    trace("c:", await tasks[2])


@scenario()
async def cancelling_gather_cancels_its_children_and_waits_for_them():
    async def child(name, waits):
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            trace(name, "cancelled")
            await rounds(waits)
            trace(name, "ends")
            raise

    gathered = asyncio.gather(child("a", 1), child("b", 3))
    await asyncio.sleep(0)
    trace("cancel:", gathered.cancel())
    try:
        await gathered
    except asyncio.CancelledError:
        trace("gather cancelled")
    trace("cancelled():", gathered.cancelled())


@scenario()
async def a_child_that_is_cancelled_fails_gather():
    async def child(name):
        try:
            await asyncio.sleep(3600)
        finally:
            trace(name, "ends")

    tasks = [asyncio.create_task(child(name)) for name in "ab"]
    await asyncio.sleep(0)
    tasks[0].cancel()
    gathered = asyncio.gather(*tasks)
    try:
        await gathered
    except asyncio.CancelledError:
        trace("gather: cancelled error")
    trace("gather cancelled():", gathered.cancelled())
    trace("b done:", tasks[1].done())
    tasks[1].cancel()
    await asyncio.wait(tasks)


@scenario()
async def wait_returns_at_the_first_that_completes():
    async def child(name, waits):
        await rounds(waits)
        trace(name, "ends")

    tasks = [asyncio.create_task(child(name, waits)) for name, waits in (("a", 9), ("b", 1), ("c", 5))]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    trace("done:", len(done), "pending:", len(pending))
    done, pending = await asyncio.wait(pending)
    trace("done:", len(done), "pending:", len(pending))


@scenario()
async def wait_for_an_exception_overlooks_a_cancellation():
    async def child(name, waits, fails=False):
        try:
            await rounds(waits)
        finally:
            trace(name, "ends")
        if fails:
            raise ValueError(name)

    tasks = [asyncio.create_task(child("a", 9)), asyncio.create_task(child("b", 3, True)),
             asyncio.create_task(child("c", 9))]
    await asyncio.sleep(0)
    tasks[0].cancel()
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    trace("done:", len(done), "pending:", len(pending), "failed:", tasks[1].exception())
    await tasks[2]


@scenario(since=(3, 13))
async def as_completed_gives_tasks_as_they_end():
    async def child(name, waits):
        await rounds(waits)
        trace(name, "ends")
        return name

    tasks = [asyncio.create_task(child(name, waits)) for name, waits in (("a", 4), ("b", 2), ("c", 6))]
    async for task in asyncio.as_completed(tasks):
        trace("got", await task)


@scenario()
async def a_shield_is_cancelled_and_what_it_covers_goes_on():
    async def covered():
        await rounds(4)
        trace("covered ends")
        return "value"

    async def waiter(task):
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            trace("waiter: cancelled")
            trace("waiter: got", await task)

    task = asyncio.create_task(covered())
    waiting = asyncio.create_task(waiter(task))
    await rounds(2)
    waiting.cancel()
    await waiting
    trace("covered cancelled:", task.cancelled())


@scenario(since=(3, 12))
async def wait_for_waits_until_the_cancelled_work_has_ended():
    async def work():
        try:
            await asyncio.sleep(3600)
        finally:
            trace("work: cleaning up")
            await rounds(2)
            trace("work: ends")

    try:
        await asyncio.wait_for(work(), 0.001)
    except TimeoutError:
        trace("timed out")


@scenario(since=(3, 12))
async def wait_for_returns_what_the_work_returns_in_spite_of_its_cancellation():
    async def work():
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            return "nevertheless"

    trace("returned:", await asyncio.wait_for(work(), 0.001))
    trace("cancelling:", asyncio.current_task().cancelling())


@scenario(since=(3, 12))
async def wait_for_without_time_does_not_begin():
    async def work():
        trace("began")

    try:
        await asyncio.wait_for(work(), 0)
    except TimeoutError:
        trace("timed out")
    await asyncio.sleep(0)


@scenario()
async def a_task_has_a_copy_of_its_makers_context():
    variable = contextvars.ContextVar("variable", default="unset")

    async def child():
        trace("child sees", variable.get())
        variable.set("by the child")
        await asyncio.sleep(0)
        trace("child sees", variable.get())

    variable.set("by main")
    task = asyncio.create_task(child())
    asyncio.get_running_loop().call_soon(lambda: trace("callback sees", variable.get()))
    variable.set("by main, later")
    await asyncio.sleep(0)
    trace("main sees", variable.get())
    await task
    trace("main sees", variable.get())
