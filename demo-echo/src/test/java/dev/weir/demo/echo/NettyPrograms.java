package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.Asyncio;
import dev.weir.netty.AdoptingServer;
import dev.weir.netty.MessageConnection;
import dev.weir.netty.NettyStreams;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Loop;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.timeout.ReadTimeoutHandler;
import io.netty.handler.traffic.ChannelTrafficShapingHandler;
import java.io.IOException;

/** The examples of docs/netty.md that have to do with programs and handlers of Netty's. */
final class NettyPrograms {
  private NettyPrograms() {}

  // --- Pipelines

  static Server startShaped() throws IOException {
    return NettyStreams.startServer(
        NettyPrograms::greet,
        "127.0.0.1",
        0,
        ServerOptions.defaults(),
        pipeline ->
            pipeline.addLast(
                new ChannelTrafficShapingHandler(1024 * 1024, 0), // Bytes a second, written.
                new ReadTimeoutHandler(30))); // What reads throws SocketTimeoutException then.
  }

  private static void greet(StreamReader reader, StreamWriter writer) throws IOException {
    for (String name : reader.lines(UTF_8)) {
      writer.write("Hello, " + name + "\n");
    }
  }

  // --- Existing programs

  /** A program as it was, but for the last handler. */
  static Channel listen(
      EventLoopGroup group, Class<? extends ServerChannel> type, ChannelHandler last) {
    return new ServerBootstrap()
        .group(group)
        .channel(type)
        .childHandler(
            new ChannelInitializer<>() {
              @Override
              protected void initChannel(Channel channel) {
                HttpServer.addHandlers(channel.pipeline());
                channel.pipeline().addLast(last); // Where its own handler of requests was.
              }
            })
        .bind("127.0.0.1", 0)
        .syncUninterruptibly()
        .channel();
  }

  static AdoptingServer startAdopting() throws IOException {
    return NettyStreams.startAdoptingMessageServer(
        NettyPrograms::serve, ServerOptions.defaults(), FullHttpRequest.class);
  }

  private static void serve(MessageConnection<FullHttpRequest, FullHttpResponse> connection)
      throws IOException {
    HttpServer.serve(connection); // As above.
  }

  static Channel listenOnWeirsLoop(AdoptingServer weir) {
    Loop loop = Asyncio.runningLoop();
    return Asyncio.toThread(() ->
        listen(
            NettyStreams.group(loop),
            NettyStreams.serverSocketChannelType(loop),
            weir.childHandler()));
  }

  static Channel listenOnItsOwnLoops(
      EventLoopGroup group, Class<? extends ServerChannel> type, AdoptingServer weir) {
    return Asyncio.toThread(() -> listen(group, type, weir.childHandler()));
  }
}
