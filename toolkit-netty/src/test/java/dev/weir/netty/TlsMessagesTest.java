package dev.weir.netty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Future;
import dev.weir.tls.TlsProvider;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.LineBasedFrameDecoder;
import io.netty.handler.codec.string.StringDecoder;
import io.netty.handler.codec.string.StringEncoder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;

/** Handlers behind TLS, and what becomes of messages where the session ends. */
@ExtendWith(LeakCheck.class)
class TlsMessagesTest {
  private interface ServerBody {
    void run(int port) throws Exception;
  }

  private static void lines(ChannelPipeline pipeline) {
    pipeline.addLast(
        new LineBasedFrameDecoder(100), new StringDecoder(UTF_8), new StringEncoder(UTF_8));
  }

  /** Makes one message of all that comes, at its end: as a response that the end delimits. */
  private static final class ToTheEnd extends ByteToMessageDecoder {
    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {}

    @Override
    protected void decodeLast(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
      if (in.isReadable()) {
        out.add(in.readRetainedSlice(in.readableBytes()));
      }
    }
  }

  private static ServerOptions secured(TlsProvider provider) {
    return ServerOptions.defaults().withTls(TestCertificates.serverTls(provider));
  }

  private static ConnectOptions trusting(TlsProvider provider) {
    return ConnectOptions.defaults().withTls(TestCertificates.clientTls(provider));
  }

  private static void withMessages(
      String transport,
      TlsProvider provider,
      MessageHandler<String, String> handler,
      ServerBody body) {
    OnLoop.run(
        transport,
        () -> {
          try (Server server =
              NettyStreams.startMessageServer(
                  handler,
                  "127.0.0.1",
                  0,
                  secured(provider),
                  String.class,
                  TlsMessagesTest::lines)) {
            body.run(server.addresses().getFirst().getPort());
          }
        });
  }

  @EachTlsProvider
  void messagesGoBothWays(String transport, TlsProvider provider) {
    withMessages(
        transport,
        provider,
        connection -> {
          for (String line : connection) {
            connection.send(line + "\n");
          }
        },
        port -> {
          try (MessageConnection<String, String> client =
              NettyStreams.openMessageConnection(
                  "127.0.0.1", port, trusting(provider), String.class, TlsMessagesTest::lines)) {
            assertThat(client.tlsSession()).isNotNull();
            for (int i = 0; i < 100; i++) {
              client.send("line " + i + "\n");
              assertThat(client.receive()).isEqualTo("line " + i);
            }
          }
        });
  }

  /** The client's handshake, its messages and its end are in one read, as a rule. */
  @EachTlsProvider
  void whatCameWithTheEndOfTheSessionIsReceived(String transport, TlsProvider provider) {
    List<String> received = new ArrayList<>();
    OnLoop.run(
        transport,
        () -> {
          Future<String> end = Asyncio.runningLoop().createFuture();
          try (Server server =
              NettyStreams.<String, String>startMessageServer(
                  connection -> {
                    connection.forEach(received::add);
                    end.setResult("orderly");
                  },
                  "127.0.0.1",
                  0,
                  secured(provider),
                  String.class,
                  TlsMessagesTest::lines)) {
            try (Connection client = connect(server, provider)) {
              client.writer().write("one\ntwo\n");
            }
            assertThat(end.await()).isEqualTo("orderly");
          }
        });
    assertThat(received).containsExactly("one", "two");
  }

  @EachTlsProvider
  void bytesThatCameWithTheEndOfTheSessionGoThroughTheHandlers(
      String transport, TlsProvider provider) {
    OnLoop.run(
        transport,
        () -> {
          Future<String> received = Asyncio.runningLoop().createFuture();
          try (Server server =
              NettyStreams.startServer(
                  (StreamReader reader, StreamWriter writer) ->
                      received.setResult(new String(reader.readAll(), UTF_8)),
                  "127.0.0.1",
                  0,
                  secured(provider),
                  pipeline -> pipeline.addLast(new ToTheEnd()))) {
            try (Connection client = connect(server, provider)) {
              client.writer().write("one and two");
            }
            assertThat(received.await()).isEqualTo("one and two");
          }
        });
  }

  @EachTlsProvider
  void aMessageThatTheEndOfTheSessionCompletesIsReceived(String transport, TlsProvider provider) {
    OnLoop.run(
        transport,
        () -> {
          try (Server server =
              Asyncio.startServer(
                  (reader, writer) -> {
                    reader.readExactly(1);
                    writer.write("all of it");
                  },
                  "127.0.0.1",
                  0,
                  secured(provider))) {
            try (MessageConnection<ByteBuf, ByteBuf> client =
                NettyStreams.openMessageConnection(
                    "127.0.0.1",
                    server.addresses().getFirst().getPort(),
                    trusting(provider),
                    ByteBuf.class,
                    pipeline -> pipeline.addLast(new ToTheEnd()))) {
              client.send(client.channel().alloc().buffer().writeByte('?'));
              ByteBuf response = client.receive();
              assertThat(response).isNotNull();
              assertThat(response.toString(UTF_8)).isEqualTo("all of it");
              response.release();
              assertThat(client.receive()).isNull();
            }
          }
        });
  }

  private static Connection connect(Server server, TlsProvider provider) throws IOException {
    return Asyncio.openConnection(
        "127.0.0.1", server.addresses().getFirst().getPort(), trusting(provider));
  }
}
