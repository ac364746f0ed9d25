/** The engine of Weir on Netty's event loops and transports. */
@NullMarked
package dev.weir.netty;

import org.jspecify.annotations.NullMarked;
