package dev.weir.protocol;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.weir.Asyncio;
import dev.weir.datagram.DatagramEndpoint;
import dev.weir.datagram.DatagramOptions;
import dev.weir.task.ContextVar;
import dev.weir.task.ExceptionContext;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Datagram sockets with callbacks, over the memory network. */
class DatagramProtocolTest {
  private static final DatagramOptions OPTIONS = DatagramOptions.defaults();
  private static final InetSocketAddress ANY_PORT = new InetSocketAddress("127.0.0.1", 0);

  /** Notes what it is told. */
  private static class Notes implements DatagramProtocol {
    final List<String> told = new ArrayList<>();
    @Nullable DatagramTransport transport;

    @Override
    public void connectionMade(DatagramTransport transport) {
      this.transport = transport;
      told.add("made");
    }

    @Override
    public void datagramReceived(byte[] data, InetSocketAddress sender) {
      told.add("received " + new String(data, UTF_8));
    }

    @Override
    public void errorReceived(IOException cause) {
      told.add("error " + cause.getClass().getSimpleName() + " " + cause.getMessage());
    }

    @Override
    public void pauseWriting() {
      told.add("pause");
    }

    @Override
    public void resumeWriting() {
      told.add("resume");
    }

    @Override
    public void connectionLost(@Nullable Throwable cause) {
      told.add("lost " + cause);
    }

    @Override
    public String toString() {
      return "Notes";
    }
  }

  /** Sends everything back. */
  private static final class Echo extends Notes {
    @Override
    public void datagramReceived(byte[] data, InetSocketAddress sender) {
      super.datagramReceived(data, sender);
      if (transport != null) {
        transport.sendTo(data, sender);
      }
    }
  }

  private static void settle() {
    Asyncio.sleep(Duration.ofMillis(1));
  }

  @Test
  void aProtocolIsToldOfEverythingInOrder() {
    VirtualLoop.run(() -> {
      Attached<DatagramTransport, Echo> server =
          Asyncio.createDatagramEndpoint(Echo::new, ANY_PORT, null, OPTIONS);
      assertThat(server.protocol().told).containsExactly("made");
      assertThat(server.transport().protocol()).isSameAs(server.protocol());
      try (DatagramEndpoint client =
          Asyncio.openDatagramEndpoint(null, server.transport().localAddress(), OPTIONS)) {
        client.send("hello".getBytes(UTF_8));
        assertThat(client.receive().data()).isEqualTo("hello".getBytes(UTF_8));
      }
      server.transport().close();
      server.transport().close();
      assertThat(server.transport().isClosing()).isTrue();
      settle();

      assertThat(server.protocol().told).containsExactly("made", "received hello", "lost null");
    });
  }

  @Test
  void anUnreachablePortIsAnErrorAndNoEnd() {
    VirtualLoop.run(() -> {
      Attached<DatagramTransport, Notes> client =
          Asyncio.createDatagramEndpoint(
              Notes::new, null, new InetSocketAddress("127.0.0.1", 9), OPTIONS);
      client.transport().sendTo(new byte[1]);
      settle();

      assertThat(client.protocol().told)
          .containsExactly(
              "made",
              "error "
                  + PortUnreachableException.class.getSimpleName()
                  + " Port unreachable: nobody receives at 127.0.0.1:9");
      assertThat(client.transport().isClosing()).isFalse();
      client.transport().abort();
    });
  }

  @Test
  void port0IsAnErrorAndNoMistake() {
    VirtualLoop.run(() -> {
      Attached<DatagramTransport, Notes> server =
          Asyncio.createDatagramEndpoint(Notes::new, ANY_PORT, null, OPTIONS);
      server.transport().sendTo(new byte[1], new InetSocketAddress("127.0.0.1", 0));

      assertThat(server.protocol().told)
          .containsExactly(
              "made",
              "error SocketException DatagramTransport.sendTo() to port 0, where nobody can be:"
                  + " 127.0.0.1:0");
      server.transport().close();
    });
  }

  @Test
  void aDatagramThatIsTooLongIsAnError() {
    VirtualLoop.run(() -> {
      Attached<DatagramTransport, Notes> server =
          Asyncio.createDatagramEndpoint(Notes::new, ANY_PORT, null, OPTIONS.withMaxSize(3));
      Attached<DatagramTransport, Notes> client =
          Asyncio.createDatagramEndpoint(Notes::new, ANY_PORT, null, OPTIONS);
      client.transport().sendTo(new byte[4], server.transport().localAddress());
      settle();

      assertThat(server.protocol().told.getLast())
          .startsWith("error SocketException A datagram from 127.0.0.1:")
          .endsWith(" was longer than 3 bytes, and was dropped: allow more with withMaxSize()");
      server.transport().close();
      client.transport().close();
    });
  }

  @Test
  void eachDatagramCountsItsLengthAndEight() {
    VirtualLoop.run(() -> {
      Attached<DatagramTransport, Notes> client =
          Asyncio.createDatagramEndpoint(Notes::new, ANY_PORT, null, OPTIONS);
      DatagramTransport transport = client.transport();
      assertThat(transport.writeBufferLimits())
          .isEqualTo(new WriteBufferLimits(16 * 1024, 64 * 1024));
      transport.setWriteBufferLimits(20, 10);
      assertThat(transport.writeBufferLimits()).isEqualTo(new WriteBufferLimits(10, 20));
      InetSocketAddress nobody = new InetSocketAddress("127.0.0.1", 9);
      transport.sendTo(new byte[12], nobody);
      assertThat(transport.writeBufferSize()).isEqualTo(20);
      assertThat(client.protocol().told).containsExactly("made");
      transport.sendTo(new byte[0], nobody);
      assertThat(transport.writeBufferSize()).isEqualTo(28);
      assertThat(client.protocol().told).containsExactly("made", "pause");
      settle();

      assertThat(client.protocol().told).containsExactly("made", "pause", "resume");
      transport.close();
    });
  }

  @Test
  void whoSendsOnAtThePauseHasDatagramsDroppedAndIsToldOnce() {
    VirtualLoop.run(() -> {
      Attached<DatagramTransport, Notes> client =
          Asyncio.createDatagramEndpoint(Notes::new, ANY_PORT, null, OPTIONS);
      DatagramTransport transport = client.transport();
      InetSocketAddress nobody = new InetSocketAddress("127.0.0.1", 9);
      String dropped =
          "error SocketException Datagrams are dropped: 16742232 bytes are unsent, and more would"
              + " exceed the cap of 16777216: stop sending at pauseWriting()";
      for (int i = 0; i < 300; i++) {
        transport.sendTo(new byte[60_000], nobody);
      }

      assertThat(transport.writeBufferSize()).isEqualTo(279 * 60_008L);
      assertThat(client.protocol().told).containsExactly("made", "pause", dropped);
      transport.sendTo(new byte[1000], nobody);
      assertThat(transport.writeBufferSize()).isEqualTo(279 * 60_008L + 1008);
      settle();
      for (int i = 0; i < 300; i++) {
        transport.sendTo(new byte[60_000], nobody);
      }
      assertThat(client.protocol().told)
          .containsExactly("made", "pause", dropped, "resume", "pause", dropped);
      transport.close();
    });
  }

  @Test
  void highWaterAboveTheCapRaisesIt() {
    VirtualLoop.run(() -> {
      Attached<DatagramTransport, Notes> client =
          Asyncio.createDatagramEndpoint(Notes::new, ANY_PORT, null, OPTIONS);
      DatagramTransport transport = client.transport();
      transport.setWriteBufferLimits(300 * 60_008, 0);
      for (int i = 0; i < 300; i++) {
        transport.sendTo(new byte[60_000], new InetSocketAddress("127.0.0.1", 9));
      }

      assertThat(transport.writeBufferSize()).isEqualTo(300 * 60_008L);
      assertThat(client.protocol().told).containsExactly("made");
      transport.abort();
    });
  }

  @Test
  void aCallbackThatFailsIsReportedAndTheSocketGoesOn() {
    VirtualLoop.run(() -> {
      List<ExceptionContext> reports = new ArrayList<>();
      Asyncio.runningLoop().setExceptionHandler((loop, context) -> reports.add(context));
      IllegalStateException bug = new IllegalStateException("a bug");
      class Failing extends Notes {
        @Override
        public void datagramReceived(byte[] data, InetSocketAddress sender) {
          super.datagramReceived(data, sender);
          if (told.size() == 2) {
            throw bug;
          }
        }
      }
      Attached<DatagramTransport, Failing> server =
          Asyncio.createDatagramEndpoint(Failing::new, ANY_PORT, null, OPTIONS);
      InetSocketAddress itself = server.transport().localAddress();
      server.transport().sendTo("one".getBytes(UTF_8), itself);
      server.transport().sendTo("two".getBytes(UTF_8), itself);
      settle();

      assertThat(server.protocol().told).containsExactly("made", "received one", "received two");
      assertThat(reports)
          .extracting(ExceptionContext::message, ExceptionContext::exception)
          .containsExactly(
              org.assertj.core.groups.Tuple.tuple(
                  "Exception in datagramReceived() of the protocol Notes", bug));
      server.transport().close();
    });
  }

  @Test
  void callbacksRunInTheContextOfWhoeverMadeTheProtocolAndKeepTheirs() {
    ContextVar<String> name = new ContextVar<>("name", "nobody");
    class Named extends Notes {
      @Override
      public void connectionMade(DatagramTransport transport) {
        told.add("made for " + name.get());
        var _ = name.set(name.get() + "'s protocol");
      }

      @Override
      public void datagramReceived(byte[] data, InetSocketAddress sender) {
        told.add("received by " + name.get());
      }
    }
    VirtualLoop.run(() -> {
      List<Attached<DatagramTransport, Named>> sockets = new ArrayList<>();
      for (String opener : List.of("a", "b")) {
        Asyncio.createTask(
                () -> {
                  var _ = name.set(opener);
                  sockets.add(Asyncio.createDatagramEndpoint(Named::new, ANY_PORT, null, OPTIONS));
                })
            .await(IOException.class);
      }
      for (Attached<DatagramTransport, Named> socket : sockets) {
        socket.transport().sendTo(new byte[1], socket.transport().localAddress());
      }
      settle();

      assertThat(sockets.getFirst().protocol().told)
          .containsExactly("made for a", "received by a's protocol");
      assertThat(sockets.getLast().protocol().told)
          .containsExactly("made for b", "received by b's protocol");
      sockets.forEach(socket -> socket.transport().close());
    });
  }

  @Test
  void anotherProtocolTakesOverAndIsNotToldThatTheConnectionWasMade() {
    VirtualLoop.run(() -> {
      Attached<DatagramTransport, Notes> server =
          Asyncio.createDatagramEndpoint(Notes::new, ANY_PORT, null, OPTIONS);
      Notes other = new Notes();
      server.transport().setProtocol(other);
      server.transport().sendTo("x".getBytes(UTF_8), server.transport().localAddress());
      settle();

      assertThat(other.told).containsExactly("received x");
      assertThat(server.protocol().told).containsExactly("made");
      server.transport().close();
    });
  }

  @Test
  void anAddressThatCannotBeIsRefusedAsAsyncioDoes() {
    VirtualLoop.run(() -> {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Asyncio.createDatagramEndpoint(Notes::new, null, null, OPTIONS))
          .withMessageStartingWith("createDatagramEndpoint() without an address");
      Attached<DatagramTransport, Notes> client =
          Asyncio.createDatagramEndpoint(
              Notes::new, null, new InetSocketAddress("127.0.0.1", 9), OPTIONS);
      assertThatIllegalArgumentException()
          .isThrownBy(
              () -> client.transport().sendTo(new byte[1], new InetSocketAddress("127.0.0.1", 10)))
          .withMessage(
              "DatagramTransport.sendTo() to 127.0.0.1:10 on an endpoint whose remote address is"
                  + " 127.0.0.1:9");
      client.transport().close();
    });
  }
}
