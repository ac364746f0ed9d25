/** The functions of Python's {@code asyncio} module: see {@link dev.weir.Asyncio}. */
@NullMarked
package dev.weir;

import org.jspecify.annotations.NullMarked;
