package dev.weir.netty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.sync.AsyncEvent;
import dev.weir.task.Future;
import dev.weir.task.Task;
import dev.weir.task.Timeout;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsProvider;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.FixedLengthFrameDecoder;
import io.netty.handler.codec.LineBasedFrameDecoder;
import io.netty.handler.codec.string.StringDecoder;
import io.netty.handler.codec.string.StringEncoder;
import java.io.IOException;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Weir's handlers within programs that are Netty's. */
@ExtendWith(LeakCheck.class)
class AdoptingServerTest {
  /** Of an application: each kind of event loops with each kind of Weir's. */
  @Target(ElementType.METHOD)
  @Retention(RetentionPolicy.RUNTIME)
  @ParameterizedTest(name = "{0}, {1}")
  @CsvSource({"nio, nio", "nio, epoll", "epoll, nio", "epoll, epoll"})
  @interface EachPair {}

  private interface Body {
    void run(int port) throws Exception;
  }

  /** A plain Netty program, on event loops of its own, and what is done beside it. */
  private static void withProgram(String theirs, Consumer<Channel> childHandlers, Body body)
      throws Exception {
    boolean epoll = theirs.equals("epoll");
    assumeTrue(!epoll || Epoll.isAvailable(), "there is no epoll here");
    EventLoopGroup group =
        new MultiThreadIoEventLoopGroup(
            1, epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    try {
      listen(
          group,
          epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class,
          childHandlers,
          body);
    } finally {
      group.shutdownGracefully(0, 5, TimeUnit.SECONDS);
    }
  }

  private static void listen(
      EventLoopGroup group,
      Class<? extends ServerChannel> type,
      Consumer<Channel> childHandlers,
      Body body)
      throws Exception {
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(group)
            .channel(type)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel child) {
                    childHandlers.accept(child);
                  }
                });
    Channel listening = Asyncio.toThread(() -> bootstrap.bind("127.0.0.1", 0).sync().channel());
    try {
      body.run(((InetSocketAddress) listening.localAddress()).getPort());
    } finally {
      Asyncio.toThread(() -> listening.close().sync());
    }
  }

  private static void echo(StreamReader reader, StreamWriter writer) throws IOException {
    for (byte[] data = reader.read(1 << 16); data.length > 0; data = reader.read(1 << 16)) {
      writer.write(data);
    }
  }

  private static AdoptingServer echoServer() throws IOException {
    return NettyStreams.startAdoptingServer(AdoptingServerTest::echo, ServerOptions.defaults());
  }

  private static void assertEchoed(int port, int length) throws IOException {
    byte[] sent = new byte[length];
    new Random(length).nextBytes(sent);
    try (Connection client = TestServer.connect(port)) {
      Task<?> writing =
          Asyncio.createTask(() -> {
            client.writer().write(sent);
            client.writer().writeEof();
          });
      assertThat(client.reader().readAll()).isEqualTo(sent);
      writing.await();
    }
  }

  @EachPair
  void aChannelThatAProgramAcceptedIsServedByATask(String theirs, String ours) {
    OnLoop.run(
        ours,
        () -> {
          try (AdoptingServer weir = echoServer()) {
            withProgram(
                theirs,
                child -> child.pipeline().addLast(weir.childHandler()),
                port -> {
                  for (int i = 0; i < 3; i++) {
                    assertEchoed(port, 3_000_000);
                  }
                });
            weir.server().shutdown(Duration.ofSeconds(5));
          }
        });
  }

  /** Counts what passes on its way to the socket and from there. */
  private static final class Counting extends ChannelDuplexHandler {
    private final AtomicLong in;
    private final AtomicLong out;

    Counting(AtomicLong in, AtomicLong out) {
      this.in = in;
      this.out = out;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      in.addAndGet(((ByteBuf) message).readableBytes());
      context.fireChannelRead(message);
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
      out.addAndGet(((ByteBuf) message).readableBytes());
      context.write(message, promise);
    }
  }

  @EachPair
  void withTlsAProgramsHandlersSeeAllThatIsEncrypted(String theirs, String ours) {
    byte[] sent = new byte[300_000];
    new Random(1).nextBytes(sent);
    for (TlsProvider provider : List.of(TlsProvider.JDK, TlsProvider.BORINGSSL)) {
      AtomicLong in = new AtomicLong();
      AtomicLong out = new AtomicLong();
      ServerOptions options =
          ServerOptions.defaults().withTls(TestCertificates.serverTls(provider));
      OnLoop.run(
          ours,
          () -> {
            try (AdoptingServer weir =
                NettyStreams.startAdoptingServer(AdoptingServerTest::echo, options)) {
              withProgram(
                  theirs,
                  child -> child.pipeline().addLast(new Counting(in, out), weir.childHandler()),
                  port -> {
                    ConnectOptions secured =
                        ConnectOptions.defaults().withTls(TestCertificates.clientTls(provider));
                    try (Connection client = Asyncio.openConnection("127.0.0.1", port, secured)) {
                      Asyncio.background(() -> client.writer().write(sent));
                      assertThat(client.reader().readExactly(sent.length)).isEqualTo(sent);
                    }
                  });
            }
          });

      assertThat(in.get()).isGreaterThan(sent.length);
      assertThat(out.get()).isGreaterThan(sent.length);
    }
  }

  @EachTransport
  void aProgramRunsOnWeirsLoop(String transport) {
    OnLoop.run(
        transport,
        () -> {
          EventLoopGroup group = NettyStreams.group(Asyncio.runningLoop());
          try (AdoptingServer weir = echoServer()) {
            listen(
                group,
                NettyStreams.serverSocketChannelType(Asyncio.runningLoop()),
                child -> child.pipeline().addLast(weir.childHandler()),
                port -> assertEchoed(port, 1_000_000));
            weir.server().shutdown(Duration.ofSeconds(5));
          }
          assertThat(group.isShuttingDown()).isFalse();
        });
  }

  @EachPair
  void theProgramsCodecsStayAndItsMessagesAreReceived(String theirs, String ours) {
    Set<Thread> decodedOn = ConcurrentHashMap.newKeySet();
    Set<Thread> handledOn = ConcurrentHashMap.newKeySet();
    OnLoop.run(
        ours,
        () -> {
          try (AdoptingServer weir =
              NettyStreams.<String, String>startAdoptingMessageServer(
                  connection -> {
                    for (String line : connection) {
                      handledOn.add(Thread.currentThread());
                      connection.send(line + "\n");
                    }
                  },
                  ServerOptions.defaults(),
                  String.class)) {
            withProgram(
                theirs,
                child ->
                    child
                        .pipeline()
                        .addLast(
                            new LineBasedFrameDecoder(100),
                            new StringDecoder(UTF_8),
                            new StringEncoder(UTF_8),
                            new ChannelInboundHandlerAdapter() {
                              @Override
                              public void channelRead(
                                  ChannelHandlerContext context, Object message) {
                                decodedOn.add(Thread.currentThread());
                                context.fireChannelRead(message);
                              }
                            },
                            weir.childHandler()),
                port -> {
                  try (Connection client = TestServer.connect(port)) {
                    for (int i = 0; i < 1000; i++) {
                      client.writer().write("line " + i + "\n");
                    }
                    for (int i = 0; i < 1000; i++) {
                      assertThat(client.reader().readLine(UTF_8)).isEqualTo("line " + i);
                    }
                    client.writer().writeEof();
                    assertThat(client.reader().read(1)).isEmpty();
                  }
                });
          }
        });
    assertThat(handledOn).allMatch(Thread::isVirtual);
    assertThat(decodedOn).doesNotContainAnyElementsOf(handledOn);
  }

  @EachPair
  void whatWasDecodedBeforeAFailureIsReceivedFirst(String theirs, String ours) {
    OnLoop.run(
        ours,
        () -> {
          Future<List<String>> received = Asyncio.runningLoop().createFuture();
          try (AdoptingServer weir =
              NettyStreams.<String, String>startAdoptingMessageServer(
                  connection -> {
                    List<String> all = new ArrayList<>();
                    try {
                      while (true) {
                        all.add(String.valueOf(connection.receive()));
                      }
                    } catch (PipelineException e) {
                      received.setResult(all);
                    }
                  },
                  ServerOptions.defaults(),
                  String.class)) {
            withProgram(
                theirs,
                child ->
                    child
                        .pipeline()
                        .addLast(
                            new LineBasedFrameDecoder(100),
                            new StringDecoder(UTF_8),
                            new StringEncoder(UTF_8),
                            weir.childHandler()),
                port -> {
                  try (Connection client = TestServer.connect(port)) {
                    client.writer().write("good\n" + "garbage".repeat(100) + "\n");
                    assertThat(received.await()).containsExactly("good");
                  }
                });
          }
        });
  }

  @EachPair
  void whatAProgramsDecoderCannotDecodeIsNoErrorToReport(String theirs, String ours) {
    OnLoop.run(
        ours,
        () -> {
          Future<Throwable> thrown = Asyncio.runningLoop().createFuture();
          try (AdoptingServer weir =
              NettyStreams.startAdoptingServer(
                  (reader, writer) -> {
                    try {
                      reader.readAll();
                    } catch (IOException e) {
                      thrown.setResult(e);
                      throw e;
                    }
                  },
                  ServerOptions.defaults())) {
            withProgram(
                theirs,
                child ->
                    child.pipeline().addLast(new LineBasedFrameDecoder(100), weir.childHandler()),
                port -> {
                  try (Connection client = TestServer.connect(port)) {
                    client.writer().write("garbage".repeat(100) + "\n");
                    assertThat(thrown.await())
                        .isInstanceOf(ConnectionResetException.class)
                        .hasMessageStartingWith("What the peer sent cannot be decoded");
                  }
                });
          }
        });
  }

  /** A handler's timer may do so. */
  @EachPair
  void aMessageThatNoReadBroughtIsReceived(String theirs, String ours) {
    OnLoop.run(
        ours,
        () -> {
          try (AdoptingServer weir =
              NettyStreams.<String, String>startAdoptingMessageServer(
                  connection -> connection.send(connection.receive() + "\n"),
                  ServerOptions.defaults(),
                  String.class)) {
            withProgram(
                theirs,
                child ->
                    child
                        .pipeline()
                        .addLast(
                            new StringEncoder(UTF_8),
                            new ChannelInboundHandlerAdapter() {
                              @Override
                              public void handlerAdded(ChannelHandlerContext context) {
                                context
                                    .channel()
                                    .eventLoop()
                                    .schedule(
                                        () -> context.fireChannelRead("tick"),
                                        50,
                                        TimeUnit.MILLISECONDS);
                              }
                            },
                            weir.childHandler()),
                port -> {
                  try (Connection client = TestServer.connect(port)) {
                    assertThat(client.reader().readLine(UTF_8)).isEqualTo("tick");
                  }
                });
          }
        });
  }

  @EachPair
  void aSlowTaskHoldsTheClientBack(String theirs, String ours) {
    AtomicLong arrived = new AtomicLong();
    OnLoop.run(
        ours,
        () -> {
          try (AdoptingServer weir =
              NettyStreams.startAdoptingServer(
                  (reader, writer) -> {
                    reader.readExactly(1);
                    Asyncio.sleep(Duration.ofMillis(100)); // Time in which too much could arrive.
                    assertThat(arrived.get()).isLessThan(4_000_000);
                    writer.write("" + (1 + reader.readAll(1 << 26).length));
                  },
                  ServerOptions.defaults())) {
            withProgram(
                theirs,
                child ->
                    child
                        .pipeline()
                        .addLast(
                            new ChannelInboundHandlerAdapter() {
                              @Override
                              public void channelRead(
                                  ChannelHandlerContext context, Object message) {
                                arrived.addAndGet(((ByteBuf) message).readableBytes());
                                context.fireChannelRead(message);
                              }
                            },
                            weir.childHandler()),
                port -> {
                  try (Connection client = TestServer.connect(port)) {
                    byte[] part = new byte[1 << 20];
                    for (int i = 0; i < 32; i++) {
                      client.writer().write(part);
                    }
                    client.writer().writeEof();
                    assertThat(new String(client.reader().readAll(), UTF_8))
                        .isEqualTo("" + (1 << 25));
                  }
                });
          }
        });
  }

  @EachPair
  void aSlowTaskHoldsTheClientBackWhereTheProgramsHandlersReadOn(String theirs, String ours) {
    int frames = 2_000;
    int bytes = 16 * 1024;
    AtomicInteger decoded = new AtomicInteger();
    AtomicInteger waitingMost = new AtomicInteger();
    OnLoop.run(
        ours,
        () -> {
          try (AdoptingServer weir =
              NettyStreams.<ByteBuf, ByteBuf>startAdoptingMessageServer(
                  connection -> {
                    int received = 0;
                    for (ByteBuf frame : connection) {
                      waitingMost.accumulateAndGet(decoded.get() - received++, Math::max);
                      frame.release();
                      // Time in which too much could arrive.
                      Asyncio.sleep(received < 10 ? Duration.ofMillis(10) : Duration.ZERO);
                      if (received == frames) {
                        connection.send(Unpooled.copyInt(received));
                      }
                    }
                  },
                  ServerOptions.defaults(),
                  ByteBuf.class)) {
            withProgram(
                theirs,
                child ->
                    child
                        .pipeline()
                        .addLast(
                            ReadingOn.likeAnAggregator(),
                            new FixedLengthFrameDecoder(bytes),
                            new ChannelInboundHandlerAdapter() {
                              @Override
                              public void channelRead(
                                  ChannelHandlerContext context, Object message) {
                                decoded.incrementAndGet();
                                context.fireChannelRead(message);
                              }
                            },
                            weir.childHandler()),
                port -> {
                  try (Connection client = TestServer.connect(port)) {
                    for (int i = 0; i < frames; i++) {
                      client.writer().write(new byte[bytes]);
                    }
                    // No end before: told of one, epoll reads up to it, whoever wants that.
                    assertThat(client.reader().readExactly(4))
                        .isEqualTo(ByteBuffer.allocate(4).putInt(frames).array());
                  }
                });
          }
        });
    assertThat(waitingMost.get()).isBetween(2, 30);
  }

  @EachPair
  void anAbortResetsTheConnection(String theirs, String ours) {
    OnLoop.run(
        ours,
        () -> {
          try (AdoptingServer weir =
              NettyStreams.startAdoptingServer(
                  (reader, writer) -> writer.abort(), ServerOptions.defaults())) {
            withProgram(
                theirs,
                child -> child.pipeline().addLast(weir.childHandler()),
                port -> {
                  try (Connection client = TestServer.connect(port)) {
                    assertThatThrownBy(() -> client.reader().read(1))
                        .isInstanceOf(ConnectionResetException.class);
                  }
                });
          }
        });
  }

  @EachPair
  void noMoreChannelsAreServedThanTheOptionsAllow(String theirs, String ours) {
    OnLoop.run(
        ours,
        () -> {
          try (AdoptingServer weir =
              NettyStreams.startAdoptingServer(
                  AdoptingServerTest::echo, ServerOptions.defaults().withMaxConnections(1))) {
            withProgram(
                theirs,
                child -> child.pipeline().addLast(weir.childHandler()),
                port -> {
                  Connection first = TestServer.connect(port);
                  assertThat(TestServer.ask(first, "one")).isEqualTo("one");
                  try (Connection second = TestServer.connect(port)) {
                    Task<String> asking = Asyncio.createTask(() -> TestServer.ask(second, "two"));
                    assertThat(TestServer.ask(first, "three")).isEqualTo("three");
                    assertThat(asking.done()).isFalse();
                    first.close();
                    assertThat(asking.await()).isEqualTo("two");
                  }
                });
          }
        });
  }

  /** The main task has its turn before the first step of a handler's. */
  @EachPair
  void aConnectionThatIsClosedBeforeItsHandlerRunsEndsWithItsPeer(String theirs, String ours) {
    OnLoop.run(
        ours,
        () -> {
          try (AdoptingServer weir =
              NettyStreams.<String, String>startAdoptingMessageServer(
                  connection -> connection.send("never"), ServerOptions.defaults(), String.class)) {
            withProgram(
                theirs,
                child ->
                    child
                        .pipeline()
                        .addLast(
                            new LineBasedFrameDecoder(100),
                            new StringDecoder(UTF_8),
                            new StringEncoder(UTF_8),
                            weir.childHandler()),
                port -> {
                  try (Connection client = TestServer.connect(port)) {
                    client.writer().write("one\ntwo\n");
                    Task<byte[]> reading = Asyncio.createTask(() -> client.reader().read(1));
                    OnLoop.passRoundsUntil(() -> {
                      weir.server().closeClients();
                      return reading.done();
                    });
                    assertThat(reading.result()).isEmpty();
                  }
                  // Less than a connection may take to send the rest.
                  Timeout.after(Duration.ofSeconds(7))
                      .run(timeout -> weir.server().shutdown(Duration.ofSeconds(14)));
                });
          }
        });
  }

  @EachPair
  void aClosedServerClosesWhatItIsGiven(String theirs, String ours) {
    OnLoop.run(
        ours,
        () -> {
          AdoptingServer weir = echoServer();
          weir.close();
          withProgram(
              theirs,
              child -> child.pipeline().addLast(weir.childHandler()),
              port -> {
                try (Connection client = TestServer.connect(port)) {
                  assertThat(client.reader().read(1)).isEmpty();
                }
              });
        });
  }

  /** Its handlers are told, and so release what they keep. */
  @EachPair
  void aChannelIsClosedInOrderWhenTheLoopHasEnded(String theirs, String ours) throws Exception {
    boolean epoll = theirs.equals("epoll");
    assumeTrue(!epoll || Epoll.isAvailable(), "there is no epoll here");
    EventLoopGroup group =
        new MultiThreadIoEventLoopGroup(
            1, epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    AtomicReference<AdoptingServer> weir = new AtomicReference<>();
    CountDownLatch removed = new CountDownLatch(1);
    try {
      OnLoop.run(ours, () -> weir.set(echoServer()));
      Channel listening =
          new ServerBootstrap()
              .group(group)
              .channel(epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
              .childHandler(
                  new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel child) {
                      child
                          .pipeline()
                          .addLast(
                              new ChannelInboundHandlerAdapter() {
                                @Override
                                public void handlerRemoved(ChannelHandlerContext context) {
                                  removed.countDown();
                                }
                              },
                              weir.get().childHandler());
                    }
                  })
              .bind("127.0.0.1", 0)
              .sync()
              .channel();
      int port = ((InetSocketAddress) listening.localAddress()).getPort();
      try (Socket client = TestServer.connectPlainly(port)) {
        client.setSoTimeout(10_000);
        assertThat(client.getInputStream().read()).isEqualTo(-1);
        assertThat(removed.await(10, TimeUnit.SECONDS)).isTrue();
      }
    } finally {
      group.shutdownGracefully(0, 5, TimeUnit.SECONDS);
    }
  }

  /** One that its handler has left open, and one that waits for a slot. */
  @EachPair
  void theLoopsEndIsThatOfTheChannelsItHasTaken(String theirs, String ours) throws Exception {
    boolean epoll = theirs.equals("epoll");
    assumeTrue(!epoll || Epoll.isAvailable(), "there is no epoll here");
    EventLoopGroup group =
        new MultiThreadIoEventLoopGroup(
            1, epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    Queue<Channel> taken = new ConcurrentLinkedQueue<>();
    List<Socket> clients = new ArrayList<>();
    try {
      OnLoop.run(
          ours,
          () -> {
            AsyncEvent detached = new AsyncEvent();
            AdoptingServer weir =
                NettyStreams.startAdoptingServer(
                    (reader, writer) -> {
                      writer.detach();
                      detached.set();
                    },
                    ServerOptions.defaults().withMaxConnections(1));
            listen(
                group,
                epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class,
                child -> {
                  taken.add(child);
                  child.pipeline().addLast(weir.childHandler());
                },
                port -> {
                  clients.add(TestServer.connectPlainly(port));
                  detached.await();
                  clients.add(TestServer.connectPlainly(port));
                  OnLoop.passRoundsUntil(() -> weir.toString().contains("1 waiting"));
                });
          });
      assertThat(taken).hasSize(2);
      for (Channel channel : taken) {
        assertThat(channel.closeFuture().await(5, TimeUnit.SECONDS)).as("it is closed").isTrue();
      }
    } finally {
      for (Socket client : clients) {
        client.close();
      }
      group.shutdownGracefully(0, 5, TimeUnit.SECONDS);
    }
  }

  @EachTransport
  void whatIsNoStreamIsRefused(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (AdoptingServer weir = echoServer()) {
            assertThatThrownBy(() -> weir.adopt(new EmbeddedChannel()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("Only channels of streams");
          }
          assertThatThrownBy(() ->
                  NettyStreams.startAdoptingMessageServer(
                      connection -> {},
                      ServerOptions.defaults().withTls(ServerTls.of(TestCertificates.LOCALHOST)),
                      String.class))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageStartingWith("TLS comes before the codecs");
          assertThatThrownBy(() ->
                  NettyStreams.startAdoptingMessageServer(
                      connection -> {},
                      ServerOptions.defaults().withProxyProtocol(List.of("127.0.0.1")),
                      String.class))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageStartingWith("A PROXY header comes before the codecs");
          assertThatThrownBy(NettyStreams::group)
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessage("no loop for the group: give it one, or several");
        });
  }
}
