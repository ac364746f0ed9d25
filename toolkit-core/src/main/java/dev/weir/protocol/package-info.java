/**
 * Transports and protocols: connections for code that wants callbacks instead of tasks, as
 * asyncio's modules of these names. Tasks with {@linkplain dev.weir.stream streams} are easier to
 * write and to read; both stand on the same transports.
 */
@NullMarked
package dev.weir.protocol;

import org.jspecify.annotations.NullMarked;
