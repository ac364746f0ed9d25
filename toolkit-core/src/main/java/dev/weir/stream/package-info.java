/**
 * Streams over connections, as asyncio's: {@link StreamReader}, {@link StreamWriter}, {@link
 * Connection}, {@link Server}.
 */
@NullMarked
package dev.weir.stream;

import org.jspecify.annotations.NullMarked;
