package dev.weir.benchmarks;

import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.Epoll;
import io.netty.handler.codec.LineBasedFrameDecoder;
import java.time.Duration;
import reactor.netty.DisposableServer;
import reactor.netty.resources.LoopResources;
import reactor.netty.tcp.TcpServer;

/**
 * Reactor Netty on one event loop. In spirit the echo server of its examples ({@code
 * reactor.netty.examples.tcp.echo}); for lines with Netty's decoder in the pipeline, as its
 * reference shows under "Connection Lifecycle Callbacks".
 */
final class ReactorEchoPeer implements EchoPeer {
  private static final int LINE_BYTES_MAX = 64 * 1024;

  /** With none, every other loop ended without closing its connections. */
  private static final Duration QUIET_PERIOD = Duration.ofMillis(10);

  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

  private final LoopResources loops;
  private final DisposableServer server;

  private ReactorEchoPeer(LoopResources loops, DisposableServer server) {
    this.loops = loops;
    this.server = server;
  }

  static ReactorEchoPeer start(Mode mode) {
    LoopResources loops = LoopResources.create("reactor-echo", 1, true);
    TcpServer server =
        TcpServer.create()
            .runOn(loops)
            .host("127.0.0.1")
            .port(0)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .handle((in, out) -> out.send(in.receive().retain()));
    if (mode == Mode.LINES) {
      boolean stripSeparator = false;
      server =
          server.doOnConnection(connection ->
              connection.addHandlerLast(
                  new LineBasedFrameDecoder(LINE_BYTES_MAX, stripSeparator, true)));
    }
    return new ReactorEchoPeer(loops, server.bindNow());
  }

  @Override
  public int port() {
    return server.port();
  }

  @Override
  public String description() {
    return Versions.reactorNetty()
        + ", "
        + Versions.netty()
        + " "
        + (Epoll.isAvailable() ? "epoll" : "nio")
        + ", one event loop";
  }

  @Override
  public void close() {
    server.disposeNow(CLOSE_TIMEOUT);
    loops.disposeLater(QUIET_PERIOD, CLOSE_TIMEOUT).block();
  }
}
