package dev.weir.stream;

import dev.weir.spi.Network;
import dev.weir.spi.TlsRequest;
import dev.weir.spi.UnixAddresses;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.Timeout;
import dev.weir.task.TimeoutException;
import dev.weir.tls.TlsException;
import dev.weir.tls.TlsOptions;
import dev.weir.tls.TlsSession;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Secures a connection that is there, in the middle of its conversation or before that begins.
 *
 * <p>What comes in clear and what comes secured must not mix: whoever is on the way could otherwise
 * put words into the peer's mouth. So nobody reads meanwhile, and what has arrived and was not read
 * counts as the beginning of the handshake, which it spoils if it is none.
 */
final class StartingTls {
  private StartingTls() {}

  /**
   * Suspends until the connection is secured. If it cannot be, or the task is cancelled, the
   * connection is aborted.
   */
  static TlsSession run(
      StreamProtocol protocol, Loop loop, TlsOptions options, @Nullable String serverName)
      throws IOException {
    loop.ensureInTask("startTls()");
    protocol.writer.ensureWritable();
    if (protocol.transport().tlsSession() != null) {
      throw new IllegalStateException(
          "startTls() on a connection that is secured: TLS within TLS is not supported");
    }
    boolean handedOver = protocol.isHandedOver(); // Then nobody reads, and nothing waits unread.
    if (!handedOver) {
      protocol.reader.hold("startTls()");
    }
    boolean secured = false;
    try {
      // At once: nothing is in clear that is written after the call.
      protocol.transport().holdForTls();
      TlsSession session = withinTimeout(protocol, loop, options, serverName);
      secured = true;
      ensureProtocolAgreed(protocol, options, session);
      return session;
    } finally {
      if (!handedOver) {
        protocol.reader.release();
      }
      if (!secured) {
        protocol.transport().abort();
      }
    }
  }

  /** Suspends while what has to be done once for these options is done. */
  static void prepare(Loop loop, TlsOptions options) throws IOException {
    Network network = loop.network();
    if (!network.isTlsPrepared(options)) {
      BlockingWork.run(
          loop,
          () -> {
            network.prepareTls(options);
            return options;
          });
    }
  }

  private static TlsSession withinTimeout(
      StreamProtocol protocol, Loop loop, TlsOptions options, @Nullable String serverName)
      throws IOException {
    try {
      return Timeout.after(options.handshakeTimeout())
          .<TlsSession, IOException>call(scope -> {
            prepare(loop, options);
            return shakeHands(protocol, loop, options, serverName);
          });
    } catch (TimeoutException e) {
      SocketTimeoutException timedOut =
          new SocketTimeoutException(
              "The TLS handshake with "
                  + describe(protocol.remoteAddress())
                  + " did not end within "
                  + options.handshakeTimeout().toMillis() / 1000.0
                  + " s");
      timedOut.initCause(e);
      throw protocol.thrown(timedOut);
    }
  }

  private static TlsSession shakeHands(
      StreamProtocol protocol, Loop loop, TlsOptions options, @Nullable String serverName)
      throws IOException {
    byte[] received = protocol.isHandedOver() ? protocol.takeBack() : protocol.reader.takeUnread();
    Future<TlsSession> agreed = loop.createFuture(protocol.writer);
    protocol
        .transport()
        .startTls(
            new TlsRequest(options, serverName, received),
            new FutureCompletion<>(agreed, late -> {}));
    try {
      return agreed.await(IOException.class);
    } catch (TlsException e) {
      throw protocol.thrown(e);
    } catch (IOException e) {
      throw protocol.thrown(StreamProtocol.lost(e)); // As ever: the peer's doing, and no bug.
    } finally {
      if (agreed.done() && !agreed.cancelled()) {
        agreed.exception(); // It may have failed in the round that cancelled the task.
      }
    }
  }

  private static String describe(SocketAddress remote) {
    return remote instanceof InetSocketAddress address
        ? Addresses.format(address)
        : UnixAddresses.describe(remote);
  }

  private static void ensureProtocolAgreed(
      StreamProtocol protocol, TlsOptions options, TlsSession session) throws TlsException {
    if (options.applicationProtocolRequired() && session.applicationProtocol() == null) {
      protocol.writer.close(); // Not by a reset: the peer is to see that it is no accident.
      throw protocol.thrown(
          new TlsException(
              "The peer knows none of the application protocols "
                  + options.applicationProtocols()));
    }
  }
}
