package dev.weir.protocol;

import dev.weir.tls.TlsSession;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * A connection of bytes, both ways, as {@code asyncio.Transport}. A program may write one of its
 * own: whoever has {@link Protocol protocols} or, by {@link StreamReaderProtocol}, streams on it
 * sees no difference.
 */
public interface Transport extends ReadTransport, WriteTransport {
  /** {@return who is told what happens} */
  BaseProtocol<Transport> protocol();

  /**
   * Has another protocol told of what happens from now on; {@link BaseProtocol#connectionMade} is
   * not called again. Corresponds to {@code set_protocol}.
   *
   * @param protocol a {@link Protocol} or a {@link BufferedProtocol}
   * @throws IllegalArgumentException if it is neither
   */
  void setProtocol(BaseProtocol<Transport> protocol);

  /** {@return this end's address} */
  SocketAddress localAddress();

  /** {@return the peer's address} */
  SocketAddress remoteAddress();

  /** {@return what was agreed on with the peer by TLS; null if the connection is not secured} */
  default @Nullable TlsSession tlsSession() {
    return null;
  }
}
