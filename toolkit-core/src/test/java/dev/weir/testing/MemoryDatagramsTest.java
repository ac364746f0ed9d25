package dev.weir.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.weir.Asyncio;
import dev.weir.datagram.Datagram;
import dev.weir.datagram.DatagramEndpoint;
import dev.weir.datagram.DatagramOptions;
import dev.weir.task.Loop;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the memory network does to datagrams. */
class MemoryDatagramsTest {
  private static final DatagramConditions PERFECT = DatagramConditions.perfect();
  private static final int COUNT = 200;

  private static void sendNumbers(DatagramEndpoint from, InetSocketAddress to) throws IOException {
    for (int i = 0; i < COUNT; i++) {
      from.send(new byte[] {(byte) i}, to);
    }
  }

  private static List<Integer> received(DatagramEndpoint endpoint) throws IOException {
    Asyncio.sleep(Duration.ofSeconds(1));
    endpoint.send(new byte[0], endpoint.localAddress()); // After all others.
    List<Integer> numbers = new ArrayList<>();
    for (Datagram datagram = endpoint.receive();
        datagram.data().length > 0;
        datagram = endpoint.receive()) {
      numbers.add(datagram.data()[0] & 0xff);
    }
    return numbers;
  }

  private static List<Integer> inOrder() {
    List<Integer> numbers = new ArrayList<>();
    for (int i = 0; i < COUNT; i++) {
      numbers.add(i);
    }
    return numbers;
  }

  private static List<Integer> underConditions(long seed, DatagramConditions conditions) {
    return VirtualLoop.run(
        () -> {
          try (DatagramEndpoint server = Asyncio.bindDatagramEndpoint("127.0.0.1", 0);
              DatagramEndpoint client = Asyncio.bindDatagramEndpoint("127.0.0.1", 0)) {
            MemoryNetwork.current().setDatagramConditions(conditions);
            sendNumbers(client, server.localAddress());
            Asyncio.sleep(Duration.ofSeconds(1));
            MemoryNetwork.current().setDatagramConditions(PERFECT);
            return received(server);
          }
        },
        VirtualOptions.defaults().withSeed(seed));
  }

  @Test
  void datagramsOfOneDelayArriveInOrderWhateverTheSeed() {
    assertThat(underConditions(1, PERFECT)).isEqualTo(inOrder());
    assertThat(underConditions(2, PERFECT.withDelay(Duration.ofMillis(20)))).isEqualTo(inOrder());
  }

  @Test
  void aDelayIsOfVirtualTime() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current().setDatagramConditions(PERFECT.withDelay(Duration.ofMillis(20)));
      try (DatagramEndpoint endpoint = Asyncio.bindDatagramEndpoint("127.0.0.1", 0)) {
        endpoint.send(new byte[1], endpoint.localAddress());
        endpoint.receive();

        assertThat(Loop.running().time()).isEqualTo(Duration.ofMillis(20));
      }
    });
  }

  @Test
  void datagramsOfVariousDelaysOvertakeEachOther() {
    List<Integer> numbers =
        underConditions(3, PERFECT.withDelay(Duration.ZERO, Duration.ofMillis(20)));

    assertThat(numbers).containsExactlyInAnyOrderElementsOf(inOrder()).isNotEqualTo(inOrder());
  }

  @Test
  void someAreLostAndTheSameOnesForTheSameSeed() {
    List<Integer> numbers = underConditions(4, PERFECT.withLoss(0.5));

    assertThat(numbers).hasSizeBetween(COUNT / 4, COUNT * 3 / 4).isSubsetOf(inOrder());
    assertThat(underConditions(4, PERFECT.withLoss(0.5))).isEqualTo(numbers);
    assertThat(underConditions(5, PERFECT.withLoss(1))).isEmpty();
  }

  @Test
  void someArriveTwice() {
    assertThat(underConditions(6, PERFECT.withDuplication(0.5)))
        .hasSizeBetween(COUNT * 5 / 4, COUNT * 7 / 4)
        .containsAll(inOrder());
  }

  @Test
  void conditionsThatMakeNoSenseAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PERFECT.withLoss(1.5))
        .withMessage("loss is not from 0 to 1: 1.5");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PERFECT.withDelay(Duration.ofSeconds(2), Duration.ofSeconds(1)));
  }

  @Test
  void hostsHaveEndpointsOfTheirOwnAndPartitionsLoseWhatIsSent() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("dns.example", "10.0.0.53");
      DatagramEndpoint server;
      try (var _ = network.onHost("dns.example")) {
        server = Asyncio.bindDatagramEndpoint("0.0.0.0", 53);
      }
      try (server;
          DatagramEndpoint client = Asyncio.connectDatagramEndpoint("dns.example", 53)) {
        network.partition("localhost", "dns.example");
        client.send(new byte[] {1});
        Asyncio.sleep(Duration.ofSeconds(1));
        network.heal();
        client.send(new byte[] {2});

        Datagram received = server.receive();
        assertThat(received.data()).containsExactly(2);
        assertThat(received.sender().getAddress()).isEqualTo(InetAddress.ofLiteral("192.0.2.1"));
        server.send(new byte[] {3}, received.sender());
        assertThat(client.receive().sender()).isEqualTo(new InetSocketAddress("10.0.0.53", 53));
      }
    });
  }

  @Test
  void aGroupReachesItsMembersUntilTheyLeave() {
    VirtualLoop.run(() -> {
      InetAddress group = InetAddress.ofLiteral("239.1.2.3");
      NetworkInterface any = NetworkInterface.networkInterfaces().findFirst().orElseThrow();
      DatagramOptions shared = DatagramOptions.defaults().withReusePort(true);
      try (DatagramEndpoint one = Asyncio.bindDatagramEndpoint("0.0.0.0", 5353, shared);
          DatagramEndpoint other = Asyncio.bindDatagramEndpoint("0.0.0.0", 5353, shared);
          DatagramEndpoint sender = Asyncio.bindDatagramEndpoint("0.0.0.0", 0)) {
        one.join(group, any);
        other.join(group, any, InetAddress.ofLiteral("10.9.9.9"));
        sender.send(new byte[] {1}, new InetSocketAddress(group, 5353));
        assertThat(one.receive().data()).containsExactly(1);
        other.join(group, any);
        one.leave(group, any);
        sender.send(new byte[] {2}, new InetSocketAddress(group, 5353));
        assertThat(other.receive().data()).containsExactly(2);
        assertThat(one.toString()).contains(" 0 datagrams");

        assertThatExceptionOfType(SocketException.class)
            .isThrownBy(() -> one.leave(group, any))
            .withMessage("Not a member of the group 239.1.2.3");
        assertThatIllegalArgumentException()
            .isThrownBy(() -> one.join(InetAddress.ofLiteral("10.0.0.1"), any))
            .withMessageStartingWith("Not the address of a multicast group: 10.0.0.1");
      }
    });
  }

  @Test
  void aBroadcastHasToBeAllowed() {
    VirtualLoop.run(() -> {
      InetSocketAddress all = new InetSocketAddress("255.255.255.255", 6767);
      DatagramOptions allowed = DatagramOptions.defaults().withBroadcast(true);
      try (DatagramEndpoint receiver = Asyncio.bindDatagramEndpoint("0.0.0.0", 6767);
          DatagramEndpoint refused = Asyncio.bindDatagramEndpoint("0.0.0.0", 0);
          DatagramEndpoint sender = Asyncio.bindDatagramEndpoint("0.0.0.0", 0, allowed)) {
        refused.send(new byte[] {1}, all);
        Asyncio.sleep(Duration.ofMillis(1));
        assertThatExceptionOfType(SocketException.class)
            .isThrownBy(() -> refused.send(new byte[] {1}, all))
            .withMessageStartingWith("Permission denied: 255.255.255.255:6767");
        sender.send(new byte[] {2}, all);
        assertThat(receiver.receive().data()).containsExactly(2);
      }
    });
  }

  @Test
  void anEndpointThatATestLeavesOpenIsReported() {
    assertThatExceptionOfType(LeftBehindError.class)
        .isThrownBy(() ->
            VirtualLoop.run(() -> {
              Asyncio.bindDatagramEndpoint("127.0.0.1", 7000);
            }))
        .withMessageContaining("datagram socket on 127.0.0.1:7000");
  }
}
