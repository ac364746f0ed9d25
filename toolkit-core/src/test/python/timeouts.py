"""Scenarios of section 1.4: timeouts."""

import asyncio

from scenarios import rounds, scenario, trace


@scenario()
async def a_deadline_cancels_the_wait_and_becomes_a_timeout():
    task = asyncio.current_task()
    try:
        async with asyncio.timeout(0.001) as scope:
            try:
                await asyncio.sleep(3600)
            finally:
                trace("finally, expired:", scope.expired(), "cancelling:", task.cancelling())
                await rounds(2)
                trace("finally after waits")
    except TimeoutError:
        trace("timed out, cancelling:", task.cancelling())
    await asyncio.sleep(0)
    trace("went on")


@scenario()
async def a_deadline_in_the_past_expires_at_the_first_wait():
    try:
        async with asyncio.timeout(0) as scope:
            trace("body runs, expired:", scope.expired())
            await asyncio.sleep(0)
            trace("first wait over, expired:", scope.expired())
            await asyncio.sleep(0)
            trace("second wait over")
    except TimeoutError:
        trace("timed out")
    async with asyncio.timeout(-1) as scope:
        trace("no wait")
    trace("no error, expired:", scope.expired())


@scenario()
async def a_body_that_swallows_the_cancellation_has_no_timeout():
    task = asyncio.current_task()
    async with asyncio.timeout(0.001) as scope:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            trace("swallowed, cancelling:", task.cancelling())
        await asyncio.sleep(0)
        trace("went on")
    trace("no error, expired:", scope.expired(), "cancelling:", task.cancelling())


@scenario()
async def a_body_that_fails_in_its_clean_up_fails_with_that():
    try:
        async with asyncio.timeout(0.001) as scope:
            try:
                await asyncio.sleep(3600)
            finally:
                await asyncio.sleep(0)
                raise ValueError("clean-up")
    except ValueError as e:
        trace("failed:", e, "expired:", scope.expired())
    trace("cancelling:", asyncio.current_task().cancelling())


@scenario()
async def the_inner_of_two_scopes_expires_first():
    try:
        async with asyncio.timeout(3600) as outer:
            try:
                async with asyncio.timeout(0.001) as inner:
                    await asyncio.sleep(3600)
            except TimeoutError:
                trace("inner timed out")
            await asyncio.sleep(0)
            trace("outer body goes on")
    except TimeoutError:
        trace("outer timed out")
    trace("expired:", inner.expired(), outer.expired())


@scenario()
async def the_outer_of_two_scopes_expires_first():
    try:
        async with asyncio.timeout(0.001) as outer:
            try:
                async with asyncio.timeout(3600) as inner:
                    await asyncio.sleep(3600)
            except asyncio.CancelledError:
                trace("inner passes the cancellation on")
                raise
    except TimeoutError:
        trace("outer timed out")
    trace("expired:", inner.expired(), outer.expired())


@scenario()
async def of_two_scopes_with_one_deadline_the_outer_times_out():
    task = asyncio.current_task()
    when = asyncio.get_running_loop().time() + 0.001
    try:
        async with asyncio.timeout_at(when) as outer:
            try:
                async with asyncio.timeout_at(when) as inner:
                    await asyncio.sleep(3600)
            except asyncio.CancelledError:
                trace("inner passes the cancellation on, cancelling:", task.cancelling())
                raise
            except TimeoutError:
                trace("inner timed out")
                raise
    except TimeoutError:
        trace("outer timed out, cancelling:", task.cancelling())
    trace("expired:", inner.expired(), outer.expired())


@scenario()
async def somebody_elses_cancellation_wins_over_the_timeout():
    async def body():
        try:
            async with asyncio.timeout(0.001) as scope:
                try:
                    await asyncio.sleep(3600)
                finally:
                    task.cancel("outside")
                    trace("cancelled from outside as well")
        except TimeoutError:
            trace("timed out")
        finally:
            trace("expired:", scope.expired(), "cancelling:", task.cancelling())

    task = asyncio.create_task(body())
    await asyncio.wait([task])
    trace("cancelled:", task.cancelled())


@scenario()
async def rescheduling_moves_the_deadline():
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(3600) as scope:
            await asyncio.sleep(0)
            scope.reschedule(None)
            trace("no deadline:", scope.when() is None)
            await asyncio.sleep(0.001)
            scope.reschedule(loop.time())
            trace("now, expired:", scope.expired())
            await asyncio.sleep(0)
            trace("one wait, expired:", scope.expired())
            await asyncio.sleep(0)
            trace("two waits")
    except TimeoutError:
        trace("timed out")
    try:
        scope.reschedule(None)
    except RuntimeError:
        trace("too late to reschedule")


@scenario()
async def a_timeout_cancels_the_task_of_a_group():
    async def child():
        try:
            await asyncio.sleep(3600)
        finally:
            trace("child cancelled")
            await rounds(3)
            trace("child ends")

    try:
        async with asyncio.timeout(0.001):
            async with asyncio.TaskGroup() as group:
                group.create_task(child())
    except TimeoutError:
        trace("timed out, cancelling:", asyncio.current_task().cancelling())
