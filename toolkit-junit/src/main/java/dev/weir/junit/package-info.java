/** Runs the methods of JUnit tests on a loop, a virtual or a real one. */
@NullMarked
package dev.weir.junit;

import org.jspecify.annotations.NullMarked;
