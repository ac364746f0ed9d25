package dev.weir.stream;

import dev.weir.task.Loop;
import dev.weir.task.Timeout;
import dev.weir.task.TimeoutException;
import dev.weir.tls.ClientTls;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One {@code openConnection}, from the lookup to the first byte: all of it in one task, within one
 * timeout.
 *
 * <p>Used once.
 */
final class Connecting {
  /** A lookup may return any number of addresses; a message is to be read by people. */
  private static final int TRIES_SHOWN_MAX = 8;

  private final Loop loop;
  private final String host;
  private final int port;
  private final ConnectOptions options;

  // How far it has come, for the message of a timeout.

  private String lookedUp;
  private @Nullable HappyEyeballs attempts;
  private boolean connected;
  private boolean startingTls;

  Connecting(Loop loop, String host, int port, ConnectOptions options) {
    this.loop = loop;
    this.host = host;
    this.port = port;
    this.options = options;
    this.lookedUp = host;
  }

  /** Suspends until connected, and returns the protocol of the connection. */
  StreamProtocol run() throws IOException {
    ProxyServer proxy = options.proxy();
    // Before anything else: a name that must not be sent is the caller's mistake.
    ProxyTarget target = proxy == null ? null : ProxyTarget.of(host, port);
    try {
      return Timeout.after(options.connectTimeout())
          .<StreamProtocol, IOException>call(
              scope -> proxy == null || target == null ? direct() : through(proxy, target));
    } catch (TimeoutException e) {
      throw timedOut(e);
    }
  }

  private StreamProtocol direct() throws IOException {
    StreamProtocol protocol = connect(host, port);
    begin(protocol, () -> {});
    return protocol;
  }

  private StreamProtocol through(ProxyServer proxy, ProxyTarget target) throws IOException {
    StreamProtocol protocol = connect(proxy.host(), proxy.port());
    begin(protocol, () -> shakeHands(proxy, target, protocol));
    return protocol;
  }

  private static void shakeHands(ProxyServer proxy, ProxyTarget target, StreamProtocol protocol)
      throws IOException {
    try {
      proxy.handshake().open(protocol.reader, protocol.writer, target);
    } catch (ProxyException e) {
      throw e;
    } catch (IOException e) {
      throw new ProxyException(
          "The " + proxy + " went away before it had answered: " + e.getMessage(), e);
    }
  }

  private void begin(StreamProtocol protocol, Beginning beginning) throws IOException {
    Beginning secured =
        () -> {
          beginning.run();
          startingTls = options.tls() != null;
        };
    begin(loop, protocol, options, host, secured);
  }

  /** What comes before the user's first byte. */
  interface Beginning {
    void run() throws IOException;
  }

  /** Nobody else holds the connection yet: what fails here, or is cancelled, ends it. */
  static void begin(
      Loop loop,
      StreamProtocol protocol,
      ConnectOptions options,
      @Nullable String host,
      Beginning beginning)
      throws IOException {
    boolean begun = false;
    try {
      beginning.run();
      ProxyHeader header = options.proxyHeader();
      if (header != null) {
        protocol.writer.write(header.encode());
      }
      ClientTls tls = options.tls();
      if (tls != null) {
        String serverHostname = options.serverHostname();
        StartingTls.run(protocol, loop, tls, serverHostname != null ? serverHostname : host);
      }
      begun = true;
    } finally {
      if (!begun) {
        protocol.abortIfConnected();
      }
    }
  }

  private StreamProtocol connect(String host, int port) throws IOException {
    lookedUp = host;
    List<InetSocketAddress> remotes = Addresses.resolve(loop, host, port);
    HappyEyeballs race = new HappyEyeballs(loop, options, remotes, locals());
    attempts = race;
    StreamProtocol protocol = race.connect();
    connected = true;
    return protocol;
  }

  private List<InetSocketAddress> locals() throws IOException {
    InetSocketAddress local = options.localAddress();
    if (local == null) {
      return List.of();
    }
    lookedUp = local.getHostString();
    return Addresses.resolve(loop, lookedUp, local.getPort());
  }

  private SocketTimeoutException timedOut(TimeoutException cause) {
    String within = " within " + options.connectTimeout().toMillis() / 1000.0 + " s";
    SocketTimeoutException timedOut = new SocketTimeoutException(whatTimedOut(within));
    timedOut.initCause(cause);
    if (attempts != null) {
      attempts.failures().forEach(timedOut::addSuppressed);
    }
    return timedOut;
  }

  private String whatTimedOut(String within) {
    if (startingTls) {
      return "The TLS handshake with " + Addresses.format(host, port) + " did not end" + within;
    }
    if (connected) {
      return "The "
          + options.proxy()
          + " did not connect to "
          + Addresses.format(host, port)
          + within;
    }
    if (attempts == null) {
      return "The name " + lookedUp + " was not looked up" + within;
    }
    return "No answer from " + attempts.describeTries(TRIES_SHOWN_MAX) + within;
  }

  @Override
  public String toString() {
    return "Connecting[" + Addresses.format(host, port) + "]";
  }
}
