package dev.weir.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.weir.Asyncio;
import dev.weir.spi.Transport;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Connections that are idle, or never begin: when they end, and what their handlers see. */
class ServerTimeoutTest {
  private static final Duration IDLE = Duration.ofSeconds(60);
  private static final Duration FIRST_BYTE = Duration.ofSeconds(5);
  private static final Duration NEARLY_IDLE = IDLE.minusNanos(1000);

  /** Until when it is noticed that the last byte that was written left. */
  private static final Duration IDLE_AND_NOTICED = IDLE.multipliedBy(9).dividedBy(8);

  private static final ServerOptions WITH_IDLE = ServerOptions.defaults().withIdleTimeout(IDLE);
  private static final ServerOptions WITH_FIRST_BYTE =
      ServerOptions.defaults().withFirstByteTimeout(FIRST_BYTE);

  private final List<IOException> failures = new ArrayList<>();

  /** Its failures are its connection's own, so that nothing is reported. */
  private void echo(StreamReader reader, StreamWriter writer) throws IOException {
    try {
      for (byte[] chunk = reader.read(1 << 16); chunk.length > 0; chunk = reader.read(1 << 16)) {
        writer.write(chunk);
      }
    } catch (IOException e) {
      failures.add(e);
      throw e;
    }
  }

  private static Duration now() {
    return Asyncio.runningLoop().time();
  }

  private static Duration timeOfReset(Connection connection) {
    assertThatExceptionOfType(ConnectionResetException.class)
        .isThrownBy(() -> connection.reader().readAll());
    return now();
  }

  // --- Idle

  @Test
  void anIdleConnectionIsResetAndItsHandlerSeesATimeout() {
    MemoryServer.with(
        this::echo,
        WITH_IDLE,
        (server, port) -> {
          Connection connection = MemoryServer.connect(port);
          Duration begun = now();

          assertThat(timeOfReset(connection)).isEqualTo(begun.plus(IDLE));

          server.close();
          server.waitClosed();
          assertThat(failures)
              .singleElement()
              .isInstanceOf(SocketTimeoutException.class)
              .extracting(Throwable::getMessage)
              .isEqualTo("Nothing was read or written for 60.0 s");
        });
  }

  @Test
  void everyCallOfTheHandlerThrowsTheTimeoutThen() {
    List<String> said = new ArrayList<>();
    MemoryServer.with(
        (reader, writer) -> {
          Asyncio.sleep(IDLE.multipliedBy(2));
          assertThatExceptionOfType(SocketTimeoutException.class).isThrownBy(() -> reader.read(1));
          assertThatExceptionOfType(SocketTimeoutException.class).isThrownBy(reader::readLine);
          assertThatExceptionOfType(SocketTimeoutException.class)
              .isThrownBy(() -> writer.write("too late"));
          assertThatExceptionOfType(SocketTimeoutException.class).isThrownBy(writer::drain);
          assertThatExceptionOfType(SocketTimeoutException.class).isThrownBy(writer::waitClosed);
          said.add("all");
        },
        WITH_IDLE,
        (server, port) -> {
          MemoryServer.connect(port);
          Asyncio.sleep(IDLE.multipliedBy(3));

          assertThat(said).containsExactly("all");
        });
  }

  @Test
  void whatComesInTimeKeepsAConnectionAlive() {
    MemoryServer.with(
        this::echo,
        WITH_IDLE,
        (server, port) -> {
          Connection connection = MemoryServer.connect(port);
          for (int i = 0; i < 10; i++) {
            Asyncio.sleep(NEARLY_IDLE);
            connection.writer().write("drip");
            assertThat(connection.reader().readExactly(4)).hasSize(4);
          }
          Duration last = now();

          assertThat(timeOfReset(connection))
              .isBetween(last.plus(IDLE), last.plus(IDLE_AND_NOTICED));
        });
  }

  @Test
  void readingAloneAndWritingAloneKeepAConnectionAlive() {
    MemoryServer.with(
        (reader, writer) -> {
          if (reader.readLine().length > 1) { // Reads on.
            reader.readAll();
          } else {
            for (int i = 0; i < 5; i++) {
              Asyncio.sleep(NEARLY_IDLE);
              writer.write("drip");
            }
          }
        },
        WITH_IDLE,
        (server, port) -> {
          Connection reading = MemoryServer.connect(port);
          Connection writing = MemoryServer.connect(port);
          reading.writer().write("\n");
          writing.writer().write("write\n");
          for (int i = 0; i < 5; i++) {
            Asyncio.sleep(NEARLY_IDLE);
            writing.writer().write("drip");
          }

          assertThat(reading.reader().readAll()).hasSize(20);
          reading.close();
          writing.close();
        });
  }

  /** A handler that waits for room to write is idle as well, if the peer takes nothing. */
  @Test
  void aPeerThatTakesNothingIsIdleWithinTwiceTheTime() {
    MemoryServer.with(
        (reader, writer) -> {
          try {
            while (true) {
              writer.write(new byte[1 << 20]);
            }
          } catch (IOException e) {
            failures.add(e);
            throw e;
          }
        },
        WITH_IDLE,
        (server, port) -> {
          Connection connection = MemoryServer.connect(port);
          Duration begun = now();
          Rounds.settle();
          server.close();
          server.waitClosed();

          assertThat(failures).singleElement().isInstanceOf(SocketTimeoutException.class);
          assertThat(now().minus(begun)).isBetween(IDLE, IDLE.multipliedBy(2).plusMillis(1));
          connection.close();
        });
  }

  /** Each write is one of the handler's, and none of the bytes gets any further. */
  @Test
  void heartbeatsToAPeerThatTakesNothingDoNotKeepAConnectionAlive() {
    MemoryServer.with(
        (reader, writer) -> {
          try {
            do {
              writer.write(new byte[10_000]);
              Rounds.settle();
            } while (writer.writeBufferSize() == 0); // Until both ends are full.
            while (true) {
              writer.write("beat");
              Asyncio.sleep(IDLE.dividedBy(4));
            }
          } catch (IOException e) {
            failures.add(e);
            throw e;
          }
        },
        WITH_IDLE,
        (server, port) -> {
          Connection connection = MemoryServer.connect(port);
          Duration begun = now();
          Rounds.settle();
          server.close();
          server.waitClosed();

          assertThat(failures).singleElement().isInstanceOf(SocketTimeoutException.class);
          assertThat(now().minus(begun)).isBetween(IDLE, IDLE_AND_NOTICED.plus(IDLE.dividedBy(4)));
          connection.close();
        });
  }

  @Test
  void aPeerThatTookEverythingIsNotIdleYet() {
    byte[] reply = new byte[6 << 20];
    MemoryServer.with(
        (reader, writer) -> {
          writer.write(reply);
          reader.readAll();
        },
        WITH_IDLE,
        (server, port) -> {
          Connection connection = MemoryServer.connect(port);
          Asyncio.sleep(IDLE.multipliedBy(3).dividedBy(4));
          connection.reader().readExactly(reply.length);
          Duration last = now();

          assertThat(timeOfReset(connection))
              .isBetween(last.plus(IDLE), last.plus(IDLE_AND_NOTICED));
        });
  }

  @Test
  void aPeerThatTakesWhatIsBufferedSlowlyIsNotIdle() {
    byte[] reply = new byte[1 << 20];
    MemoryServer.with(
        (reader, writer) -> {
          writer.write(reply); // Above high water, so no write follows.
          writer.drain();
        },
        WITH_IDLE.withFlushTimeout(Duration.ofHours(1)),
        (server, port) -> {
          try (Connection connection = MemoryServer.connect(port)) {
            int received = 0;
            while (received < reply.length) {
              Asyncio.sleep(NEARLY_IDLE.dividedBy(2));
              received += connection.reader().read(100_000).length;
            }
            assertThat(connection.reader().read(1)).isEmpty();
          }
        });
  }

  /** Else each byte would leave a timer behind until its time. */
  @Test
  void aConnectionHasOneTimerHoweverMuchItReceives() {
    MemoryServer.with(
        this::echo,
        WITH_IDLE.withFirstByteTimeout(FIRST_BYTE),
        (server, port) -> {
          Loop loop = Asyncio.runningLoop();
          try (Connection connection = MemoryServer.connect(port)) {
            Rounds.settle();
            int before = loop.pendingTimers().size();
            for (int i = 0; i < 1000; i++) {
              connection.writer().write("x");
              connection.reader().readExactly(1);
            }

            assertThat(before).isEqualTo(1);
            assertThat(loop.pendingTimers()).hasSize(1);
          }
          server.close();
          server.waitClosed();
          Rounds.settle();
          assertThat(loop.pendingTimers()).isEmpty();
        });
  }

  @Test
  void aConnectionThatIsClosedInTimeSeesNoTimeout() {
    MemoryServer.with(
        this::echo,
        WITH_IDLE,
        (server, port) -> {
          try (Connection connection = MemoryServer.connect(port)) {
            assertThat(MemoryServer.ask(connection, "hello")).isEqualTo("hello");
          }
          Asyncio.sleep(IDLE.multipliedBy(2));

          assertThat(failures).isEmpty();
        });
  }

  // --- The first byte

  @Test
  void aConnectionThatNeverBeginsIsReset() {
    MemoryServer.with(
        this::echo,
        WITH_FIRST_BYTE,
        (server, port) -> {
          Connection connection = MemoryServer.connect(port);
          Duration begun = now();

          assertThat(timeOfReset(connection)).isEqualTo(begun.plus(FIRST_BYTE));
          Rounds.settle();
          assertThat(failures)
              .singleElement()
              .isInstanceOf(SocketTimeoutException.class)
              .extracting(Throwable::getMessage)
              .isEqualTo("No byte arrived within 5.0 s of the connection");
        });
  }

  @Test
  void afterTheFirstByteTheConnectionHasAllTheTimeInTheWorld() {
    MemoryServer.with(
        this::echo,
        WITH_FIRST_BYTE,
        (server, port) -> {
          try (Connection connection = MemoryServer.connect(port)) {
            Asyncio.sleep(FIRST_BYTE.minusNanos(1000));
            connection.writer().write("x");
            Asyncio.sleep(Duration.ofDays(1));

            connection.writer().write("y");
            assertThat(connection.reader().readExactly(2)).hasSize(2);
          }
        });
  }

  @Test
  void aGreetingDoesNotCountAsAFirstByte() {
    MemoryServer.with(
        (reader, writer) -> {
          writer.write("220 welcome");
          echo(reader, writer);
        },
        WITH_FIRST_BYTE.withIdleTimeout(IDLE),
        (server, port) -> {
          Connection connection = MemoryServer.connect(port);
          Duration begun = now();

          assertThat(timeOfReset(connection)).isEqualTo(begun.plus(FIRST_BYTE));
        });
  }

  @Test
  void bothTimeoutsApplyEachInItsTurn() {
    MemoryServer.with(
        this::echo,
        WITH_FIRST_BYTE.withIdleTimeout(IDLE),
        (server, port) -> {
          Connection connection = MemoryServer.connect(port);
          Asyncio.sleep(FIRST_BYTE.dividedBy(2));
          connection.writer().write("x");
          Rounds.settle();
          Duration last = now();

          assertThat(timeOfReset(connection))
              .isBetween(last.plus(IDLE).minusMillis(1), last.plus(IDLE_AND_NOTICED));
        });
  }

  // --- Many

  /** One byte each now and then, for ever: the deadline of a read is what ends that. */
  @Test
  void drippersAreEndedByADeadlineAndHonestClientsAreServed() {
    Duration deadline = Duration.ofSeconds(30);
    ConnectionHandler handler =
        (reader, writer) ->
            Asyncio.timeout(deadline).run(timeout -> MemoryServer.echo(reader, writer));
    VirtualLoop.run(() -> {
      List<Duration> ended = new ArrayList<>();
      Asyncio.runningLoop().setExceptionHandler((loop, context) -> ended.add(now()));
      try (Server server = MemoryServer.start(handler)) {
        int port = MemoryServer.port(server);
        List<Task<?>> drippers = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
          drippers.add(Asyncio.createTask(() -> drip(port)));
        }
        Duration begun = now();
        try (Connection honest = MemoryServer.connect(port)) {
          for (int i = 0; i < 20; i++) {
            assertThat(MemoryServer.ask(honest, "honest")).isEqualTo("honest");
            Asyncio.sleep(Duration.ofSeconds(1));
          }
        }
        drippers.forEach(Task::await);

        assertThat(ended)
            .hasSize(500)
            .allSatisfy(when ->
                assertThat(when.minus(begun))
                    .isBetween(deadline, deadline.multipliedBy(11).dividedBy(10)));
      }
    });
  }

  private static void drip(int port) throws IOException {
    try (Connection connection = MemoryServer.connect(port)) {
      while (true) {
        connection.writer().write("x");
        Asyncio.sleep(Duration.ofSeconds(10));
      }
    } catch (SocketException e) {
      // That is what is wanted.
    }
  }

  // --- The transport in between

  /** A method that it left to a default of the interface would miss the engine's. */
  @Test
  void theWatchedTransportPassesEveryCallOn() throws NoSuchMethodException {
    for (Method method : Transport.class.getMethods()) {
      assertThat(
              WatchedTransport.class
                  .getMethod(method.getName(), method.getParameterTypes())
                  .getDeclaringClass())
          .as(method.toString())
          .isEqualTo(WatchedTransport.class);
    }
  }
}
