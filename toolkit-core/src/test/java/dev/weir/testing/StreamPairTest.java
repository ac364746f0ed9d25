package dev.weir.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.spi.Transport;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.LimitOverrunException;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamOptions;
import dev.weir.task.CancelledError;
import dev.weir.task.Task;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Both ends of a connection: what opening gives, and what it leaves when it fails. */
class StreamPairTest {
  @Test
  void whatOneEndWritesTheOtherReads() {
    VirtualLoop.run(() -> {
      try (StreamPair pair = StreamPair.open()) {
        pair.left().writer().writeLine("to the right");
        pair.right().writer().writeLine("to the left");

        assertThat(pair.right().reader().readLine(UTF_8)).isEqualTo("to the right");
        assertThat(pair.left().reader().readLine(UTF_8)).isEqualTo("to the left");
      }
    });
  }

  @Test
  void bothEndsHaveTheOptions() {
    VirtualLoop.run(() -> {
      try (StreamPair pair = StreamPair.open(StreamOptions.defaults().withLimit(4))) {
        pair.left().writer().write("12345\n");
        pair.right().writer().write("12345\n");

        for (StreamEnd end : List.of(pair.left(), pair.right())) {
          assertThatThrownBy(() -> end.reader().readLine())
              .isInstanceOf(LimitOverrunException.class);
        }
      }
    });
  }

  @Test
  void eachEndMayHaveOptionsOfItsOwn() {
    StreamOptions small = StreamOptions.defaults().withLimit(4);
    VirtualLoop.run(() -> {
      try (StreamPair pair =
          StreamPair.open(ServerOptions.defaults().withStream(small), ConnectOptions.defaults())) {
        pair.left().writer().write("12345\n");
        pair.right().writer().write("12345\n");

        assertThat(pair.left().reader().readLine(UTF_8)).isEqualTo("12345");
        assertThatThrownBy(() -> pair.right().reader().readLine())
            .isInstanceOf(LimitOverrunException.class);
      }
    });
  }

  @Test
  void closeClosesBothEnds() {
    VirtualLoop.run(() -> {
      StreamPair pair = StreamPair.open();
      pair.left().writer().write("last");

      pair.close();

      pair.left().writer().waitClosed();
      pair.right().writer().waitClosed();
    });
  }

  @Test
  void theServerListensNoLongerThanThePairNeeds() {
    VirtualLoop.run(() -> {
      try (StreamPair pair = StreamPair.open()) {
        InetSocketAddress server = (InetSocketAddress) pair.right().writer().localAddress();

        assertThat(Asyncio.allTasks()).hasSize(1);
        assertThatThrownBy(() -> Asyncio.openConnection("127.0.0.1", server.getPort()))
            .isInstanceOf(ConnectException.class);
      }
    });
  }

  @Test
  void openingThatIsCancelledAnywhereLeavesNothingBehind() {
    List<Tampering> connected = new ArrayList<>();
    TamperedEngine.run(
        () ->
            new Tampering() {
              @Override
              public void connectionMade(Transport transport) {
                connected.add(this);
                super.connectionMade(transport);
              }

              @Override
              public void connectionLost(IOException cause) {
                connected.remove(this);
                super.connectionLost(cause);
              }
            },
        () -> {
          int cancelled =
              CancelEverywhere.run(
                  () -> new ArrayList<StreamPair>(),
                  pairs -> pairs.add(StreamPair.open()),
                  pairs -> {
                    pairs.forEach(StreamPair::close);
                    for (int round = 0; round < 10 && !connected.isEmpty(); round++) {
                      Asyncio.yieldNow();
                    }
                    assertThat(connected).isEmpty();
                  });

          assertThat(cancelled).as("listen and connect").isGreaterThanOrEqualTo(4);
        });
  }

  @Test
  void openingThatIsCancelledWhileNobodyAcceptsLeavesNothingBehind() {
    List<Tampering> accepted = new ArrayList<>();
    TamperedEngine.run(
        () ->
            new Tampering() {
              @Override
              public void connectionMade(Transport transport) {
                if (accepted.isEmpty()) {
                  accepted.add(this); // The first end to hear of it, and the second never does.
                  super.connectionMade(transport);
                }
              }
            },
        () -> {
          Task<StreamPair> opening = Asyncio.createTask(() -> StreamPair.open());
          while (accepted.isEmpty()) {
            Asyncio.yieldNow();
          }
          Asyncio.yieldNow();
          opening.cancel();

          assertThatThrownBy(opening::await).isInstanceOf(CancelledError.class);
          assertThat(Asyncio.allTasks()).hasSize(1);
        });
  }

  @Test
  void outsideATaskItIsRefused() {
    assertThatThrownBy(StreamPair::open)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("No running loop");
  }
}
