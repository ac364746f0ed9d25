package dev.weir.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.testing.CancelEverywhere;
import dev.weir.testing.Link;
import dev.weir.testing.LinkConditions;
import dev.weir.testing.LinkConditions.Answer;
import dev.weir.testing.MemoryNetwork;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Connecting to names with several addresses: who is tried when, and what is left of the rest. */
class HappyEyeballsTest {
  private static final ConnectOptions DEFAULTS = ConnectOptions.defaults();
  private static final Duration DELAY = DEFAULTS.happyEyeballsDelay();
  private static final LinkConditions PERFECT = LinkConditions.perfect();

  private final List<String> served = new ArrayList<>();

  /** Serves everybody up to the end of the stream, and notes where. */
  private Server serverAt(String host) throws IOException {
    return Asyncio.startServer(
        (reader, writer) -> {
          served.add(host);
          reader.readAll();
        },
        host,
        80);
  }

  private static Duration now() {
    return Loop.running().time();
  }

  private static String connectedTo(Connection connection) {
    return ((InetSocketAddress) connection.writer().remoteAddress()).getAddress().getHostAddress();
  }

  /** Notes who is tried when, in seconds; addresses that end in a 9 answer nobody. */
  private static List<String> attempts(MemoryNetwork network) {
    List<String> attempts = new ArrayList<>();
    network.setLinkPolicy(attempt -> {
      String to = attempt.to().getAddress().getHostAddress();
      attempts.add(to + " at " + now().toMillis());
      return to.endsWith("9") ? PERFECT.withAnswer(Answer.NONE) : PERFECT;
    });
    return attempts;
  }

  // --- Who is tried when

  @Test
  void aDeadAddressOfIpv6BesideALivingOneOfIpv4CostsTheDelay() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("both.example", "2001:db8::9", "10.0.0.1");
      attempts(network);
      try (Server _ = serverAt("10.0.0.1");
          Connection connection = Asyncio.openConnection("both.example", 80)) {
        assertThat(connectedTo(connection)).isEqualTo("10.0.0.1");
        assertThat(now()).isEqualTo(DELAY);
        assertThat(network.links()).hasSize(1);
      }
    });
  }

  @Test
  void theFamiliesTakeTurns() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("many.example", "10.0.0.9", "10.0.0.19", "10.0.0.29", "::9", "::19");
      List<String> attempts = attempts(network);

      assertThatThrownBy(() -> Asyncio.openConnection("many.example", 80))
          .isInstanceOf(SocketTimeoutException.class);

      assertThat(attempts)
          .containsExactly(
              "10.0.0.9 at 0",
              "0:0:0:0:0:0:0:9 at 250",
              "10.0.0.19 at 500",
              "0:0:0:0:0:0:0:19 at 750",
              "10.0.0.29 at 1000");
    });
  }

  @Test
  void theNextIsTriedAtOnceWhenOneIsRefused() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("many.example", "10.0.0.9", "10.0.0.2", "10.0.0.3", "10.0.0.1");
      List<String> attempts = attempts(network);
      try (Server _ = serverAt("10.0.0.1");
          Connection connection = Asyncio.openConnection("many.example", 80)) {
        assertThat(connectedTo(connection)).isEqualTo("10.0.0.1");
      }

      assertThat(attempts)
          .containsExactly(
              "10.0.0.9 at 0", "10.0.0.2 at 250", "10.0.0.3 at 250", "10.0.0.1 at 250");
    });
  }

  @Test
  void aSlowAddressStillWinsOverADeadOneBehindIt() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("many.example", "10.0.0.1", "10.0.0.9");
      network.setLinkPolicy(attempt ->
          attempt.to().getAddress().getHostAddress().endsWith("9")
              ? PERFECT.withAnswer(Answer.NONE)
              : PERFECT.withDelay(Duration.ofMillis(300)));
      try (Server _ = serverAt("10.0.0.1");
          Connection connection = Asyncio.openConnection("many.example", 80)) {
        assertThat(connectedTo(connection)).isEqualTo("10.0.0.1");
        assertThat(now()).isEqualTo(Duration.ofMillis(600));
        assertThat(network.links()).hasSize(1);
      }
    });
  }

  @Test
  void withADelayOfZeroAddressesAreTriedOneAfterAnotherAsTheyCame() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("many.example", "10.0.0.2", "10.0.0.9", "::1");
      List<String> attempts = attempts(network);

      assertThatThrownBy(() ->
              Asyncio.openConnection(
                  "many.example", 80, DEFAULTS.withHappyEyeballsDelay(Duration.ZERO)))
          .isInstanceOf(SocketTimeoutException.class);

      assertThat(attempts).containsExactly("10.0.0.2 at 0", "10.0.0.9 at 0");
      assertThat(now()).isEqualTo(DEFAULTS.connectTimeout());
    });
  }

  @Test
  void whoeverConnectsInTheSameRoundAsTheWinnerIsGivenUp() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("two.example", "10.0.0.1", "10.0.0.2");
      network.setLinkPolicy(attempt ->
          PERFECT.withDelay(
              Duration.ofMillis(
                  attempt.to().getAddress().getHostAddress().endsWith("1") ? 150 : 25)));
      try (Server _ = serverAt("10.0.0.1");
          Server _ = serverAt("10.0.0.2")) {
        try (Connection connection = Asyncio.openConnection("two.example", 80)) {
          assertThat(now()).isEqualTo(Duration.ofMillis(300));
          assertThat(connectedTo(connection)).as("the first to be tried").isEqualTo("10.0.0.1");

          Asyncio.sleep(Duration.ofSeconds(1));

          assertThat(network.links()).hasSize(1);
        }
        Asyncio.sleep(Duration.ofSeconds(1));
      }
    });
  }

  @Test
  void hundredAddressesAreTriedUntilOneAnswers() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      String[] addresses =
          IntStream.rangeClosed(1, 100).mapToObj(i -> "10.0." + i + ".9").toArray(String[]::new);
      addresses[99] = "10.0.0.1";
      network.addHost("hundred.example", addresses);
      attempts(network);
      try (Server _ = serverAt("10.0.0.1");
          Connection connection = Asyncio.openConnection("hundred.example", 80)) {
        assertThat(connectedTo(connection)).isEqualTo("10.0.0.1");
        assertThat(now()).isEqualTo(DELAY.multipliedBy(99));
        assertThat(network.links()).hasSize(1);
      }
    });
  }

  // --- Failures

  @Test
  void whereAllRefuseTheFirstFailureIsThrownWithTheOthersAsSuppressed() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current().addHost("many.example", "10.0.0.1", "10.0.0.2", "::3");

      assertThatThrownBy(() -> Asyncio.openConnection("many.example", 80))
          .isInstanceOf(ConnectException.class)
          .hasMessage("Connection refused: 10.0.0.1:80")
          .satisfies(failure ->
              assertThat(failure.getSuppressed())
                  .extracting(Throwable::getMessage)
                  .containsExactly(
                      "Connection refused: [0:0:0:0:0:0:0:3]:80",
                      "Connection refused: 10.0.0.2:80"));
      assertThat(now()).isZero();
    });
  }

  @Test
  void aTimeoutSaysWhatWasTried() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("many.example", "10.0.0.9", "10.0.0.2", "::9");
      attempts(network);

      assertThatThrownBy(() ->
              Asyncio.openConnection(
                  "many.example", 80, DEFAULTS.withConnectTimeout(Duration.ofSeconds(2))))
          .isInstanceOf(SocketTimeoutException.class)
          .hasMessage(
              "No answer from 10.0.0.9:80, [0:0:0:0:0:0:0:9]:80,"
                  + " 10.0.0.2:80 (Connection refused: 10.0.0.2:80) within 2.0 s")
          .satisfies(failure ->
              assertThat(failure.getSuppressed())
                  .extracting(Throwable::getMessage)
                  .containsExactly("Connection refused: 10.0.0.2:80"));

      assertThat(now()).isEqualTo(Duration.ofSeconds(2));
      assertThat(network.links()).isEmpty();
    });
  }

  @Test
  void aTimeoutAfterManyAddressesStaysReadable() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost(
          "hundred.example",
          IntStream.rangeClosed(1, 100).mapToObj(i -> "10.0." + i + ".9").toArray(String[]::new));
      attempts(network);

      assertThatThrownBy(() -> Asyncio.openConnection("hundred.example", 80))
          .isInstanceOf(SocketTimeoutException.class)
          .hasMessageContaining("10.0.1.9:80, 10.0.2.9:80")
          .hasMessageContaining("10.0.8.9:80 and 92 more within 30.0 s");
    });
  }

  @Test
  void aSlowLookupCountsAgainstTheTimeout() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("slow.example", "10.0.0.9");
      network.setLookupDelay("slow.example", Duration.ofSeconds(4));
      attempts(network);

      assertThatThrownBy(() ->
              Asyncio.openConnection(
                  "slow.example", 80, DEFAULTS.withConnectTimeout(Duration.ofSeconds(5))))
          .isInstanceOf(SocketTimeoutException.class)
          .hasMessage("No answer from 10.0.0.9:80 within 5.0 s");
      assertThat(now()).isEqualTo(Duration.ofSeconds(5));
    });
  }

  @Test
  void aLookupThatIsNotAnsweredTimesOut() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current().setLookupDelay("stuck.example", Duration.ofHours(1));

      assertThatThrownBy(() -> Asyncio.openConnection("stuck.example", 80))
          .isInstanceOf(SocketTimeoutException.class)
          .hasMessage("The name stuck.example was not looked up within 30.0 s");
      assertThat(now()).isEqualTo(DEFAULTS.connectTimeout());
    });
  }

  @Test
  void aNameWithoutAddressIsSaidToBeUnknown() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current().setLookupDelay("nowhere.example", Duration.ofSeconds(3));

      assertThatThrownBy(() -> Asyncio.openConnection("nowhere.example", 80))
          .isInstanceOf(UnknownHostException.class)
          .hasMessageContaining("nowhere.example");
      assertThat(now()).isEqualTo(Duration.ofSeconds(3));
    });
  }

  // --- Cancellation and chance

  @Test
  void anAttemptCancelledAnywhereLeavesNothing() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("many.example", "2001:db8::9", "10.0.0.2", "10.0.0.1");
      attempts(network);
      try (Server _ = serverAt("10.0.0.1")) {
        int cancelled =
            CancelEverywhere.<MemoryNetwork>run(
                () -> network,
                _ -> Asyncio.openConnection("many.example", 80).close(),
                _ -> {
                  Asyncio.sleep(Duration.ofSeconds(1));
                  assertThat(network.links()).isEmpty();
                });

        assertThat(cancelled).isGreaterThan(9); // Lookup and three attempts, in three ways.
      }
    });
  }

  @Test
  void aTimeoutOfTheCallersCancelsAllAttempts() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("many.example", "10.0.0.9", "10.0.0.19");
      attempts(network);
      Task<?> connecting = Asyncio.createTask(() -> Asyncio.openConnection("many.example", 80));
      Asyncio.sleep(Duration.ofSeconds(1));

      connecting.cancel();
      Asyncio.yieldNow();

      assertThat(connecting.cancelled()).isTrue();
      assertThat(network.links()).isEmpty();
    });
  }

  /** What is left behind, a task, a connection or a timer, fails the run by itself. */
  @Test
  void onHostileLinksThereIsNeverMoreThanOneConnection() {
    VirtualLoop.runSeeds(
        1000,
        () -> {
          MemoryNetwork network = MemoryNetwork.current();
          network.addHost(
              "many.example", "10.0.0.1", "::1:1", "10.0.0.2", "::1:2", "10.0.0.3", "10.0.0.4");
          network.setLinkPolicy(attempt -> LinkConditions.hostile(attempt.random()));
          try (Server _ = serverAt("0.0.0.0")) {
            try (Connection connection = Asyncio.openConnection("many.example", 80)) {
              Asyncio.sleep(Duration.ofSeconds(1));
              assertThat(network.links())
                  .extracting(Link::client)
                  .containsAnyOf((InetSocketAddress) connection.writer().localAddress())
                  .hasSizeLessThanOrEqualTo(1);
            } catch (IOException e) {
              assertThat(network.links()).isEmpty();
            }
            network.links().forEach(Link::reset);
          }
        });
  }

  // --- From where

  @Test
  void aConnectionComesFromTheLocalAddressOfTheOptions() {
    VirtualLoop.run(() -> {
      try (Server _ = serverAt("10.0.0.1");
          Connection connection =
              Asyncio.openConnection(
                  "10.0.0.1", 80, DEFAULTS.withLocalAddress("192.0.2.77", 5000))) {
        assertThat(connection.writer().localAddress())
            .isEqualTo(new InetSocketAddress("192.0.2.77", 5000));
      }
    });
  }

  @Test
  void eachAddressIsTriedFromALocalOneOfItsFamily() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("here.example", "2001:db8::77", "192.0.2.77");
      network.addHost("both.example", "10.0.0.9", "2001:db8::9");
      List<String> from = new ArrayList<>();
      network.setLinkPolicy(attempt -> {
        from.add(attempt.from().getAddress().getHostAddress());
        return PERFECT.withAnswer(Answer.NONE);
      });

      assertThatThrownBy(() ->
              Asyncio.openConnection(
                  "both.example", 80, DEFAULTS.withLocalAddress("here.example", 0)))
          .isInstanceOf(SocketTimeoutException.class);

      assertThat(from).containsExactly("192.0.2.77", "2001:db8:0:0:0:0:0:77");
    });
  }

  @Test
  void whereALocalAddressIsTakenTheNextIsTried() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("here.example", "192.0.2.77", "192.0.2.78");
      ConnectOptions here = DEFAULTS.withLocalAddress("here.example", 5000);
      try (Server _ = serverAt("10.0.0.1");
          Connection first = Asyncio.openConnection("10.0.0.1", 80, here);
          Connection second = Asyncio.openConnection("10.0.0.1", 80, here)) {
        assertThat(first.writer().localAddress())
            .isEqualTo(new InetSocketAddress("192.0.2.77", 5000));
        assertThat(second.writer().localAddress())
            .isEqualTo(new InetSocketAddress("192.0.2.78", 5000));

        assertThatThrownBy(() -> Asyncio.openConnection("10.0.0.1", 80, here))
            .isInstanceOf(BindException.class)
            .hasMessage("Address already in use: 192.0.2.78:5000");
      }
    });
  }

  @Test
  void aLocalAddressOfTheOtherFamilyIsSaidToBe() {
    VirtualLoop.run(() ->
        assertThatThrownBy(
                () -> Asyncio.openConnection("10.0.0.1", 80, DEFAULTS.withLocalAddress("::1", 0)))
            .isInstanceOf(BindException.class)
            .hasMessage(
                "No local address of the family of 10.0.0.1:80 among [[0:0:0:0:0:0:0:1]:0]"));
  }

  @Test
  void interleavingKeepsTheOrderWithinAFamily() {
    List<InetSocketAddress> addresses =
        IntStream.range(0, 4)
            .mapToObj(i -> new InetSocketAddress(InetAddress.ofLiteral("10.0.0." + i), i))
            .toList();

    assertThat(HappyEyeballs.interleaved(addresses)).isEqualTo(addresses);
  }
}
