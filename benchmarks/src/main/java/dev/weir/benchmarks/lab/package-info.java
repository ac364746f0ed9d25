/**
 * Servers in processes of their own, and what is done to them from outside: behind a proxy that is
 * told to drain them, by peers that mean ill, in floods, and while they end. {@code docs/lab.md}
 * says how to run it and what came out.
 */
@NullMarked
package dev.weir.benchmarks.lab;

import org.jspecify.annotations.NullMarked;
