/**
 * The event loop and what runs on it: {@link Loop}, {@link Future}, {@link Task}, and the engine
 * inside. Most programs use it through {@code dev.weir.Asyncio}.
 */
@NullMarked
package dev.weir.task;

import org.jspecify.annotations.NullMarked;
