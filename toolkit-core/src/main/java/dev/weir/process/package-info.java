/**
 * Subprocesses, as {@code asyncio.subprocess}: {@link dev.weir.process.Subprocess} with its
 * standard streams as streams of the loop.
 *
 * <p>Programs are started by the JDK's {@link java.lang.ProcessBuilder}, off the loop, and reaped
 * by the JDK, whether anybody waits for them or not.
 */
@NullMarked
package dev.weir.process;

import org.jspecify.annotations.NullMarked;
