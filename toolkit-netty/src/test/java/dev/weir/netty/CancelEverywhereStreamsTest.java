package dev.weir.netty;

import static dev.weir.netty.RawPeer.bytes;
import static dev.weir.netty.RawPeer.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Future;
import dev.weir.testing.CancelEverywhere;
import dev.weir.testing.StreamPair;
import dev.weir.tls.TlsProvider;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;

/** Connecting, reading, writing and draining, cancelled at every suspension: no byte lost. */
@ExtendWith(LeakCheck.class)
class CancelEverywhereStreamsTest {
  private static final int LINES = 6;

  /** Every write waits until the one before has gone out. */
  private static final StreamOptions NO_BUFFER = StreamOptions.defaults().withWriteLimits(0, 0);

  @EachTransport
  void aConnectionWhoseOpeningWasCancelledIsClosed(String transport) {
    TestServer.with(
        transport,
        TestServer::echo,
        (server, port) -> {
          assertThat(TestServer.ask(TestServer.connect(port), "warm up")).isEqualTo("warm up");
          long open = Descriptors.open();
          int tasks = Asyncio.allTasks().size();

          int cancelled =
              CancelEverywhere.run(
                  () -> port,
                  _ -> {
                    try (Connection connection = Asyncio.openConnection("localhost", port)) {
                      TestServer.ask(connection, "hello");
                    }
                  },
                  _ -> {
                    try (Connection connection = TestServer.connect(port)) {
                      assertThat(TestServer.ask(connection, "again")).isEqualTo("again");
                    }
                    // The handlers of the server end when they have heard of it.
                    OnLoop.passRoundsUntil(() -> Asyncio.allTasks().size() <= tasks);
                  });

          assertThat(cancelled).as("lookup, connect, read").isGreaterThanOrEqualTo(3);
          OnLoop.passRoundsUntil(() -> Descriptors.open() <= open);
        });
  }

  @EachTlsProvider
  void aSecuredConnectionWhoseOpeningWasCancelledIsClosed(String transport, TlsProvider provider) {
    ConnectOptions secured =
        ConnectOptions.defaults().withTls(TestCertificates.clientTls(provider));
    TestServer.with(
        transport,
        TestServer::echo,
        ServerOptions.defaults().withTls(TestCertificates.serverTls(provider)),
        (server, port) -> {
          try (Connection first = Asyncio.openConnection("localhost", port, secured)) {
            assertThat(TestServer.ask(first, "warm up")).isEqualTo("warm up");
          }
          OnLoop.passRoundsUntil(() -> Asyncio.allTasks().size() == 1);
          long open = Descriptors.open();

          int cancelled =
              CancelEverywhere.run(
                  () -> port,
                  _ -> {
                    try (Connection connection =
                        Asyncio.openConnection("localhost", port, secured)) {
                      TestServer.ask(connection, "hello");
                    }
                  },
                  _ -> OnLoop.passRoundsUntil(() -> Asyncio.allTasks().size() == 1));

          assertThat(cancelled).as("lookup, connect, handshake, read").isGreaterThanOrEqualTo(4);
          OnLoop.passRoundsUntil(() -> Descriptors.open() <= open);
        });
  }

  @EachTlsProvider
  void aConnectionWhoseSecuringWasCancelledIsAborted(String transport, TlsProvider provider) {
    TestServer.with(
        transport,
        (reader, writer) -> {
          reader.readLine();
          writer.startTls(TestCertificates.serverTls(provider));
          TestServer.echo(reader, writer);
        },
        (server, port) -> {
          long open = Descriptors.open();

          int cancelled =
              CancelEverywhere.run(
                  () -> TestServer.connect(port),
                  connection -> {
                    connection.writer().write("STARTTLS\n");
                    connection.writer().startTls(TestCertificates.clientTls(provider), "localhost");
                    assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
                  },
                  connection -> {
                    connection.close();
                    OnLoop.passRoundsUntil(() -> Asyncio.allTasks().size() == 1);
                  });

          assertThat(cancelled).as("handshake, read").isGreaterThanOrEqualTo(2);
          OnLoop.passRoundsUntil(() -> Descriptors.open() <= open);
        });
  }

  @EachTransport
  void whatArrivedIsReadExactlyOnce(String transport) {
    TestServer.with(
        transport,
        CancelEverywhereStreamsTest::sendInPieces,
        (server, port) -> {
          record Received(Connection connection, StringBuilder text) {}

          int cancelled =
              CancelEverywhere.run(
                  () -> new Received(TestServer.connect(port), new StringBuilder()),
                  received -> {
                    StreamReader reader = received.connection.reader();
                    received.text.append(text(reader.readLine()));
                    received.text.append(text(reader.readExactly(5)));
                    received.text.append(text(reader.read(2)));
                    received.text.append(text(reader.readUntil(bytes("ne"), bytes("\n"))));
                    received.text.append(text(reader.iterator().next()));
                  },
                  received -> {
                    received.text.append(text(received.connection.reader().readAll()));
                    received.connection.close();
                    assertThat(received.text.toString()).isEqualTo(everything());
                  });

          assertThat(cancelled).isGreaterThanOrEqualTo(5);
        });
  }

  private static void sendInPieces(StreamReader reader, StreamWriter writer) throws IOException {
    for (char piece : everything().toCharArray()) {
      writer.write(String.valueOf(piece));
      OnLoop.passRounds(2);
    }
  }

  private static String everything() {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < LINES; i++) {
      lines.append("line ").append(i).append('\n');
    }
    return lines.toString();
  }

  /** A connection without a buffer, what was written to it, and what arrives at its end. */
  private record Sending(Connection connection, StringBuilder written, Future<String> arrived) {
    void write(String line) throws IOException {
      connection.writer().write(line);
      written.append(line); // A write that is cancelled has written nothing.
    }
  }

  @EachTransport
  void whatWasWrittenArrivesExactlyOnce(String transport) {
    List<Future<String>> arriving = new ArrayList<>();
    TestServer.with(
        transport,
        (reader, writer) -> {
          Future<String> arrived = arriving.removeFirst();
          arrived.setResult(text(reader.readAll()));
        },
        ServerOptions.defaults(),
        (server, port) -> {
          int cancelled =
              CancelEverywhere.run(
                  () -> {
                    arriving.add(Asyncio.runningLoop().createFuture());
                    Future<String> arrived = arriving.getFirst();
                    ConnectOptions options = ConnectOptions.defaults().withStream(NO_BUFFER);
                    return new Sending(
                        Asyncio.openConnection("127.0.0.1", port, options),
                        new StringBuilder(),
                        arrived);
                  },
                  sending -> {
                    for (int i = 0; i < LINES; i++) {
                      sending.write("line " + i + "\n");
                    }
                    sending.connection.writer().drain();
                  },
                  sending -> {
                    sending.write("the end");
                    sending.connection.writer().writeEof();
                    assertThat(sending.arrived.await()).isEqualTo(sending.written.toString());
                    sending.connection.close();
                  });

          assertThat(cancelled).as("each write but the first, and drain").isGreaterThan(LINES);
        });
  }

  @EachTransport
  void whatIsHandedOnArrivesExactlyOnce(String transport) {
    record Handing(StreamPair in, StreamPair out) {}

    OnLoop.run(
        transport,
        () -> {
          int cancelled =
              CancelEverywhere.run(
                  () -> {
                    StreamPair in = StreamPair.open(StreamOptions.defaults());
                    Asyncio.background(() -> {
                      sendInPieces(in.left().reader(), in.left().writer());
                      in.left().writer().writeEof();
                    });
                    return new Handing(in, StreamPair.open(StreamOptions.defaults()));
                  },
                  handing -> {
                    StreamReader reader = handing.in.right().reader();
                    StreamWriter writer = handing.out.left().writer();
                    reader.transferTo(writer, 10);
                    reader.transferTo(writer, 1);
                    reader.transferTo(writer);
                  },
                  handing -> {
                    StreamWriter writer = handing.out.left().writer();
                    writer.write(handing.in.right().reader().readAll());
                    writer.writeEof();
                    assertThat(text(handing.out.right().reader().readAll()))
                        .isEqualTo(everything());
                    handing.in.close();
                    handing.out.close();
                  });

          assertThat(cancelled).isGreaterThanOrEqualTo(3);
        });
  }
}
