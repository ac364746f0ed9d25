package dev.weir.netty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamWriter;
import dev.weir.sync.AsyncEvent;
import dev.weir.task.CancelledError;
import dev.weir.task.ExceptionContext;
import dev.weir.task.Future;
import dev.weir.task.Task;
import dev.weir.task.Timeout;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.handler.codec.LengthFieldPrepender;
import io.netty.handler.codec.LineBasedFrameDecoder;
import io.netty.handler.codec.string.StringDecoder;
import io.netty.handler.codec.string.StringEncoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Connections of messages, over sockets. */
@ExtendWith(LeakCheck.class)
class MessagesTest {
  private static final int LINE_MAX = 100;

  /** Less than connections may take to send the rest; what takes this long waits in vain. */
  private static final java.time.Duration GONE_SOON = java.time.Duration.ofSeconds(7);

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
    with(transport, OnLoop.PATIENCE, handler, type, pipeline, body);
  }

  private static <I, O> void with(
      String transport,
      Duration patience,
      MessageHandler<I, O> handler,
      Class<I> type,
      PipelineSetup pipeline,
      ServerBody body) {
    OnLoop.run(
        transport,
        patience,
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

  @EachTransport
  void aServerListensOnSeveralHostsAndOnAUnixSocket(String transport, @TempDir Path folder) {
    ServerOptions options = ServerOptions.defaults();
    PipelineSetup lines = MessagesTest::lines;
    Path path = folder.resolve("socket");
    OnLoop.run(
        transport,
        () -> {
          try (Server onHosts =
                  NettyStreams.startMessageServer(
                      MessagesTest::echo, List.of("127.0.0.1"), 0, options, String.class, lines);
              Server onUnix =
                  NettyStreams.startUnixMessageServer(
                      MessagesTest::echo, path, options, String.class, lines)) {
            try (Connection tcp = TestServer.connect(onHosts.addresses().getFirst().getPort());
                Connection unix = Asyncio.openUnixConnection(path)) {
              assertThat(onUnix.path()).isEqualTo(path);
              assertThat(TestServer.ask(tcp, "one")).isEqualTo("one");
              assertThat(TestServer.ask(unix, "two")).isEqualTo("two");
            }
          }
        });
  }

  @EachTransport
  void whoClosesMayWaitForTheEnd(String transport) {
    withLines(
        transport,
        MessagesTest::echo,
        port -> {
          MessageConnection<String, String> client = connect(port);
          assertThat(client.isClosing()).isFalse();
          assertThat(client.tlsSession()).isNull();
          client.close();
          assertThat(client.isClosing()).isTrue();
          client.waitClosed();
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

  @EachTransport
  void whoSendsWhatCannotBeDecodedTakesUpNoSlotOnceItHasGone(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Server server =
              NettyStreams.startMessageServer(
                  connection -> {
                    try {
                      connection.receive();
                    } catch (PipelineException e) {
                      // It has to go.
                    }
                  },
                  "127.0.0.1",
                  0,
                  ServerOptions.defaults(),
                  String.class,
                  MessagesTest::lines)) {
            int port = server.addresses().getFirst().getPort();
            try (Connection bad = TestServer.connect(port)) {
              bad.writer().write("x".repeat(LINE_MAX + 1) + "\n");
              assertThat(bad.reader().read(1)).isEmpty();
              bad.writer().write("y".repeat(100_000) + "\n");
            }
            Timeout.after(GONE_SOON).run(timeout -> server.shutdown(GONE_SOON.multipliedBy(2)));
          }
        });
  }

  @EachTransport
  void aPeerThatHasGoneBeforeTheHandlersCameIsNoErrorToReport(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Future<Throwable> thrown = Asyncio.runningLoop().createFuture();
          try (Server server =
              Asyncio.startServer(
                  (reader, writer) -> {
                    writer.awaitPeerGone();
                    try {
                      NettyStreams.messages(writer, String.class, MessagesTest::lines);
                    } catch (IOException e) {
                      thrown.setResult(e);
                      throw e;
                    }
                  },
                  "127.0.0.1",
                  0)) {
            TestServer.connect(server.addresses().getFirst().getPort()).writer().abort();
            assertThat(thrown.await())
                .isInstanceOf(ConnectionResetException.class)
                .hasMessage("Connection reset by peer");
          }
        });
  }

  @EachTransport
  void whoReceivesFromAConnectionThatAnotherTaskHasClosedIsNoErrorToReport(String transport) {
    AsyncEvent ended = new AsyncEvent();
    withLines(
        transport,
        connection -> {
          try {
            Asyncio.runningLoop().callSoon(connection::close);
            connection.receive();
          } finally {
            ended.set();
          }
        },
        port -> {
          try (Connection client = TestServer.connect(port)) {
            assertThat(client.reader().read(1)).isEmpty();
            ended.await();
          }
        });
  }

  @EachTransport
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
            Asyncio.yieldNow();
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

  /** Looks at what was decoded, and takes no reference. */
  private static final class Collecting extends ChannelInboundHandlerAdapter {
    private final List<ByteBuf> decoded;

    Collecting(List<ByteBuf> decoded) {
      this.decoded = decoded;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      decoded.add((ByteBuf) message);
      context.fireChannelRead(message);
    }
  }

  @EachTransport
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
          pipeline.addLast(new Collecting(decoded));
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

  /** How a handler that made messages of its bytes may leave. */
  private enum Leaving {
    RETURNS {
      @Override
      void leave(StreamWriter writer) {}
    },
    CLOSES {
      @Override
      void leave(StreamWriter writer) {
        writer.close();
        Asyncio.yieldNow();
      }
    },
    ABORTS {
      @Override
      void leave(StreamWriter writer) {
        writer.abort();
      }
    },
    LEAVES_WHEN_THE_PEER_HAS_GONE {
      @Override
      void leave(StreamWriter writer) throws IOException {
        writer.write("go\n");
        writer.waitClosed();
      }
    };

    abstract void leave(StreamWriter writer) throws IOException;
  }

  @ParameterizedTest
  @EnumSource(Leaving.class)
  void whatNobodyReceivedIsReleasedWhereBytesBecameMessages(Leaving leaving) {
    List<ByteBuf> decoded = new ArrayList<>();
    OnLoop.run(
        "nio",
        () -> {
          AsyncEvent left = new AsyncEvent();
          try (Server server =
              Asyncio.startServer(
                  (reader, writer) -> {
                    try {
                      NettyStreams.messages(
                          writer,
                          ByteBuf.class,
                          pipeline -> {
                            pipeline.addLast(new LineBasedFrameDecoder(LINE_MAX));
                            pipeline.addLast(new Collecting(decoded));
                          });
                      OnLoop.passRoundsUntil(() -> decoded.size() == 2);
                      leaving.leave(writer);
                    } catch (ConnectionResetException e) {
                      assertThat(leaving).isEqualTo(Leaving.LEAVES_WHEN_THE_PEER_HAS_GONE);
                    } finally {
                      left.set();
                    }
                  },
                  "127.0.0.1",
                  0)) {
            Connection client = TestServer.connect(server.addresses().getFirst().getPort());
            client.writer().write("one\ntwo\n");
            if (leaving == Leaving.LEAVES_WHEN_THE_PEER_HAS_GONE) {
              client.reader().readLine();
              client.writer().abort();
            }
            left.await();
            OnLoop.passRounds(2);
            assertThat(decoded).hasSize(2).allMatch(message -> message.refCnt() == 0);
            client.writer().abort();
          }
        });
  }

  @EachTransport
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

  @EachTransport
  void aHandlerThatFailsIsReportedAndIsWhatReceiveThrows(String transport) {
    assertFailsOnce(
        transport,
        pipeline -> {
          lines(pipeline);
          pipeline.addLast(
              new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext context, Object message) {
                  throw new IllegalStateException("a bug of the handler's");
                }
              });
        },
        1,
        "A handler of the pipeline failed: java.lang.IllegalStateException: a bug of the"
            + " handler's");
  }

  @EachTransport
  void aMessageForWhichThereIsNoEncoderIsReportedAndIsWhatReceiveThrows(String transport) {
    assertFailsOnce(
        transport,
        pipeline -> pipeline.addLast(new LineBasedFrameDecoder(LINE_MAX)),
        5, // Of those that fail together, one is reported.
        "A handler of the pipeline failed: java.lang.UnsupportedOperationException: unsupported"
            + " message type: String");
  }

  private static void assertFailsOnce(
      String transport, PipelineSetup pipeline, int sent, String message) {
    List<ExceptionContext> reports =
        OnLoop.runAndCollectReports(
            transport,
            () -> {
              try (Server server =
                      NettyStreams.startMessageServer(
                          MessagesTest::echo,
                          "127.0.0.1",
                          0,
                          ServerOptions.defaults(),
                          String.class,
                          MessagesTest::lines);
                  MessageConnection<String, String> client =
                      NettyStreams.openMessageConnection(
                          "127.0.0.1",
                          server.addresses().getFirst().getPort(),
                          ConnectOptions.defaults(),
                          String.class,
                          pipeline)) {
                for (int i = 0; i < sent; i++) {
                  client.send("one\n");
                }
                assertThatThrownBy(client::receive)
                    .isInstanceOf(PipelineException.class)
                    .hasMessageStartingWith(message);
              }
            });
    assertThat(reports).hasSize(1);
  }

  @EachTransport
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

  @EachTransport
  void handlersWhoseClassIsMissingFailTheConnection(String transport) {
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
                          throw new NoClassDefFoundError("no/such/Codec");
                        }))
                .isInstanceOf(PipelineException.class)
                .hasRootCauseInstanceOf(NoClassDefFoundError.class));
  }

  /** A message above high water. */
  private static ByteBuf large(int number) {
    return Unpooled.buffer(100_000).writeInt(number).writeZero(100_000 - Integer.BYTES);
  }

  /** Keeps what is sent until it is told to let go, and notes its numbers. */
  private static final class Keeping extends ChannelOutboundHandlerAdapter {
    private final Queue<Runnable> kept = new ArrayDeque<>();
    private final List<Integer> sent = new ArrayList<>();

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
      ByteBuf buffer = (ByteBuf) message;
      sent.add(buffer.getInt(buffer.readerIndex()));
      kept.add(() -> context.writeAndFlush(message, promise));
    }

    void letOneGo(MessageConnection<?, ?> connection) {
      connection.channel().eventLoop().execute(() -> kept.remove().run());
    }
  }

  private static void withKeeping(String transport, Keeping keeping, MessageBody body) {
    with(
        transport,
        connection -> connection.forEach(ByteBuf::release),
        ByteBuf.class,
        MessagesTest::frames,
        port -> {
          try (MessageConnection<ByteBuf, ByteBuf> client =
              NettyStreams.openMessageConnection(
                  "127.0.0.1",
                  port,
                  ConnectOptions.defaults(),
                  ByteBuf.class,
                  pipeline -> pipeline.addLast(new LengthFieldPrepender(4), keeping))) {
            body.run(client);
          }
        });
  }

  private interface MessageBody {
    void run(MessageConnection<ByteBuf, ByteBuf> connection) throws Exception;
  }

  @EachTransport
  void whoWaitsToSendDoesSoInTurnAndOneAtATime(String transport) {
    Keeping keeping = new Keeping();
    withKeeping(
        transport,
        keeping,
        client -> {
          List<Task<?>> sending = new ArrayList<>();
          for (int i = 0; i < 4; i++) {
            int number = i;
            sending.add(Asyncio.createTask(() -> client.send(large(number))));
          }
          OnLoop.passRoundsUntil(() -> !keeping.sent.isEmpty());
          OnLoop.passRounds(3);
          assertThat(keeping.sent).containsExactly(0);

          keeping.letOneGo(client);
          OnLoop.passRoundsUntil(() -> keeping.sent.size() > 1);
          OnLoop.passRounds(3);
          assertThat(keeping.sent).containsExactly(0, 1);

          sending.get(2).cancel();
          sending.add(Asyncio.createTask(() -> client.send(large(4))));
          keeping.letOneGo(client);
          OnLoop.passRoundsUntil(() -> keeping.sent.size() > 2);
          keeping.letOneGo(client);
          OnLoop.passRoundsUntil(() -> keeping.sent.size() > 3);
          assertThat(keeping.sent).containsExactly(0, 1, 3, 4);
          keeping.letOneGo(client);
          sending.getLast().await();
        });
  }

  @EachTransport
  void whoWaitsToSendWhileAnotherEndsTheStreamIsTold(String transport) {
    Keeping keeping = new Keeping();
    withKeeping(
        transport,
        keeping,
        client -> {
          client.send(large(0));
          ByteBuf late = large(1);
          Task<?> sending = Asyncio.createTask(() -> client.send(late));
          OnLoop.passRoundsUntil(() -> !keeping.sent.isEmpty());
          client.writeEof();
          keeping.letOneGo(client);
          assertThatThrownBy(sending::await)
              .isInstanceOf(IllegalStateException.class)
              .hasMessage("send() after writeEof()");
          assertThat(late.refCnt()).isZero();
          assertThat(client.receive()).isNull();
        });
  }

  @EachTransport
  void thePipelinesSetupSaysHowMessagesAreMeasured(String transport) {
    AtomicInteger decoded = new AtomicInteger();
    AsyncEvent goOn = new AsyncEvent();
    with(
        transport,
        (MessageConnection<String, String> connection) -> {
          goOn.await();
          echo(connection);
        },
        String.class,
        pipeline -> {
          lines(pipeline);
          pipeline.addLast(new Counting(decoded));
          pipeline.channel().config().setMessageSizeEstimator(() -> message -> 100_000);
        },
        port -> {
          try (Connection client = TestServer.connect(port)) {
            client.writer().write("one\n");
            OnLoop.passRoundsUntil(() -> decoded.get() == 1);
            client.writer().write("two\n");
            OnLoop.passRounds(20);
            assertThat(decoded.get()).isEqualTo(1); // As much as may wait.
            goOn.set();
            assertThat(client.reader().readLine(UTF_8)).isEqualTo("one");
            assertThat(client.reader().readLine(UTF_8)).isEqualTo("two");
          }
        });
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

  /** More for a million: leak detection notes where each message has been. */
  private static final Duration PATIENCE_FOR_SMALL =
      Duration.ofSeconds(Math.max(OnLoop.PATIENCE.toSeconds(), SMALL / 4000));

  /** By {@code -Dweir.test.messages=1000000} a million each way. */
  @EachTransportAndIoUring
  void manyMessagesEachWayKeepTheirOrderWithASlowReceiver(String transport) {
    AtomicInteger decoded = new AtomicInteger();
    AtomicInteger waitingMost = new AtomicInteger();
    with(
        transport,
        PATIENCE_FOR_SMALL,
        (MessageConnection<ByteBuf, ByteBuf> connection) -> {
          int received = 0;
          for (ByteBuf message : connection) {
            waitingMost.accumulateAndGet(decoded.get() - received, Math::max);
            assertThat(message.getLong(message.readerIndex())).isEqualTo(received++);
            connection.send(message);
            if (received % 100 == 0) {
              Asyncio.yieldNow();
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
    assertHeldBack(transport, ChannelInboundHandlerAdapter::new);
  }

  @EachTransport
  void aSlowReceiverHoldsThePeerBackWhereAnAggregatorReadsOn(String transport) {
    assertHeldBack(transport, ReadingOn::likeAnAggregator);
  }

  @EachTransport
  void aSlowReceiverHoldsThePeerBackWhereAHandlerSwitchesAutoReadOn(String transport) {
    assertHeldBack(transport, ReadingOn::likeAShaper);
  }

  private static void assertHeldBack(String transport, Supplier<ChannelHandler> before) {
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
            Asyncio.yieldNow();
          }
          connection.send(Unpooled.copyInt(received));
        },
        ByteBuf.class,
        pipeline -> {
          pipeline.addLast(before.get());
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
