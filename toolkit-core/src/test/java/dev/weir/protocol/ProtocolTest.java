package dev.weir.protocol;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.Server;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.ContextVar;
import dev.weir.task.ExceptionContext;
import dev.weir.task.FiberKind;
import dev.weir.task.Future;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Connections of callbacks, each against a peer with streams. */
class ProtocolTest {
  private interface Talk {
    void run(Recorder protocol, StreamReader reader, StreamWriter writer) throws Exception;
  }

  /** Connects a protocol to a peer with streams, which does nothing by itself. */
  private static void with(
      Supplier<? extends Recorder> factory, ConnectOptions options, Talk talk) {
    VirtualLoop.run(() -> talk(factory, options, talk));
  }

  private static void talk(Supplier<? extends Recorder> factory, ConnectOptions options, Talk talk)
      throws Exception {
    Future<StreamReader> reader = Asyncio.runningLoop().createFuture();
    Future<StreamWriter> writer = Asyncio.runningLoop().createFuture();
    ConnectionHandler peer =
        (in, out) -> {
          out.detach();
          reader.setResult(in);
          writer.setResult(out);
        };
    try (Server server = Asyncio.startServer(peer, "127.0.0.1", 0)) {
      Attached<Transport, ? extends Recorder> attached =
          Asyncio.createConnection(factory, "127.0.0.1", port(server), options);
      try (StreamWriter out = writer.await()) {
        talk.run(attached.protocol(), reader.await(), out);
      } finally {
        attached.transport().close();
      }
    }
  }

  private static void with(Supplier<? extends Recorder> factory, Talk talk) {
    with(factory, ConnectOptions.defaults(), talk);
  }

  private static List<ExceptionContext> reportsOf(Supplier<? extends Recorder> factory, Talk talk) {
    List<ExceptionContext> reports = new ArrayList<>();
    VirtualLoop.run(() -> {
      Asyncio.runningLoop().setExceptionHandler((loop, context) -> reports.add(context));
      talk(factory, ConnectOptions.defaults(), talk);
    });
    return reports;
  }

  private static int port(Server server) {
    return server.addresses().getFirst().getPort();
  }

  /** Lets everything happen that is under way, however long that takes by the loop's clock. */
  private static void settle() {
    Asyncio.sleep(Duration.ofSeconds(1));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  @Test
  void aProtocolIsToldOfItsConnectionFromTheFirstToTheLast() {
    with(
        Recorder::new,
        (protocol, reader, writer) -> {
          assertThat(protocol.events).containsExactly("made");
          writer.write("hello");
          settle();
          writer.close();

          assertThat(protocol.awaitLoss()).isNull();
          assertThat(protocol.received).hasToString("hello");
          assertThat(protocol.events).containsExactly("made", "data", "eof", "lost");
        });
  }

  @Test
  void whatAProtocolWritesArrives() {
    with(
        Recorder::new,
        (protocol, reader, writer) -> {
          protocol.transport().write(bytes("one,"));
          protocol.transport().write(bytes("[two]"), 1, 3);
          protocol.transport().writeLines(List.of(bytes(",three"), bytes(""), bytes(",four\n")));

          assertThat(reader.readLine(UTF_8)).isEqualTo("one,two,three,four");
        });
  }

  @Test
  void whatIsWrittenIsCopied() {
    with(
        Recorder::new,
        (protocol, reader, writer) -> {
          byte[] line = bytes("hello\n");
          protocol.transport().write(line);
          line[0] = '?';

          assertThat(reader.readLine(UTF_8)).isEqualTo("hello");
        });
  }

  @Test
  void aServerMakesAProtocolForEachConnection() {
    VirtualLoop.run(() -> {
      List<Recorder> made = new ArrayList<>();
      Supplier<Recorder> echo =
          () -> {
            Recorder protocol =
                new Recorder() {
                  @Override
                  public void dataReceived(byte[] data) {
                    transport().write(data);
                  }
                };
            made.add(protocol);
            return protocol;
          };
      try (Server server = Asyncio.createServer(echo, "127.0.0.1", 0)) {
        for (String line : List.of("one", "two")) {
          try (var connection = Asyncio.openConnection("127.0.0.1", port(server))) {
            connection.writer().writeLine(line);
            assertThat(connection.reader().readLine(UTF_8)).isEqualTo(line);
          }
        }
        server.shutdown(Duration.ofSeconds(1));
      }
      assertThat(made)
          .extracting(protocol -> protocol.events.getLast())
          .containsExactly("lost", "lost");
    });
  }

  @Test
  void aConnectionOfAProtocolStaysOpenAndCountsForItsServer() {
    VirtualLoop.run(() -> {
      try (Server server = Asyncio.createServer(Recorder::new, "127.0.0.1", 0)) {
        var connection = Asyncio.openConnection("127.0.0.1", port(server));
        settle();
        assertThat(server.toString()).contains("1 connection");

        server.abortClients();
        assertThatExceptionOfType(ConnectionResetException.class)
            .isThrownBy(() -> connection.reader().readAll());
        settle();
        assertThat(server.toString()).contains("0 connections");
        connection.close();
      }
    });
  }

  @Test
  void aProtocolWhoseEofReceivedSaysSoGoesOnWriting() {
    with(
        () -> new Recorder().staysOpen(),
        (protocol, reader, writer) -> {
          writer.writeEof();
          settle();
          assertThat(protocol.events).containsExactly("made", "eof");

          protocol.transport().write(bytes("late"));
          protocol.transport().close();

          assertThat(new String(reader.readAll(), UTF_8)).isEqualTo("late");
          assertThat(protocol.awaitLoss()).isNull();
        });
  }

  @Test
  void writeEofEndsOneDirection() {
    with(
        Recorder::new,
        (protocol, reader, writer) -> {
          assertThat(protocol.transport().canWriteEof()).isTrue();
          protocol.transport().write(bytes("question"));
          protocol.transport().writeEof();
          protocol.transport().writeEof();

          assertThat(new String(reader.readAll(), UTF_8)).isEqualTo("question");
          writer.write("answer");
          settle();
          assertThat(protocol.received).hasToString("answer");
          assertThatIllegalStateException()
              .isThrownBy(() -> protocol.transport().write(bytes("more")))
              .withMessageContaining("after writeEof()");
        });
  }

  @Test
  void closeSendsWhatIsBufferedAndReceivesNoMore() {
    with(
        Recorder::new,
        (protocol, reader, writer) -> {
          byte[] much = new byte[1 << 20];
          protocol.transport().write(much);
          protocol.transport().close();
          protocol.transport().close();
          assertThat(protocol.transport().isClosing()).isTrue();
          protocol.transport().write(bytes("too late"));
          writer.write("nobody listens");

          assertThat(reader.readAll()).isEqualTo(much);
          assertThat(protocol.awaitLoss()).isNull();
          assertThat(protocol.received).hasToString("");
        });
  }

  @Test
  void abortDropsWhatIsBufferedAndTheLossHasNoCause() {
    with(
        Recorder::new,
        (protocol, reader, writer) -> {
          protocol.transport().write(new byte[1 << 20]);
          protocol.transport().abort();

          assertThat(protocol.awaitLoss()).isNull();
          assertThatExceptionOfType(ConnectionResetException.class).isThrownBy(reader::readAll);
        });
  }

  @Test
  void aResetIsTheCauseOfTheLoss() {
    with(
        Recorder::new,
        (protocol, reader, writer) -> {
          writer.abort();

          assertThat(protocol.awaitLoss()).isInstanceOf(ConnectionResetException.class);
          assertThat(protocol.events).containsExactly("made", "lost");
        });
  }

  @Test
  void nothingIsToldWhileReadingIsPausedAndAllOfItAfterwards() {
    with(
        Recorder::new,
        (protocol, reader, writer) -> {
          protocol.transport().pauseReading();
          protocol.transport().pauseReading();
          assertThat(protocol.transport().isReading()).isFalse();
          writer.write("hello");
          writer.close();
          settle();
          assertThat(protocol.events).containsExactly("made");

          protocol.transport().resumeReading();
          protocol.transport().resumeReading();

          assertThat(protocol.awaitLoss()).isNull();
          assertThat(protocol.received).hasToString("hello");
          assertThat(protocol.events).containsExactly("made", "data", "eof", "lost");
        });
  }

  /** Takes in a byte at a time, and pauses after each. */
  private static class OneByOne extends Recorder implements BufferedProtocol {
    private final ByteBuffer buffer = ByteBuffer.allocate(1);

    @Override
    public ByteBuffer getBuffer(int sizeHint) {
      return buffer.clear();
    }

    @Override
    public void bufferUpdated(int count) {
      received.append(new String(buffer.array(), 0, count, UTF_8));
      transport().pauseReading();
    }

    @Override
    public boolean eofReceived() throws Exception {
      return super.eofReceived();
    }
  }

  @Test
  void aBufferedProtocolThatPausesInTheMiddleLosesNothing() {
    with(
        OneByOne::new,
        (protocol, reader, writer) -> {
          writer.write("hello");
          writer.close();
          for (int i = 1; i <= 5; i++) {
            settle();
            assertThat(protocol.received).hasToString("hello".substring(0, i));
            protocol.transport().resumeReading();
          }
          assertThat(protocol.awaitLoss()).isNull();
          assertThat(protocol.events).containsExactly("made", "eof", "lost");
        });
  }

  @Test
  void whatHadArrivedBeforeALossIsToldBeforeIt() {
    with(
        OneByOne::new,
        (protocol, reader, writer) -> {
          writer.write("hello");
          settle();
          assertThat(protocol.received).hasToString("h");
          writer.abort();

          assertThat(protocol.awaitLoss()).isInstanceOf(ConnectionResetException.class);
          assertThat(protocol.received).hasToString("hello");
        });
  }

  @Test
  void aBufferWithoutRoomEndsTheConnectionAndIsReported() {
    List<ExceptionContext> reports =
        reportsOf(
            () ->
                new OneByOne() {
                  @Override
                  public ByteBuffer getBuffer(int sizeHint) {
                    return ByteBuffer.allocate(0);
                  }
                },
            (protocol, reader, writer) -> {
              writer.write("hello");

              assertThat(protocol.awaitLoss()).hasMessageContaining("without room");
            });
    assertThat(reports).hasSize(1);
  }

  @Test
  void setProtocolHasAnotherOneToldFromThenOn() {
    with(
        Recorder::new,
        (first, reader, writer) -> {
          Recorder second = new Recorder();
          writer.write("one");
          settle();
          first.transport().setProtocol(second);
          assertThat(first.transport().protocol()).isSameAs(second);
          writer.write("two");
          writer.close();

          assertThat(second.awaitLoss()).isNull();
          assertThat(first.received).hasToString("one");
          assertThat(second.received).hasToString("two");
          assertThat(second.events).containsExactly("data", "eof", "lost");
        });
  }

  @Test
  void whoCannotReceiveBytesIsNoProtocolOfAConnection() {
    with(
        Recorder::new,
        (protocol, reader, writer) -> {
          BaseProtocol<Transport> none = new BaseProtocol<>() {};
          assertThatIllegalArgumentException()
              .isThrownBy(() -> protocol.transport().setProtocol(none))
              .withMessageContaining("neither a Protocol nor a BufferedProtocol");
        });
  }

  @Test
  void writingPausesAboveHighWaterAndResumesAtLowWaterOnceEach() {
    with(
        Recorder::new,
        (protocol, reader, writer) -> {
          protocol.transport().setWriteBufferLimits(1000, 100);
          assertThat(protocol.transport().writeBufferLimits())
              .isEqualTo(new WriteBufferLimits(100, 1000));
          protocol.transport().write(new byte[1000]);
          assertThat(protocol.events).doesNotContain("pause");
          protocol.transport().write(new byte[1]);
          protocol.transport().write(new byte[1 << 20]);
          assertThat(protocol.events).containsExactly("made", "pause");
          assertThat(protocol.transport().writeBufferSize()).isEqualTo(1001 + (1 << 20));

          reader.readExactly(1001 + (1 << 20));
          settle();
          assertThat(protocol.events).containsExactly("made", "pause", "resume");
        });
  }

  @Test
  void lowWaterIsAQuarterOfHighWaterUnlessSaid() {
    with(
        Recorder::new,
        (protocol, reader, writer) -> {
          protocol.transport().setWriteBufferLimits(4000);
          assertThat(protocol.transport().writeBufferLimits())
              .isEqualTo(new WriteBufferLimits(1000, 4000));
          assertThatIllegalArgumentException()
              .isThrownBy(() -> protocol.transport().setWriteBufferLimits(1, 2));
        });
  }

  @Test
  void whoeverWritesOnAboveTheHardCapIsTold() {
    ConnectOptions options =
        ConnectOptions.defaults().withStream(StreamOptions.defaults().withHardCap(100_000));
    with(
        Recorder::new,
        options,
        (protocol, reader, writer) -> {
          protocol.transport().write(new byte[90_000]);
          assertThatIllegalStateException()
              .isThrownBy(() -> protocol.transport().write(new byte[10_001]))
              .withMessageContaining("90000 bytes are unsent")
              .withMessageContaining("pauseWriting()");
          protocol.transport().write(new byte[10_000]);
          assertThat(reader.readExactly(100_000)).hasSize(100_000);
        });
  }

  @Test
  void whatDataReceivedThrowsIsReportedAndEndsItsConnection() {
    IllegalStateException bug = new IllegalStateException("bug");
    List<ExceptionContext> reports =
        reportsOf(
            () ->
                new Recorder() {
                  @Override
                  public void dataReceived(byte[] data) {
                    throw bug;
                  }
                },
            (protocol, reader, writer) -> {
              writer.write("hello");

              assertThat(protocol.awaitLoss()).isSameAs(bug);
              assertThatExceptionOfType(ConnectionResetException.class).isThrownBy(reader::readAll);
            });
    assertThat(reports).extracting(ExceptionContext::exception).containsExactly(bug);
    assertThat(reports.getFirst().message()).startsWith("Exception in dataReceived() of ");
  }

  @Test
  void whatTheOtherCallbacksThrowIsReportedAndTheConnectionGoesOn() {
    List<ExceptionContext> reports =
        reportsOf(
            () ->
                new Recorder() {
                  @Override
                  public void connectionMade(Transport transport) throws Exception {
                    super.connectionMade(transport);
                    throw new IOException("made");
                  }

                  @Override
                  public void pauseWriting() throws Exception {
                    throw new IOException("paused");
                  }

                  @Override
                  public void resumeWriting() throws Exception {
                    throw new IOException("resumed");
                  }

                  @Override
                  public void connectionLost(@Nullable Throwable cause) throws Exception {
                    super.connectionLost(cause);
                    throw new IOException("lost");
                  }
                },
            (protocol, reader, writer) -> {
              protocol.transport().write(new byte[1 << 20]);
              reader.readExactly(1 << 20);
              settle();
              protocol.transport().close();
              assertThat(protocol.awaitLoss()).isNull();
            });
    assertThat(reports)
        .extracting(report -> String.valueOf(report.exception()))
        .containsExactly(
            "java.io.IOException: made",
            "java.io.IOException: paused",
            "java.io.IOException: resumed",
            "java.io.IOException: lost");
  }

  @Test
  void aFactoryThatFailsAbortsTheConnectionAndTheCallFails() {
    VirtualLoop.run(() -> {
      Future<byte[]> read = Asyncio.runningLoop().createFuture();
      ConnectionHandler peer =
          (in, out) -> {
            try {
              read.setResult(in.readAll());
            } catch (IOException e) {
              read.setException(e);
            }
          };
      try (Server server = Asyncio.startServer(peer, "127.0.0.1", 0)) {
        Supplier<Recorder> factory =
            () -> {
              throw new UnsupportedOperationException("no protocol today");
            };
        assertThatExceptionOfType(UnsupportedOperationException.class)
            .isThrownBy(() -> Asyncio.createConnection(factory, "127.0.0.1", port(server)))
            .withMessage("no protocol today");
        assertThatExceptionOfType(ConnectionResetException.class).isThrownBy(read::await);
      }
    });
  }

  @Test
  void callbacksRunInTheContextOfWhoeverConnected() {
    ContextVar<String> name = new ContextVar<>("name");
    VirtualLoop.run(() -> {
      try (var _ = name.set("client")) {
        talk(
            () ->
                new Recorder() {
                  @Override
                  public void dataReceived(byte[] data) {
                    received.append(name.get("none"));
                    name.set("changed");
                  }
                },
            ConnectOptions.defaults(),
            (protocol, reader, writer) -> {
              writer.write("1");
              settle();
              writer.write("2");
              settle();
              assertThat(protocol.received).hasToString("clientchanged");
              assertThat(name.get()).isEqualTo("client");
            });
      }
    });
  }

  @Test
  void aCallbackMayStartTasksButNotSuspend() {
    List<ExceptionContext> reports =
        reportsOf(
            () ->
                new Recorder() {
                  @Override
                  public void dataReceived(byte[] data) {
                    Asyncio.createTask(() -> {
                      Asyncio.sleep(Duration.ofMillis(1));
                      transport().write(data);
                    });
                    Asyncio.sleep(Duration.ofMillis(1));
                  }
                },
            (protocol, reader, writer) -> {
              writer.write("hello");
              assertThat(protocol.awaitLoss())
                  .isInstanceOf(IllegalStateException.class)
                  .hasMessageContaining("no task to suspend");
              settle(); // The task ends.
            });
    assertThat(reports).hasSize(1);
  }

  @Test
  void theTransportKnowsItsAddressesAndMayBeAskedOnItsLoopOnly() {
    with(
        Recorder::new,
        (protocol, reader, writer) -> {
          Transport transport = protocol.transport();
          assertThat(transport.localAddress()).isEqualTo(writer.remoteAddress());
          assertThat(transport.remoteAddress()).isInstanceOf(InetSocketAddress.class);
          assertThat(transport.tlsSession()).isNull();
          Asyncio.toThread(() ->
              assertThatIllegalStateException()
                  .isThrownBy(() -> transport.write(new byte[1]))
                  .withMessageContaining("Transport.write()"));
        });
  }

  // --- Callbacks that take their time

  private static Server startGreeter(byte[] greeting) throws IOException {
    return Asyncio.startServer((in, out) -> out.write(greeting), "127.0.0.1", 0);
  }

  /** Blocks as a lock in a logger does, until much else has had its turn. */
  private static void park() throws InterruptedException {
    CountDownLatch released = new CountDownLatch(1);
    Asyncio.createTask(() -> {
      for (int i = 0; i < 50; i++) {
        Asyncio.yieldNow();
      }
      released.countDown();
    });
    released.await();
  }

  @Test
  void whatHappensWhileACallbackIsParkedIsToldAfterwardsInItsOrder() {
    VirtualLoop.run(() -> {
      assumeTrue(Asyncio.runningLoop().fibers() == FiberKind.MOUNTED, "else nothing happens then");
      try (Server server = startGreeter(bytes("hello"))) {
        Supplier<Recorder> factory =
            () ->
                new Recorder() {
                  @Override
                  public void connectionMade(Transport transport) throws Exception {
                    super.connectionMade(transport);
                    park();
                    events.add("went on");
                  }
                };
        Recorder protocol = Asyncio.createConnection(factory, "127.0.0.1", port(server)).protocol();
        assertThat(protocol.awaitLoss()).isNull();
        assertThat(protocol.received).hasToString("hello");
        assertThat(protocol.events).containsExactly("made", "went on", "data", "eof", "lost");
      }
    });
  }

  @Test
  void aLossWhileACallbackIsParkedIsToldAfterwards() {
    with(
        () ->
            new OneByOne() {
              @Override
              public void bufferUpdated(int count) {
                super.bufferUpdated(count);
                if (received.length() == 2) {
                  try {
                    park();
                  } catch (InterruptedException e) {
                    throw new AssertionError(e);
                  }
                  events.add("went on");
                }
              }
            },
        (protocol, reader, writer) -> {
          assumeTrue(
              Asyncio.runningLoop().fibers() == FiberKind.MOUNTED, "else nothing happens then");
          writer.write("hello");
          settle();
          protocol.transport().resumeReading(); // The second byte comes by a callback.
          Asyncio.yieldNow();
          writer.abort();

          assertThat(protocol.awaitLoss()).isInstanceOf(ConnectionResetException.class);
          assertThat(protocol.received).hasToString("hello");
          assertThat(protocol.events).containsExactly("made", "went on", "lost");
        });
  }

  @Test
  void callbacksThatATaskCausesCannotSuspendEither() {
    List<ExceptionContext> reports =
        reportsOf(
            () ->
                new Recorder() {
                  @Override
                  public void connectionMade(Transport transport) throws Exception {
                    super.connectionMade(transport);
                    Asyncio.sleep(Duration.ofSeconds(1));
                  }

                  @Override
                  public void pauseWriting() {
                    Asyncio.sleep(Duration.ofSeconds(1));
                  }
                },
            (protocol, reader, writer) -> {
              protocol.transport().write(new byte[1 << 20]);
              reader.readExactly(1 << 20);
            });
    assertThat(reports)
        .hasSize(2)
        .allSatisfy(
            report -> assertThat(report.exception()).isInstanceOf(IllegalStateException.class));
  }

  @Test
  void aPauseFromTheBeginningHoldsEverythingBack() {
    byte[] much = new byte[5_000_000];
    VirtualLoop.run(() -> {
      Future<StreamWriter> greeting = Asyncio.runningLoop().createFuture();
      ConnectionHandler greeter =
          (in, out) -> {
            greeting.setResult(out);
            out.write(much);
          };
      try (Server server = Asyncio.startServer(greeter, "127.0.0.1", 0)) {
        Supplier<Recorder> factory =
            () -> {
              settle(); // Meanwhile more arrives than a stream reads ahead.
              return new Recorder() {
                @Override
                public void connectionMade(Transport transport) throws Exception {
                  super.connectionMade(transport);
                  transport.pauseReading();
                }
              };
            };
        Recorder protocol = Asyncio.createConnection(factory, "127.0.0.1", port(server)).protocol();
        settle();
        assertThat(protocol.events).containsExactly("made");
        assertThat(greeting.result().writeBufferSize()).isGreaterThan(4_000_000);

        protocol.transport().resumeReading();
        assertThat(protocol.awaitLoss()).isNull();
        assertThat(protocol.received).hasSize(much.length);
      }
    });
  }

  // --- Ends

  @Test
  void aCloseThatThePeerDoesNotLetHappenEndsInALossWithACause() {
    with(
        Recorder::new,
        (protocol, reader, writer) -> {
          protocol.transport().write(new byte[10_000_000]);
          Duration begun = Asyncio.runningLoop().time();
          protocol.transport().close();

          assertThat(protocol.awaitLoss()).isInstanceOf(ConnectionResetException.class);
          assertThat(Asyncio.runningLoop().time()).isEqualTo(begun.plusSeconds(10));
        });
  }

  @Test
  void aMessageOfAnySizeIsTakenWholeByAStreamOnATransport() {
    VirtualLoop.run(() -> {
      Future<Integer> read = Asyncio.runningLoop().createFuture();
      ConnectionHandler peer = (in, out) -> read.setResult(in.readExactly(17 << 20).length);
      try (Server server = Asyncio.startServer(peer, "127.0.0.1", 0)) {
        StreamReaderProtocol streams =
            Asyncio.createConnection(
                    () -> new StreamReaderProtocol(StreamOptions.defaults()),
                    "127.0.0.1",
                    port(server))
                .protocol();
        streams.writer().write(new byte[17 << 20]);
        assertThat(read.await()).isEqualTo(17 << 20);
        streams.writer().close();
      }
    });
  }
}
