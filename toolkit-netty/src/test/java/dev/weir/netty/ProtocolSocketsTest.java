package dev.weir.netty;

import static dev.weir.tls.TlsProvider.JDK;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.weir.Asyncio;
import dev.weir.protocol.Attached;
import dev.weir.protocol.BufferedProtocol;
import dev.weir.protocol.Protocol;
import dev.weir.protocol.StreamReaderProtocol;
import dev.weir.protocol.Transport;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamOptions;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.testing.StreamContract;
import dev.weir.testing.StreamContract.Abort;
import dev.weir.testing.StreamContract.HalfClose;
import dev.weir.testing.StreamEnd;
import dev.weir.testing.StreamPair;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsProvider;
import dev.weir.tls.TlsSession;
import io.netty.channel.Channel;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Connections of callbacks over sockets, in clear and with TLS. */
@ExtendWith(LeakCheck.class)
class ProtocolSocketsTest {
  @TempDir static Path directory;

  // --- What every stream promises, of streams on the transports that protocols get

  @TestFactory
  Stream<DynamicTest> streamsOnTransportsOfEpoll() {
    return checksOn("epoll", HalfClose.YES, options -> open(null, options));
  }

  @TestFactory
  Stream<DynamicTest> streamsOnTransportsSecuredByTheJdk() {
    return checksOn("nio", HalfClose.NO, options -> open(JDK, options));
  }

  private static Stream<DynamicTest> checksOn(
      String transport, HalfClose halfClose, StreamContract.PairMaker maker) {
    return StreamContract.checks(Abort.RESET, halfClose).stream()
        .map(check ->
            dynamicTest(check.name(), () -> OnLoop.run(transport, () -> check.run(maker))));
  }

  private static StreamPair open(@Nullable TlsProvider tls, StreamOptions options)
      throws IOException {
    ServerOptions accepting = ServerOptions.defaults().withStream(options);
    ConnectOptions connecting = ConnectOptions.defaults().withStream(options);
    if (tls != null) {
      accepting = accepting.withTls(TestCertificates.serverTls(tls));
      connecting = connecting.withTls(TestCertificates.clientTls(tls));
    }
    Future<StreamReaderProtocol> accepted = Asyncio.runningLoop().createFuture();
    try (Server server =
        Asyncio.createServer(
            () -> {
              StreamReaderProtocol streams = new StreamReaderProtocol(options);
              accepted.setResult(streams);
              return streams;
            },
            "127.0.0.1",
            0,
            accepting)) {
      StreamReaderProtocol left =
          Asyncio.createConnection(
                  () -> new StreamReaderProtocol(options), "127.0.0.1", port(server), connecting)
              .protocol();
      StreamReaderProtocol right = accepted.await();
      return new StreamPair(
          new StreamEnd(left.reader(), left.writer()),
          new StreamEnd(right.reader(), right.writer()));
    }
  }

  private static int port(Server server) {
    return server.addresses().getFirst().getPort();
  }

  // --- Protocols

  /** Keeps what arrives for a task that waits for it. */
  private static final class Inbox implements Protocol {
    final Future<@Nullable Throwable> lost = Loop.running().createFuture();
    private final StringBuilder received = new StringBuilder();
    private @Nullable Future<String> awaited;
    private int wanted;

    /** Suspends until so many characters came, and takes them. */
    String take(int count) {
      wanted = count;
      Future<String> next = Loop.running().createFuture();
      awaited = next;
      hand();
      return next.await();
    }

    private void hand() {
      Future<String> next = awaited;
      if (next != null && received.length() >= wanted) {
        awaited = null;
        next.setResult(received.substring(0, wanted));
        received.delete(0, wanted);
      }
    }

    @Override
    public void dataReceived(byte[] data) {
      received.append(new String(data, UTF_8));
      hand();
    }

    @Override
    public void connectionLost(@Nullable Throwable cause) {
      lost.setResult(cause);
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  private record Pair(Attached<Transport, Inbox> client, Inbox server, Transport accepted) {}

  private interface Body {
    void run(Pair pair) throws Exception;
  }

  private static void withPair(String transport, Body body) {
    OnLoop.run(
        transport,
        () -> {
          Future<Transport> accepted = Asyncio.runningLoop().createFuture();
          Inbox inbox = new Inbox();
          Protocol accepting =
              new Protocol() {
                @Override
                public void connectionMade(Transport made) {
                  made.setProtocol(inbox);
                  accepted.setResult(made);
                }
              };
          try (Server server = Asyncio.createServer(() -> accepting, "127.0.0.1", 0)) {
            Attached<Transport, Inbox> client =
                Asyncio.createConnection(Inbox::new, "127.0.0.1", port(server));
            body.run(new Pair(client, inbox, accepted.await()));
            client.transport().close();
            assertThat(client.protocol().lost.await()).isNull();
            assertThat(inbox.lost.await()).isNull();
            server.shutdown(Duration.ofSeconds(5));
          }
        });
  }

  @EachTransport
  void protocolsTalkBothWays(String transport) {
    withPair(
        transport,
        pair -> {
          pair.client().transport().write(bytes("question"));
          assertThat(pair.server().take(8)).isEqualTo("question");
          pair.accepted().write(bytes("answer"));
          assertThat(pair.client().protocol().take(6)).isEqualTo("answer");
        });
  }

  @EachTransport
  void aFailedWriteEndsAConnectionWhoseReadingIsPaused(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Server server = Asyncio.startServer((reader, writer) -> {}, "127.0.0.1", 0)) {
            Attached<Transport, Inbox> client =
                Asyncio.createConnection(Inbox::new, "127.0.0.1", port(server));
            client.transport().pauseReading();
            while (!client.protocol().lost.done()) {
              client.transport().write(bytes("is anybody there?"));
              Asyncio.yieldNow();
            }
            assertThat(client.protocol().lost.await()).isInstanceOf(ConnectionResetException.class);
          }
        });
  }

  @EachTransport
  void theChannelBeneathIsThere(String transport) {
    withPair(
        transport,
        pair ->
            assertThat(pair.accepted().extraInfo(Channel.class))
                .isNotNull()
                .satisfies(channel -> assertThat(channel.isActive()).isTrue()));
  }

  @EachTlsProvider
  void startTlsSecuresAConnectionInTheMiddleOfItsConversation(String transport, TlsProvider tls) {
    withPair(
        transport,
        pair -> {
          pair.client().transport().write(bytes("STARTTLS"));
          assertThat(pair.server().take(8)).isEqualTo("STARTTLS");

          Task<TlsSession> serving =
              Asyncio.createTask(
                  () -> Asyncio.startTls(pair.accepted(), TestCertificates.serverTls(tls)));
          Asyncio.yieldNow(); // It has begun, as with a server that told its client to go ahead.
          TlsSession session =
              Asyncio.startTls(
                  pair.client().transport(), TestCertificates.clientTls(tls), "localhost");
          serving.await();

          assertThat(session.protocol()).startsWith("TLSv1.");
          assertThat(pair.client().transport().tlsSession()).isEqualTo(session);
          assertThat(pair.client().transport().canWriteEof()).isFalse();
          pair.client().transport().write(bytes("secret"));
          assertThat(pair.server().take(6)).isEqualTo("secret");

          assertThatIllegalStateException()
              .isThrownBy(() -> Asyncio.startTls(pair.accepted(), TestCertificates.serverTls(tls)))
              .withMessageContaining("TLS within TLS");
          pair.client().transport().write(bytes("on and on"));
          assertThat(pair.server().take(9)).isEqualTo("on and on");
        });
  }

  @EachTlsProvider
  void whatCameInClearWhileReadingWasPausedCountsAsHandshakeAndSpoilsIt(
      String transport, TlsProvider tls) {
    OnLoop.run(
        transport,
        () -> {
          Future<Transport> accepted = Asyncio.runningLoop().createFuture();
          Inbox inbox = new Inbox();
          Protocol accepting =
              new Protocol() {
                @Override
                public void connectionMade(Transport made) {
                  made.setProtocol(inbox);
                  made.pauseReading();
                  accepted.setResult(made);
                }
              };
          try (Server server = Asyncio.createServer(() -> accepting, "127.0.0.1", 0);
              var client = Asyncio.openConnection("127.0.0.1", port(server))) {
            client.writer().write("EVIL\r\n");
            Transport made = accepted.await();
            assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Asyncio.startTls(made, TestCertificates.serverTls(tls)));
            assertThat(inbox.lost.await()).isNotNull();
            assertThat(inbox.received).hasToString("");
          }
        });
  }

  /** Takes in a byte at a time, and pauses after each. */
  private static final class OneByOne implements BufferedProtocol {
    final Future<@Nullable Throwable> lost = Loop.running().createFuture();
    final Future<Transport> made = Loop.running().createFuture();
    final Future<@Nullable Void> begun = Loop.running().createFuture();
    private final ByteBuffer buffer = ByteBuffer.allocate(1);
    private int count;

    @Override
    public void connectionMade(Transport transport) {
      made.setResult(transport);
    }

    @Override
    public ByteBuffer getBuffer(int sizeHint) {
      return buffer.clear();
    }

    @Override
    public void bufferUpdated(int count) {
      this.count += count;
      made.result().pauseReading();
      if (!begun.done()) {
        begun.setResult(null);
      }
    }

    @Override
    public void connectionLost(@Nullable Throwable cause) {
      lost.setResult(cause);
    }
  }

  @EachTransport
  void whatIsHeldInClearIsNotToldWhenTlsCannotBeStarted(String transport) {
    OnLoop.run(
        transport,
        () -> {
          OneByOne protocol = new OneByOne();
          try (Server server = Asyncio.createServer(() -> protocol, "127.0.0.1", 0);
              Connection client = Asyncio.openConnection("127.0.0.1", port(server))) {
            client.writer().write("EVIL");
            protocol.begun.await();
            ServerTls unusable = TestCertificates.serverTls(JDK).withCipherSuites("TLS_NONE_SUCH");
            assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Asyncio.startTls(protocol.made.result(), unusable));
            protocol.lost.await();
            assertThat(protocol.count).isEqualTo(1);
          }
        });
  }

  @EachTlsProvider
  void aSecondStartTlsIsRefusedAndTheFirstGoesOn(String transport, TlsProvider tls) {
    withPair(
        transport,
        pair -> {
          Task<TlsSession> serving =
              Asyncio.createTask(
                  () -> Asyncio.startTls(pair.accepted(), TestCertificates.serverTls(tls)));
          Asyncio.yieldNow();
          assertThatIllegalStateException()
              .isThrownBy(() -> Asyncio.startTls(pair.accepted(), TestCertificates.serverTls(tls)))
              .withMessageContaining("another task");
          Asyncio.startTls(pair.client().transport(), TestCertificates.clientTls(tls), "localhost");
          serving.await();
          pair.client().transport().write(bytes("secret"));
          assertThat(pair.server().take(6)).isEqualTo("secret");
        });
  }

  @EachTransport
  void aTransportOfSomebodyElsesCannotBeSecured(String transport) {
    withPair(
        transport,
        pair -> {
          Transport foreign =
              (Transport)
                  Proxy.newProxyInstance(
                      getClass().getClassLoader(),
                      new Class<?>[] {Transport.class},
                      (proxy, method, arguments) -> "a foreign transport");
          assertThatIllegalArgumentException()
              .isThrownBy(() -> Asyncio.startTls(foreign, TestCertificates.serverTls(JDK)))
              .withMessageContaining("a foreign transport");
        });
  }

  @EachTransport
  void unixSocketsHaveProtocolsToo(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Path path = directory.resolve("socket");
          Protocol echo =
              new Protocol() {
                private @Nullable Transport made;

                @Override
                public void connectionMade(Transport transport) {
                  made = transport;
                }

                @Override
                public void dataReceived(byte[] data) {
                  if (made != null) {
                    made.write(data);
                  }
                }
              };
          try (Server server = Asyncio.createUnixServer(() -> echo, path)) {
            Attached<Transport, Inbox> client = Asyncio.createUnixConnection(Inbox::new, path);
            client.transport().write(bytes("hello"));
            assertThat(client.protocol().take(5)).isEqualTo("hello");
            client.transport().close();
            server.shutdown(Duration.ofSeconds(5));
          }
        });
  }

  // --- Sockets that others accepted

  private interface Accepting {
    void run(java.nio.channels.SocketChannel accepted, Connection client) throws Exception;
  }

  /** Accepts by the JDK, off the loop, what a client of the loop's connects. */
  private static void withAccepted(String transport, Accepting body) {
    OnLoop.run(
        transport,
        () -> {
          try (ServerSocketChannel listening = ServerSocketChannel.open()) {
            listening.bind(new InetSocketAddress("127.0.0.1", 0));
            int port = ((InetSocketAddress) listening.getLocalAddress()).getPort();
            try (Connection client = Asyncio.openConnection("127.0.0.1", port)) {
              body.run(Asyncio.toThread(listening::accept), client);
            }
          }
        });
  }

  @EachTransport
  void aSocketThatTheJdkAcceptedGetsAProtocol(String transport) {
    withAccepted(
        transport,
        (socket, client) -> {
          client.writer().write("early");
          Attached<Transport, Inbox> accepted = Asyncio.connectAcceptedSocket(Inbox::new, socket);
          assertThat(accepted.protocol().take(5)).isEqualTo("early");
          accepted.transport().write(bytes("answer"));
          assertThat(new String(client.reader().readExactly(6), UTF_8)).isEqualTo("answer");

          client.writer().close();
          assertThat(accepted.protocol().lost.await()).isNull();
          Asyncio.toThread(() -> awaitClosing(socket));
        });
  }

  /** Returns when it is closed, which may be by another thread, a moment later. */
  private static void awaitClosing(java.nio.channels.SocketChannel socket) {
    while (socket.isOpen()) {
      Thread.onSpinWait();
    }
  }

  @EachTransport
  void muchGoesThroughASocketThatTheJdkAccepted(String transport) {
    withAccepted(
        transport,
        (socket, client) -> {
          byte[] much = new byte[3_000_000];
          new Random(1).nextBytes(much);
          Connection accepted = Connection.adopt(socket, StreamOptions.defaults());
          Task<?> echoing =
              Asyncio.createTask(() -> {
                accepted.reader().transferTo(accepted.writer());
                accepted.close();
              });
          Task<?> sending =
              Asyncio.createTask(() -> {
                client.writer().write(much);
                client.writer().writeEof();
              });
          assertThat(client.reader().readAll()).isEqualTo(much);
          sending.await();
          echoing.await();
        });
  }

  @EachTlsProvider
  void aSocketThatTheJdkAcceptedIsSecured(String transport, TlsProvider tls) {
    withAccepted(
        transport,
        (socket, client) -> {
          ServerOptions options = ServerOptions.defaults().withTls(TestCertificates.serverTls(tls));
          Task<Attached<Transport, Inbox>> accepting =
              Asyncio.createTask(() -> Asyncio.connectAcceptedSocket(Inbox::new, socket, options));
          client.writer().startTls(TestCertificates.clientTls(tls), "localhost");
          client.writer().write("secret");
          Attached<Transport, Inbox> accepted = accepting.await();
          assertThat(accepted.protocol().take(6)).isEqualTo("secret");
          assertThat(accepted.transport().tlsSession()).isNotNull();
          accepted.transport().close();
        });
  }

  @EachTransport
  void aSocketThatIsNotConnectedIsRefused(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (var socket = java.nio.channels.SocketChannel.open()) {
            assertThatIllegalArgumentException()
                .isThrownBy(() -> Asyncio.connectAcceptedSocket(Inbox::new, socket))
                .withMessageContaining("Not a connected TCP socket");
            assertThat(socket.isOpen()).isTrue();
          }
        });
  }

  @EachTransport
  void theEndOfALoopLeavesNothingOfAnAdoptedSocket(String transport) throws IOException {
    try (ServerSocketChannel listening = ServerSocketChannel.open()) {
      listening.bind(new InetSocketAddress("127.0.0.1", 0));
      var client = java.nio.channels.SocketChannel.open(listening.getLocalAddress());
      var accepted = listening.accept();
      OnLoop.run(transport, () -> Asyncio.connectAcceptedSocket(Inbox::new, accepted));

      assertThat(accepted.isOpen()).isFalse();
      assertThat(client.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      assertThat(Thread.getAllStackTraces().keySet())
          .noneMatch(thread -> thread.getName().equals("weir-sockets"));
      client.close();
    }
  }
}
