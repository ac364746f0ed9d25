"""Scenarios of section 1.5: futures."""

import asyncio

from scenarios import rounds, scenario, trace


@scenario()
async def callbacks_and_waiting_tasks_follow_the_order_of_registration():
    async def waiter(name, future):
        trace(name, "waits")
        trace(name, "got", await future)

    future = asyncio.get_running_loop().create_future()
    future.add_done_callback(lambda _: trace("callback 1"))
    a = asyncio.create_task(waiter("a", future))
    await asyncio.sleep(0)
    future.add_done_callback(lambda _: trace("callback 2"))
    b = asyncio.create_task(waiter("b", future))
    await asyncio.sleep(0)
    future.add_done_callback(lambda _: trace("callback 3"))
    future.set_result("x")
    trace("set")
    await a
    await b


@scenario()
async def a_callback_of_a_future_that_is_done_comes_in_the_next_round():
    future = asyncio.get_running_loop().create_future()
    future.set_result(1)
    future.add_done_callback(lambda f: trace("callback:", f.result()))
    trace("added")
    await future
    trace("awaiting did not suspend")
    await asyncio.sleep(0)
    trace("a round later")


@scenario()
async def a_callback_that_fails_is_reported_and_the_others_run():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: trace("reported:", context["exception"]))

    def bad(_):
        raise ValueError("bad callback")

    future = loop.create_future()
    future.add_done_callback(lambda _: trace("first"))
    future.add_done_callback(bad)
    future.add_done_callback(lambda _: trace("third"))
    future.cancel()
    await asyncio.sleep(0)


@scenario()
async def callbacks_added_by_a_callback_come_a_round_later():
    future = asyncio.get_running_loop().create_future()

    def outer(_):
        trace("outer")
        future.add_done_callback(lambda _: trace("inner"))

    future.add_done_callback(outer)
    future.add_done_callback(lambda _: trace("sibling"))
    future.set_result(None)
    for i in range(3):
        await asyncio.sleep(0)
        trace("round", i)


@scenario()
async def cancelling_a_future_wakes_everybody_who_awaits_it():
    async def waiter(name):
        try:
            await future
        except asyncio.CancelledError as e:
            trace(name, "cancelled:", e.args[0])
            await asyncio.sleep(0)
            trace(name, "ends")

    future = asyncio.get_running_loop().create_future()
    tasks = [asyncio.create_task(waiter(name)) for name in "ab"]
    await asyncio.sleep(0)
    trace("cancel:", future.cancel("gone"), future.cancel("again"))
    await asyncio.wait(tasks)
    trace("cancelled:", [task.cancelled() for task in tasks].count(True))


@scenario()
async def cancelling_one_of_two_tasks_cancels_the_future_for_both():
    async def waiter(name):
        try:
            await future
        except asyncio.CancelledError:
            trace(name, "cancelled")
            raise

    future = asyncio.get_running_loop().create_future()
    a, b = [asyncio.create_task(waiter(name)) for name in "ab"]
    await asyncio.sleep(0)
    a.cancel()
    await asyncio.wait([a, b])
    trace("future cancelled:", future.cancelled(), "b cancelling:", b.cancelling())


@scenario()
async def a_failure_is_thrown_at_every_await():
    async def waiter(name):
        try:
            await future
        except ValueError as e:
            trace(name, "failed:", e, "the same:", e is failure)

    failure = ValueError("broken")
    future = asyncio.get_running_loop().create_future()
    tasks = [asyncio.create_task(waiter(name)) for name in "ab"]
    await asyncio.sleep(0)
    future.set_exception(failure)
    for task in tasks:
        await task
    await waiter("main")
    try:
        future.set_result(1)
    except asyncio.InvalidStateError:
        trace("done already")


@scenario()
async def removed_callbacks_are_not_called():
    calls = []

    def callback(_):
        calls.append("called")

    future = asyncio.get_running_loop().create_future()
    future.add_done_callback(callback)
    future.add_done_callback(lambda _: trace("another"))
    future.add_done_callback(callback)
    trace("removed:", future.remove_done_callback(callback))
    trace("removed:", future.remove_done_callback(callback))
    future.set_result(None)
    await asyncio.sleep(0)
    trace("calls:", len(calls))
