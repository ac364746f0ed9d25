/**
 * What an engine implements, as uvloop does for asyncio: it waits for I/O on behalf of one loop and
 * carries the network. Users of Weir never call this package; {@code toolkit-netty} implements it.
 *
 * <p>Everything here happens on one loop. A method runs <em>on the loop</em> when its caller holds
 * the loop's turn (a task, a callback, or the I/O fiber), and <em>on the I/O fiber</em> when the
 * engine itself is being polled. At most one of them runs at any time, so implementations need no
 * lock between the two.
 */
@NullMarked
package dev.weir.spi;

import org.jspecify.annotations.NullMarked;
