package dev.weir.stream;

import dev.weir.spi.Transport;
import dev.weir.spi.UnixAddresses;
import dev.weir.task.CancelledError;
import dev.weir.task.ExceptionContext;
import dev.weir.task.Task;
import dev.weir.task.TaskOptions;
import dev.weir.task.Timeout;
import dev.weir.tls.ServerTls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One accepted connection and the task that serves it. Its server lists it until both have ended.
 * On the loop only.
 */
final class ServedConnection extends StreamProtocol {
  private static final Duration PROXY_HEADER_TIMEOUT = Duration.ofSeconds(3);

  private final Server server;
  private @Nullable Task<?> task;
  private @Nullable ProxyHeader proxyHeader;
  private boolean handled;
  private boolean disconnected;

  ServedConnection(Server server) {
    super(server.loop, server.options.stream());
    this.server = server;
  }

  // --- What the connection does

  @Override
  public void connectionMade(Transport transport) {
    if (server.isClosed() || server.loop.isClosed() || !isTrusted(transport)) {
      super.connectionMade(transport);
      transport.abort(); // No server any more, or no proxy.
      server.lost();
      return;
    }
    super.connectionMade(
        server.options.watchesConnections()
            ? new WatchedTransport(server.loop, server.context, transport, server.options)
            : transport);
    server.connected(this);
    Task<?> serving =
        server.loop.createTask(
            this::serve, TaskOptions.defaults().withContext(server.context.copy()));
    task = serving;
    // And not a finally in serve(): a task that is cancelled before its first step never gets
    // there.
    serving.addDoneCallback(ended -> handlerEnded());
  }

  private boolean isTrusted(Transport transport) {
    TrustedSources proxies = server.options.proxies();
    boolean trusted = proxies == null || proxies.contain(transport.remoteAddress());
    if (!trusted) {
      Logging.LOGGER.log(
          System.Logger.Level.DEBUG,
          "Connection from {0} aborted: it is none of the trusted sources {1}",
          UnixAddresses.describe(transport.remoteAddress()),
          proxies);
    }
    return trusted;
  }

  @Override
  public void dataReceived(ByteBuffer data) {
    if (transport() instanceof WatchedTransport watched) {
      watched.received();
    }
    super.dataReceived(data);
  }

  @Override
  public void messageWritten() {
    if (transport() instanceof WatchedTransport watched) {
      watched.lookSoon();
    }
  }

  @Override
  public void dataSent() {
    if (transport() instanceof WatchedTransport watched) {
      watched.sent();
    }
  }

  @Override
  public IOException thrownFor(IOException cause) {
    IOException timeout = timeoutOfLost();
    return super.thrownFor(timeout != null ? timeout : cause);
  }

  /** {@return the timeout that ended the connection, if one did} */
  private @Nullable IOException timeoutOfLost() {
    return transport() instanceof WatchedTransport watched ? watched.ended() : null;
  }

  @Override
  public void connectionLost(@Nullable IOException cause) {
    IOException timeout = timeoutOfLost();
    super.connectionLost(timeout != null ? timeout : cause);
    disconnected = true;
    forgetIfEnded();
  }

  @Override
  SocketAddress localAddress() {
    InetSocketAddress told = proxyHeader == null ? null : proxyHeader.destination();
    return told != null ? told : super.localAddress();
  }

  @Override
  SocketAddress remoteAddress() {
    InetSocketAddress told = proxyHeader == null ? null : proxyHeader.source();
    return told != null ? told : super.remoteAddress();
  }

  // --- The server

  void close() {
    writer.close(server.options.flushTimeout());
  }

  void abort() {
    writer.abort();
  }

  /** Aborts the connection, and does not wait for its handler to find out. */
  void end() {
    transport().abort();
    if (task != null) {
      task.cancel("the server is shutting down");
    }
  }

  // --- The handler

  private void serve() {
    try {
      if ((server.options.proxies() == null || readProxyHeader())
          && (server.options.tls() == null || startTls(server.options.tls()))) {
        server.handler.handle(reader, writer);
      }
    } catch (CancelledError e) {
      throw e;
    } catch (Throwable e) {
      report(e);
    }
  }

  private boolean readProxyHeader() {
    try {
      proxyHeader =
          Timeout.after(PROXY_HEADER_TIMEOUT).call(timeout -> ProxyHeaderReader.read(reader));
      return true;
    } catch (IOException e) {
      Logging.LOGGER.log(
          System.Logger.Level.DEBUG,
          "Connection from " + describeSource() + " aborted: it brought no PROXY header",
          e);
      writer.abort();
      return false;
    }
  }

  private boolean startTls(ServerTls tls) {
    try {
      StartingTls.run(this, server.loop, tls, null);
      return true;
    } catch (IOException e) {
      // Without the exception, whose message may say what the peer sent.
      Logging.LOGGER.log(
          System.Logger.Level.DEBUG,
          "Connection from {0} aborted: TLS could not be started ({1})",
          describeSource(),
          e.getClass().getSimpleName());
      return false;
    }
  }

  private void handlerEnded() {
    handled = true;
    if (!writer.detached()) {
      close();
    }
    forgetIfEnded();
  }

  private String describeSource() {
    return UnixAddresses.describe(remoteAddress());
  }

  private void report(Throwable failure) {
    if (isOwn(failure)) {
      Logging.LOGGER.log(
          System.Logger.Level.DEBUG, "Connection from " + describeSource() + " failed", failure);
      return;
    }
    Throwable bare =
        failure instanceof UncheckedIOException unchecked && unchecked.getCause() != null
            ? unchecked.getCause()
            : failure;
    server.loop.callExceptionHandler(
        new ExceptionContext(
            "Exception in the handler of the connection from " + describeSource(),
            bare,
            task,
            null,
            null));
  }

  private void forgetIfEnded() {
    if (handled && disconnected) {
      server.ended(this);
    }
  }

  @Override
  public String toString() {
    return "ServedConnection["
        + describePeer()
        + (handled ? ", handled" : "")
        + (disconnected ? ", disconnected]" : "]");
  }
}
