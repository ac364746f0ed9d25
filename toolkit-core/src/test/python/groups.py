"""Scenarios of section 1.3: task groups."""

import asyncio

from scenarios import rounds, scenario, trace


async def child(name, waits, fails=False, clean_up_waits=0):
    try:
        await rounds(waits)
    except asyncio.CancelledError:
        trace(name, "cancelled")
        await rounds(clean_up_waits)
        trace(name, "cleaned up")
        raise
    trace(name, "fails" if fails else "ends")
    if fails:
        raise ValueError(name)
    return name


def traced(group):
    return ", ".join(str(e) for e in group.exceptions)


@scenario()
async def a_group_waits_for_all_its_tasks():
    async with asyncio.TaskGroup() as group:
        a = group.create_task(child("a", 3))
        b = group.create_task(child("b", 1))
        trace("body ends")
    trace("after:", a.result(), b.result())


@scenario()
async def a_failure_cancels_the_others_and_the_body():
    task = asyncio.current_task()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(child("a", 1, True))
            group.create_task(child("b", 9, clean_up_waits=2))
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                trace("body cancelled, cancelling:", task.cancelling())
                raise
    except ExceptionGroup as e:
        trace("group:", traced(e))
    trace("cancelling:", task.cancelling())
    await asyncio.sleep(0)
    trace("main goes on")


@scenario()
async def failures_come_in_the_order_of_completion_and_the_bodys_last():
    async def failing_clean_up(name, waits):
        try:
            await asyncio.sleep(3600)
        finally:
            await rounds(waits)
            trace(name, "fails in its clean-up")
            raise ValueError(name)

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(failing_clean_up("a", 3))
            group.create_task(failing_clean_up("b", 1))
            await rounds(2)
            trace("body fails")
            raise ValueError("body")
    except ExceptionGroup as e:
        trace("group:", traced(e))


@scenario(since=(3, 13))
async def a_failure_after_the_body_has_ended_is_no_cancellation_of_the_parent():
    task = asyncio.current_task()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(child("a", 4, True))
            group.create_task(child("b", 9))
            trace("body ends")
    except ExceptionGroup as e:
        trace("group:", traced(e), "cancelling:", task.cancelling())
    await asyncio.sleep(0)
    trace("main goes on")


@scenario()
async def a_cancelled_child_leaves_the_group_alone():
    async with asyncio.TaskGroup() as group:
        a = group.create_task(child("a", 9))
        group.create_task(child("b", 4))
        await rounds(2)
        a.cancel()
        trace("body ends")
    trace("a cancelled:", a.cancelled())


@scenario()
async def a_cancellation_from_outside_goes_through_the_group():
    async def parent():
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(child("a", 9, clean_up_waits=3))
                try:
                    await asyncio.sleep(3600)
                finally:
                    trace("body: finally")
        finally:
            trace("parent: finally, cancelling:", asyncio.current_task().cancelling())

    task = asyncio.create_task(parent())
    await rounds(3)
    task.cancel("outside")
    try:
        await task
    except asyncio.CancelledError:
        trace("cancelled")


@scenario()
async def a_cancellation_from_outside_reaches_a_group_that_waits_for_its_tasks():
    async def parent():
        async with asyncio.TaskGroup() as group:
            group.create_task(child("a", 9, clean_up_waits=2))
            trace("body ends")

    task = asyncio.create_task(parent())
    await rounds(3)
    task.cancel()
    trace("asked")
    await asyncio.wait([task])
    trace("cancelled:", task.cancelled())


@scenario(since=(3, 13))
async def a_childs_failure_wins_over_a_cancellation_that_stays_pending():
    async def failing_clean_up():
        try:
            await asyncio.sleep(3600)
        finally:
            raise ValueError("clean-up")

    async def parent():
        task = asyncio.current_task()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(failing_clean_up())
                await asyncio.sleep(3600)
        except ExceptionGroup as e:
            trace("group:", traced(e), "cancelling:", task.cancelling())
        try:
            await asyncio.sleep(0)
            trace("not cancelled again")
        except asyncio.CancelledError:
            trace("cancelled at the next wait, cancelling:", task.cancelling())
            raise

    task = asyncio.create_task(parent())
    await rounds(3)
    task.cancel()
    await asyncio.wait([task])
    trace("cancelled:", task.cancelled())


@scenario(since=(3, 13))
async def a_child_fails_in_the_round_of_the_outside_cancellation():
    async def parent():
        task = asyncio.current_task()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(child("a", 3, True))
                group.create_task(child("b", 9, clean_up_waits=1))
                try:
                    await asyncio.sleep(3600)
                finally:
                    trace("body: finally, cancelling:", task.cancelling())
        except ExceptionGroup as e:
            trace("group:", traced(e), "cancelling:", task.cancelling())
        try:
            await asyncio.sleep(0)
            trace("went on")
        except asyncio.CancelledError:
            trace("cancelled at the next wait")
            raise

    for waits in range(2, 8):
        trace("cancelled from outside after", waits, "rounds")
        task = asyncio.create_task(parent())
        await rounds(waits)
        task.cancel()
        await asyncio.wait([task])
        trace("cancelled:", task.cancelled())


@scenario()
async def children_make_children_while_the_group_waits():
    async def grower(group, depth):
        trace("depth", depth, "begins")
        await asyncio.sleep(0)
        if depth < 3:
            group.create_task(grower(group, depth + 1))
        trace("depth", depth, "ends")

    async with asyncio.TaskGroup() as group:
        group.create_task(grower(group, 1))
        trace("body ends")
    trace("after")
    late = rounds(1)
    try:
        group.create_task(late)
    except RuntimeError:
        trace("takes no more")
        late.close()


@scenario()
async def an_inner_group_fails_and_takes_the_outer_one_with_it():
    try:
        async with asyncio.TaskGroup() as outer:
            outer.create_task(child("outer child", 20, clean_up_waits=1))
            try:
                async with asyncio.TaskGroup() as inner:
                    inner.create_task(child("inner child", 2, True))
                    inner.create_task(child("its sibling", 20))
                    await asyncio.sleep(3600)
            finally:
                trace("inner group ended")
    except ExceptionGroup as e:
        trace("outer group:", len(e.exceptions), "inner group:", traced(e.exceptions[0]))
    trace("cancelling:", asyncio.current_task().cancelling())


@scenario()
async def the_outer_group_fails_while_the_inner_one_waits():
    try:
        async with asyncio.TaskGroup() as outer:
            outer.create_task(child("outer child", 4, True))
            try:
                async with asyncio.TaskGroup() as inner:
                    inner.create_task(child("inner child", 20, clean_up_waits=2))
                    trace("inner body ends")
            except asyncio.CancelledError:
                trace("inner group cancelled")
                raise
    except ExceptionGroup as e:
        trace("outer group:", traced(e))
    trace("cancelling:", asyncio.current_task().cancelling())
