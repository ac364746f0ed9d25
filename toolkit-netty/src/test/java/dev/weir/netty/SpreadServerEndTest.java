package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.spi.EngineProvider;
import dev.weir.spi.IoDriver;
import dev.weir.spi.ListenRequest;
import dev.weir.spi.Network;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.Spread;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.CancelledError;
import dev.weir.task.Coroutine;
import dev.weir.task.Loop;
import dev.weir.task.RunOptions;
import dev.weir.task.Runner;
import dev.weir.task.Task;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** How a server that is spread over several loops ends, or does not even begin. */
@ExtendWith(LeakCheck.class)
class SpreadServerEndTest {
  private static final Duration LONG = Duration.ofHours(1);

  private final Set<Loop> serving = ConcurrentHashMap.newKeySet();
  private final AtomicInteger begun = new AtomicInteger();
  private final AtomicInteger ended = new AtomicInteger();

  static Stream<Arguments> eachTransportAndSpread() {
    return SpreadServerTest.eachTransportAndSpread();
  }

  private void countAndEcho(StreamReader reader, StreamWriter writer) throws IOException {
    begun.incrementAndGet();
    serving.add(Loop.running());
    try {
      TestServer.echo(reader, writer);
    } finally {
      ended.incrementAndGet();
    }
  }

  private static Server start(ConnectionHandler handler, Spread spread) throws IOException {
    return Asyncio.startServer(
        handler, "127.0.0.1", 0, ServerOptions.defaults().withSpread(spread));
  }

  private static int port(Server server) {
    return server.addresses().getFirst().getPort();
  }

  /** Opens connections until two loops serve some. */
  private List<Connection> connectToBoth(int port) throws IOException {
    List<Connection> connections = new ArrayList<>();
    while (serving.size() < 2) {
      Connection connection = TestServer.connect(port);
      connections.add(connection);
      TestServer.ask(connection, "hello");
    }
    return connections;
  }

  private static boolean refuses(int port) {
    try (Socket _ = TestServer.connectPlainly(port)) {
      return false;
    } catch (ConnectException e) {
      return true;
    } catch (IOException e) {
      return false; // Reset: it listened yet.
    }
  }

  private static Set<Thread> loopThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("weir-loop-"))
        .filter(thread -> !thread.getName().contains("-worker-")) // Idle ones end in a while.
        .collect(Collectors.toSet());
  }

  // --- The calls of the server

  @ParameterizedTest
  @MethodSource("eachTransportAndSpread")
  void shutdownLetsTheHandlersOfAllLoopsEndByThemselves(String transport, Spread spread) {
    OnLoop.run(
        transport,
        2,
        () -> {
          Server server = start(this::countAndEcho, spread);
          List<Connection> connections = connectToBoth(port(server));
          Task<?> shutdown = Asyncio.createTask(() -> server.shutdown(LONG));
          OnLoop.passRounds(3);
          assertThat(shutdown.done()).isFalse();

          for (Connection connection : connections) {
            assertThat(TestServer.ask(connection, "still there")).isEqualTo("still there");
            connection.close();
          }

          shutdown.await();
          assertThat(ended).hasValue(connections.size());
        });
  }

  @ParameterizedTest
  @MethodSource("eachTransportAndSpread")
  void shutdownAbortsWhatIsLeftOnAllLoops(String transport, Spread spread) {
    OnLoop.run(
        transport,
        2,
        () -> {
          Server server = start(this::countAndEcho, spread);
          int port = port(server);
          List<Connection> connections = connectToBoth(port);

          server.shutdown(Duration.ZERO);

          assertThat(ended).hasValue(connections.size());
          for (Connection connection : connections) {
            assertThatThrownBy(() -> connection.reader().readAll()).hasMessageContaining("reset");
          }
          server.waitClosed();
          OnLoop.passRoundsUntil(() -> refuses(port));
        });
  }

  @ParameterizedTest
  @MethodSource("eachTransportAndSpread")
  void closingStopsListeningOnAllLoopsAndLeavesConnections(String transport, Spread spread) {
    OnLoop.run(
        transport,
        2,
        () -> {
          Server server = start(this::countAndEcho, spread);
          int port = port(server);
          List<Connection> connections = connectToBoth(port);

          server.close();

          OnLoop.passRoundsUntil(() -> refuses(port));
          Task<?> waiting = Asyncio.createTask(server::waitClosed);
          for (Connection connection : connections) {
            assertThat(TestServer.ask(connection, "still there")).isEqualTo("still there");
            assertThat(waiting.done()).isFalse();
            connection.close();
          }
          waiting.await();
        });
  }

  @ParameterizedTest
  @MethodSource("eachTransportAndSpread")
  void clientsOfAllLoopsAreClosedOrAborted(String transport, Spread spread) {
    OnLoop.run(
        transport,
        2,
        () -> {
          try (Server server = start(this::countAndEcho, spread)) {
            List<Connection> connections = connectToBoth(port(server));
            server.closeClients();
            for (Connection connection : connections) {
              assertThat(connection.reader().readAll()).isEmpty();
              connection.close();
            }
            serving.clear();
            List<Connection> others = connectToBoth(port(server));
            server.abortClients();
            for (Connection connection : others) {
              assertThatThrownBy(() -> connection.reader().readAll()).hasMessageContaining("reset");
            }
            OnLoop.passRoundsUntil(() -> ended.get() == connections.size() + others.size());
          }
        });
  }

  @ParameterizedTest
  @MethodSource("eachTransportAndSpread")
  void cancellingServeForeverEndsTheHandlersOfAllLoops(String transport, Spread spread) {
    OnLoop.run(
        transport,
        2,
        () -> {
          ServerOptions options =
              ServerOptions.defaults().withSpread(spread).withGrace(Duration.ZERO);
          Server server = Asyncio.startServer(this::countAndEcho, "127.0.0.1", 0, options);
          int port = port(server);
          Task<?> forever = Asyncio.createTask(server::serveForever);
          List<Connection> connections = connectToBoth(port);

          forever.cancel();

          assertThatExceptionOfType(CancelledError.class).isThrownBy(forever::await);
          assertThat(ended).hasValue(connections.size());
          connections.forEach(Connection::close);
        });
  }

  // --- The end of the loops

  @ParameterizedTest
  @MethodSource("eachTransportAndSpread")
  void nothingIsLeftOfAServerThatNobodyClosed(String transport, Spread spread) throws IOException {
    OnLoop.run(transport, 2, () -> {}); // What is loaded once stays open.
    Set<Thread> threads = loopThreads();
    long descriptors = Descriptors.open();
    List<Socket> clients = new ArrayList<>();
    AtomicInteger port = new AtomicInteger();

    OnLoop.run(
        transport,
        2,
        () -> {
          port.set(port(start(this::countAndEcho, spread)));
          while (serving.size() < 2) {
            clients.add(TestServer.connectPlainly(port.get()));
            int expected = clients.size();
            OnLoop.passRoundsUntil(() -> begun.get() == expected);
          }
        });

    assertThat(ended).hasValue(begun.get());
    for (Socket client : clients) {
      client.setSoTimeout(10_000);
      assertThat(isOver(client)).isTrue();
      client.close();
    }
    assertThat(refuses(port.get())).isTrue();
    assertThat(loopThreads()).isSubsetOf(threads);
    assertThat(Descriptors.open()).isLessThanOrEqualTo(descriptors);
  }

  private static boolean isOver(Socket client) {
    try {
      return client.getInputStream().read() < 0;
    } catch (SocketTimeoutException e) {
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  /** Again and again, since where a connection is when its loop ends is a matter of chance. */
  @ParameterizedTest
  @MethodSource("eachTransportAndSpread")
  void noConnectionIsLostOnItsWayWhenTheServerIsClosed(String transport, Spread spread)
      throws Exception {
    floodUntilTheEnd(
        transport,
        spread,
        (main, server) ->
            OnLoop.run(
                transport,
                2,
                () -> {
                  try (Server closed = server.run()) {
                    main.accept(closed);
                  }
                }));
  }

  @ParameterizedTest
  @MethodSource("eachTransportAndSpread")
  void noConnectionIsLostOnItsWayWhenTheLoopsEndUnderTheServer(String transport, Spread spread)
      throws Exception {
    // A task that began in the last moment is destroyed, and that is reported.
    floodUntilTheEnd(
        transport,
        spread,
        (main, server) ->
            Asyncio.run(
                () -> {
                  for (Loop loop : Asyncio.runningLoop().group()) {
                    loop.callSoonThreadsafe(() -> loop.setExceptionHandler((_, _) -> {}));
                  }
                  main.accept(server.run());
                },
                RunOptions.defaults().withTransport(transport).withLoops(2)));
  }

  private void floodUntilTheEnd(
      String transport, Spread spread, BiConsumer<Consumer<Server>, Coroutine<Server>> run)
      throws Exception {
    ServerOptions options = ServerOptions.defaults().withSpread(spread).withBacklog(1000);
    OnLoop.run(transport, 2, () -> {});
    long descriptors = Descriptors.open();
    for (int i = 0; i < 5; i++) {
      List<Socket> clients = new CopyOnWriteArrayList<>();
      List<Thread> flood = new ArrayList<>();
      run.accept(
          server -> {
            int port = port(server);
            int before = begun.get();
            flood.add(Thread.ofPlatform().daemon().start(() -> connectUntilRefused(port, clients)));
            OnLoop.passRoundsUntil(() -> begun.get() > before + 5);
          },
          () -> Asyncio.startServer(this::countAndEcho, "127.0.0.1", 0, options));
      flood.getFirst().join();
      for (Socket client : clients) {
        client.setSoTimeout(10_000);
        assertThat(isOver(client)).isTrue();
        client.close();
      }
    }
    assertThat(Descriptors.open()).isLessThanOrEqualTo(descriptors);
  }

  private static void connectUntilRefused(int port, List<Socket> clients) {
    try {
      while (clients.size() < 1000) {
        clients.add(TestServer.connectPlainly(port));
      }
    } catch (IOException e) {
      // It listens no more.
    }
  }

  // --- No beginning

  @ParameterizedTest
  @MethodSource("eachTransportAndSpread")
  void aPortThatIsTakenIsToldAndNothingListens(String transport, Spread spread) throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      OnLoop.run(
          transport,
          2,
          () -> {
            assertThatExceptionOfType(BindException.class)
                .isThrownBy(() ->
                    Asyncio.startServer(
                        this::countAndEcho,
                        "127.0.0.1",
                        taken.getLocalPort(),
                        ServerOptions.defaults().withSpread(spread)));
            for (Loop loop : Asyncio.runningLoop().group()) {
              OnLoop.passRoundsUntil(() ->
                  Asyncio.wrapFuture(
                          Asyncio.runCoroutineThreadsafe(
                              () -> loop.network().describeOpen().isEmpty(), loop))
                      .await());
            }
          });
    }
  }

  @EachTransport
  void ifOneLoopCannotListenNoneDoes(String transport) {
    BindException refusal = new BindException("not on this loop");
    List<Integer> ports = new CopyOnWriteArrayList<>();
    AtomicInteger count = new AtomicInteger();
    EngineProvider engine =
        (name, context) -> {
          IoDriver driver = new NettyEngineProvider().open(transport, context);
          return count.incrementAndGet() < 3 ? driver : refusing(driver, refusal, ports);
        };
    RunOptions options = RunOptions.defaults().withLoops(3);

    OnLoop.failIfItHangs(() -> {
      try (Runner runner = new Runner(options, engine)) {
        runner.run(() -> {
          assertThatExceptionOfType(BindException.class)
              .isThrownBy(() -> start(this::countAndEcho, Spread.REUSE_PORT))
              .isSameAs(refusal);
          assertThat(ports).hasSize(1).allMatch(port -> port > 0);
          OnLoop.passRoundsUntil(() -> refuses(ports.getFirst()));
        });
      }
    });
  }

  /** {@return {@code driver} with a network that does not listen} */
  private static IoDriver refusing(IoDriver driver, BindException refusal, List<Integer> ports) {
    Network network = driver.network();
    Network refusing =
        proxy(
            Network.class,
            network,
            (name, arguments) -> {
              if (!name.equals("listen")) {
                return false;
              }
              ListenRequest request = (ListenRequest) arguments[0];
              ports.add(((InetSocketAddress) request.local()).getPort());
              ((Network.Completion<?>) arguments[2]).failed(refusal);
              return true;
            },
            null);
    return proxy(IoDriver.class, driver, (name, arguments) -> false, refusing);
  }

  private interface Instead {
    boolean done(String name, Object[] arguments);
  }

  private static <T> T proxy(Class<T> type, T target, Instead instead, Network network) {
    Object made =
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> {
              if (network != null && method.getName().equals("network")) {
                return network;
              }
              if (instead.done(method.getName(), arguments)) {
                return null;
              }
              try {
                return method.invoke(target, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
    return type.cast(made);
  }
}
