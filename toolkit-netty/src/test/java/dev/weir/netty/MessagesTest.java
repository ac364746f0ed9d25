package dev.weir.netty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.sync.AsyncEvent;
import dev.weir.task.CancelledError;
import dev.weir.task.Future;
import dev.weir.task.Task;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.handler.codec.LengthFieldPrepender;
import io.netty.handler.codec.LineBasedFrameDecoder;
import io.netty.handler.codec.string.StringDecoder;
import io.netty.handler.codec.string.StringEncoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.extension.ExtendWith;

/** Connections of messages, over sockets. */
@ExtendWith(LeakCheck.class)
class MessagesTest {
  private static final int LINE_MAX = 100;

  /** A test's body beside a server of messages. */
  private interface ServerBody {
    void run(int port) throws Exception;
  }

  private static void lines(ChannelPipeline pipeline) {
    pipeline.addLast(
        new LineBasedFrameDecoder(LINE_MAX), new StringDecoder(UTF_8), new StringEncoder(UTF_8));
  }

  private static void frames(ChannelPipeline pipeline) {
    pipeline.addLast(
        new LengthFieldBasedFrameDecoder(1024 * 1024, 0, 4, 0, 4), new LengthFieldPrepender(4));
  }

  private static void echo(MessageConnection<String, String> connection) throws IOException {
    for (String line : connection) {
      connection.send(line + "\n");
    }
  }

  private static void withLines(
      String transport, MessageHandler<String, String> handler, ServerBody body) {
    with(transport, handler, String.class, MessagesTest::lines, body);
  }

  private static <I, O> void with(
      String transport,
      MessageHandler<I, O> handler,
      Class<I> type,
      PipelineSetup pipeline,
      ServerBody body) {
    OnLoop.run(
        transport,
        () -> {
          try (Server server =
              NettyStreams.startMessageServer(
                  handler, "127.0.0.1", 0, ServerOptions.defaults(), type, pipeline)) {
            body.run(server.addresses().getFirst().getPort());
          }
        });
  }

  private static MessageConnection<String, String> connect(int port) throws IOException {
    return NettyStreams.openMessageConnection(
        "127.0.0.1", port, ConnectOptions.defaults(), String.class, MessagesTest::lines);
  }

  @EachTransportAndIoUring
  void messagesAreDecodedForTheHandlerAndEncodedForThePeer(String transport) {
    withLines(
        transport,
        MessagesTest::echo,
        port -> {
          try (Connection client = TestServer.connect(port)) {
            client.writer().write("one\ntwo\nthr");
            client.writer().write("ee\n");
            client.writer().writeEof();

            assertThat(new String(client.reader().readAll(), UTF_8)).isEqualTo("one\ntwo\nthree\n");
          }
        });
  }

  @EachTransportAndIoUring
  void aClientSendsAndReceivesToTheEnd(String transport) {
    withLines(
        transport,
        MessagesTest::echo,
        port -> {
          try (MessageConnection<String, String> client = connect(port)) {
            client.send("one\n");
            assertThat(client.receive()).isEqualTo("one");
            client.send("two\n");
            client.send("three\n");
            client.writeEof();
            List<String> rest = new ArrayList<>();
            client.forEach(rest::add);
            assertThat(rest).containsExactly("two", "three");
            assertThat(client.receive()).isNull();
            assertThatThrownBy(() -> client.send("four\n"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("send() after writeEof()");
          }
        });
  }

  @EachTransportAndIoUring
  void whatCameBeforeTheHandlersIsDecodedAndSoIsTheEndBehindIt(String transport) {
    OnLoop.run(
        transport,
        () -> {
          AsyncEvent allArrived = new AsyncEvent();
          Future<List<String>> received = Asyncio.runningLoop().createFuture();
          try (Server server =
              Asyncio.startServer(
                  (reader, writer) -> {
                    assertThat(reader.readLine(UTF_8)).isEqualTo("now in messages");
                    writer.write("as you like\n");
                    allArrived.await();
                    while (!reader.atEof() && reader.toString().contains(" 0 bytes")) {
                      Asyncio.sleep(java.time.Duration.ofMillis(1));
                    }
                    MessageConnection<String, String> messages =
                        NettyStreams.messages(writer, String.class, MessagesTest::lines);
                    List<String> all = new ArrayList<>();
                    messages.forEach(all::add);
                    messages.send("done\n");
                    received.setResult(all);
                  },
                  "127.0.0.1",
                  0)) {
            try (Connection client = TestServer.connect(server.addresses().getFirst().getPort())) {
              client.writer().write("now in messages\none\ntwo\n");
              client.writer().writeEof();
              assertThat(client.reader().readLine(UTF_8)).isEqualTo("as you like");
              allArrived.set();
              assertThat(received.await()).containsExactly("one", "two");
              assertThat(client.reader().readLine(UTF_8)).isEqualTo("done");
            }
          }
        });
  }

  @EachTransportAndIoUring
  void whatCannotBeDecodedFailsThatConnectionOnlyBehindWhatCould(String transport) {
    List<Throwable> failures = new ArrayList<>();
    withLines(
        transport,
        connection -> {
          try {
            echo(connection);
          } catch (UncheckedIOException e) {
            failures.add(e.getCause());
            throw e;
          }
        },
        port -> {
          try (MessageConnection<String, String> good = connect(port);
              Connection bad = TestServer.connect(port)) {
            bad.writer().write("fine\n" + "x".repeat(LINE_MAX + 1) + "\n");
            assertThat(bad.reader().readLine(UTF_8)).isEqualTo("fine");
            assertThat(bad.reader().read(1)).isEmpty();

            assertThat(failures).hasSize(1);
            assertThat(failures.getFirst())
                .isInstanceOf(PipelineException.class)
                .hasMessageContaining("What the peer sent cannot be decoded");
            good.send("still here\n");
            assertThat(good.receive()).isEqualTo("still here");
          }
        });
  }

  @EachTransportAndIoUring
  void aMessageOfAnotherTypeSaysWhichItIs(String transport) {
    with(
        transport,
        MessagesTest::echo,
        String.class,
        MessagesTest::lines,
        port -> {
          try (MessageConnection<Integer, String> client =
              NettyStreams.openMessageConnection(
                  "127.0.0.1",
                  port,
                  ConnectOptions.defaults(),
                  Integer.class,
                  MessagesTest::lines)) {
            client.send("one\n");
            assertThatThrownBy(client::receive)
                .isInstanceOf(PipelineException.class)
                .hasMessageStartingWith(
                    "A message of java.lang.String came out of the pipeline where java.lang.Integer"
                        + " is received");
          }
        });
  }

  @EachTransportAndIoUring
  void aCancelledReceiveTakesNothing(String transport) {
    withLines(
        transport,
        MessagesTest::echo,
        port -> {
          try (MessageConnection<String, String> client = connect(port)) {
            Task<String> receiving = Asyncio.createTask(client::receive);
            Asyncio.sleep(java.time.Duration.ZERO);
            assertThatThrownBy(client::receive)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("let one task receive");
            receiving.cancel();
            assertThatThrownBy(receiving::await).isInstanceOf(CancelledError.class);

            client.send("one\n");

            assertThat(client.receive()).isEqualTo("one");
          }
        });
  }

  @EachTransportAndIoUring
  void whatNobodyReceivedIsReleasedWhenTheHandlerReturns(String transport) {
    List<ByteBuf> decoded = new ArrayList<>();
    with(
        transport,
        connection -> {
          ByteBuf first = connection.receive();
          assertThat(first).isNotNull();
          OnLoop.passRoundsUntil(() -> decoded.size() == 3);
          connection.send(first);
        },
        ByteBuf.class,
        pipeline -> {
          frames(pipeline);
          pipeline.addLast(
              new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext context, Object message) {
                  decoded.add((ByteBuf) message);
                  context.fireChannelRead(message);
                }
              });
        },
        port -> {
          try (MessageConnection<ByteBuf, ByteBuf> client =
              NettyStreams.openMessageConnection(
                  "127.0.0.1",
                  port,
                  ConnectOptions.defaults(),
                  ByteBuf.class,
                  MessagesTest::frames)) {
            for (String text : List.of("one", "two", "three")) {
              client.send(Unpooled.copiedBuffer(text, UTF_8));
            }
            ByteBuf answer = client.receive();
            assertThat(answer.toString(UTF_8)).isEqualTo("one");
            answer.release();
            assertThat(client.receive()).isNull();
          }
        });
    assertThat(decoded).isNotEmpty().allMatch(message -> message.refCnt() == 0);
  }

  @EachTransportAndIoUring
  void sendTakesTheMessageOverAlsoWhereItThrows(String transport) {
    with(
        transport,
        connection -> connection.receive(),
        ByteBuf.class,
        MessagesTest::frames,
        port -> {
          MessageConnection<ByteBuf, ByteBuf> client =
              NettyStreams.openMessageConnection(
                  "127.0.0.1",
                  port,
                  ConnectOptions.defaults(),
                  ByteBuf.class,
                  MessagesTest::frames);
          client.close();
          ByteBuf message = Unpooled.copiedBuffer("late", UTF_8);

          assertThatThrownBy(() -> client.send(message)).isInstanceOf(SocketException.class);

          assertThat(message.refCnt()).isZero();
          assertThatThrownBy(client::receive)
              .isInstanceOf(SocketException.class)
              .hasMessage("receive() after close()");
        });
  }

  @EachTransportAndIoUring
  void aMessageThatCannotBeEncodedIsReportedAndEndsTheConnection(String transport) {
    OnLoop.run(
        transport,
        () -> {
          List<String> reports = new ArrayList<>();
          Asyncio.runningLoop()
              .setExceptionHandler((loop, context) -> reports.add(context.message()));
          try (Server server =
              NettyStreams.<String, Object>startMessageServer(
                  connection -> {
                    connection.send(new IllegalStateException("no codec is for this"));
                    connection.receive();
                  },
                  "127.0.0.1",
                  0,
                  ServerOptions.defaults(),
                  String.class,
                  MessagesTest::lines)) {
            try (Connection client = TestServer.connect(server.addresses().getFirst().getPort())) {
              assertThat(client.reader().read(1)).isEmpty();
            }
          }
          assertThat(reports).hasSize(1);
        });
  }

  @EachTransportAndIoUring
  void handlersThatCannotBeAddedFailTheConnection(String transport) {
    withLines(
        transport,
        MessagesTest::echo,
        port ->
            assertThatThrownBy(() ->
                    NettyStreams.openMessageConnection(
                        "127.0.0.1",
                        port,
                        ConnectOptions.defaults(),
                        String.class,
                        pipeline -> {
                          throw new IllegalArgumentException("no such codec");
                        }))
                .isInstanceOf(PipelineException.class)
                .hasMessageContaining("no such codec"));
  }

  /** Counts what was decoded, for the test of what waits. */
  private static final class Counting extends ChannelInboundHandlerAdapter {
    private final AtomicInteger decoded;

    Counting(AtomicInteger decoded) {
      this.decoded = decoded;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      decoded.incrementAndGet();
      context.fireChannelRead(message);
    }
  }

  /** How many messages of 12 bytes, their length included, one read may bring. */
  private static final int SMALL_PER_READ_MAX = 64 * 1024 / 12 + 1;

  private static final int SMALL = Integer.getInteger("weir.test.messages", 10_000);

  /** By {@code -Dweir.test.messages=1000000} a million each way. */
  @EachTransportAndIoUring
  void manyMessagesEachWayKeepTheirOrderWithASlowReceiver(String transport) {
    AtomicInteger decoded = new AtomicInteger();
    AtomicInteger waitingMost = new AtomicInteger();
    with(
        transport,
        (MessageConnection<ByteBuf, ByteBuf> connection) -> {
          int received = 0;
          for (ByteBuf message : connection) {
            waitingMost.accumulateAndGet(decoded.get() - received, Math::max);
            assertThat(message.getLong(message.readerIndex())).isEqualTo(received++);
            connection.send(message);
            if (received % 100 == 0) {
              Asyncio.sleep(java.time.Duration.ZERO);
            }
          }
        },
        ByteBuf.class,
        pipeline -> {
          frames(pipeline);
          pipeline.addLast(new Counting(decoded));
        },
        port -> {
          try (MessageConnection<ByteBuf, ByteBuf> client =
              NettyStreams.openMessageConnection(
                  "127.0.0.1",
                  port,
                  ConnectOptions.defaults(),
                  ByteBuf.class,
                  MessagesTest::frames)) {
            Task<?> sending =
                Asyncio.createTask(() -> {
                  for (long i = 0; i < SMALL; i++) {
                    client.send(client.channel().alloc().buffer(Long.BYTES).writeLong(i));
                  }
                  client.writeEof();
                });
            long back = 0;
            for (ByteBuf message : client) {
              long number = message.readLong();
              message.release();
              assertThat(number).isEqualTo(back++);
            }
            assertThat(back).isEqualTo(SMALL);
            sending.await();
          }
        });
    assertThat(waitingMost.get())
        .isLessThanOrEqualTo(SMALL_PER_READ_MAX + MessageConnection.MESSAGES_MAX);
  }

  @EachTransportAndIoUring
  void aSlowReceiverHoldsThePeerBack(String transport) {
    int messages = 2_000;
    int bytes = 16 * 1024; // Four of them are as many bytes as may wait.
    AtomicInteger decoded = new AtomicInteger();
    AtomicInteger waitingMost = new AtomicInteger();
    with(
        transport,
        (MessageConnection<ByteBuf, ByteBuf> connection) -> {
          connection.send(Unpooled.EMPTY_BUFFER); // Come, and not before the handlers are there.
          int received = 0;
          for (ByteBuf message : connection) {
            waitingMost.accumulateAndGet(decoded.get() - received, Math::max);
            int number = message.readInt();
            message.release();
            assertThat(number).isEqualTo(received++);
            Asyncio.sleep(java.time.Duration.ZERO);
          }
          connection.send(Unpooled.copyInt(received));
        },
        ByteBuf.class,
        pipeline -> {
          frames(pipeline);
          pipeline.addLast(new Counting(decoded));
        },
        port -> {
          try (MessageConnection<ByteBuf, ByteBuf> client =
              NettyStreams.openMessageConnection(
                  "127.0.0.1",
                  port,
                  ConnectOptions.defaults(),
                  ByteBuf.class,
                  MessagesTest::frames)) {
            client.receive().release();
            for (int i = 0; i < messages; i++) {
              client.send(Unpooled.buffer(bytes).writeInt(i).writeZero(bytes - Integer.BYTES));
            }
            client.writeEof();
            ByteBuf count = client.receive();
            assertThat(count.readInt()).isEqualTo(messages);
            count.release();
          }
        });
    assertThat(waitingMost.get()).isBetween(2, 10);
  }
}
