package dev.weir.netty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.ExceptionContext;
import dev.weir.task.Task;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.LineBasedFrameDecoder;
import io.netty.handler.codec.string.StringDecoder;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.handler.timeout.ReadTimeoutHandler;
import io.netty.handler.traffic.ChannelTrafficShapingHandler;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Streams of bytes behind handlers of a user's. */
@ExtendWith(LeakCheck.class)
class PipelineTest {
  private interface Body {
    void run(Connection client) throws Exception;
  }

  /** A server that echoes, behind handlers, and a client behind others. */
  private static void withEcho(
      String transport, PipelineSetup ofServer, PipelineSetup ofClient, Body body) {
    OnLoop.run(transport, () -> serveEcho(ofServer, ofClient, body));
  }

  private static void serveEcho(PipelineSetup ofServer, PipelineSetup ofClient, Body body)
      throws Exception {
    try (Server server =
            NettyStreams.startServer(
                PipelineTest::echo, "127.0.0.1", 0, ServerOptions.defaults(), ofServer);
        Connection client =
            NettyStreams.openConnection(
                "127.0.0.1",
                server.addresses().getFirst().getPort(),
                ConnectOptions.defaults(),
                ofClient)) {
      body.run(client);
    }
  }

  private static void echo(StreamReader reader, StreamWriter writer) throws IOException {
    for (byte[] data = reader.read(1 << 16); data.length > 0; data = reader.read(1 << 16)) {
      writer.write(data);
    }
  }

  private static void nothing(ChannelPipeline pipeline) {}

  private static void inverted(ChannelPipeline pipeline) {
    pipeline.addLast(new Inverting());
  }

  /** Stands for a cipher, or what else changes every byte. */
  private static final class Inverting extends ChannelDuplexHandler {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      context.fireChannelRead(inverted(context, (ByteBuf) message));
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
      context.write(inverted(context, (ByteBuf) message), promise);
    }

    private static ByteBuf inverted(ChannelHandlerContext context, ByteBuf bytes) {
      try {
        byte[] inverted = ByteBufUtil.getBytes(bytes);
        for (int i = 0; i < inverted.length; i++) {
          inverted[i] ^= -1;
        }
        return context.alloc().buffer(inverted.length).writeBytes(inverted);
      } finally {
        bytes.release();
      }
    }
  }

  @EachTransportAndIoUring
  void bytesGoThroughTheHandlersBothWays(String transport) {
    byte[] sent = new byte[100_000];
    Arrays.fill(sent, (byte) 'a');
    withEcho(
        transport,
        PipelineTest::inverted,
        PipelineTest::inverted,
        client -> {
          Task<?> writing = Asyncio.createTask(() -> client.writer().write(sent));
          assertThat(client.reader().readExactly(sent.length)).isEqualTo(sent);
          writing.await();
        });
  }

  @EachTransportAndIoUring
  void whatCameBeforeTheHandlersGoesThroughThem(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Server server =
              Asyncio.startServer(
                  (reader, writer) -> {
                    assertThat(reader.readLine(UTF_8)).isEqualTo("invert");
                    writer.write("from now on\n");
                    NettyStreams.addHandlers(writer, PipelineTest::inverted);
                    writer.write(reader.readExactly(5));
                  },
                  "127.0.0.1",
                  0)) {
            try (Connection client = TestServer.connect(server.addresses().getFirst().getPort())) {
              client.writer().write("invert\n");
              assertThat(client.reader().readLine(UTF_8)).isEqualTo("from now on");
              NettyStreams.addHandlers(client.writer(), PipelineTest::inverted);
              client.writer().write("hello");
              assertThat(client.reader().readExactly(5)).isEqualTo("hello".getBytes(UTF_8));
            }
          }
        });
  }

  @EachTransport
  void aServerListensOnSeveralHostsAndOnAUnixSocket(String transport, @TempDir Path folder) {
    ServerOptions options = ServerOptions.defaults();
    Path path = folder.resolve("socket");
    OnLoop.run(
        transport,
        () -> {
          try (Server onHosts =
                  NettyStreams.startServer(
                      PipelineTest::echo,
                      List.of("127.0.0.1"),
                      0,
                      options,
                      PipelineTest::inverted);
              Server onUnix =
                  NettyStreams.startUnixServer(
                      PipelineTest::echo, path, options, PipelineTest::inverted)) {
            try (Connection tcp = TestServer.connect(onHosts.addresses().getFirst().getPort());
                Connection unix = Asyncio.openUnixConnection(path)) {
              assertThat(onUnix.path()).isEqualTo(path);
              assertThat(TestServer.ask(tcp, "one")).isEqualTo("one");
              assertThat(TestServer.ask(unix, "two")).isEqualTo("two");
            }
          }
        });
  }

  /** Keeps what is written until it is told to let go. */
  private static final class Keeping extends ChannelOutboundHandlerAdapter {
    private final Queue<Runnable> kept = new ArrayDeque<>();

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
      kept.add(() -> context.writeAndFlush(message, promise));
    }

    void letGo() {
      while (!kept.isEmpty()) {
        kept.remove().run();
      }
    }
  }

  @EachTransportAndIoUring
  void aWriterWaitsAlsoForWhatAHandlerKeeps(String transport) {
    Keeping keeping = new Keeping();
    withEcho(
        transport,
        PipelineTest::nothing,
        pipeline -> pipeline.addLast(keeping),
        client -> {
          byte[] half = new byte[40 * 1024];
          client.writer().write(half);
          client.writer().write(half); // Above high water now.
          Task<?> third = Asyncio.createTask(() -> client.writer().write(half));
          assertThat(client.reader().toString()).contains("0 bytes");
          Channel channel = NettyStreams.channel(client.writer());
          for (int i = 0; i < 3; i++) {
            Asyncio.sleep(Duration.ofMillis(1));
          }
          assertThat(third.done()).isFalse();

          channel.eventLoop().execute(keeping::letGo);

          third.await();
          Task<?> rest =
              Asyncio.createTask(() -> {
                while (true) {
                  channel.eventLoop().execute(keeping::letGo);
                  Asyncio.sleep(Duration.ofMillis(1));
                }
              });
          assertThat(client.reader().readExactly(3 * half.length)).hasSize(3 * half.length);
          rest.cancel();
        });
  }

  @EachTransportAndIoUring
  void closeWaitsForWhatAHandlerKeeps(String transport) {
    withEcho(
        transport,
        pipeline -> pipeline.addLast(new ChannelTrafficShapingHandler(1024 * 1024, 0, 50)),
        PipelineTest::nothing,
        client -> {
          byte[] sent = new byte[100 * 1024];
          client.writer().write(sent);
          client.writer().writeEof();
          assertThat(client.reader().readAll()).isEqualTo(sent);
        });
  }

  @EachTransportAndIoUring
  void anIdleHandlerEndsAConnection(String transport) {
    withEcho(
        transport,
        pipeline ->
            pipeline.addLast(
                new IdleStateHandler(0, 0, 20, TimeUnit.MILLISECONDS),
                new ChannelInboundHandlerAdapter() {
                  @Override
                  public void userEventTriggered(ChannelHandlerContext context, Object event) {
                    context.close();
                  }
                }),
        PipelineTest::nothing,
        client -> assertThat(client.reader().read(1)).isEmpty());
  }

  @EachTransportAndIoUring
  void aTimeoutOfAHandlersIsTheReadersException(String transport) {
    withEcho(
        transport,
        PipelineTest::nothing,
        pipeline -> pipeline.addLast(new ReadTimeoutHandler(20, TimeUnit.MILLISECONDS)),
        client ->
            assertThatThrownBy(() -> client.reader().read(1))
                .isInstanceOf(SocketTimeoutException.class)
                .hasMessageContaining("ReadTimeoutException"));
  }

  @EachTransportAndIoUring
  void handlersAreToldThatTheConnectionIsOpen(String transport) {
    List<String> events = new ArrayList<>();
    withEcho(
        transport,
        PipelineTest::nothing,
        pipeline ->
            pipeline.addLast(
                new ChannelInboundHandlerAdapter() {
                  @Override
                  public void channelActive(ChannelHandlerContext context) {
                    events.add("active");
                    context.fireChannelActive();
                  }

                  @Override
                  public void channelRead(ChannelHandlerContext context, Object message) {
                    events.add(((ByteBuf) message).toString(UTF_8));
                    context.fireChannelRead(message);
                  }
                }),
        client -> {
          client.writer().write("hello");
          assertThat(client.reader().readExactly(5)).isEqualTo("hello".getBytes(UTF_8));
        });
    assertThat(events).containsExactly("active", "hello");
  }

  @EachTransportAndIoUring
  void messagesThatAreNotBytesFailAStreamAndAreReported(String transport) {
    List<ExceptionContext> reports =
        OnLoop.runAndCollectReports(
            transport,
            () ->
                serveEcho(
                    PipelineTest::nothing,
                    pipeline ->
                        pipeline.addLast(new LineBasedFrameDecoder(100), new StringDecoder(UTF_8)),
                    client -> {
                      client.writer().write("hello\n");
                      assertThatThrownBy(() -> client.reader().readLine())
                          .rootCause()
                          .isInstanceOf(PipelineException.class)
                          .hasMessageStartingWith(
                              "A message of java.lang.String came out of the pipeline, and a"
                                  + " stream takes bytes");
                    }));
    assertThat(reports)
        .singleElement()
        .extracting(ExceptionContext::exception)
        .isInstanceOf(PipelineException.class);
  }

  @EachTransportAndIoUring
  void aPipelineIsSetUpOnceAndBeforeAnybodyReads(String transport) {
    withEcho(
        transport,
        PipelineTest::nothing,
        PipelineTest::nothing,
        client -> {
          assertThatThrownBy(() -> NettyStreams.addHandlers(client.writer(), PipelineTest::nothing))
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("add all handlers at once");
          try (Connection plain = client) {
            assertThatThrownBy(
                    () -> plain.writer().startTls(dev.weir.tls.ClientTls.defaults(), "localhost"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("start TLS first");
          }
        });
  }

  @EachTransportAndIoUring
  void theChannelBeneathAConnectionIsNettys(String transport) {
    withEcho(
        transport,
        PipelineTest::nothing,
        PipelineTest::nothing,
        client -> {
          Channel channel = NettyStreams.channel(client.writer());
          assertThat(channel.localAddress()).isEqualTo(client.writer().localAddress());
          assertThat(client.writer().extraInfo(Channel.class)).isSameAs(channel);
          assertThat(client.writer().extraInfo(String.class)).isNull();
        });
  }
}
