package dev.weir.protocol;

/**
 * What {@code create_datagram_endpoint} returns.
 *
 * @param transport to be closed by the caller
 * @param protocol what the factory made
 */
public record DatagramPair<P extends DatagramProtocol>(DatagramTransport transport, P protocol) {}
