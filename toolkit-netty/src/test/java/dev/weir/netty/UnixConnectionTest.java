package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamReader;
import dev.weir.task.ExceptionContext;
import dev.weir.task.Future;
import dev.weir.task.Task;
import dev.weir.testing.CancelEverywhere;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Connecting to Unix sockets, and what each end knows of the other. */
@ExtendWith(LeakCheck.class)
class UnixConnectionTest {
  @TempDir Path directory;
  private Path path;

  @BeforeEach
  void choosePath() {
    path = directory.resolve("echo.sock");
  }

  private Server start() throws IOException {
    return Asyncio.startUnixServer(TestServer::echo, path);
  }

  private void assertServed() throws IOException {
    try (Connection connection = Asyncio.openUnixConnection(path)) {
      assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
    }
  }

  @EachTransport
  void bothEndsKnowTheSocketsNameAndThatTheClientHasNone(String transport) {
    List<Object> seen = new ArrayList<>();
    OnLoop.run(
        transport,
        () -> {
          try (Server _ =
                  Asyncio.startUnixServer(
                      (reader, writer) -> {
                        seen.add(writer.localAddress());
                        seen.add(writer.remoteAddress());
                        seen.add(writer.toString());
                        TestServer.echo(reader, writer);
                      },
                      path);
              Connection connection = Asyncio.openUnixConnection(path)) {
            TestServer.ask(connection, "who am I?");

            UnixDomainSocketAddress unnamed = UnixDomainSocketAddress.of("");
            UnixDomainSocketAddress named = UnixDomainSocketAddress.of(path);
            assertThat(connection.writer().localAddress()).isEqualTo(unnamed);
            assertThat(connection.writer().remoteAddress()).isEqualTo(named);
            assertThat(seen.subList(0, 2)).containsExactly(named, unnamed);
            assertThat(seen.getLast().toString()).contains("with unnamed Unix socket");
            assertThat(connection.toString()).contains("with " + path);
            assertThat(Asyncio.runningLoop().network().describeOpen())
                .contains(
                    "server listening on " + path,
                    "connection unnamed Unix socket -> " + path + ", 0 bytes unsent");
          }
        });
  }

  @EachTransport
  void whatIsHandedOnArrivesWholeAndTheEndBehindIt(String transport) {
    byte[] message = new byte[1 << 20];
    new Random(1).nextBytes(message);
    OnLoop.run(
        transport,
        () -> {
          try (Server _ =
              Asyncio.startUnixServer((reader, writer) -> reader.transferTo(writer), path)) {
            for (int i = 0; i < 5; i++) {
              try (Connection connection = Asyncio.openUnixConnection(path)) {
                Task<?> sending =
                    Asyncio.createTask(() -> {
                      connection.writer().write(message);
                      connection.writer().writeEof();
                    });
                assertThat(connection.reader().readAll()).isEqualTo(message);
                sending.await();
              }
            }
          }
        });
  }

  @EachTransport
  void aFileIsSent(String transport) throws IOException {
    byte[] message = new byte[1 << 20];
    new Random(2).nextBytes(message);
    Path file = Files.write(directory.resolve("file"), message);
    OnLoop.run(
        transport,
        () -> {
          try (Server _ = Asyncio.startUnixServer((reader, writer) -> writer.sendFile(file), path);
              Connection connection = Asyncio.openUnixConnection(path)) {
            assertThat(connection.reader().readAll()).isEqualTo(message);
          }
        });
  }

  @EachTransport
  void aHandlersFailureIsReportedReadably(String transport) {
    List<ExceptionContext> reports =
        OnLoop.runAndCollectReports(
            transport,
            () -> {
              try (Server _ =
                      Asyncio.startUnixServer(
                          (reader, writer) -> {
                            throw new IllegalStateException("a bug");
                          },
                          path);
                  Connection connection = Asyncio.openUnixConnection(path)) {
                assertThat(connection.reader().readAll()).isEmpty();
              }
            });

    assertThat(reports)
        .extracting(ExceptionContext::message)
        .containsExactly("Exception in the handler of the connection from unnamed Unix socket");
  }

  @EachTransport
  void whatCannotBeConnectedToIsAConnectExceptionThatSaysWhy(String transport) throws IOException {
    Path stale = directory.resolve("stale");
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(stale));
    }
    Path file = Files.createFile(directory.resolve("file"));
    Path tooLong = directory.resolve("x".repeat(108));
    OnLoop.run(
        transport,
        () -> {
          long before = Descriptors.open();
          assertThatExceptionOfType(ConnectException.class)
              .isThrownBy(() -> Asyncio.openUnixConnection(path))
              .withMessage("No such socket: " + path);
          assertThatExceptionOfType(ConnectException.class)
              .isThrownBy(() -> Asyncio.openUnixConnection(stale))
              .withMessage("Connection refused: " + stale);
          assertThatExceptionOfType(ConnectException.class)
              .isThrownBy(() -> Asyncio.openUnixConnection(file))
              .withMessage("Connection refused: " + file);
          assertThatExceptionOfType(ConnectException.class)
              .isThrownBy(() -> Asyncio.openUnixConnection(tooLong))
              .withMessageStartingWith("Path too long for a Unix socket")
              .withMessageContaining("at most 106");
          assertThatThrownBy(() -> Asyncio.openUnixConnection(Path.of("")))
              .isInstanceOf(IllegalArgumentException.class);
          assertThat(Descriptors.open()).isLessThanOrEqualTo(before);
        });
  }

  /** The system does not let an attempt wait there, as it does with TCP. */
  @EachTransport
  void moreThanTheQueueHoldsConnectAllTheSame(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Server _ =
              Asyncio.startUnixServer(
                  TestServer::echo, path, ServerOptions.defaults().withBacklog(1))) {
            List<Task<?>> clients = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
              clients.add(Asyncio.createTask(() -> assertServed()));
            }
            for (Task<?> client : clients) {
              client.await();
            }
          }
        });
  }

  @EachTransport
  void aQueueThatStaysFullIsATimeout(String transport) throws IOException {
    try (ServerSocketChannel busy = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      busy.bind(UnixDomainSocketAddress.of(path), 1);
      OnLoop.run(
          transport,
          () -> {
            ConnectOptions hasty =
                ConnectOptions.defaults().withConnectTimeout(Duration.ofMillis(20));
            try (Connection _ = Asyncio.openUnixConnection(path);
                Connection _ = Asyncio.openUnixConnection(path)) {
              assertThatExceptionOfType(SocketTimeoutException.class)
                  .isThrownBy(() -> Asyncio.openUnixConnection(path, hasty))
                  .withMessage("The queue of " + path + " was full for 0.02 s");

              long open = Descriptors.open();
              int cancelled =
                  CancelEverywhere.run(
                      () -> path,
                      full -> {
                        try (Connection _ = Asyncio.openUnixConnection(full, hasty)) {
                          throw new AssertionError("connected beyond the queue");
                        } catch (SocketTimeoutException e) {
                          // As above.
                        }
                      },
                      _ -> assertThat(Descriptors.open()).isLessThanOrEqualTo(open));
              assertThat(cancelled).isPositive();
            }
          });
    }
  }

  @EachTransport
  void aConnectionWhoseOpeningWasCancelledIsClosed(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Server _ = start()) {
            int tasks = Asyncio.allTasks().size();
            assertServed();
            OnLoop.passRoundsUntil(() -> Asyncio.allTasks().size() <= tasks);
            long open = Descriptors.open();

            int cancelled =
                CancelEverywhere.run(
                    () -> path,
                    _ -> assertServed(),
                    _ -> {
                      assertServed();
                      OnLoop.passRoundsUntil(() -> Asyncio.allTasks().size() <= tasks);
                    });

            assertThat(cancelled).as("connect, read").isGreaterThanOrEqualTo(2);
            OnLoop.passRoundsUntil(() -> Descriptors.open() <= open);
          }
        });
  }

  // --- Abstract names

  private static Path uniqueName() {
    return Path.of("@weir-test-" + ProcessHandle.current().pid() + "-" + System.nanoTime());
  }

  @EachTransport
  void anAbstractNameHasNoFileAndGoesWithItsServer(String transport) {
    path = uniqueName();
    if (transport.equals("nio")) {
      assertAbstractNamesNeedEpoll();
      return;
    }
    List<Object> seen = new ArrayList<>();
    OnLoop.run(
        transport,
        () -> {
          try (Server server =
              Asyncio.startUnixServer(
                  (reader, writer) -> {
                    seen.add(writer.localAddress());
                    TestServer.echo(reader, writer);
                  },
                  path)) {
            assertThat(server.path()).isEqualTo(path);
            assertThat(path).doesNotExist();
            assertServed();
            assertThat(seen).containsExactly(UnixDomainSocketAddress.of(path));
            assertThat(Files.readString(Path.of("/proc/net/unix"))).contains(path.toString());
            assertThatExceptionOfType(BindException.class)
                .isThrownBy(this::start)
                .withMessage("Address already in use: " + path);
          }
          OnLoop.passRounds(2);
          assertThatExceptionOfType(ConnectException.class)
              .isThrownBy(() -> Asyncio.openUnixConnection(path))
              .withMessage("Connection refused: " + path);
        });
  }

  private void assertAbstractNamesNeedEpoll() {
    OnLoop.run(
        "nio",
        () -> {
          String why =
              "Abstract names need the transport epoll, and this loop runs on nio: " + path;
          assertThatExceptionOfType(BindException.class)
              .isThrownBy(this::start)
              .withMessageStartingWith(why);
          assertThatExceptionOfType(ConnectException.class)
              .isThrownBy(() -> Asyncio.openUnixConnection(path))
              .withMessageStartingWith(why);
        });
  }

  @EachTransport
  void aClientThatGaveItsSocketANameIsKnownByIt(String transport) {
    Path client = directory.resolve("client.sock");
    List<Object> seen = new ArrayList<>();
    OnLoop.run(
        transport,
        () -> {
          try (Server _ =
                  Asyncio.startUnixServer(
                      (reader, writer) -> seen.add(writer.remoteAddress()), path);
              ForeignProgram socat =
                  ForeignProgram.start("socat", "-", "UNIX-CONNECT:" + path + ",bind=" + client)) {
            OnLoop.onWorker(socat::allOutput).await();
            assertThat(seen).containsExactly(UnixDomainSocketAddress.of(client));
          }
        });
  }

  @EachTransport
  void aPeerThatClosesItsEarsAndGoesOnSendingIsHeldBackAndWritersLearnOfIt(String transport) {
    StreamOptions small = StreamOptions.defaults().withLimit(1024);
    OnLoop.run(
        transport,
        () -> {
          Future<Throwable> failed = Asyncio.runningLoop().createFuture();
          Future<StreamReader> handling = Asyncio.runningLoop().createFuture();
          try (Server server =
                  Asyncio.startUnixServer(
                      (reader, writer) -> {
                        handling.setResult(reader);
                        try {
                          while (true) {
                            writer.write("event"); // Seldom: the peer reads none of them.
                            OnLoop.passRounds(20);
                          }
                        } catch (IOException e) {
                          failed.setResult(e);
                          OnLoop.passRounds(200); // Meanwhile the peer goes on.
                          throw e;
                        }
                      },
                      path,
                      ServerOptions.defaults().withStream(small));
              SocketChannel peer = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            peer.configureBlocking(false);
            StreamReader reader = handling.await();
            send(peer, 1 << 20);
            peer.shutdownInput();
            Throwable failure = failed.await();
            send(peer, 8 << 20);

            assertThat(failure).isInstanceOf(ConnectionResetException.class);
            assertThat(RawPeer.arrived(reader)).isLessThan(2 * 1024 + 2 * 64 * 1024);
            server.abortClients();
          }
        });
  }

  /** Sends as much as is taken, up to so many bytes, while the loop goes on. */
  private static void send(SocketChannel peer, int bytes) throws IOException {
    ByteBuffer sent = ByteBuffer.allocate(bytes);
    for (int i = 0; i < 200 && sent.hasRemaining(); i++) {
      try {
        peer.write(sent);
      } catch (IOException e) {
        return; // The other side has ended.
      }
      OnLoop.passRounds(2);
    }
  }

  /** Whoever may connect chooses it. */
  @EachTransport
  void theNameOfAClientBeginsNoLineOfTheLog(String transport) {
    Path client = directory.resolve("evil\nSEVERE: forged line");
    List<ExceptionContext> reports =
        OnLoop.runAndCollectReports(
            transport,
            () -> {
              try (Server _ =
                      Asyncio.startUnixServer(
                          (reader, writer) -> {
                            throw new IllegalStateException("bug");
                          },
                          path);
                  SocketChannel socket = SocketChannel.open(StandardProtocolFamily.UNIX)) {
                socket.bind(UnixDomainSocketAddress.of(client));
                socket.connect(UnixDomainSocketAddress.of(path));
                OnLoop.onWorker(() -> socket.read(ByteBuffer.allocate(1))).await();
              }
            });

    assertThat(reports)
        .singleElement()
        .extracting(ExceptionContext::message)
        .asString()
        .hasLineCount(1)
        .endsWith(directory.resolve("evil") + "\\u000aSEVERE: forged line");
  }
}
