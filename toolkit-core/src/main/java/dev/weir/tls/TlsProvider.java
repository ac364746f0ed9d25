package dev.weir.tls;

/** What encrypts. The promises are the same with each; the speed is not. */
public enum TlsProvider {
  /** {@link #BORINGSSL} if its jars are there and the options allow it, else {@link #JDK}. */
  AUTO,

  /** The JDK's own, which is always there. */
  JDK,

  /**
   * BoringSSL by Netty's jars {@code netty-tcnative-classes} and {@code
   * netty-tcnative-boringssl-static}. Where they are missing, starting TLS throws a {@link
   * TlsException} that says so.
   */
  BORINGSSL
}
