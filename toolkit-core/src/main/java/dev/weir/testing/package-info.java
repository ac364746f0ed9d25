/** What helps to test code that runs on a loop. Depends on no test framework. */
@NullMarked
package dev.weir.testing;

import org.jspecify.annotations.NullMarked;
