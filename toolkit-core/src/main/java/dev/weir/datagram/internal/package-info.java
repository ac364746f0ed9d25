/** What both kinds of datagram endpoints need. Not exported. */
@NullMarked
package dev.weir.datagram.internal;

import org.jspecify.annotations.NullMarked;
