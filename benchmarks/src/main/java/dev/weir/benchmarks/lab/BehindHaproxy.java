package dev.weir.benchmarks.lab;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Two servers behind haproxy, each in turn stopped and started again, while clients connect, ask
 * and close over and over. Each client comes from an address of its own, which the answer must
 * name.
 */
final class BehindHaproxy {
  private static final int CLIENTS = 32;

  /** Loopback has more addresses than one: 127.0.0.2 and the seven that follow. */
  private static final int ADDRESSES = 8;

  /** Between two changes, so that each meets a system that runs. */
  private static final int REQUESTS_BETWEEN = 500;

  private final Haproxy haproxy;
  private final boolean drain;
  private final List<ServerProcess> servers;
  private final AtomicLong answered = new AtomicLong();
  private final AtomicLong misaddressed = new AtomicLong();
  private final AtomicBoolean stopped = new AtomicBoolean();

  /** Guarded by itself. */
  private final Map<String, Integer> lost = new TreeMap<>();

  private BehindHaproxy(Haproxy haproxy, boolean drain, List<ServerProcess> servers) {
    this.haproxy = haproxy;
    this.drain = drain;
    this.servers = servers;
  }

  /**
   * What became of the requests.
   *
   * @param misaddressed answers that named another client
   * @param lost how many were not answered, by what the client saw
   */
  record Outcome(long answered, long misaddressed, Map<String, Integer> lost) {
    @Override
    public String toString() {
      int sum = lost.values().stream().mapToInt(Integer::intValue).sum();
      return "%,d answered, %d lost%s, %d with another client's address"
          .formatted(answered, sum, sum == 0 ? "" : " " + lost, misaddressed);
    }
  }

  /**
   * Stops and starts each server so many times.
   *
   * @param drain whether haproxy is told before, and has brought its sessions to an end
   */
  static Outcome run(boolean drain, int restarts) throws IOException, InterruptedException {
    List<ServerProcess> servers = new ArrayList<>();
    try {
      servers.add(startServer());
      servers.add(startServer());
      List<Integer> ports = servers.stream().map(ServerProcess::port).toList();
      try (Haproxy haproxy = Haproxy.start(ports)) {
        return new BehindHaproxy(haproxy, drain, servers).run(restarts);
      }
    } finally {
      servers.forEach(ServerProcess::close);
    }
  }

  private static ServerProcess startServer() throws IOException {
    return ServerProcess.start(List.of("-Xmx64m"), "proxy=127.0.0.1", "grace=5000");
  }

  private Outcome run(int restarts) throws IOException, InterruptedException {
    List<Thread> clients = new ArrayList<>();
    for (int i = 0; i < CLIENTS; i++) {
      InetAddress address = InetAddress.ofLiteral("127.0.0." + (2 + i % ADDRESSES));
      clients.add(Thread.ofPlatform().daemon().start(() -> askAgainAndAgain(address)));
    }
    try {
      for (int i = 0; i < restarts; i++) {
        restart(0);
        restart(1);
      }
      awaitRequests();
    } finally {
      stopped.set(true);
      for (Thread client : clients) {
        client.join();
      }
    }
    return new Outcome(answered.get(), misaddressed.get(), Map.copyOf(lost));
  }

  private void restart(int index) throws IOException, InterruptedException {
    awaitRequests();
    String name = "s" + (index + 1);
    ServerProcess server = servers.get(index);
    if (drain) {
      haproxy.drain(name);
      haproxy.awaitDrained(name);
    }
    server.terminate();
    server.awaitEnd();
    awaitRequests(); // While there is only the other.
    // On another port: the old one may have become that of one of haproxy's own connections.
    ServerProcess again = startServer();
    servers.set(index, again);
    haproxy.ready(name, again.port());
  }

  private void awaitRequests() throws InterruptedException {
    long wanted = answered.get() + REQUESTS_BETWEEN;
    while (answered.get() < wanted) {
      Thread.sleep(1);
    }
  }

  private void askAgainAndAgain(InetAddress address) {
    for (long i = 0; !stopped.get(); i++) {
      String expected = address.getHostAddress() + " " + i;
      try {
        String answer = ask(address, "who " + i);
        answered.incrementAndGet();
        if (!answer.equals(expected)) {
          misaddressed.incrementAndGet();
        }
      } catch (IOException e) {
        synchronized (lost) {
          lost.merge(String.valueOf(e.getMessage()), 1, Integer::sum);
        }
      }
    }
  }

  private String ask(InetAddress address, String question) throws IOException {
    try (Socket socket = new Socket()) {
      socket.bind(new InetSocketAddress(address, 0));
      socket.setSoTimeout(20_000);
      socket.connect(haproxy.address());
      socket.getOutputStream().write((question + "\n").getBytes(US_ASCII));
      String answer =
          new BufferedReader(new InputStreamReader(socket.getInputStream(), US_ASCII)).readLine();
      if (answer == null) {
        throw new IOException("closed without an answer");
      }
      return answer;
    }
  }

  @Override
  public String toString() {
    return "BehindHaproxy[" + servers + (drain ? ", drained" : "") + "]";
  }
}
