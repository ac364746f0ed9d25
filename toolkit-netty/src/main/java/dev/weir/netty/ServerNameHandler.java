package dev.weir.netty;

import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsException;
import dev.weir.tls.TlsIdentity;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.AbstractSniHandler;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Waits for a client's first message, which says whom it wants to talk to, and gives way to a
 * handler with the certificate of that name. A client that stops before has cost no TLS engine yet.
 */
final class ServerNameHandler extends AbstractSniHandler<SslHandler> {
  /** Clients send less than 4 KiB; Netty's own limit is 64 KiB. */
  private static final int CLIENT_HELLO_BYTES_MAX = 16 * 1024;

  /** The time for the handshake is not Netty's to keep. */
  private static final long NO_TIMEOUT = 0;

  /** A record with an alert, fatal, unrecognized_name. */
  private static final byte[] UNRECOGNIZED_NAME = {21, 3, 3, 0, 2, 2, 112};

  private final NettyTls tls;
  private final TlsHandlers handlers;
  private final ServerTls options;
  private boolean clientHelloSeen;

  ServerNameHandler(NettyTls tls, TlsHandlers handlers, ServerTls options) {
    super(CLIENT_HELLO_BYTES_MAX, NO_TIMEOUT);
    this.tls = tls;
    this.handlers = handlers;
    this.options = options;
  }

  @Override
  protected Future<SslHandler> lookup(ChannelHandlerContext context, @Nullable ByteBuf clientHello)
      throws Exception {
    if (clientHello == null) {
      return context
          .executor()
          .newFailedFuture(
              new TlsException("The peer does not speak TLS: what it sent is no record of it"));
    }
    clientHelloSeen = true;
    return super.lookup(context, clientHello);
  }

  @Override
  protected Future<SslHandler> lookup(ChannelHandlerContext context, @Nullable String serverName) {
    TlsIdentity identity = null;
    if (options.context() == null) {
      identity = options.identityFor(serverName);
      if (identity == null) {
        return context.executor().newFailedFuture(unknown(serverName));
      }
    }
    return context
        .executor()
        .newSucceededFuture(
            handlers.newHandler(
                context.alloc(), identity, null, context.channel().remoteAddress()));
  }

  /** The name is what a peer sent: it is not shown. */
  private static TlsException unknown(@Nullable String serverName) {
    return new TlsException(
        serverName == null
            ? "The client named no server, and there is no certificate for that"
            : "The client named a server that there is no certificate for");
  }

  @Override
  protected void onLookupComplete(
      ChannelHandlerContext context, @Nullable String serverName, Future<SslHandler> found) {
    if (found.isSuccess()) {
      tls.shakeHands(found.getNow(), serverName);
      context.pipeline().replace(this, null, found.getNow());
    } else {
      if (clientHelloSeen) {
        ByteBuf alert = context.alloc().directBuffer(UNRECOGNIZED_NAME.length);
        context.writeAndFlush(alert.writeBytes(UNRECOGNIZED_NAME));
      }
      tls.fail(found.cause());
      context.close();
    }
  }
}
