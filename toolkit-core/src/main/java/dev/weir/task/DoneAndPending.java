package dev.weir.task;

import java.util.Set;

/**
 * What {@code Asyncio.wait} returns: the futures it was given, in their order.
 *
 * @param done those that are done
 * @param pending those that are not
 */
public record DoneAndPending<F extends Future<?>>(Set<F> done, Set<F> pending) {}
