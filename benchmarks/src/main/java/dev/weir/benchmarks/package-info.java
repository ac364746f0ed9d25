/**
 * Benchmarks of Weir beside what it is built on and what it replaces; README.md in this module says
 * how to run them.
 */
@NullMarked
package dev.weir.benchmarks;

import org.jspecify.annotations.NullMarked;
