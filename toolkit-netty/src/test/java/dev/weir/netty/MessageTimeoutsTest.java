package dev.weir.netty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.task.Future;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.LineBasedFrameDecoder;
import io.netty.handler.codec.string.StringDecoder;
import io.netty.handler.codec.string.StringEncoder;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.junit.jupiter.api.extension.ExtendWith;

/** A server's timeouts where its connections are of messages. */
@ExtendWith(LeakCheck.class)
class MessageTimeoutsTest {
  /** Long beside the pauses between bytes here, and short beside all of them. */
  private static final Duration IDLE = Duration.ofMillis(600);

  private static final Duration PAUSE = Duration.ofMillis(30);

  private static final int PAUSES = 40;

  private interface ServerBody {
    void run(int port) throws Exception;
  }

  private static void lines(ChannelPipeline pipeline) {
    pipeline.addLast(
        new LineBasedFrameDecoder(1000), new StringDecoder(UTF_8), new StringEncoder(UTF_8));
  }

  private static void with(
      String transport,
      ServerOptions options,
      MessageHandler<String, String> handler,
      ServerBody body) {
    OnLoop.run(
        transport,
        () -> {
          try (Server server =
              NettyStreams.startMessageServer(
                  handler, "127.0.0.1", 0, options, String.class, MessageTimeoutsTest::lines)) {
            body.run(server.addresses().getFirst().getPort());
          }
        });
  }

  @EachTransport
  void aMessageMayTakeLongerThanTheIdleTimeoutAsLongAsItsBytesCome(String transport) {
    with(
        transport,
        ServerOptions.defaults().withIdleTimeout(IDLE).withFirstByteTimeout(IDLE),
        connection -> connection.send(connection.receive() + "\n"),
        port -> {
          try (Connection client = TestServer.connect(port)) {
            for (int i = 0; i < PAUSES; i++) {
              client.writer().write("x");
              Asyncio.sleep(PAUSE);
            }
            client.writer().write("\n");
            assertThat(client.reader().readLine(UTF_8)).isEqualTo("x".repeat(PAUSES));
          }
        });
  }

  @EachTransport
  void aServerThatOnlySendsIsNotIdle(String transport) {
    with(
        transport,
        ServerOptions.defaults().withIdleTimeout(IDLE),
        connection -> {
          for (int i = 0; i < PAUSES; i++) {
            connection.send("news\n");
            Asyncio.sleep(PAUSE);
          }
        },
        port -> {
          try (Connection client = TestServer.connect(port)) {
            assertThat(new String(client.reader().readAll(), UTF_8))
                .isEqualTo("news\n".repeat(PAUSES));
          }
        });
  }

  @EachTransport
  void aMessageMayLeaveMoreSlowlyThanTheIdleTimeoutAsLongAsItsBytesGo(String transport) {
    int part = 400_000; // Far more than the system keeps for a connection, taken together.
    OnLoop.run(
        transport,
        () -> {
          try (Server server =
              NettyStreams.<ByteBuf, ByteBuf>startMessageServer(
                  connection -> {
                    connection.send(Unpooled.wrappedBuffer(new byte[PAUSES * part]));
                    assertThat(connection.receive()).isNull();
                  },
                  "127.0.0.1",
                  0,
                  ServerOptions.defaults().withIdleTimeout(IDLE),
                  ByteBuf.class,
                  pipeline -> {})) {
            try (Connection client = TestServer.connect(server.addresses().getFirst().getPort())) {
              for (int i = 0; i < PAUSES; i++) {
                assertThat(client.reader().readExactly(part)).hasSize(part);
                Asyncio.sleep(PAUSE);
              }
            }
          }
        });
  }

  @EachTransport
  void whoReceivesIsToldOfTheTimeout(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Future<String> told = Asyncio.runningLoop().createFuture();
          try (Server server =
              NettyStreams.<String, String>startMessageServer(
                  connection -> {
                    try {
                      connection.receive();
                    } catch (IOException e) {
                      told.setException(e);
                      throw e;
                    }
                  },
                  "127.0.0.1",
                  0,
                  ServerOptions.defaults().withIdleTimeout(Duration.ofMillis(20)),
                  String.class,
                  MessageTimeoutsTest::lines)) {
            Connection client = TestServer.connect(server.addresses().getFirst().getPort());
            assertThatThrownBy(() -> told.await(IOException.class))
                .isInstanceOf(SocketTimeoutException.class)
                .hasMessage("Nothing was read or written for 0.02 s");
            client.writer().abort();
          }
        });
  }
}
