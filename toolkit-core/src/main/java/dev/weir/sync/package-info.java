/**
 * What tasks of one loop coordinate themselves with: locks, events, queues, as in asyncio.
 *
 * <p>None of these is for threads. One belongs to the first loop on which it makes a task wait;
 * from then on every call from elsewhere throws {@link java.lang.IllegalStateException}. Until then
 * one thread at a time may use it, so that a queue can be filled before the loop runs.
 *
 * <p>All are fair: who waits longer is woken first, and nobody overtakes, except at a queue, which
 * keeps no item for a task that was woken and has not run yet. Cancelling a task that waits takes
 * it out of the row and leaves the rest as it was; what it had been handed already goes to the
 * next.
 *
 * <p>A call that may wait must be made from a task, also when there is nothing to wait for.
 */
@NullMarked
package dev.weir.sync;

import org.jspecify.annotations.NullMarked;
