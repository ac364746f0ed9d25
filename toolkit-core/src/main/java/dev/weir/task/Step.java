package dev.weir.task;

/** What stands in a loop's ready queue: a fiber that goes on, or a callback. */
sealed interface Step permits Fiber, Handle {}
