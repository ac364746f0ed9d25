package dev.weir.protocol;

import java.util.Objects;

/**
 * A transport, and the protocol that is told what happens on it: the pair that asyncio's {@code
 * create_connection} returns.
 *
 * @param transport the way out
 * @param protocol the factory's; told {@link BaseProtocol#connectionMade} already
 */
public record Attached<T extends BaseTransport, P extends BaseProtocol<T>>(
    T transport, P protocol) {
  /** Checks that both are there. */
  public Attached {
    Objects.requireNonNull(transport, "transport");
    Objects.requireNonNull(protocol, "protocol");
  }
}
