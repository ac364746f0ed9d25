package dev.weir.datagram;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.weir.Asyncio;
import dev.weir.protocol.DatagramProtocol;
import dev.weir.protocol.DatagramTransport;
import dev.weir.task.CancelledError;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.testing.DatagramConditions;
import dev.weir.testing.LeftBehindError;
import dev.weir.testing.MemoryNetwork;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Endpoints in sequential style, over the memory network. */
class DatagramEndpointTest {
  private static final DatagramOptions OPTIONS = DatagramOptions.defaults();

  private interface Pair {
    void run(DatagramEndpoint server, DatagramEndpoint client) throws Exception;
  }

  private static void withPair(DatagramOptions options, Pair body) {
    VirtualLoop.run(() -> {
      try (DatagramEndpoint server = Asyncio.bindDatagramEndpoint("127.0.0.1", 0, options);
          DatagramEndpoint client =
              Asyncio.connectDatagramEndpoint(
                  "127.0.0.1", server.localAddress().getPort(), options)) {
        body.run(server, client);
      }
    });
  }

  private static void withPair(Pair body) {
    withPair(OPTIONS, body);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  private static String text(Datagram datagram) {
    return new String(datagram.data(), UTF_8);
  }

  /** Lets everything arrive that was sent. */
  private static void settle() {
    Asyncio.sleep(Duration.ofMillis(1));
  }

  // --- Sending and receiving

  @Test
  void aDatagramArrivesWithItsSenderAndIsAnswered() {
    withPair((server, client) -> {
      client.send(bytes("ping"));

      Datagram received = server.receive();

      assertThat(received).isEqualTo(new Datagram(bytes("ping"), client.localAddress()));
      server.send(bytes("pong"), received.sender());
      assertThat(client.receive()).isEqualTo(new Datagram(bytes("pong"), server.localAddress()));
    });
  }

  @Test
  void anEmptyDatagramIsADatagram() {
    withPair((server, client) -> {
      client.send(new byte[0]);
      client.send(bytes("next"));

      assertThat(server.receive().data()).isEmpty();
      assertThat(text(server.receive())).isEqualTo("next");
    });
  }

  @Test
  void theArrayMayBeReusedAtOnce() {
    withPair((server, client) -> {
      byte[] reused = bytes("one");
      client.send(reused);
      reused[0] = 'X';

      assertThat(text(server.receive())).isEqualTo("one");
    });
  }

  @Test
  void aConnectedEndpointHearsItsRemoteAddressOnly() {
    withPair((server, client) -> {
      try (DatagramEndpoint stranger = Asyncio.bindDatagramEndpoint("127.0.0.1", 0)) {
        stranger.send(bytes("forged"), client.localAddress());
        server.send(bytes("true"), client.localAddress());

        assertThat(text(client.receive())).isEqualTo("true");
      }
    });
  }

  @Test
  void withBroadcastAllowedARemoteAddressDoesNotConnect() {
    VirtualLoop.run(() -> {
      try (DatagramEndpoint server = Asyncio.bindDatagramEndpoint("127.0.0.1", 0);
          DatagramEndpoint client =
              Asyncio.openDatagramEndpoint(
                  new InetSocketAddress("127.0.0.1", 0),
                  server.localAddress(),
                  OPTIONS.withBroadcast(true));
          DatagramEndpoint other = Asyncio.bindDatagramEndpoint("127.0.0.1", 0)) {
        client.send(bytes("to the remote address"));
        other.send(bytes("from another"), client.localAddress());

        assertThat(text(server.receive())).isEqualTo("to the remote address");
        assertThat(text(client.receive())).isEqualTo("from another");
      }
    });
  }

  @Test
  void tasksReceiveInTheOrderInWhichTheyCame() {
    withPair((server, client) -> {
      List<String> received = new ArrayList<>();
      List<Task<?>> tasks = new ArrayList<>();
      for (String name : List.of("a", "b", "c")) {
        tasks.add(
            Asyncio.createTask(() -> {
              received.add(name + text(server.receive()));
            }));
      }
      settle();
      for (int i = 0; i < 3; i++) {
        client.send(bytes("" + i));
      }
      for (Task<?> task : tasks) {
        task.await();
      }

      assertThat(received).containsExactly("a0", "b1", "c2");
    });
  }

  @Test
  void receivingThatIsCancelledLosesNothing() {
    withPair((server, client) -> {
      Task<Datagram> first = Asyncio.createTask(server::receive);
      Task<Datagram> second = Asyncio.createTask(server::receive);
      settle();
      client.send(bytes("kept"));
      // The datagram arrives, and wakes the first, in the round in which that is cancelled.
      while (!server.toString().contains(" 1 datagrams")) {
        Asyncio.yieldNow();
      }
      first.cancel();

      assertThat(text(second.await())).isEqualTo("kept");
      assertThat(first.cancelled()).isTrue();
    });
  }

  @Test
  void aReceiverThatIsCancelledBeforeLeavesItsTurnToTheNext() {
    withPair((server, client) -> {
      Task<Datagram> first = Asyncio.createTask(server::receive);
      Task<Datagram> second = Asyncio.createTask(server::receive);
      settle();
      client.send(bytes("kept"));
      first.cancel();

      assertThat(text(second.await())).isEqualTo("kept");
    });
  }

  // --- The queue

  @Test
  void aFullQueueDropsTheOldestAndCountsIt() {
    withPair(
        OPTIONS.withQueue(3, 1_000_000),
        (server, client) -> {
          for (int i = 0; i < 5; i++) {
            client.send(bytes("" + i));
          }
          settle();

          assertThat(server.dropped()).isEqualTo(2);
          assertThat(text(server.receive())).isEqualTo("2");
          assertThat(text(server.receive())).isEqualTo("3");
          assertThat(text(server.receive())).isEqualTo("4");
        });
  }

  @Test
  void theQueueIsBoundedInBytesToo() {
    withPair(
        OPTIONS.withMaxSize(100).withQueue(1000, 250),
        (server, client) -> {
          for (int i = 0; i < 4; i++) {
            client.send(new byte[100 - i]);
          }
          settle();

          assertThat(server.dropped()).isEqualTo(2);
          assertThat(server.receive().data()).hasSize(98);
          assertThat(server.receive().data()).hasSize(97);
        });
  }

  @Test
  void aDatagramThatIsTooLongIsCountedAndNeverShortened() {
    withPair(
        OPTIONS.withMaxSize(10),
        (server, client) -> {
          client.send(new byte[11]);
          client.send(new byte[10]);

          assertThat(server.receive().data()).hasSize(10);
          assertThat(server.truncated()).isEqualTo(1);
          assertThat(server.dropped()).isZero();
        });
  }

  // --- Errors

  @Test
  void anUnreachablePortIsToldOnceAndTheEndpointGoesOn() {
    VirtualLoop.run(() -> {
      InetSocketAddress nobody = new InetSocketAddress("127.0.0.1", 9);
      try (DatagramEndpoint client = Asyncio.connectDatagramEndpoint("127.0.0.1", 9)) {
        client.send(bytes("anybody?"));

        assertThatExceptionOfType(PortUnreachableException.class)
            .isThrownBy(client::receive)
            .withMessage("Port unreachable: nobody receives at 127.0.0.1:9");
        try (DatagramEndpoint server = Asyncio.openDatagramEndpoint(nobody, null, OPTIONS)) {
          client.send(bytes("and now?"));
          assertThat(text(server.receive())).isEqualTo("and now?");
        }
      }
    });
  }

  @Test
  void anUnreachablePortIsToldToTheNextSendToo() {
    VirtualLoop.run(() -> {
      try (DatagramEndpoint client = Asyncio.connectDatagramEndpoint("127.0.0.1", 9)) {
        client.send(bytes("anybody?"));
        settle();

        assertThatExceptionOfType(PortUnreachableException.class)
            .isThrownBy(() -> client.send(bytes("again")));
        assertThat(client.trySend(bytes("again"), null)).isTrue();
      }
    });
  }

  @Test
  void anErrorIsThrownWithTheStackOfWhoIsTold() {
    VirtualLoop.run(() -> {
      try (DatagramEndpoint client = Asyncio.connectDatagramEndpoint("127.0.0.1", 9)) {
        client.send(bytes("anybody?"));

        assertThatExceptionOfType(PortUnreachableException.class)
            .isThrownBy(client::receive)
            .withMessage("Port unreachable: nobody receives at 127.0.0.1:9")
            .withCauseExactlyInstanceOf(PortUnreachableException.class)
            .satisfies(told ->
                assertThat(told.getStackTrace())
                    .extracting(StackTraceElement::getMethodName)
                    .contains("receive"));
      }
    });
  }

  @Test
  void whoIsWokenForAnErrorThatASenderTakesKeepsItsTurn() {
    VirtualLoop.run(() -> {
      try (DatagramEndpoint client = Asyncio.connectDatagramEndpoint("127.0.0.1", 9)) {
        List<String> received = new ArrayList<>();
        List<Task<?>> tasks = new ArrayList<>();
        for (String name : List.of("a", "b")) {
          tasks.add(
              Asyncio.createTask(() -> {
                received.add(name + text(client.receive()));
              }));
        }
        settle();
        client.send(bytes("anybody?"));
        Asyncio.yieldNow();
        MemoryNetwork.current().setDatagramConditions(DatagramConditions.perfect().withLoss(1));
        takeError(client);
        settle();
        MemoryNetwork.current().setDatagramConditions(DatagramConditions.perfect());
        try (DatagramEndpoint server = Asyncio.bindDatagramEndpoint("127.0.0.1", 9)) {
          server.send(bytes("0"), client.localAddress());
          server.send(bytes("1"), client.localAddress());
          for (Task<?> task : tasks) {
            task.await(IOException.class);
          }
        }

        assertThat(received).containsExactly("a0", "b1");
      }
    });
  }

  /** Sends in each round, and so is there first in the one in which the error has arrived. */
  private static void takeError(DatagramEndpoint client) throws IOException {
    while (true) {
      try {
        client.trySend(bytes("lost"), null);
      } catch (PortUnreachableException e) {
        return;
      }
      Asyncio.yieldNow();
    }
  }

  @Test
  void whoIteratesGetsTheErrorUnchecked() {
    VirtualLoop.run(() -> {
      try (DatagramEndpoint client = Asyncio.connectDatagramEndpoint("127.0.0.1", 9)) {
        client.send(bytes("anybody?"));

        assertThatExceptionOfType(UncheckedIOException.class)
            .isThrownBy(() -> client.iterator().hasNext())
            .withCauseInstanceOf(PortUnreachableException.class);
      }
    });
  }

  @Test
  void whatIsSentToNobodyByAnEndpointThatIsNotConnectedIsLost() {
    VirtualLoop.run(() -> {
      try (DatagramEndpoint client = Asyncio.bindDatagramEndpoint("127.0.0.1", 0)) {
        client.send(bytes("anybody?"), new InetSocketAddress("127.0.0.1", 9));
        settle();
        client.send(bytes("to myself"), client.localAddress());

        assertThat(text(client.receive())).isEqualTo("to myself");
      }
    });
  }

  @Test
  void aSendToPort0FailsAsOneOfTheNetworks() {
    withPair((server, client) -> {
      InetSocketAddress forged = new InetSocketAddress("127.0.0.1", 0);
      assertThatExceptionOfType(SocketException.class)
          .isThrownBy(() -> server.send(bytes("x"), forged))
          .withMessage("DatagramEndpoint.send() to port 0, where nobody can be: 127.0.0.1:0");
      assertThatExceptionOfType(SocketException.class)
          .isThrownBy(() -> server.trySend(bytes("x"), forged))
          .withMessage("DatagramEndpoint.trySend() to port 0, where nobody can be: 127.0.0.1:0");
    });
  }

  @Test
  void thatOneAddressCannotBeSentToIsToldToWhoSendsThereAgainAndToNobodyElse() {
    VirtualLoop.run(() -> {
      InetSocketAddress notAllowed = new InetSocketAddress("255.255.255.255", 9);
      try (DatagramEndpoint server = Asyncio.bindDatagramEndpoint("0.0.0.0", 7);
          DatagramEndpoint client = Asyncio.connectDatagramEndpoint("127.0.0.1", 7)) {
        server.send(bytes("x"), notAllowed);
        settle();
        client.send(bytes("ping"));
        Datagram received = server.receive();
        server.send(bytes("pong"), received.sender());

        assertThat(text(received)).isEqualTo("ping");
        assertThat(text(client.receive())).isEqualTo("pong");
        assertThat(server.sendErrors()).isEqualTo(1);
        assertThatExceptionOfType(SocketException.class)
            .isThrownBy(() -> server.send(bytes("y"), notAllowed))
            .withMessageStartingWith("Permission denied: 255.255.255.255:9");
        assertThat(server.trySend(bytes("z"), notAllowed)).isTrue();
        settle();
        assertThat(server.sendErrors()).isEqualTo(2);
      }
    });
  }

  // --- High water

  @Test
  void sendersWaitAtHighWaterAndGoOnInOrder() {
    withPair(
        OPTIONS.withWriteLimits(100, 50),
        (server, client) -> {
          // All of these run in one round, after which the network is polled.
          Asyncio.createTask(() -> {
            assertThat(client.trySend(new byte[93], null)).isTrue();
            assertThat(client.trySend(new byte[1], null)).isFalse();
          });
          List<Integer> sent = new ArrayList<>();
          for (int i = 0; i < 3; i++) {
            int size = i + 1;
            Asyncio.createTask(() -> {
              client.send(new byte[size]);
              sent.add(size);
            });
          }
          Asyncio.yieldNow();
          assertThat(sent).isEmpty();
          assertThat(server.receive().data()).hasSize(93);
          settle();

          assertThat(sent).containsExactly(1, 2, 3);
          assertThat(server.receive().data()).hasSize(1);
        });
  }

  @Test
  void aSendThatIsCancelledSentNothing() {
    withPair(
        OPTIONS.withWriteLimits(0, 0),
        (server, client) -> {
          Asyncio.createTask(() -> client.send(bytes("first")));
          Task<?> waiting = Asyncio.createTask(() -> client.send(bytes("cancelled")));
          Task<?> next = Asyncio.createTask(() -> client.send(bytes("second")));
          Asyncio.yieldNow();
          waiting.cancel();
          next.await();

          assertThat(text(server.receive())).isEqualTo("first");
          assertThat(text(server.receive())).isEqualTo("second");
        });
  }

  // --- Closing

  @Test
  void whoReceivesIsWokenByAClose() {
    withPair((server, client) -> {
      Task<Datagram> receiving = Asyncio.createTask(server::receive);
      settle();
      server.close();

      assertThatExceptionOfType(SocketException.class)
          .isThrownBy(() -> receiving.await(IOException.class))
          .withMessage("receive() on a closed endpoint");
    });
  }

  @Test
  void iterationEndsWithTheEndpoint() {
    withPair((server, client) -> {
      client.send(bytes("one"));
      client.send(bytes("two"));
      List<String> all = new ArrayList<>();
      for (Datagram datagram : server) {
        all.add(text(datagram));
        if (all.size() == 2) {
          server.close();
        }
      }

      assertThat(all).containsExactly("one", "two");
    });
  }

  @Test
  void whatWasSentBeforeACloseArrives() {
    withPair((server, client) -> {
      client.send(bytes("last words"));
      client.close();
      client.close();

      assertThat(text(server.receive())).isEqualTo("last words");
      assertThatExceptionOfType(SocketException.class)
          .isThrownBy(() -> client.send(bytes("more")))
          .withMessage("send() on a closed endpoint");
    });
  }

  @Test
  void aCloseWakesWhoWaitsToSend() {
    withPair(
        OPTIONS.withWriteLimits(0, 0),
        (server, client) -> {
          Asyncio.createTask(() -> client.send(bytes("first")));
          Task<?> waiting = Asyncio.createTask(() -> client.send(bytes("late")));
          Asyncio.yieldNow();
          client.close();

          assertThatExceptionOfType(SocketException.class)
              .isThrownBy(() -> waiting.await(IOException.class))
              .withMessage("send() on a closed endpoint");
        });
  }

  @Test
  void anAddressIsFreeAgainAfterTheClose() {
    VirtualLoop.run(() -> {
      try (DatagramEndpoint _ = Asyncio.bindDatagramEndpoint("127.0.0.1", 5353)) {
        assertThatExceptionOfType(BindException.class)
            .isThrownBy(() -> Asyncio.bindDatagramEndpoint("127.0.0.1", 5353))
            .withMessage("Address already in use: 127.0.0.1:5353");
      }
      Asyncio.yieldNow();
      Asyncio.bindDatagramEndpoint("127.0.0.1", 5353).close();
    });
  }

  @Test
  void openingThatIsCancelledLeavesNothingOpen() {
    // A socket that was left open would fail this run, which says what it leaves behind.
    VirtualLoop.run(() -> {
      Task<DatagramEndpoint> opening =
          Asyncio.createTask(() -> Asyncio.bindDatagramEndpoint("127.0.0.1", 5353));
      Asyncio.yieldNow();
      opening.cancel();

      assertThatExceptionOfType(CancelledError.class).isThrownBy(opening::await);
      settle();
      Asyncio.bindDatagramEndpoint("127.0.0.1", 5353).close();
    });
  }

  @Test
  void aCloseAfterTheLoopHasEndedDoesNothing() {
    AtomicReference<DatagramEndpoint> kept = new AtomicReference<>();
    AtomicReference<DatagramTransport> transport = new AtomicReference<>();
    assertThatExceptionOfType(LeftBehindError.class)
        .isThrownBy(() ->
            VirtualLoop.run(() -> {
              kept.set(Asyncio.bindDatagramEndpoint("127.0.0.1", 0));
              transport.set(
                  Asyncio.createDatagramEndpoint(
                          () -> new DatagramProtocol() {},
                          new InetSocketAddress("127.0.0.1", 0),
                          null,
                          OPTIONS)
                      .transport());
            }));

    kept.get().close();
    transport.get().close();
    transport.get().abort();
  }

  // --- Misuse

  @Test
  void anEndpointWithoutAnAddressIsRefused() {
    VirtualLoop.run(() ->
        assertThatIllegalArgumentException()
            .isThrownBy(() -> Asyncio.openDatagramEndpoint(null, null, OPTIONS))
            .withMessageStartingWith("openDatagramEndpoint() without an address"));
  }

  @Test
  void whereADatagramCannotGoIsSaidAtOnce() {
    withPair((server, client) -> {
      InetSocketAddress other = new InetSocketAddress("127.0.0.1", 1);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> client.send(bytes("x"), other))
          .withMessage(
              "DatagramEndpoint.send() to 127.0.0.1:1 on an endpoint whose remote address is"
                  + " 127.0.0.1:%d",
              server.localAddress().getPort());
      assertThatIllegalArgumentException()
          .isThrownBy(() -> server.send(bytes("x")))
          .withMessageContaining("has no remote one");
      assertThatIllegalArgumentException()
          .isThrownBy(
              () -> server.send(bytes("x"), InetSocketAddress.createUnresolved("example.org", 1)))
          .withMessageContaining("looks up no names, and example.org:1 is one");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> server.send(bytes("x"), new InetSocketAddress("::1", 1)))
          .withMessageContaining("of IPv6 on an endpoint of IPv4");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> client.send(new byte[65_508]))
          .withMessage("A datagram of 65508 bytes: UDP carries 65507 at most");
      client.send(new byte[65_507]);
      assertThat(server.receive().data()).hasSize(65_507);
    });
  }

  @Test
  void aSocketOfOneFamilyCannotHaveAddressesOfBoth() {
    VirtualLoop.run(() ->
        assertThatExceptionOfType(SocketException.class)
            .isThrownBy(() ->
                Asyncio.openDatagramEndpoint(
                    new InetSocketAddress("127.0.0.1", 0),
                    new InetSocketAddress("::1", 53),
                    OPTIONS))
            .withMessage(
                "One of these is of IPv4 and the other of IPv6: 127.0.0.1:0,"
                    + " [0:0:0:0:0:0:0:1]:53"));
  }

  @Test
  void anotherLoopMayNotSendNorReceive() {
    withPair((server, client) -> {
      AtomicReference<DatagramEndpoint> shared = new AtomicReference<>(client);
      Future<Void> elsewhere =
          Asyncio.runningLoop()
              .runInExecutor(() -> {
                VirtualLoop.run(() -> {
                  assertThatIllegalStateException()
                      .isThrownBy(() -> shared.get().send(bytes("x")))
                      .withMessageStartingWith("DatagramEndpoint.send() was called on thread");
                  assertThatIllegalStateException()
                      .isThrownBy(() -> shared.get().receive())
                      .withMessageStartingWith("DatagramEndpoint.receive() was called on thread");
                  assertThatIllegalStateException().isThrownBy(() -> shared.get().close());
                });
                return null;
              });
      elsewhere.await();
    });
  }

  @Test
  void aCallbackCannotWaitButMayTry() {
    withPair((server, client) -> {
      Future<Boolean> tried = Asyncio.runningLoop().createFuture();
      Loop.running()
          .callSoon(() -> {
            assertThatIllegalStateException()
                .isThrownBy(() -> client.send(bytes("x")))
                .withMessageContaining("there is no task");
            try {
              tried.setResult(client.trySend(bytes("from a callback"), null));
            } catch (IOException e) {
              tried.setException(e);
            }
          });
      assertThat(tried.await()).isTrue();
      assertThat(text(server.receive())).isEqualTo("from a callback");
    });
  }

  @Test
  void optionsThatMakeNoSenseAreRefusedWithTheirValue() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> OPTIONS.withMaxSize(65_528))
        .withMessage("maxSize is not from 1 to 65527: 65528");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> OPTIONS.withQueue(0, 1_000_000))
        .withMessage("queueSize < 1: 0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> OPTIONS.withQueue(1, 1000))
        .withMessageStartingWith("queueBytes < maxSize");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> OPTIONS.withWriteLimits(1, 2))
        .withMessage("not 0 <= lowWater <= highWater: 2, 1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> withRaw(OPTIONS, "many"))
        .withMessage("SO_RCVBUF takes a value of type Integer, not many of type String");
  }

  @SuppressWarnings({"unchecked", "rawtypes"}) // That is what is tried.
  private static DatagramOptions withRaw(DatagramOptions options, Object value) {
    SocketOption raw = StandardSocketOptions.SO_RCVBUF;
    return options.withSocketOption(raw, value);
  }
}
