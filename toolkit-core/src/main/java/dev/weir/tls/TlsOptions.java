package dev.weir.tls;

import java.time.Duration;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * How one side secures connections; each side has a type of its own. Corresponds to {@code
 * ssl.SSLContext}.
 *
 * <p>Immutable, safe for use by any thread, and equal to itself only: an engine prepares one object
 * once, which takes a while, and remembers that as long as the object lives. So make one for all
 * connections of a kind, not one for each.
 */
public sealed interface TlsOptions permits ClientTls, ServerTls {
  /** {@return what encrypts, {@link TlsProvider#AUTO} by default} */
  TlsProvider provider();

  /** {@return the versions to speak, {@code TLSv1.3} and {@code TLSv1.2} by default} */
  List<String> protocols();

  /**
   * {@return the cipher suites to offer, most wanted first} By default those of TLS 1.3, and of TLS
   * 1.2 those with forward secrecy and authenticated encryption.
   */
  List<String> cipherSuites();

  /** {@return the application protocols to offer by ALPN, most wanted first; none by default} */
  List<String> applicationProtocols();

  /**
   * {@return whether a peer that knows none of the {@linkplain #applicationProtocols application
   * protocols} is refused; off by default}
   */
  boolean applicationProtocolRequired();

  /**
   * {@return how long starting TLS may take, 10 s by default; on a server from when the connection
   * was accepted} Asyncio allows 60 s.
   */
  Duration handshakeTimeout();

  /**
   * {@return how long a connection that was closed waits for the peer to end its side, 30 s by
   * default} Then it is aborted.
   */
  Duration shutdownTimeout();

  /**
   * {@return whether a connection may end without the end of the TLS session, as many old programs
   * leave it; off by default} Then that reads as the end of the stream. Only for protocols that say
   * themselves where a message ends: whoever is on the way can cut the rest off unnoticed.
   */
  boolean truncationAllowed();

  /**
   * {@return the user's own context, which knows identity and trusted certificates; null, the
   * default, if these options do} What it does in a handshake runs on the loop, as that of all
   * options: a trust manager of the user's that blocks, to ask another server say, stalls the loop.
   */
  @Nullable SSLContext context();

  /** {@return who this side is, if it has one identity for everybody; else null} */
  @Nullable TlsIdentity identity();

  /**
   * {@return what checks the peer's certificate, and says of a refusal why; null if nothing is to
   * be checked, or a {@linkplain #context context} does} The first call may block: it loads the
   * system's trusted certificates, if these are to be used.
   *
   * @throws TlsException if they cannot be loaded
   */
  @Nullable X509ExtendedTrustManager trustManager() throws TlsException;
}
