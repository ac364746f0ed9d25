package dev.weir.demo.docs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.demo.echo.EchoServer;
import dev.weir.junit.RunOnLoop;
import dev.weir.junit.SeededTest;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.Server;
import dev.weir.task.Loop;
import dev.weir.testing.LinkConditions;
import dev.weir.testing.MemoryNetwork;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The examples of docs/testing.md, which shows them as they stand here. */
class VirtualEchoTest {
  @Test
  void twoHoursTakeNoTime() {
    Duration slept =
        VirtualLoop.run(() -> {
          Asyncio.sleep(Duration.ofHours(2));
          return Loop.running().time();
        });

    assertThat(slept).isEqualTo(Duration.ofHours(2));
  }

  @Test
  void theSameHandlerWithoutASocket() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("echo.example", "10.0.0.1");
      network.setConditions(LinkConditions.perfect().withDelay(Duration.ofMillis(20)));
      try (Server _ = Asyncio.startServer(EchoServer::echo, "10.0.0.1", 7);
          Connection connection = Asyncio.openConnection("echo.example", 7)) {
        connection.writer().writeLine("hello");

        assertThat(connection.reader().readLine(UTF_8)).isEqualTo("hello");
        assertThat(Loop.running().time()).isEqualTo(Duration.ofMillis(80)); // Two round trips.
      }
    });
  }

  @Test
  void theFirstConnectionIsReset() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current()
          .setLinkPolicy(attempt ->
              attempt.number() == 1
                  ? LinkConditions.perfect().withResetAfter(3)
                  : LinkConditions.perfect());
      try (Server _ = Asyncio.startServer(EchoServer::echo, "10.0.0.1", 7)) {
        assertThatThrownBy(() -> Greeting.greet("10.0.0.1", 7))
            .isInstanceOf(ConnectionResetException.class);
        assertThat(Greeting.greet("10.0.0.1", 7)).isEqualTo("hello");
      }
    });
  }

  @Test
  @RunOnLoop
  void runsOnAVirtualLoopOfItsOwn() {
    Asyncio.sleep(Duration.ofHours(2));
  }

  @SeededTest(20)
  void isRunWithTwentySeeds() throws IOException {
    MemoryNetwork.current().setConditions(LinkConditions.perfect().withPieces(1, 4));
    try (Server _ = Asyncio.startServer(EchoServer::echo, "10.0.0.1", 7)) {
      assertThat(Greeting.greet("10.0.0.1", 7)).isEqualTo("hello");
    }
  }
}
