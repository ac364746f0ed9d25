package dev.weir.stream;

import java.io.IOException;

/** How a proxy is asked for a connection: sequential code on the streams of that with the proxy. */
sealed interface ProxyHandshake permits Socks5Handshake, HttpConnectHandshake {
  /**
   * Suspends until the proxy has opened a connection. Takes not a byte behind its answer: that is
   * the target's.
   *
   * @throws ProxyException if the proxy refuses or answers nonsense
   * @throws IOException if the connection with the proxy ends
   */
  void open(StreamReader reader, StreamWriter writer, ProxyTarget target) throws IOException;
}
