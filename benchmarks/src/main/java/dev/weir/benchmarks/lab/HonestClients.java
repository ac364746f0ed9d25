package dev.weir.benchmarks.lab;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;

/**
 * Clients that ask, wait for the answer, rest a little, and ask again, each on a connection of its
 * own; plain blocking sockets.
 */
final class HonestClients implements AutoCloseable {
  private static final Duration REST = Duration.ofMillis(2);

  private final List<Client> clients = new ArrayList<>();
  private volatile boolean stopped;

  /**
   * What became of them.
   *
   * @param nanos how long each answer took, the shortest first
   * @param failures in words
   */
  record Answers(long[] nanos, List<String> failures) {
    Duration percentile(double percent) {
      if (nanos.length == 0) {
        return Duration.ZERO;
      }
      int index = (int) Math.ceil(percent / 100 * nanos.length) - 1;
      return Duration.ofNanos(nanos[Math.max(0, index)]);
    }

    @Override
    public String toString() {
      return "%,d answers, %d failures, p50 %,d us, p99 %,d us, p99.9 %,d us"
          .formatted(
              nanos.length,
              failures.size(),
              TimeUnit.NANOSECONDS.toMicros(percentile(50).toNanos()),
              TimeUnit.NANOSECONDS.toMicros(percentile(99).toNanos()),
              TimeUnit.NANOSECONDS.toMicros(percentile(99.9).toNanos()));
    }
  }

  /** Starts so many, and returns when each has had an answer. */
  static HonestClients start(ServerProcess server, int count)
      throws IOException, InterruptedException {
    HonestClients clients = new HonestClients();
    CountDownLatch answered = new CountDownLatch(count);
    for (int i = 0; i < count; i++) {
      Client client = clients.new Client(server.connect(), answered);
      clients.clients.add(client);
      Thread.ofPlatform().daemon().start(client::run);
    }
    if (!answered.await(30, TimeUnit.SECONDS)) {
      clients.close();
      throw new IOException("only " + (count - answered.getCount()) + " clients had an answer");
    }
    return clients;
  }

  /** Forgets the answers so far. */
  void startOver() {
    clients.forEach(Client::startOver);
  }

  /** Waits until each has had so many more answers, or has failed. */
  void awaitAnswers(int count) throws InterruptedException {
    int[] wanted = clients.stream().mapToInt(client -> client.count() + count).toArray();
    for (int i = 0; i < wanted.length; i++) {
      clients.get(i).awaitCount(wanted[i]);
    }
  }

  /** {@return what became of them since they started, or started over} */
  Answers answers() {
    LongStream nanos = LongStream.empty();
    List<String> failures = new ArrayList<>();
    for (Client client : clients) {
      nanos = LongStream.concat(nanos, client.nanos());
      client.addFailure(failures);
    }
    return new Answers(nanos.sorted().toArray(), failures);
  }

  @Override
  public void close() {
    stopped = true;
    clients.forEach(Client::closeSocket); // Which ends the reads as well, and their threads.
  }

  private final class Client {
    private final Socket socket;
    private final CountDownLatch answered;

    // Guarded by this.

    private long[] nanos = new long[1024];
    private int count;
    private String failure = "";

    Client(Socket socket, CountDownLatch answered) {
      this.socket = socket;
      this.answered = answered;
    }

    void run() {
      try {
        BufferedReader reader =
            new BufferedReader(new InputStreamReader(socket.getInputStream(), US_ASCII));
        for (int i = 0; !stopped; i++) {
          String question = "question " + i;
          long start = System.nanoTime();
          socket.getOutputStream().write((question + "\n").getBytes(US_ASCII));
          String answer = reader.readLine();
          if (!question.equals(answer)) {
            throw new IOException("'" + question + "' was answered by '" + answer + "'");
          }
          took(System.nanoTime() - start);
          answered.countDown();
          Thread.sleep(REST);
        }
      } catch (IOException | InterruptedException e) {
        if (!stopped) {
          failed(e);
        }
      }
    }

    private synchronized void took(long time) {
      if (count == nanos.length) {
        nanos = Arrays.copyOf(nanos, 2 * count);
      }
      nanos[count++] = time;
      notifyAll(); // Wakes awaitCount().
    }

    private synchronized void failed(Exception e) {
      failure = e.toString();
      notifyAll(); // Wakes awaitCount().
    }

    synchronized int count() {
      return count;
    }

    synchronized void awaitCount(int wanted) throws InterruptedException {
      while (count < wanted && failure.isEmpty()) {
        wait();
      }
    }

    synchronized void startOver() {
      count = 0;
    }

    synchronized LongStream nanos() {
      return Arrays.stream(Arrays.copyOf(nanos, count));
    }

    synchronized void addFailure(List<String> failures) {
      if (!failure.isEmpty()) {
        failures.add(failure);
      }
    }

    void closeSocket() {
      try {
        socket.close();
      } catch (IOException e) {
        // It is gone all the same.
      }
    }
  }
}
