package dev.weir.benchmarks.lab;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;

/**
 * Clients that begin a TLS handshake and stop after 0, 1, 5 or 100 bytes, beside honest ones. The
 * server gives a handshake ten seconds, as it does by itself.
 */
final class StalledHandshakes {
  private static final int HONEST = 50;
  private static final int[] LENGTHS = {0, 1, 5, 100};

  private StalledHandshakes() {}

  /**
   * What came of it.
   *
   * @param alone what the honest had without the others
   * @param beside what they had with them
   * @param growth per connection that stalled, heap and direct
   * @param firstClosed after how long since it was made the first was closed
   * @param lastClosed and the last
   * @param newcomer how long it took another honest client to connect and have an answer meanwhile
   */
  record Outcome(
      HonestClients.Answers alone,
      HonestClients.Answers beside,
      long growth,
      Duration firstClosed,
      Duration lastClosed,
      Duration newcomer) {

    @Override
    public String toString() {
      return """
      honest alone   %s
      honest beside  %s
      newcomer       connected and answered in %,d ms
      growth         %,d bytes a connection, heap and direct
      closed         after %,d to %,d ms\
      """
          .formatted(
              alone,
              beside,
              newcomer.toMillis(),
              growth,
              firstClosed.toMillis(),
              lastClosed.toMillis());
    }
  }

  static Outcome run(int count, String provider) throws IOException, InterruptedException {
    try (ServerProcess server = ServerProcess.start(List.of("-Xmx256m"), "tls=" + provider);
        HonestClients honest = HonestClients.start(server, HONEST)) {
      honest.awaitAnswers(1000); // Until the server is compiled.
      honest.startOver();
      honest.awaitAnswers(1000);
      HonestClients.Answers alone = honest.answers();
      Figures before = server.figures();

      byte[] hello = LabTls.clientHello();
      List<Thread> stalled = new ArrayList<>();
      ConcurrentLinkedQueue<Duration> lives = new ConcurrentLinkedQueue<>();
      CountDownLatch connected = new CountDownLatch(count);
      for (int i = 0; i < count; i++) {
        int length = LENGTHS[i % LENGTHS.length];
        stalled.add(Thread.ofVirtual().start(() -> stall(server, hello, length, connected, lives)));
      }
      connected.await();
      honest.startOver();
      long start = System.nanoTime();
      try (HonestClients newcomer = HonestClients.start(server, 1)) {
        newcomer.awaitAnswers(1);
      }
      Duration newcomer = Duration.ofNanos(System.nanoTime() - start);
      Figures during = server.figures();
      for (Thread thread : stalled) {
        thread.join();
      }
      HonestClients.Answers beside = honest.answers();
      List<Duration> sorted = lives.stream().sorted().toList();
      return new Outcome(
          alone,
          beside,
          (during.held() - before.held()) / count,
          sorted.getFirst(),
          sorted.getLast(),
          newcomer);
    }
  }

  private static void stall(
      ServerProcess server,
      byte[] hello,
      int length,
      CountDownLatch connected,
      ConcurrentLinkedQueue<Duration> lives) {
    try (Socket socket = server.connectInClear()) {
      long start = System.nanoTime();
      socket.getOutputStream().write(hello, 0, length);
      connected.countDown();
      awaitEnd(socket);
      lives.add(Duration.ofNanos(System.nanoTime() - start));
    } catch (IOException e) {
      throw new IllegalStateException("a connection that was to stall could not be made", e);
    }
  }

  private static void awaitEnd(Socket socket) throws IOException {
    try {
      while (socket.getInputStream().read() >= 0) {}
    } catch (SocketException e) {
      // Reset: that is an end, too.
    }
  }
}
