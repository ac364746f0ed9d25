package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.weir.Asyncio;
import dev.weir.datagram.Datagram;
import dev.weir.datagram.DatagramEndpoint;
import dev.weir.demo.echo.DnsMessage.Type;
import dev.weir.task.Loop;
import dev.weir.task.RunOptions;
import dev.weir.task.Task;
import dev.weir.testing.DatagramConditions;
import dev.weir.testing.MemoryNetwork;
import dev.weir.testing.VirtualLoop;
import dev.weir.testing.VirtualOptions;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.PortUnreachableException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Our lookups: at dnsmasq, and at servers that behave worse than any. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class DnsClientTest {
  private static final List<InetAddress> ADDRESS = List.of(InetAddress.ofLiteral("192.0.2.7"));

  // --- A server in memory

  private interface Answering {
    /** {@return the answer to the query of that number, counted from 1; null for none} */
    byte[] answer(int number, byte[] query);
  }

  private interface Body {
    void run(DnsClient client) throws Exception;
  }

  private static void withServer(Answering answering, Body body) {
    VirtualLoop.run(() -> {
      try (DatagramEndpoint server = Asyncio.bindDatagramEndpoint("127.0.0.1", 53)) {
        Task<?> serving = Asyncio.createTask(() -> serve(server, answering));
        body.run(new DnsClient("127.0.0.1", 53));
        serving.cancel();
      }
    });
  }

  private static void serve(DatagramEndpoint server, Answering answering) throws IOException {
    int number = 0;
    for (Datagram query : server) {
      number++;
      byte[] answer = answering.answer(number, query.data());
      if (answer != null) {
        server.send(answer, query.sender());
      }
    }
  }

  /** {@return an answer to a query: an alias, and the address that it has} */
  private static byte[] answer(byte[] query) {
    ByteBuffer answer = ByteBuffer.allocate(200).put(query);
    answer.putShort(2, (short) 0x8180).putShort(6, (short) 2);
    answer.putShort((short) 0xc00c).putShort((short) 5).putShort((short) 1).putInt(60);
    answer.putShort((short) 4).put(new byte[] {1, 'w', (byte) 0xc0, 12});
    answer.put(new byte[] {1, 'w', (byte) 0xc0, 12});
    answer.putShort((short) 1).putShort((short) 1).putInt(60);
    answer.putShort((short) 4).put(ADDRESS.getFirst().getAddress());
    return Arrays.copyOf(answer.array(), answer.position());
  }

  private static byte[] withFlags(byte[] answer, int flags) {
    ByteBuffer.wrap(answer).putShort(2, (short) flags);
    return answer;
  }

  @Test
  void anAliasIsFollowedToItsAddress() {
    withServer(
        (_, query) -> answer(query),
        client -> {
          assertThat(client.lookUp("weir.example", Type.A)).isEqualTo(ADDRESS);
          assertThat(client.lookUp("weir.example.", Type.A)).isEqualTo(ADDRESS);
        });
  }

  @Test
  void aQueryThatIsLostIsSentAgainAfterASecond() {
    withServer(
        (number, query) -> number == 1 ? null : answer(query),
        client -> {
          assertThat(client.lookUp("weir.example", Type.A)).isEqualTo(ADDRESS);
          assertThat(Loop.running().time()).isEqualTo(Duration.ofSeconds(1));
        });
  }

  @Test
  void whoDoesNotAnswerIsGivenUpAfterThreeSeconds() {
    withServer(
        (_, _) -> null,
        client -> {
          assertThatExceptionOfType(SocketTimeoutException.class)
              .isThrownBy(() -> client.lookUp("weir.example", Type.A))
              .withMessage("No answer from 127.0.0.1:53 within 3 s");
          assertThat(Loop.running().time()).isEqualTo(Duration.ofSeconds(3));
        });
  }

  @Test
  void answersToOtherQueriesAreIgnored() {
    withServer(
        (number, query) -> {
          byte[] answer = answer(query);
          answer[number == 1 ? 1 : 15] ^= 1; // The number of the query, then its question.
          return number <= 2 ? answer : answer(query);
        },
        client -> {
          assertThat(client.lookUp("weir.example", Type.A)).isEqualTo(ADDRESS);
          assertThat(Loop.running().time()).isEqualTo(Duration.ofSeconds(2));
        });
  }

  @Test
  void whatIsNoAnswerAtAllIsIgnored() {
    withServer(
        (number, query) ->
            switch (number) {
              case 1 -> new byte[0];
              case 2 -> query;
              default -> answer(query);
            },
        client -> assertThat(client.lookUp("weir.example", Type.A)).isEqualTo(ADDRESS));
  }

  @Test
  void anAnswerThatEndsInTheMiddleIsAnError() {
    withServer(
        (_, query) -> Arrays.copyOf(answer(query), answer(query).length - 3),
        client ->
            assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> client.lookUp("weir.example", Type.A))
                .withMessage("The answer for weir.example ends in the middle"));
  }

  @Test
  void whatTheServerCannotTellIsSaid() {
    withServer(
        (number, query) -> withFlags(answer(query), number == 1 ? 0x8182 : 0x8380),
        client -> {
          assertThatExceptionOfType(IOException.class)
              .isThrownBy(() -> client.lookUp("weir.example", Type.A))
              .withMessage("The server could not look up weir.example: error 2");
          assertThatExceptionOfType(IOException.class)
              .isThrownBy(() -> client.lookUp("weir.example", Type.A))
              .withMessage("The answer for weir.example is too long for a datagram");
        });
  }

  @Test
  void aServerThatIsNotThereIsKnownAtOnce() {
    VirtualLoop.run(() ->
        assertThatExceptionOfType(PortUnreachableException.class)
            .isThrownBy(() -> new DnsClient("127.0.0.1", 53).lookUp("weir.example", Type.A)));
  }

  @Test
  void aNetworkThatLosesHalfIsGotAlongWith() {
    // Each try needs two datagrams; of so many lookups one is bound to be asked again.
    VirtualLoop.run(
        () -> {
          MemoryNetwork.current().setDatagramConditions(DatagramConditions.perfect().withLoss(0.1));
          try (DatagramEndpoint server = Asyncio.bindDatagramEndpoint("127.0.0.1", 53)) {
            Task<?> serving = Asyncio.createTask(() -> serve(server, (_, query) -> answer(query)));
            DnsClient client = new DnsClient("127.0.0.1", 53);
            for (int i = 0; i < 20; i++) {
              assertThat(client.lookUp("weir.example", Type.A)).isEqualTo(ADDRESS);
            }
            assertThat(Loop.running().time()).isPositive();
            serving.cancel();
          }
        },
        VirtualOptions.defaults().withSeed(1));
  }

  @Test
  void whatIsNoNameIsNotAsked() {
    VirtualLoop.run(() -> {
      DnsClient client = new DnsClient("127.0.0.1", 53);
      String unassigned = "\ud83d\ude00.example";
      for (String name : List.of("", "a..b", "x".repeat(64), "a.".repeat(300), unassigned)) {
        assertThatExceptionOfType(UnknownHostException.class)
            .isThrownBy(() -> client.lookUp(name, Type.A))
            .withMessage(name + ": no name of DNS looks like this");
      }
    });
  }

  @Test
  void aNameBeyondAsciiIsAskedForAsDnsHasIt() {
    List<String> asked = new ArrayList<>();
    withServer(
        (_, query) -> {
          asked.add(new String(query, 13, query[12], US_ASCII));
          return answer(query);
        },
        client -> {
          assertThat(client.lookUp("b\u00fccher.example", Type.A)).isEqualTo(ADDRESS);
          assertThat(asked).containsExactly("xn--bcher-kva");
        });
  }

  // --- dnsmasq

  private interface DnsmasqBody {
    void run(int port) throws Exception;
  }

  private static void withDnsmasq(String transport, DnsmasqBody body) {
    Asyncio.run(
        () -> {
          int port;
          try (DatagramSocket free = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
          }
          try (ForeignProgram dnsmasq =
              ForeignProgram.start(
                  "dnsmasq",
                  "--no-daemon",
                  "--conf-file=/dev/null",
                  "--user=" + System.getProperty("user.name"),
                  "--no-resolv",
                  "--no-hosts",
                  "--listen-address=127.0.0.1",
                  "--bind-interfaces",
                  "--port=" + port,
                  "--local=/example/",
                  "--address=/many.example/192.0.2.1",
                  "--address=/many.example/192.0.2.2",
                  "--host-record=weir.example,192.0.2.7,2001:db8::7",
                  "--host-record=old.example,192.0.2.9",
                  "--cname=alias.example,weir.example")) {
            assertThat(dnsmasq.nextLineWith("started")).as("what dnsmasq says").isNotNull();
            body.run(port);
          }
        },
        RunOptions.defaults().withTransport(transport));
  }

  @ParameterizedTest
  @ValueSource(strings = {"nio", "auto"})
  void dnsmasqKnowsTheAddressesOfNamesAndTheirAliases(String transport) {
    withDnsmasq(
        transport,
        port -> {
          DnsClient client = new DnsClient("127.0.0.1", port);
          assertThat(client.lookUp("weir.example", Type.A)).isEqualTo(ADDRESS);
          assertThat(client.lookUp("weir.example", Type.AAAA))
              .containsExactly(InetAddress.ofLiteral("2001:db8::7"));
          assertThat(client.lookUp("alias.example", Type.A)).isEqualTo(ADDRESS);
          assertThat(client.lookUp("many.example", Type.A))
              .containsExactlyInAnyOrder(
                  InetAddress.ofLiteral("192.0.2.1"), InetAddress.ofLiteral("192.0.2.2"));
          assertThat(client.lookUp("old.example", Type.AAAA)).isEmpty();
        });
  }

  @Test
  void dnsmasqKnowsWhatThereIsNot() {
    withDnsmasq(
        "auto",
        port ->
            assertThatExceptionOfType(UnknownHostException.class)
                .isThrownBy(
                    () -> new DnsClient("127.0.0.1", port).lookUp("nowhere.example", Type.A))
                .withMessage("nowhere.example"));
  }

  @Test
  void theCommandPrintsTheAddresses() {
    withDnsmasq(
        "auto",
        port -> {
          try (LaunchedProgram lookup =
              LaunchedProgram.start("lookup", "weir.example", "--server", "127.0.0.1:" + port)) {
            String first = Asyncio.toThread(() -> lookup.nextLine());
            String second = Asyncio.toThread(() -> lookup.nextLine());
            assertThat(List.of(first, second)).containsExactly("192.0.2.7", "2001:db8:0:0:0:0:0:7");
            assertThat(Asyncio.<Integer>toThread(() -> lookup.awaitExit())).isZero();
          }
        });
  }
}
