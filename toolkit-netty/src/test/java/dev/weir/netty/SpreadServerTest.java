package dev.weir.netty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.Spread;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Loop;
import dev.weir.tls.TlsProvider;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A server whose connections are spread over several loops: who gets them, and that they stay. */
@ExtendWith(LeakCheck.class)
class SpreadServerTest {
  private static final ServerOptions DISTRIBUTED =
      ServerOptions.defaults().withSpread(Spread.DISTRIBUTE);

  /** How many connections each loop got. */
  private final Map<Loop, Integer> served = new ConcurrentHashMap<>();

  static Stream<Arguments> eachTransportAndSpread() {
    return Stream.of("nio", "epoll")
        .flatMap(transport ->
            Stream.of(Spread.REUSE_PORT, Spread.DISTRIBUTE)
                .map(spread -> Arguments.of(transport, spread)));
  }

  private void countAndEcho(StreamReader reader, StreamWriter writer) throws IOException {
    served.merge(Loop.running(), 1, Integer::sum);
    TestServer.echo(reader, writer);
  }

  /** Runs a body beside a server on several loops. */
  private static void with(
      String transport,
      int loops,
      ConnectionHandler handler,
      ServerOptions options,
      TestServer.ServerBody body) {
    OnLoop.run(
        transport,
        loops,
        () -> {
          try (Server server = Asyncio.startServer(handler, "127.0.0.1", 0, options)) {
            body.run(server, server.addresses().getFirst().getPort());
          }
        });
  }

  /** Opens connections one after another and leaves them open until all were served. */
  private static void talk(int port, int count) throws IOException {
    List<Connection> connections = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Connection connection = TestServer.connect(port);
      connections.add(connection);
      assertThat(TestServer.ask(connection, "client " + i)).isEqualTo("client " + i);
    }
    connections.forEach(Connection::close);
  }

  /** Has clients, each on a thread of its own, send lines and read the answers. */
  private static void flood(int port, int clients, int lines) {
    List<CompletableFuture<?>> talking = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      CompletableFuture<Void> talked = new CompletableFuture<>();
      Thread.ofPlatform()
          .daemon()
          .start(() -> talked.completeAsync(() -> talk(port, lines, "client"), Runnable::run));
      talking.add(talked);
    }
    for (CompletableFuture<?> talked : talking) {
      Asyncio.wrapFuture(talked).await();
    }
  }

  private static Void talk(int port, int lines, String text) {
    try (Socket socket = TestServer.connectPlainly(port)) {
      BufferedReader answers =
          new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8));
      for (int i = 0; i < lines; i++) {
        socket.getOutputStream().write((text + i + "\n").getBytes(UTF_8));
        assertThat(answers.readLine()).isEqualTo(text + i);
      }
      return null;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // --- Who gets a connection

  @EachTransport
  void distributedConnectionsLieExactlyEven(String transport) {
    with(
        transport,
        3,
        this::countAndEcho,
        DISTRIBUTED,
        (server, port) -> {
          talk(port, 12);
          assertThat(served).containsOnlyKeys(Asyncio.runningLoop().group());
          assertThat(served.values()).containsOnly(4);
        });
  }

  @EachTransport
  void thoseThatWaitTogetherLieExactlyEvenToo(String transport) {
    with(
        transport,
        2,
        this::countAndEcho,
        DISTRIBUTED,
        (server, port) -> {
          flood(port, 16, 3);
          assertThat(served.values()).containsOnly(8);
        });
  }

  @EachTransport
  void connectionsToAllAddressesTogetherLieEven(String transport) {
    OnLoop.run(
        transport,
        2,
        () -> {
          List<String> hosts = List.of("127.0.0.1", "127.0.0.2");
          try (Server server = Asyncio.startServer(this::countAndEcho, hosts, 0, DISTRIBUTED)) {
            for (int i = 0; i < 6; i++) {
              var address = server.addresses().get(i < 3 ? 0 : 1);
              try (Connection connection =
                  Asyncio.openConnection(
                      address.getAddress().getHostAddress(), address.getPort())) {
                TestServer.ask(connection, "hello");
              }
            }
            assertThat(served.values()).containsExactly(3, 3);
          }
        });
  }

  @EachTransport
  void withReusePortEachLoopGetsSome(String transport) {
    with(
        transport,
        2,
        this::countAndEcho,
        ServerOptions.defaults().withSpread(Spread.REUSE_PORT),
        (server, port) -> {
          assertThat(server.addresses()).hasSize(1);
          talk(port, 64); // That all come to one happens once in 2^63 runs.
          assertThat(served).containsOnlyKeys(Asyncio.runningLoop().group());
          assertThat(served.values().stream().mapToInt(Integer::intValue).sum()).isEqualTo(64);
        });
  }

  @EachTransport
  void automaticallyMeansDistributed(String transport) {
    with(
        transport,
        2,
        this::countAndEcho,
        ServerOptions.defaults().withSpread(Spread.AUTO),
        (server, port) -> {
          talk(port, 4);
          assertThat(served.values()).containsExactly(2, 2);
        });
  }

  @EachTransport
  void aServerThatIsNotSpreadServesOnItsOwnLoop(String transport) {
    with(
        transport,
        2,
        this::countAndEcho,
        ServerOptions.defaults(),
        (server, port) -> {
          talk(port, 4);
          assertThat(served).containsOnly(Map.entry(Asyncio.runningLoop(), 4));
        });
  }

  @ParameterizedTest
  @MethodSource("eachTransportAndSpread")
  void onALoopAloneSpreadingMakesNoDifference(String transport, Spread spread) {
    with(
        transport,
        1,
        this::countAndEcho,
        ServerOptions.defaults().withSpread(spread),
        (server, port) -> {
          talk(port, 4);
          assertThat(served).containsOnly(Map.entry(Asyncio.runningLoop(), 4));
        });
  }

  @ParameterizedTest
  @MethodSource("eachTransportAndSpread")
  void aServerMayBeStartedOnAnyLoop(String transport, Spread spread) {
    OnLoop.run(
        transport,
        2,
        () -> {
          CompletableFuture<Integer> port = new CompletableFuture<>();
          CompletableFuture<?> serving =
              Asyncio.runCoroutineThreadsafe(
                  () -> {
                    try (Server server =
                        Asyncio.startServer(
                            this::countAndEcho,
                            "127.0.0.1",
                            0,
                            ServerOptions.defaults().withSpread(spread))) {
                      port.complete(server.addresses().getFirst().getPort());
                      server.serveForever();
                      return null;
                    }
                  },
                  Asyncio.runningLoop().group().get(1));
          talk(Asyncio.wrapFuture(port).await(), 64);
          assertThat(served).containsOnlyKeys(Asyncio.runningLoop().group());
          serving.cancel(false);
        });
  }

  @EachTransport
  void connectionsToAUnixSocketAreDistributed(String transport, @TempDir Path directory) {
    Path path = directory.resolve("echo.sock");
    OnLoop.run(
        transport,
        2,
        () -> {
          try (Server _ = Asyncio.startUnixServer(this::countAndEcho, path, DISTRIBUTED)) {
            for (int i = 0; i < 6; i++) {
              try (Connection connection = Asyncio.openUnixConnection(path)) {
                assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
              }
            }
            assertThat(served.values()).containsExactly(3, 3);
          }
          assertThatIllegalArgumentException()
              .isThrownBy(() ->
                  Asyncio.startUnixServer(
                      this::countAndEcho,
                      path,
                      ServerOptions.defaults().withSpread(Spread.REUSE_PORT)))
              .withMessageContaining("Spread.DISTRIBUTE");
        });
  }

  // --- A connection stays on its loop

  /** What handlers of one loop share without a lock; nobody else may touch it. */
  private static final class Tally {
    private boolean busy;
    private int lines;

    /** Adds one, so slowly that another thread would come between. */
    void add() {
      assertThat(busy).as("another thread is in here").isFalse();
      busy = true;
      int before = lines;
      for (int i = 0; i < 200; i++) {
        Thread.onSpinWait();
      }
      lines = before + 1;
      busy = false;
    }
  }

  @ParameterizedTest
  @MethodSource("eachTransportAndSpread")
  void whatBelongsToAConnectionOrToALoopNeedsNoLock(String transport, Spread spread) {
    Map<Loop, Tally> tallies = new HashMap<>();
    int clients = 16;
    int lines = 200;
    ConnectionHandler handler =
        (reader, writer) -> {
          Loop loop = Loop.running();
          Tally ofConnection = new Tally();
          for (byte[] line : reader) {
            assertThat(Loop.running()).isSameAs(loop);
            ofConnection.add();
            tallies.get(loop).add();
            // Another task of the connection's, which has to find the same loop.
            Asyncio.createTask(() -> tallies.get(Loop.running()).add()).await();
            writer.write(line);
          }
          assertThat(ofConnection.lines).isEqualTo(lines);
        };
    OnLoop.run(
        transport,
        2,
        () -> {
          Asyncio.runningLoop().group().forEach(loop -> tallies.put(loop, new Tally()));
          ServerOptions options = ServerOptions.defaults().withSpread(spread);
          try (Server server = Asyncio.startServer(handler, "127.0.0.1", 0, options)) {
            flood(server.addresses().getFirst().getPort(), clients, lines);
            server.shutdown(Duration.ofSeconds(10)); // The handlers see the end, and are done.
          }
          int counted = 0;
          for (Tally tally : tallies.values()) {
            assertThat(tally.lines).isPositive();
            counted += tally.lines;
          }
          assertThat(counted).isEqualTo(2 * clients * lines);
        });
  }

  @EachTransport
  void aConnectionIsSecuredOnItsLoop(String transport) {
    with(
        transport,
        2,
        (reader, writer) -> {
          assertThat(writer.tlsSession().protocol()).isEqualTo("TLSv1.3");
          countAndEcho(reader, writer);
        },
        DISTRIBUTED.withTls(TestCertificates.serverTls(TlsProvider.JDK)),
        (server, port) -> {
          ConnectOptions options =
              ConnectOptions.defaults().withTls(TestCertificates.clientTls(TlsProvider.JDK));
          for (int i = 0; i < 4; i++) {
            try (Connection connection = Asyncio.openConnection("localhost", port, options)) {
              assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
            }
          }
          assertThat(served.values()).containsExactly(2, 2);
        });
  }

  @EachTransport
  void timeoutsAndProxyHeadersWorkOnEachLoop(String transport) {
    with(
        transport,
        2,
        (reader, writer) -> {
          served.merge(Loop.running(), 1, Integer::sum);
          writer.writeLine(String.valueOf(writer.remoteAddress()));
          try {
            reader.readLine();
          } catch (SocketTimeoutException e) {
            served.merge(Loop.running(), 10, Integer::sum);
          }
        },
        DISTRIBUTED.withIdleTimeout(Duration.ofMillis(50)).withProxyProtocol(List.of("127.0.0.1")),
        (server, port) -> {
          for (int i = 0; i < 2; i++) {
            try (Connection connection = TestServer.connect(port)) {
              assertThat(TestServer.ask(connection, "PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r"))
                  .isEqualTo("/192.0.2.7:4711");
              connection.reader().readAll();
            } catch (IOException e) {
              assertThat(e).hasMessageContaining("reset");
            }
          }
          OnLoop.passRoundsUntil(() -> List.copyOf(served.values()).equals(List.of(11, 11)));
        });
  }

  // --- Limits

  @ParameterizedTest
  @MethodSource("eachTransportAndSpread")
  void allLoopsTogetherServeNoMoreThanTheLimit(String transport, Spread spread) {
    AtomicInteger open = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    with(
        transport,
        2,
        (reader, writer) -> {
          most.accumulateAndGet(open.incrementAndGet(), Math::max);
          try {
            TestServer.echo(reader, writer);
          } finally {
            open.decrementAndGet();
          }
        },
        ServerOptions.defaults().withSpread(spread).withMaxConnections(3),
        (server, port) -> {
          flood(port, 40, 2);
          assertThat(most.get()).isBetween(1, 3);
          OnLoop.passRoundsUntil(() -> open.get() == 0);
        });
  }

  @ParameterizedTest
  @MethodSource("eachTransportAndSpread")
  void whereFewerMayComeThanThereAreLoopsNobodyWaitsForEver(String transport, Spread spread) {
    with(
        transport,
        3,
        this::countAndEcho,
        ServerOptions.defaults().withSpread(spread).withMaxConnections(1),
        (server, port) -> {
          flood(port, 12, 1);
          assertThat(served.values().stream().mapToInt(Integer::intValue).sum()).isEqualTo(12);
        });
  }

  @EachTransport
  void aConnectionThatEndsOnAnotherLoopLetsTheNextIn(String transport) {
    with(
        transport,
        2,
        this::countAndEcho,
        DISTRIBUTED.withMaxConnections(2),
        (server, port) -> {
          Connection first = TestServer.connect(port);
          TestServer.ask(first, "hello");
          Connection elsewhere = TestServer.connect(port);
          TestServer.ask(elsewhere, "hello");
          assertThat(served).hasSize(2);
          try (Connection waiting = TestServer.connect(port)) {
            waiting.writer().write("hello\n");
            OnLoop.passRounds(20);
            assertThat(served.values()).containsOnly(1);

            elsewhere.close();

            assertThat(RawPeer.text(waiting.reader().readLine())).isEqualTo("hello\n");
          }
          first.close();
        });
  }
}
