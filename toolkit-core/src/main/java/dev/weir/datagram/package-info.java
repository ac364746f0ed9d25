/**
 * Datagrams (UDP) in sequential style: an endpoint that sends, and that receives one datagram after
 * another. For code that wants callbacks, {@code dev.weir.protocol} has asyncio's {@code
 * DatagramTransport} and {@code DatagramProtocol}; both stand on the same sockets.
 */
@NullMarked
package dev.weir.datagram;

import org.jspecify.annotations.NullMarked;
