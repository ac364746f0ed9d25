package dev.weir.benchmarks;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetServerOptions;
import io.vertx.core.net.NetSocket;
import io.vertx.core.parsetools.RecordParser;

/**
 * Vert.x on one event loop; it accepts connections on a thread of its own. In spirit the echo
 * server of Vert.x's examples ({@code io.vertx.example.core.net.echo}), which pipes a socket to
 * itself, and for lines the first example of the manual's chapter "Record Parser".
 */
final class VertxEchoPeer implements EchoPeer {
  private final Vertx vertx;
  private final NetServer server;

  private VertxEchoPeer(Vertx vertx, NetServer server) {
    this.vertx = vertx;
    this.server = server;
  }

  static VertxEchoPeer start(Mode mode) {
    Vertx vertx =
        Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1).setPreferNativeTransport(true));
    NetServer server =
        vertx
            .createNetServer(new NetServerOptions().setAcceptBacklog(BACKLOG))
            .connectHandler(
                switch (mode) {
                  case BYTES -> socket -> socket.pipeTo(socket);
                  case LINES -> VertxEchoPeer::echoLines;
                })
            .listen(0, "127.0.0.1")
            .await();
    return new VertxEchoPeer(vertx, server);
  }

  private static void echoLines(NetSocket socket) {
    socket.handler(
        RecordParser.newDelimited("\n", line -> socket.write(line.appendByte((byte) '\n'))));
  }

  @Override
  public int port() {
    return server.actualPort();
  }

  @Override
  public String description() {
    return Versions.vertx()
        + " NetServer, "
        + Versions.netty()
        + " "
        + (vertx.isNativeTransportEnabled() ? "epoll" : "nio")
        + ", one event loop";
  }

  @Override
  public void close() {
    vertx.close().await();
  }
}
