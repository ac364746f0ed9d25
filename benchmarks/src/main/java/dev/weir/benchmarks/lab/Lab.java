package dev.weir.benchmarks.lab;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** {@code benchmarks/lab}: runs a scenario and prints what came of it. */
public final class Lab {
  private static final int HAPROXY_RESTARTS = 3;

  private Lab() {}

  private interface Scenario {
    void run() throws IOException, InterruptedException;
  }

  /**
   * Runs scenarios one after another.
   *
   * @param args their names
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    for (String name : args.length > 0 ? List.of(args) : List.of("help")) {
      Scenario scenario =
          switch (name) {
            case "haproxy" -> Lab::haproxy;
            case "haproxy-without-drain" -> Lab::haproxyWithoutDrain;
            case "drips" -> Lab::drips;
            case "flood" -> Lab::flood;
            case "silent" -> Lab::silent;
            case "liars" -> Lab::liars;
            case "endless" -> Lab::endless;
            case "shutdown" -> Lab::shutdown;
            case "handshakes" -> Lab::handshakes;
            default -> null;
          };
      if (scenario == null) {
        System.err.println(
            "usage: benchmarks/lab SCENARIO...\n"
                + "of haproxy, haproxy-without-drain, drips, flood, silent, liars, endless,"
                + " shutdown, handshakes; docs/lab.md says what each shows");
        System.exit(2);
      }
      IO.println(name);
      scenario.run();
      IO.println();
    }
  }

  private static void print(Object outcome) {
    IO.println(outcome.toString().indent(2).stripTrailing());
  }

  private static void haproxy() throws IOException, InterruptedException {
    behindHaproxy(true);
  }

  private static void haproxyWithoutDrain() throws IOException, InterruptedException {
    behindHaproxy(false);
  }

  private static void behindHaproxy(boolean drain) throws IOException, InterruptedException {
    if (Haproxy.isInstalled()) {
      print(BehindHaproxy.run(drain, HAPROXY_RESTARTS));
    } else {
      print("left out: haproxy is not installed, see build/install-lab");
    }
  }

  private static void drips() throws IOException, InterruptedException {
    print(Drips.run(5000, Duration.ofSeconds(30)));
  }

  private static void flood() throws IOException, InterruptedException {
    long most = ProcessFigures.descriptorsMax() - 200; // Each client wants one.
    print(Flood.run((int) Math.min(20_000, most), 1000));
  }

  private static void handshakes() throws IOException, InterruptedException {
    for (String provider : List.of("jdk", "boringssl")) {
      print("by " + provider);
      print(StalledHandshakes.run(2000, provider));
    }
  }

  private static void silent() throws IOException, InterruptedException {
    print(HostilePeers.silent(200, Duration.ofSeconds(60)));
  }

  private static void liars() throws IOException, InterruptedException {
    print(HostilePeers.liars(1000));
  }

  private static void endless() throws IOException, InterruptedException {
    HostilePeers.Endless shorter = HostilePeers.endless((1L << 30) / 10);
    HostilePeers.Endless longer = HostilePeers.endless(1L << 30);
    print(longer.outcome());
    print(
        "time    %,d ms for 1 GiB, %,d ms for a tenth of it: %.1f times; at most %,d bytes unread"
            .formatted(
                longer.took().toMillis(),
                shorter.took().toMillis(),
                (double) longer.took().toNanos() / shorter.took().toNanos(),
                longer.outcome().after().unread()));
  }

  private static void shutdown() throws IOException, InterruptedException {
    print("with a grace of 10 s");
    print(BusyShutdown.run(1000, Duration.ofSeconds(10)));
    print("with none");
    print(BusyShutdown.run(1000, Duration.ZERO));
  }
}
