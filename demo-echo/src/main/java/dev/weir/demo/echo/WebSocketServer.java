package dev.weir.demo.echo;

import dev.weir.netty.MessageConnection;
import dev.weir.netty.NettyStreams;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import java.io.IOException;

/** Sends every message of a WebSocket back, text as text and bytes as bytes. */
public final class WebSocketServer {
  private static final int MESSAGE_BYTES_MAX = 16 * 1024 * 1024;
  private static final int HANDSHAKE_BYTES_MAX = 8 * 1024;

  private WebSocketServer() {}

  static Server start(String host, int port) throws IOException {
    return NettyStreams.startMessageServer(
        WebSocketServer::serve,
        host,
        port,
        ServerOptions.defaults(),
        WebSocketFrame.class,
        WebSocketServer::addHandlers);
  }

  static void addHandlers(ChannelPipeline pipeline) {
    WebSocketServerProtocolConfig config =
        WebSocketServerProtocolConfig.newBuilder()
            .websocketPath("/")
            .checkStartsWith(true) // Any path will do.
            .maxFramePayloadLength(MESSAGE_BYTES_MAX)
            .build();
    pipeline.addLast(
        new HttpServerCodec(), // For the handshake, after which it is gone.
        new HttpObjectAggregator(HANDSHAKE_BYTES_MAX),
        new WebSocketServerProtocolHandler(config), // Answers the handshake, pings and the close.
        new WebSocketFrameAggregator(MESSAGE_BYTES_MAX)); // Puts fragments together.
  }

  /** Serves one client: a frame that is received is ours, and sending it gives it away. */
  static void serve(MessageConnection<WebSocketFrame, WebSocketFrame> connection)
      throws IOException {
    for (WebSocketFrame message : connection) {
      connection.send(message);
    }
  }
}
