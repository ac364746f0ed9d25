package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.ProxyHeader;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.CancelledError;
import dev.weir.task.Task;
import dev.weir.task.TaskGroup;
import dev.weir.tls.TlsException;
import dev.weir.tls.TlsProvider;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * TLS that begins in the middle of a conversation, and what must not get from one side of it to the
 * other.
 */
@ExtendWith(LeakCheck.class)
class StartTlsTest {
  /** Whatever a handler read, before and after TLS was started. */
  private final List<String> seen = new ArrayList<>();

  /** How starting TLS ended on the server; null if it did not fail. */
  private IOException failure;

  @EachTlsProvider
  void aConversationGoesOnSecured(String transport, TlsProvider provider) {
    TestServer.with(
        transport,
        starter(provider, "220 go\n"),
        (server, port) -> {
          try (Connection connection = TestServer.connect(port)) {
            assertThat(connection.writer().tlsSession()).isNull();
            assertThat(TestServer.ask(connection, "STARTTLS")).isEqualTo("220 go");

            connection.writer().startTls(TestCertificates.clientTls(provider), "localhost");

            assertThat(connection.writer().tlsSession().protocol()).isEqualTo("TLSv1.3");
            assertThat(TestServer.ask(connection, "secret")).isEqualTo("secret");
            assertThat(seen).containsExactly("STARTTLS", "secret");
          }
        });
  }

  @EachTlsProvider
  void whatCameInClearBehindTheCommandIsNeverRead(String transport, TlsProvider provider) {
    TestServer.with(
        transport,
        starter(provider, "220 go\n"),
        (server, port) -> {
          try (Socket socket = TestServer.connectPlainly(port)) {
            socket
                .getOutputStream()
                .write("STARTTLS\r\nEVIL\r\n".getBytes(StandardCharsets.US_ASCII));
            byte[] answer = OnLoop.onWorker(() -> readToTheEnd(socket)).await();

            assertThat(new String(answer, 0, 7, StandardCharsets.US_ASCII)).isEqualTo("220 go\n");
            OnLoop.passRoundsUntil(() -> failure != null);
            assertThat(seen).containsExactly("STARTTLS\r");
            assertThat(failure)
                .isInstanceOf(TlsException.class)
                .hasMessage("The peer does not speak TLS: what it sent is no record of it");
          }
        });
  }

  /** The legal case of the same: a client in a hurry. */
  @EachTlsProvider
  void aHandshakeThatCameWithTheCommandBeginsThere(String transport, TlsProvider provider) {
    TestServer.with(
        transport,
        starter(provider, ""),
        (server, port) -> {
          try (Server relay = mergingRelay(port, 0);
              Connection connection = TestServer.connect(portOf(relay))) {
            connection.writer().write("STARTTLS\n");
            connection.writer().startTls(TestCertificates.clientTls(provider), "localhost");

            assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
            assertThat(seen).containsExactly("STARTTLS", "hello");
          }
        });
  }

  @EachTlsProvider
  void itDoesNotMatterWhereTheFirstFlightIsCut(String transport, TlsProvider provider) {
    TestServer.with(
        transport,
        starter(provider, ""),
        (server, port) -> {
          int step = transport.equals("nio") ? 13 : 1; // Handshakes take a while.
          for (int cut = 1; cut < 200; cut += step) {
            seen.clear();
            try (Server relay = mergingRelay(port, cut);
                Connection connection = TestServer.connect(portOf(relay))) {
              connection.writer().write("STARTTLS\n");
              connection.writer().startTls(TestCertificates.clientTls(provider), "localhost");

              assertThat(TestServer.ask(connection, "hello"))
                  .as("cut at %s", cut)
                  .isEqualTo("hello");
              assertThat(seen).as("cut at %s", cut).containsExactly("STARTTLS", "hello");
            }
          }
        });
  }

  @EachTlsProvider
  void aProxyHeaderMayComeTogetherWithTheHandshake(String transport, TlsProvider provider) {
    List<Object> clients = new ArrayList<>();
    ServerOptions options =
        ServerOptions.defaults()
            .withProxyProtocol(List.of("127.0.0.1"))
            .withTls(TestCertificates.serverTls(provider));
    TestServer.with(
        transport,
        (reader, writer) -> {
          clients.add(writer.remoteAddress());
          TestServer.echo(reader, writer);
        },
        options,
        (server, port) -> {
          InetSocketAddress client = new InetSocketAddress("192.0.2.7", 4711);
          ConnectOptions connect =
              ConnectOptions.defaults()
                  .withProxyHeader(ProxyHeader.v1(client, new InetSocketAddress("192.0.2.1", 443)))
                  .withTls(TestCertificates.clientTls(provider));
          try (Server relay = mergingRelay(port, 0);
              Connection connection = Asyncio.openConnection("localhost", portOf(relay), connect)) {
            assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
            assertThat(clients).containsExactly(client);
          }
        });
  }

  @EachTlsProvider
  void aClientDoesNotReadWhatCameInClearBehindTheAnswer(String transport, TlsProvider provider) {
    ConnectionHandler evil =
        (reader, writer) -> {
          reader.readLine();
          writer.write("220 go\nINJECTED\n");
          reader.readAll();
        };
    TestServer.with(
        transport,
        evil,
        (server, port) -> {
          try (Connection connection = TestServer.connect(port)) {
            assertThat(TestServer.ask(connection, "STARTTLS")).isEqualTo("220 go");
            OnLoop.passRoundsUntil(() -> RawPeer.arrived(connection.reader()) > 0);

            assertThatExceptionOfType(TlsException.class)
                .isThrownBy(() ->
                    connection
                        .writer()
                        .startTls(TestCertificates.clientTls(provider), "localhost"));
            assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> connection.reader().readLine());
          }
        });
  }

  @EachTlsProvider
  void whatOthersWriteMeanwhileLeavesSecured(String transport, TlsProvider provider) {
    TestServer.with(
        transport,
        starter(provider, ""),
        (server, port) -> {
          try (Connection connection = TestServer.connect(port)) {
            StreamWriter writer = connection.writer();
            writer.write("STARTTLS\n");
            new TaskGroup()
                .run(group -> {
                  group.createTask(() -> {
                    writer.startTls(TestCertificates.clientTls(provider), "localhost");
                  });
                  group.createTask(() -> writer.write("meanwhile\n"));
                });

            assertThat(RawPeer.text(connection.reader().readLine())).isEqualTo("meanwhile\n");
            assertThat(seen).containsExactly("STARTTLS", "meanwhile");
          }
        });
  }

  @EachTlsProvider
  void whoNeverWaitsDoesNotWriteInClearEither(String transport, TlsProvider provider) {
    StreamOptions neverWait = StreamOptions.defaults().withAsyncioWrites(true);
    OnLoop.withPeer(
        transport,
        neverWait,
        peer -> {
          int unread = peer.fill(); // Zeros, of which much is unsent.
          Task<?> starting =
              Asyncio.createTask(
                  () -> peer.writer().startTls(TestCertificates.clientTls(provider), "localhost"));
          OnLoop.passRounds(1);
          peer.writer().write("SECRET");
          OnLoop.passRounds(1);

          byte[] inClear = peer.receive(unread);
          assertThat(inClear).containsOnly(0);
          byte[] next = peer.receive(5);
          assertThat(next[0]).as("the type of the record behind it").isEqualTo((byte) 22);
          byte[] rest = peer.receive((next[3] & 0xFF) << 8 | next[4] & 0xFF);
          assertThat(new String(rest, StandardCharsets.ISO_8859_1)).doesNotContain("SECRET");
          starting.cancel();
          assertThatExceptionOfType(CancelledError.class).isThrownBy(starting::await);
        });
  }

  @EachTlsProvider
  void theTimeForTheHandshakeCountsFromTheCall(String transport, TlsProvider provider) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.fill(); // The peer reads none of it, and so not our first message either.
          assertThatExceptionOfType(SocketTimeoutException.class)
              .isThrownBy(() ->
                  peer.writer()
                      .startTls(
                          TestCertificates.clientTls(provider)
                              .withHandshakeTimeout(Duration.ofMillis(30)),
                          "localhost"));
        });
  }

  @EachTlsProvider
  void nobodyElseReadsWhileItIsStarted(String transport, TlsProvider provider) {
    TestServer.with(
        transport,
        starter(provider, ""),
        (server, port) -> {
          try (Connection connection = TestServer.connect(port)) {
            Task<byte[]> reading = Asyncio.createTask(() -> connection.reader().readLine());
            OnLoop.passRounds(1);
            assertThatIllegalStateException()
                .isThrownBy(() ->
                    connection.writer().startTls(TestCertificates.clientTls(provider), "localhost"))
                .withMessageContaining("let one task read");
            reading.cancel();

            connection.writer().write("STARTTLS\n");
            Task<?> starting =
                Asyncio.createTask(() ->
                    connection
                        .writer()
                        .startTls(TestCertificates.clientTls(provider), "localhost"));
            OnLoop.passRounds(1);
            assertThatIllegalStateException().isThrownBy(() -> connection.reader().readLine());
            starting.await();
            assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
            assertThatIllegalStateException()
                .isThrownBy(() ->
                    connection.writer().startTls(TestCertificates.clientTls(provider), "localhost"))
                .withMessageContaining("TLS within TLS");
          }
        });
  }

  @EachTlsProvider
  void aHandshakeThatTakesTooLongTimesOut(String transport, TlsProvider provider) {
    OnLoop.withPeer(
        transport,
        peer -> {
          Duration timeout = Duration.ofMillis(20);
          assertThatExceptionOfType(SocketTimeoutException.class)
              .isThrownBy(() ->
                  peer.writer()
                      .startTls(
                          TestCertificates.clientTls(provider).withHandshakeTimeout(timeout),
                          "localhost"))
              .withMessageStartingWith("The TLS handshake with 127.0.0.1:")
              .withMessageEndingWith("did not end within 0.02 s");
          assertThatExceptionOfType(IOException.class).isThrownBy(() -> peer.reader().read(1));
        });
  }

  /** OnLoop fails a test in which something is reported to the loop's exception handler. */
  @EachTlsProvider
  void aPeerThatResetsInTheMiddleIsNoErrorOfTheHandler(String transport, TlsProvider provider) {
    TestServer.with(
        transport,
        starter(provider, "220 go\n"),
        (server, port) -> {
          for (int i = 0; i < 5; i++) {
            failure = null;
            try (Socket socket = TestServer.connectPlainly(port)) {
              socket.getOutputStream().write("STARTTLS\n".getBytes(StandardCharsets.US_ASCII));
              OnLoop.onWorker(() -> socket.getInputStream().readNBytes(7)).await();
              socket.getOutputStream().write(TestCertificates.clientHello());
              socket.setSoLinger(true, 0);
            }
            OnLoop.passRoundsUntil(() -> failure != null);
            assertThat(failure).isInstanceOfAny(ConnectionResetException.class, TlsException.class);
          }
        });
  }

  @EachTlsProvider
  void aPeerThatLeavesInTheMiddleIsSaidTo(String transport, TlsProvider provider) {
    OnLoop.withPeer(
        transport,
        peer -> {
          Task<?> starting =
              Asyncio.createTask(
                  () -> peer.writer().startTls(TestCertificates.clientTls(provider), "localhost"));
          assertThat(peer.receive(5)[0]).as("the type of the first record").isEqualTo((byte) 22);
          peer.sendEof();

          assertThatExceptionOfType(TlsException.class)
              .isThrownBy(() -> starting.await(IOException.class))
              .withMessage("The connection was closed during the TLS handshake");
        });
  }

  // --- What the tests share

  /** Reads lines, and starts TLS when it is asked to. */
  private ConnectionHandler starter(TlsProvider provider, String answer) {
    return (reader, writer) -> {
      seen.add(line(reader));
      writer.write(answer);
      try {
        writer.startTls(TestCertificates.serverTls(provider));
      } catch (IOException e) {
        failure = e;
        throw e;
      }
      for (String line = line(reader); !line.isEmpty(); line = line(reader)) {
        seen.add(line);
        writer.writeLine(line);
      }
    };
  }

  private static String line(StreamReader reader) throws IOException {
    String line = RawPeer.text(reader.readLine());
    return line.endsWith("\n") ? line.substring(0, line.length() - 1) : line;
  }

  /**
   * Stands between a client and a server and joins the client's first flight, a line and the
   * beginning of a handshake, into one piece; or into two, cut where the test wants it.
   */
  private static Server mergingRelay(int port, int cut) throws IOException {
    return Asyncio.startServer(
        (reader, writer) -> {
          ByteArrayOutputStream flight = new ByteArrayOutputStream();
          flight.writeBytes(reader.readLine());
          byte[] header = reader.readExactly(5);
          flight.writeBytes(header);
          flight.writeBytes(reader.readExactly((header[3] & 0xFF) << 8 | header[4] & 0xFF));
          byte[] first = flight.toByteArray();
          try (Connection target = TestServer.connect(port)) {
            target.writer().write(first, 0, cut);
            OnLoop.passRounds(cut == 0 ? 0 : 3);
            target.writer().write(first, cut, first.length - cut);
            new TaskGroup()
                .run(group -> {
                  group.createTask(() -> {
                    reader.transferTo(target.writer());
                    target.writer().close();
                  });
                  group.createTask(() -> {
                    target.reader().transferTo(writer);
                    writer.close();
                  });
                });
          } catch (RuntimeException e) {
            // One side has gone, and with it the conversation.
          }
        },
        "127.0.0.1",
        0);
  }

  private static int portOf(Server server) {
    return server.addresses().getFirst().getPort();
  }

  /** A reset ends it as well: whoever is refused has sent what nobody reads. */
  private static byte[] readToTheEnd(Socket socket) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    try {
      for (int b = socket.getInputStream().read(); b >= 0; b = socket.getInputStream().read()) {
        all.write(b);
      }
    } catch (IOException e) {
      // The end.
    }
    return all.toByteArray();
  }
}
