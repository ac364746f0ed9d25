package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.Asyncio;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Loop;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Peers that reset at each moment of a connection's life, again and again: no task hangs, no
 * descriptor stays, and the loop does not turn round for nothing afterwards.
 */
@Tag("slow")
@ExtendWith(LeakCheck.class)
class ResetRoundsTest {
  private static final int ROUNDS = 500;
  private static final Duration IDLE = Duration.ofMillis(400);

  private int begun;
  private int ended;

  private interface Peer {
    /** Does its part up to the reset. */
    void talk(Socket socket) throws IOException;
  }

  private record Moment(String name, Peer peer) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Arguments> momentsOnTransports() {
    return Stream.of(
            new Moment("before it is accepted", socket -> {}),
            new Moment("while a read waits", socket -> socket.getOutputStream().write('x')),
            new Moment(
                "while a write waits",
                socket -> {
                  socket.getOutputStream().write('w');
                  socket.getInputStream().readNBytes(100_000);
                }),
            new Moment(
                "after its end of stream",
                socket -> {
                  socket.getOutputStream().write('x');
                  socket.shutdownOutput();
                  socket.getInputStream().read();
                }),
            new Moment(
                "after its end of stream, while a write waits",
                socket -> {
                  socket.getOutputStream().write('w');
                  socket.shutdownOutput();
                  socket.getInputStream().readNBytes(100_000);
                }))
        .flatMap(moment -> Stream.of(Arguments.of("nio", moment), Arguments.of("epoll", moment)));
  }

  /** Writes without end, or answers and reads on; after the peer's end it stays half open. */
  private void handle(StreamReader reader, StreamWriter writer) throws IOException {
    begun++;
    try {
      byte[] first = reader.read(1);
      if (first.length > 0 && first[0] == 'w') {
        while (true) {
          writer.write(new byte[1 << 20]);
        }
      }
      writer.write("y");
      reader.readAll();
      while (true) { // The peer has ended its stream, and only writing meets the reset.
        writer.write("y");
        Asyncio.sleep(Duration.ofMillis(1));
      }
    } finally {
      ended++;
    }
  }

  @ParameterizedTest(name = "{1} on {0}")
  @MethodSource("momentsOnTransports")
  void manyResetsLeaveNothingBehind(String transport, Moment moment) {
    TestServer.with(
        transport,
        this::handle,
        (server, port) -> {
          resetOnce(port, moment);
          long before = Descriptors.open();
          for (int i = 0; i < ROUNDS; i++) {
            resetOnce(port, moment);
          }
          OnLoop.passRoundsUntil(() -> begun == ended && server.toString().contains(" 0 conn"));

          assertThat(Descriptors.open()).isLessThanOrEqualTo(before + 2);
          assertThat(cpuWhileIdle()).isLessThan(IDLE.dividedBy(5));
          server.close();
          server.waitClosed();
        });
  }

  /** All on a worker: where the kernel's queue is full, connecting waits for the loop to accept. */
  private static void resetOnce(int port, Moment moment) {
    OnLoop.onWorker(
            () -> {
              try (Socket socket = TestServer.connectPlainly(port)) {
                moment.peer.talk(socket);
                socket.setSoLinger(true, 0);
              }
              return null;
            })
        .await();
  }

  private static Duration cpuWhileIdle() {
    Asyncio.sleep(IDLE.dividedBy(10));
    long carrier = carrierId(Asyncio.runningLoop());
    long before = ManagementFactory.getThreadMXBean().getThreadCpuTime(carrier);
    Asyncio.sleep(IDLE);
    return Duration.ofNanos(ManagementFactory.getThreadMXBean().getThreadCpuTime(carrier) - before);
  }

  private static long carrierId(Loop loop) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> loop.toString().contains("[" + thread.getName() + ","))
        .findFirst()
        .orElseThrow()
        .threadId();
  }
}
