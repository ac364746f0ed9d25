/**
 * Pipes and the terminal: {@linkplain dev.weir.pipe.StandardStreams standard input and output} and
 * {@linkplain dev.weir.pipe.NamedPipes named pipes} as streams.
 *
 * <p>The JDK does not tell when a pipe has something to read or room to write. So each pipe that is
 * open has a daemon thread of its own, which reads ahead no more than 64 KiB, and none of it is on
 * the loop.
 */
@NullMarked
package dev.weir.pipe;

import org.jspecify.annotations.NullMarked;
