package dev.weir.netty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.datagram.Datagram;
import dev.weir.datagram.DatagramEndpoint;
import dev.weir.datagram.DatagramOptions;
import dev.weir.protocol.Attached;
import dev.weir.protocol.DatagramProtocol;
import dev.weir.protocol.DatagramTransport;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.task.TimeoutException;
import io.netty.buffer.Unpooled;
import io.netty.channel.socket.DatagramChannel;
import java.io.IOException;
import java.net.BindException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.PortUnreachableException;
import java.net.SocketException;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtendWith;

/** Datagrams over sockets, on each transport. */
@ExtendWith(LeakCheck.class)
class DatagramSocketsTest {
  private static final DatagramOptions OPTIONS = DatagramOptions.defaults();

  private interface Pair {
    void run(DatagramEndpoint server, DatagramEndpoint client) throws Exception;
  }

  private static void withPair(String transport, DatagramOptions options, Pair body) {
    withPair(transport, "127.0.0.1", options, body);
  }

  private static void withPair(String transport, String host, DatagramOptions options, Pair body) {
    OnLoop.run(
        transport,
        () -> {
          try (DatagramEndpoint server = Asyncio.bindDatagramEndpoint(host, 0, options);
              DatagramEndpoint client =
                  Asyncio.connectDatagramEndpoint(host, server.localAddress().getPort(), options)) {
            body.run(server, client);
          }
        });
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  private static String text(Datagram datagram) {
    return new String(datagram.data(), UTF_8);
  }

  // --- Sending and receiving

  @EachTransportAndIoUring
  void datagramsGoThereAndBack(String transport) {
    withPair(
        transport,
        OPTIONS,
        (server, client) -> {
          client.send(bytes("ping"));
          Datagram received = server.receive();
          assertThat(received).isEqualTo(new Datagram(bytes("ping"), client.localAddress()));
          server.send(bytes("pong"), received.sender());
          assertThat(client.receive())
              .isEqualTo(new Datagram(bytes("pong"), server.localAddress()));
          assertThat(client.remoteAddress()).isEqualTo(server.localAddress());
          assertThat(client.extraInfo(DatagramChannel.class)).isNotNull();
        });
  }

  @EachTransportAndIoUring
  void datagramsGoByIpv6Too(String transport) throws IOException {
    assumeTrue(
        NetworkInterface.getByInetAddress(InetAddress.ofLiteral("::1")) != null,
        "this machine has no IPv6");
    withPair(
        transport,
        "::1",
        OPTIONS,
        (server, client) -> {
          client.send(new byte[60_000]);
          Datagram received = server.receive();
          assertThat(received.data()).hasSize(60_000);
          assertThat(received.sender()).isEqualTo(client.localAddress());
          server.send(new byte[0], received.sender());
          assertThat(client.receive().data()).isEmpty();
        });
  }

  @EachTransportAndIoUring
  void anEndpointOfAllAddressesOfIpv6HearsIpv4Too(String transport) throws IOException {
    assumeTrue(
        NetworkInterface.getByInetAddress(InetAddress.ofLiteral("::1")) != null,
        "this machine has no IPv6");
    OnLoop.run(
        transport,
        () -> {
          try (DatagramEndpoint server = Asyncio.bindDatagramEndpoint("::", 0);
              DatagramEndpoint client =
                  Asyncio.connectDatagramEndpoint("127.0.0.1", server.localAddress().getPort())) {
            client.send(bytes("by IPv4"));
            Datagram received = server.receive();
            assertThat(text(received)).isEqualTo("by IPv4");
            server.send(bytes("back"), received.sender());
            assertThat(text(client.receive())).isEqualTo("back");
          }
        });
  }

  @EachTransportAndIoUring
  void theLongestDatagramArrivesWhole(String transport) {
    withPair(
        transport,
        OPTIONS,
        (server, client) -> {
          byte[] longest = new byte[65_507];
          longest[65_506] = 42;
          client.send(longest);
          assertThat(server.receive().data()).isEqualTo(longest);
        });
  }

  @EachTransportAndIoUring
  void emptyDatagramsArriveBetweenOthers(String transport) {
    withPair(
        transport,
        OPTIONS,
        (server, client) -> {
          List<String> sent = List.of("one", "", "three", "", "five");
          for (String text : sent) {
            server.send(bytes(text), client.localAddress());
          }
          List<String> received = new ArrayList<>();
          for (int i = 0; i < sent.size(); i++) {
            received.add(text(client.receive()));
          }
          // An empty one is sent past Netty's queue, as a rule, and may overtake the others.
          assertThat(received).containsExactlyInAnyOrderElementsOf(sent);
        });
  }

  @EachTransportAndIoUring
  void aConnectedEndpointSendsEmptyDatagramsOrSaysThatItCannot(String transport) {
    withPair(
        transport,
        OPTIONS,
        (server, client) -> {
          client.send(new byte[0]);
          if (transport.equals("nio")) {
            assertThatExceptionOfType(SocketException.class)
                .isThrownBy(client::receive)
                .withMessageContaining("nio sends no empty datagrams on a connected socket");
          } else {
            assertThat(server.receive()).isEqualTo(new Datagram(bytes(""), client.localAddress()));
          }
        });
  }

  @EachTransportAndIoUring
  void manyDatagramsOfOneRoundAllArrive(String transport) {
    withPair(
        transport,
        OPTIONS,
        (server, client) -> {
          List<Integer> sizes = new ArrayList<>();
          for (int size = 1; size <= 100; size++) {
            client.send(new byte[size]);
            sizes.add(size);
          }
          List<Integer> received = new ArrayList<>();
          for (int i = 0; i < 100; i++) {
            received.add(server.receive().data().length);
          }
          assertThat(received).isEqualTo(sizes);
        });
  }

  @EachTransportAndIoUring
  void aPlainSocketIsUnderstood(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (DatagramSocket plain = new DatagramSocket(0, InetAddress.getLoopbackAddress());
              DatagramEndpoint endpoint = Asyncio.bindDatagramEndpoint("localhost", 0)) {
            plain.send(new DatagramPacket(bytes("plain"), 5, endpoint.localAddress()));
            Datagram received = endpoint.receive();
            assertThat(text(received)).isEqualTo("plain");
            endpoint.send(bytes("Weir"), received.sender());
            DatagramPacket answer = new DatagramPacket(new byte[100], 100);
            Future<Void> waiting =
                OnLoop.onWorker(() -> {
                  plain.receive(answer);
                  return null;
                });
            waiting.await();
            assertThat(answer.getLength()).isEqualTo(4);
          }
        });
  }

  // --- What does not arrive

  @EachTransportAndIoUring
  void aDatagramThatIsTooLongIsCountedAndNeverShortened(String transport) {
    withPair(
        transport,
        OPTIONS.withMaxSize(1000),
        (server, client) -> {
          client.send(new byte[1001]);
          client.send(new byte[60_000]);
          client.send(new byte[1000]);
          assertThat(server.receive().data()).hasSize(1000);
          assertThat(server.truncated()).isEqualTo(2);

          server.send(new byte[1001], client.localAddress());
          server.send(new byte[1], client.localAddress());
          assertThat(client.receive().data()).hasSize(1);
          assertThat(client.truncated()).isEqualTo(1);
        });
  }

  @EachTransportAndIoUring
  void anUnreachablePortIsToldOnceAndTheEndpointGoesOn(String transport) {
    OnLoop.run(
        transport,
        () -> {
          int port;
          try (DatagramSocket taken = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            port = taken.getLocalPort();
          }
          try (DatagramEndpoint client = Asyncio.connectDatagramEndpoint("127.0.0.1", port)) {
            client.send(bytes("anybody?"));
            assertThatExceptionOfType(PortUnreachableException.class)
                .isThrownBy(client::receive)
                .withMessage("Port unreachable: nobody receives at 127.0.0.1:" + port);
            try (DatagramEndpoint server = Asyncio.bindDatagramEndpoint("127.0.0.1", port)) {
              client.send(bytes("and now?"));
              assertThat(text(server.receive())).isEqualTo("and now?");
            }
          }
        });
  }

  @EachTransportAndIoUring
  void whatIsSentToNobodyByAnEndpointThatIsNotConnectedIsLost(String transport) {
    OnLoop.run(
        transport,
        () -> {
          InetSocketAddress nobody;
          try (DatagramSocket taken = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            nobody = (InetSocketAddress) taken.getLocalSocketAddress();
          }
          try (DatagramEndpoint client = Asyncio.bindDatagramEndpoint("127.0.0.1", 0)) {
            client.send(bytes("anybody?"), nobody);
            client.send(bytes("to myself"), client.localAddress());
            assertThat(text(client.receive())).isEqualTo("to myself");
          }
        });
  }

  @EachTransportAndIoUring
  void anEchoGoesOnAfterADatagramWhoseSenderCannotBeAnswered(String transport) {
    withPair(
        transport,
        OPTIONS,
        (server, client) -> {
          Task<?> echo =
              Asyncio.createTask(() -> {
                for (Datagram datagram : server) {
                  try {
                    server.send(datagram.data(), datagram.sender());
                  } catch (IOException e) {
                    assertThat(e).hasMessageContaining("port 0");
                    client.send(bytes("refused"));
                  }
                }
              });
          forge(server, new InetSocketAddress("127.0.0.1", 0));
          assertThat(text(client.receive())).isEqualTo("refused");
          server.close();
          echo.await(IOException.class);
        });
  }

  /** Only a raw socket could send this; so it begins where the transport has received it. */
  private static void forge(DatagramEndpoint receiver, InetSocketAddress sender) {
    DatagramChannel channel =
        Objects.requireNonNull(receiver.extraInfo(DatagramChannel.class), "channel");
    channel
        .eventLoop()
        .execute(() ->
            channel
                .pipeline()
                .fireChannelRead(
                    new io.netty.channel.socket.DatagramPacket(
                        Unpooled.copiedBuffer("forged", UTF_8), channel.localAddress(), sender)));
  }

  @EachTransportAndIoUring
  void aBroadcastThatWasNotAllowedIsAnError(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (DatagramEndpoint endpoint = Asyncio.bindDatagramEndpoint("0.0.0.0", 0)) {
            InetSocketAddress all = new InetSocketAddress("127.255.255.255", 9);
            endpoint.send(bytes("x"), all);
            while (endpoint.sendErrors() == 0) {
              OnLoop.passRounds(1);
            }
            assertThatExceptionOfType(SocketException.class)
                .isThrownBy(() -> endpoint.send(bytes("x"), all))
                .withMessage(
                    "Permission denied: 127.255.255.255:9: ask for broadcast in the options to"
                        + " send there");
          }
        });
  }

  @EachTransportAndIoUring
  void aBroadcastReachesWhoeverIsBoundToTheWildcard(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (DatagramEndpoint receiver = Asyncio.bindDatagramEndpoint("0.0.0.0", 0);
              DatagramEndpoint sender =
                  Asyncio.openDatagramEndpoint(
                      null,
                      new InetSocketAddress("127.255.255.255", receiver.localAddress().getPort()),
                      OPTIONS.withBroadcast(true))) {
            sender.send(bytes("to all"));
            assertThat(text(receiver.receive())).isEqualTo("to all");
          }
        });
  }

  // --- Multicast

  private static NetworkInterface loopback() throws IOException {
    return NetworkInterface.getByInetAddress(InetAddress.getLoopbackAddress());
  }

  @EachTransportAndIoUring
  void aGroupIsReceivedFromUntilItIsLeft(String transport) throws IOException {
    NetworkInterface on = loopback();
    InetAddress group = InetAddress.ofLiteral("239.255.77.88");
    DatagramOptions sending = OPTIONS.withSocketOption(StandardSocketOptions.IP_MULTICAST_IF, on);
    OnLoop.run(
        transport,
        () -> {
          try (DatagramEndpoint member = Asyncio.bindDatagramEndpoint("0.0.0.0", 0);
              DatagramEndpoint sender = Asyncio.bindDatagramEndpoint("127.0.0.1", 0, sending)) {
            int port = member.localAddress().getPort();
            InetSocketAddress toGroup = new InetSocketAddress(group, port);
            InetSocketAddress toMember = new InetSocketAddress("127.0.0.1", port);
            sender.send(bytes("too early"), toGroup);
            OnLoop.passRounds(2);
            member.join(group, on);
            sender.send(bytes("to the group"), toGroup);
            assertThat(text(member.receive())).isEqualTo("to the group");
            assertThatExceptionOfType(SocketException.class)
                .isThrownBy(() -> member.join(group, on))
                .withMessage("Already a member of the group 239.255.77.88");

            member.leave(group, on);
            sender.send(bytes("too late"), toGroup);
            sender.send(bytes("by itself"), toMember);
            assertThat(text(member.receive())).isEqualTo("by itself");
            assertThatExceptionOfType(SocketException.class)
                .isThrownBy(() -> member.leave(group, on))
                .withMessage("Not a member of the group 239.255.77.88");

            member.join(group, on, InetAddress.ofLiteral("127.0.0.1"));
            sender.send(bytes("of that source"), toGroup);
            assertThat(text(member.receive())).isEqualTo("of that source");
            member.leave(group, on, InetAddress.ofLiteral("127.0.0.1"));
            member.join(group, on, InetAddress.ofLiteral("127.0.0.9"));
            sender.send(bytes("of another source"), toGroup);
            sender.send(bytes("the end"), toMember);
            assertThat(text(member.receive())).isEqualTo("the end");
          }
        });
  }

  @EachTransportAndIoUring
  void aGroupOfTheOtherFamilyCannotBeJoined(String transport) throws IOException {
    NetworkInterface on = loopback();
    OnLoop.run(
        transport,
        () -> {
          try (DatagramEndpoint endpoint = Asyncio.bindDatagramEndpoint("0.0.0.0", 0)) {
            assertThatExceptionOfType(SocketException.class)
                .isThrownBy(() -> endpoint.join(InetAddress.ofLiteral("ff02::1"), on))
                .withMessageStartingWith("Cannot join the group ff02:0:0:0:0:0:0:1 on ");
          }
        });
  }

  @EachTransportAndIoUring
  void optionsOfTheSocketAreSet(String transport) throws IOException {
    NetworkInterface on = loopback();
    DatagramOptions options =
        OPTIONS
            .withSocketOption(StandardSocketOptions.SO_RCVBUF, 40_000)
            .withSocketOption(StandardSocketOptions.IP_MULTICAST_TTL, 3)
            .withSocketOption(StandardSocketOptions.IP_MULTICAST_LOOP, false)
            .withSocketOption(StandardSocketOptions.IP_MULTICAST_IF, on);
    OnLoop.run(
        transport,
        () -> {
          try (DatagramEndpoint endpoint = Asyncio.bindDatagramEndpoint("0.0.0.0", 0, options)) {
            DatagramChannel channel = endpoint.extraInfo(DatagramChannel.class);
            assertThat(channel).isNotNull();
            assertThat(channel.config().getReceiveBufferSize()).isBetween(40_000, 80_000);
            assertThat(channel.config().getTimeToLive()).isEqualTo(3);
            // Netty's NIO has this the other way round.
            assertThat(channel.config().isLoopbackModeDisabled())
                .isEqualTo(!transport.equals("nio"));
          }
          assertThatExceptionOfType(SocketException.class)
              .isThrownBy(() ->
                  Asyncio.bindDatagramEndpoint(
                      "127.0.0.1",
                      0,
                      OPTIONS.withSocketOption(StandardSocketOptions.TCP_NODELAY, true)))
              .withMessageContaining("TCP_NODELAY");
        });
  }

  // --- The queue

  @EachTransportAndIoUring
  void aSlowReceiverGetsTheNewestAndTheOthersAreCounted(String transport) {
    withPair(
        transport,
        OPTIONS.withQueue(5, 1_000_000),
        (server, client) -> {
          for (int i = 0; i < 50; i++) {
            client.send(bytes("" + i));
          }
          OnLoop.passRoundsUntil(() -> server.dropped() == 45);
          for (int i = 45; i < 50; i++) {
            assertThat(text(server.receive())).isEqualTo("" + i);
          }
        });
  }

  @EachTransportAndIoUring
  void sendersWaitAtHighWaterAndAllArrives(String transport) {
    withPair(
        transport,
        OPTIONS.withWriteLimits(10, 0).withQueue(1000, 4_000_000),
        (server, client) -> {
          for (int i = 0; i < 300; i++) {
            client.send(new byte[100 + i]);
          }
          for (int i = 0; i < 300; i++) {
            assertThat(server.receive().data()).hasSize(100 + i);
          }
        });
  }

  @EachTransportAndIoUring
  void receivingThatTimesOutLosesNothing(String transport) {
    withPair(
        transport,
        OPTIONS,
        (server, client) -> {
          assertThatExceptionOfType(TimeoutException.class)
              .isThrownBy(() -> Asyncio.waitFor(server::receive, Duration.ofMillis(1)));
          client.send(bytes("late"));
          assertThat(text(server.receive())).isEqualTo("late");
        });
  }

  // --- The end

  @EachTransportAndIoUring
  void aCloseEndsIterationAndFreesThePort(String transport) {
    OnLoop.run(
        transport,
        () -> {
          DatagramEndpoint server = Asyncio.bindDatagramEndpoint("127.0.0.1", 0);
          int port = server.localAddress().getPort();
          Future<@Nullable Void> arrived = Loop.running().createFuture();
          Task<Integer> iterating =
              Asyncio.createTask(() -> {
                int count = 0;
                for (Datagram _ : server) {
                  count++;
                  arrived.setResult(null);
                }
                return count;
              });
          server.send(bytes("x"), server.localAddress());
          arrived.await();
          assertThatExceptionOfType(BindException.class)
              .isThrownBy(() -> Asyncio.bindDatagramEndpoint("127.0.0.1", port))
              .withMessage("Address already in use: 127.0.0.1:" + port);
          server.close();
          assertThat(iterating.await()).isEqualTo(1);
          DatagramEndpoint again = bindWhenFree(port);
          again.close();
        });
  }

  /** On io_uring it takes some rounds until the port is free. */
  private static DatagramEndpoint bindWhenFree(int port) throws IOException {
    while (true) {
      try {
        return Asyncio.bindDatagramEndpoint("127.0.0.1", port);
      } catch (BindException e) {
        OnLoop.passRounds(1);
      }
    }
  }

  @EachTransport // On io_uring the descriptor may be open for a moment longer.
  void whatWasSentBeforeTheLoopEndsArrives(String transport) throws IOException {
    try (DatagramSocket plain = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
      plain.setSoTimeout(10_000);
      long before = Descriptors.open();
      OnLoop.run(
          transport,
          () -> {
            DatagramEndpoint endpoint =
                Asyncio.connectDatagramEndpoint("127.0.0.1", plain.getLocalPort());
            endpoint.send(bytes("last words"));
          });
      DatagramPacket received = new DatagramPacket(new byte[100], 100);
      plain.receive(received);
      assertThat(received.getLength()).isEqualTo(10);
      assertThat(Descriptors.open()).isLessThanOrEqualTo(before);
    }
  }

  @EachTransport
  void anEndpointBelongsToItsLoop(String transport) {
    OnLoop.run(
        transport,
        2,
        () -> {
          try (DatagramEndpoint endpoint = Asyncio.bindDatagramEndpoint("127.0.0.1", 0)) {
            Loop other = Loop.running().group().get(1);
            Future<String> refused = Loop.running().createFuture();
            Loop here = Loop.running();
            InetSocketAddress itself = endpoint.localAddress();
            other.callSoonThreadsafe(() -> {
              String message = refusal(endpoint, itself);
              here.callSoonThreadsafe(() -> refused.setResult(message));
            });
            assertThat(refused.await()).contains("belongs to loop");
          }
        });
  }

  private static String refusal(DatagramEndpoint endpoint, InetSocketAddress to) {
    try {
      return "sent: " + endpoint.trySend(bytes("x"), to);
    } catch (IllegalStateException | IOException e) {
      return String.valueOf(e.getMessage());
    }
  }

  @EachTransportAndIoUring
  void addressesThatCannotBeUsedAreSaidToBe(String transport) {
    OnLoop.run(
        transport,
        () -> {
          assertThatExceptionOfType(BindException.class)
              .isThrownBy(() -> Asyncio.bindDatagramEndpoint("192.0.2.1", 0))
              .withMessage("Not an address of this machine: 192.0.2.1:0");
          assertThatExceptionOfType(UnknownHostException.class)
              .isThrownBy(() -> Asyncio.connectDatagramEndpoint("nowhere.invalid", 53));
        });
  }

  @EachTransport
  void severalEndpointsShareAPortThatIsReused(String transport) {
    DatagramOptions shared = OPTIONS.withReusePort(true);
    OnLoop.run(
        transport,
        () -> {
          try (DatagramEndpoint one = Asyncio.bindDatagramEndpoint("127.0.0.1", 0, shared);
              DatagramEndpoint other =
                  Asyncio.bindDatagramEndpoint("127.0.0.1", one.localAddress().getPort(), shared)) {
            assertThat(other.localAddress()).isEqualTo(one.localAddress());
          }
        });
  }

  // --- Protocols

  private static final class Echo implements DatagramProtocol {
    private @Nullable DatagramTransport transport;
    private final Future<String> lost = Loop.running().createFuture();

    @Override
    public void connectionMade(DatagramTransport transport) {
      this.transport = transport;
    }

    @Override
    public void datagramReceived(byte[] data, InetSocketAddress sender) {
      if (transport != null) {
        transport.sendTo(data, sender);
      }
    }

    @Override
    public void connectionLost(@Nullable Throwable cause) {
      lost.setResult(String.valueOf(cause));
    }
  }

  @EachTransportAndIoUring
  void aProtocolEchoesFromItsCallbacks(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Attached<DatagramTransport, Echo> server =
              Asyncio.createDatagramEndpoint(
                  Echo::new, new InetSocketAddress("127.0.0.1", 0), null, OPTIONS);
          try (DatagramEndpoint client = Asyncio.bindDatagramEndpoint("127.0.0.1", 0)) {
            for (String text : List.of("one", "", "three")) {
              client.send(bytes(text), server.transport().localAddress());
              assertThat(text(client.receive())).isEqualTo(text);
            }
          }
          server.transport().close();
          assertThat(server.protocol().lost.await()).isEqualTo("null");
          assertThatIllegalStateException()
              .isThrownBy(() -> OnLoop.onWorker(() -> server.transport().isClosing()).await());
        });
  }

  @EachTransportAndIoUring
  void anAbortDropsWhatIsUnsent(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Attached<DatagramTransport, Echo> sender =
              Asyncio.createDatagramEndpoint(
                  Echo::new, new InetSocketAddress("127.0.0.1", 0), null, OPTIONS);
          try (DatagramEndpoint receiver = Asyncio.bindDatagramEndpoint("127.0.0.1", 0);
              DatagramEndpoint other = Asyncio.bindDatagramEndpoint("127.0.0.1", 0)) {
            sender.transport().sendTo(bytes("dropped"), receiver.localAddress());
            assertThat(sender.transport().writeBufferSize()).isEqualTo(7 + 8);
            sender.transport().abort();
            assertThat(sender.protocol().lost.await()).isEqualTo("null");
            assertThat(sender.transport().writeBufferSize()).isZero();
            other.send(bytes("the only one"), receiver.localAddress());
            assertThat(text(receiver.receive())).isEqualTo("the only one");
          }
        });
  }
}
