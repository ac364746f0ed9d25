package dev.weir.benchmarks.lab;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Connections that bring a byte every now and then and never a whole line, beside honest ones. The
 * server gives a line a deadline.
 */
final class Drips {
  private static final int HONEST = 50;
  private static final Duration BETWEEN_BYTES = Duration.ofSeconds(10);

  private Drips() {}

  /**
   * What came of it.
   *
   * @param alone what the honest had without the others
   * @param beside what they had with them
   * @param growth per connection that drips, heap and direct
   * @param firstClosed after how long since it was made the first was closed
   * @param lastClosed and the last
   */
  record Outcome(
      HonestClients.Answers alone,
      HonestClients.Answers beside,
      long growth,
      Duration firstClosed,
      Duration lastClosed) {

    @Override
    public String toString() {
      return """
      honest alone   %s
      honest beside  %s
      growth         %,d bytes a connection, heap and direct
      closed         after %,d to %,d ms\
      """
          .formatted(alone, beside, growth, firstClosed.toMillis(), lastClosed.toMillis());
    }
  }

  static Outcome run(int count, Duration deadline) throws IOException, InterruptedException {
    try (ServerProcess server =
            ServerProcess.start(List.of("-Xmx256m"), "line=" + deadline.toMillis());
        HonestClients honest = HonestClients.start(server, HONEST)) {
      honest.awaitAnswers(1000); // Until the server is compiled.
      honest.startOver();
      honest.awaitAnswers(1000);
      HonestClients.Answers alone = honest.answers();
      Figures before = server.figures();

      List<Thread> drips = new ArrayList<>();
      ConcurrentLinkedQueue<Duration> lives = new ConcurrentLinkedQueue<>();
      CountDownLatch connected = new CountDownLatch(count);
      AtomicBoolean stopped = new AtomicBoolean();
      try {
        for (int i = 0; i < count; i++) {
          drips.add(Thread.ofVirtual().start(() -> drip(server, connected, lives, stopped)));
        }
        connected.await();
        Figures during = server.figures();
        // Connecting was work for everybody, and for figures the server collects garbage.
        honest.awaitAnswers(500);
        honest.startOver();
        honest.awaitAnswers(1000);
        HonestClients.Answers beside = honest.answers();
        server.awaitOpenAtMost(HONEST);
        for (Thread drip : drips) {
          drip.join();
        }
        List<Duration> sorted = lives.stream().sorted().toList();
        long growth = (during.held() - before.held()) / Math.max(1, during.open() - HONEST);
        return new Outcome(alone, beside, growth, sorted.getFirst(), sorted.getLast());
      } finally {
        stopped.set(true);
      }
    }
  }

  private static void drip(
      ServerProcess server,
      CountDownLatch connected,
      ConcurrentLinkedQueue<Duration> lives,
      AtomicBoolean stopped) {
    try (Socket socket = server.connect()) {
      long start = System.nanoTime();
      connected.countDown();
      socket.setSoTimeout((int) BETWEEN_BYTES.toMillis());
      while (!stopped.get() && dripOnce(socket)) {}
      lives.add(Duration.ofNanos(System.nanoTime() - start));
    } catch (IOException e) {
      throw new IllegalStateException("a connection that was to drip could not be made", e);
    }
  }

  /** Sends a byte and waits until it is time for the next. Returns whether there can be one. */
  private static boolean dripOnce(Socket socket) throws IOException {
    try {
      socket.getOutputStream().write("a".getBytes(US_ASCII));
      return socket.getInputStream().read() >= 0;
    } catch (SocketTimeoutException e) {
      return true;
    } catch (SocketException e) {
      return false; // Reset: the server has had enough.
    }
  }
}
