"""Scenarios of section 1.1: runners."""

import asyncio
import contextvars

from scenarios import rounds, scenario, trace


@scenario()
def runs_share_the_loop_and_the_context():
    variable = contextvars.ContextVar("variable", default="unset")

    async def first():
        variable.set("by the first")
        await asyncio.sleep(0)
        trace("first:", variable.get())

    async def second():
        await asyncio.sleep(0)
        trace("second:", variable.get())

    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        runner.run(first())
        runner.run(second())
        trace("same loop:", runner.get_loop() is loop)
    trace("outside:", variable.get())


@scenario()
def a_task_that_is_left_goes_on_in_the_next_run():
    async def ticks():
        for i in range(6):
            trace("tick", i)
            await asyncio.sleep(0)

    async def first():
        asyncio.create_task(ticks())
        await asyncio.sleep(0)
        trace("first ends")

    async def second():
        trace("second begins")
        await rounds(2)
        trace("second ends")

    with asyncio.Runner() as runner:
        runner.run(first())
        trace("between")
        runner.run(second())


@scenario()
def closing_cancels_what_is_left_and_waits_for_its_clean_up():
    async def left():
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            trace("left: cancelled")
            await rounds(3)
            trace("left: cleaned up")
            raise

    async def main():
        asyncio.create_task(left())
        await asyncio.sleep(0)
        trace("main ends")

    asyncio.run(main())
    trace("run ended")


@scenario()
def a_left_task_that_swallows_its_cancellation_is_waited_for():
    async def stubborn():
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            trace("stubborn: goes on")
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        trace("stubborn: ends by itself")

    async def main():
        asyncio.create_task(stubborn())
        await asyncio.sleep(0)

    asyncio.run(main())
    trace("run ended")


@scenario()
def an_error_during_the_closing_goes_to_the_exception_handler():
    async def left():
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0)
            raise ValueError("bad clean-up")

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: trace("reported:", context["exception"]))
        asyncio.create_task(left())
        await asyncio.sleep(0)
        return "value"

    trace("run returned:", asyncio.run(main()))


@scenario()
def a_left_task_that_has_not_begun_begins_before_it_is_cancelled():
    async def late():
        trace("late: begins")
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            trace("late: cancelled at its first wait")

    async def main():
        asyncio.create_task(late())
        trace("main ends")

    asyncio.run(main())
    trace("run ended")


@scenario()
def a_cancelled_main_ends_the_run_with_the_cancellation():
    async def main():
        asyncio.get_running_loop().call_soon(asyncio.current_task().cancel, "enough")
        try:
            await asyncio.sleep(3600)
        finally:
            trace("main: finally")
            await asyncio.sleep(0)
            trace("main: finally after a wait")

    try:
        asyncio.run(main())
    except asyncio.CancelledError as e:
        trace("run was cancelled:", e.args[0])


@scenario()
def stop_ends_the_run_with_the_round():
    def callback(name):
        trace("callback", name)
        if name == "b":
            loop.stop()
            loop.call_soon(callback, "d")

    async def ticks():
        for i in range(4):
            trace("tick", i)
            await asyncio.sleep(0)

    loop = asyncio.new_event_loop()
    task = loop.create_task(ticks())
    for name in "abc":
        loop.call_soon(callback, name)
    loop.run_forever()
    trace("stopped")
    loop.run_until_complete(task)
    trace("completed")
    loop.close()


@scenario()
def a_loop_that_is_stopped_too_early_has_no_result():
    async def main():
        await asyncio.sleep(0)
        asyncio.get_running_loop().stop()
        await rounds(3)
        trace("main ends")

    loop = asyncio.new_event_loop()
    task = loop.create_task(main())
    try:
        loop.run_until_complete(task)
    except RuntimeError:
        trace("stopped before the task was done")
    loop.run_until_complete(task)
    loop.close()
