package dev.weir.benchmarks.lab;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A server is told to end while every one of its connections is busy with a long reply.
 *
 * <p>Clients whose failures are counted have platform threads, here and elsewhere in the lab: on
 * virtual ones the JDK may miss a catch in a frame that was deoptimized meanwhile (JDK-8389310).
 */
final class BusyShutdown {
  private static final int REPLY_BYTES = 512 * 1024;

  /** Much less than a reply, or else the kernel would hold the rest of it when the server ends. */
  private static final int RECEIVE_BUFFER_BYTES = 32 * 1024;

  private final AtomicLong whole = new AtomicLong();
  private final AtomicLong truncated = new AtomicLong();
  private final AtomicLong unanswered = new AtomicLong();

  private BusyShutdown() {}

  /**
   * What came of it.
   *
   * @param whole replies
   * @param truncated replies of which something arrived, but not all
   * @param unanswered questions of which nothing came back: they were under way when the server
   *     took no more
   * @param took from the signal to the end of the process
   * @param leftOver what the server found left of its loop when it ended
   */
  record Outcome(long whole, long truncated, long unanswered, Duration took, String leftOver) {
    @Override
    public String toString() {
      return """
      replies  %,d whole, %,d truncated, %,d questions without one
      ended    %,d ms after the signal: %s\
      """
          .formatted(whole, truncated, unanswered, took.toMillis(), leftOver);
    }
  }

  static Outcome run(int connections, Duration grace) throws IOException, InterruptedException {
    BusyShutdown shutdown = new BusyShutdown();
    try (ServerProcess server =
        ServerProcess.start(List.of("-Xmx512m"), "grace=" + grace.toMillis())) {
      List<Socket> sockets = new ArrayList<>();
      for (int i = 0; i < connections; i++) {
        sockets.add(greeted(server.connect()));
      }
      CountDownLatch answered = new CountDownLatch(connections);
      List<Thread> clients = new ArrayList<>();
      for (Socket socket : sockets) {
        clients.add(
            Thread.ofPlatform().daemon().start(() -> shutdown.askUntilTheEnd(socket, answered)));
      }
      answered.await();
      long start = System.nanoTime();
      server.terminate();
      String leftOver = server.awaitEnd();
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      for (Thread client : clients) {
        client.join();
      }
      return new Outcome(
          shutdown.whole.get(),
          shutdown.truncated.get(),
          shutdown.unanswered.get(),
          took,
          leftOver);
    }
  }

  /** A server that is busy accepts but one at a time: all are accepted before anything begins. */
  private static Socket greeted(Socket socket) throws IOException {
    socket.setReceiveBufferSize(RECEIVE_BUFFER_BYTES);
    socket.getOutputStream().write("hello\n".getBytes(US_ASCII));
    socket.getInputStream().readNBytes("hello\n".length());
    return socket;
  }

  private void askUntilTheEnd(Socket socket, CountDownLatch answered) {
    try (socket) {
      int received = ask(socket);
      answered.countDown();
      for (; received == REPLY_BYTES; received = ask(socket)) {
        whole.incrementAndGet();
      }
      (received == 0 ? unanswered : truncated).incrementAndGet();
    } catch (IOException e) {
      // Of closing.
    }
  }

  /** Asks, and returns how many bytes of the reply arrived. */
  private static int ask(Socket socket) {
    byte[] piece = new byte[16 * 1024];
    int received = 0;
    try {
      socket.getOutputStream().write(("reply " + REPLY_BYTES + "\n").getBytes(US_ASCII));
      for (int read = 0; read >= 0 && received < REPLY_BYTES; received += Math.max(0, read)) {
        read = socket.getInputStream().read(piece);
      }
    } catch (IOException e) {
      // As good as the end of the stream.
    }
    return received;
  }
}
