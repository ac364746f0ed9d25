package dev.weir.demo.docs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.Asyncio;
import dev.weir.datagram.DatagramEndpoint;
import dev.weir.protocol.Attached;
import dev.weir.protocol.DatagramTransport;
import dev.weir.task.Task;
import dev.weir.testing.DatagramConditions;
import dev.weir.testing.MemoryNetwork;
import dev.weir.testing.VirtualLoop;
import dev.weir.testing.VirtualOptions;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import org.junit.jupiter.api.Test;

/** What docs/datagrams.md shows works. */
class DatagramExamplesTest {
  @Test
  void whoAsksGetsAnAnswerThroughANetworkThatLosesHalf() {
    VirtualLoop.run(
        () -> {
          MemoryNetwork.current().setDatagramConditions(DatagramConditions.perfect().withLoss(0.5));
          Task<?> echo = Asyncio.createTask(() -> DatagramExamples.echo("127.0.0.1", 7));
          for (int i = 0; i < 10; i++) {
            assertThat(DatagramExamples.ask("127.0.0.1", 7, "hello " + i)).isEqualTo("hello " + i);
          }
          echo.cancel();
        },
        VirtualOptions.defaults().withSeed(7));
  }

  @Test
  void aGroupIsHeard() {
    NetworkInterface on = anyInterface();
    VirtualLoop.run(() -> {
      Task<String> member =
          Asyncio.createTask(() -> DatagramExamples.hearFromGroup("239.1.2.3", 5000, on));
      try (DatagramEndpoint sender = Asyncio.bindDatagramEndpoint("0.0.0.0", 0)) {
        while (!member.done()) { // Who is no member yet does not hear it.
          sender.send("hello".getBytes(UTF_8), new InetSocketAddress("239.1.2.3", 5000));
          Asyncio.yieldNow();
        }
      }
      assertThat(member.await()).isEqualTo("hello");
    });
  }

  private static NetworkInterface anyInterface() {
    try {
      return NetworkInterface.networkInterfaces().findFirst().orElseThrow();
    } catch (java.net.SocketException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void callbacksEchoToo() {
    VirtualLoop.run(() -> {
      Attached<DatagramTransport, DatagramExamples.EchoProtocol> echo =
          DatagramExamples.echoByCallbacks(7);
      assertThat(DatagramExamples.ask("127.0.0.1", 7, "hello")).isEqualTo("hello");
      echo.transport().close();
    });
  }
}
