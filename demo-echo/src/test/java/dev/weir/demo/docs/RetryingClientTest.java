package dev.weir.demo.docs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.IncompleteReadException;
import dev.weir.stream.Server;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.task.TimeoutException;
import dev.weir.testing.LinkConditions;
import dev.weir.testing.MemoryNetwork;
import dev.weir.testing.SeedError;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.time.Duration;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class RetryingClientTest {
  private static final Duration DEADLINE = Duration.ofSeconds(5);

  private static final byte[] NEWLINE = {'\n'};

  private int answers;
  private int deadlines;

  @Test
  void theClientHasTheAnswerOrMeetsItsDeadline() {
    VirtualLoop.runSeeds(10_000, () -> askOverABadNetwork(RetryingClientTest::answer));

    assertThat(answers).isGreaterThan(9_000);
    assertThat(deadlines).isEqualTo(10_000 - answers).isPositive();
  }

  private void askOverABadNetwork(ConnectionHandler handler) throws IOException {
    MemoryNetwork network = MemoryNetwork.current();
    network.addHost("oracle.example", "10.0.0.1", "10.0.0.2");
    network.setLinkPolicy(attempt -> LinkConditions.hostile(attempt.random()));
    try (Server one = Asyncio.startServer(handler, "10.0.0.1", 80);
        Server other = Asyncio.startServer(handler, "10.0.0.2", 80)) {
      Task<?> partitions = Asyncio.createTask(() -> partitionAndHeal(network));
      try {
        RetryingClient client = new RetryingClient("oracle.example", 80, VirtualLoop.random());
        assertThat(client.ask("six times seven?", DEADLINE)).isEqualTo("six times seven? 42");
        answers++;
      } catch (TimeoutException e) {
        assertThat(Loop.running().time()).isEqualTo(DEADLINE);
        deadlines++;
      }
      partitions.cancel();
      one.shutdown(Duration.ofSeconds(1));
      other.shutdown(Duration.ofSeconds(1));
    }
  }

  @Test
  void aHandlerThatTakesHalfALineForALineIsFound() {
    assertThatThrownBy(() ->
            VirtualLoop.runSeeds(
                10_000, () -> askOverABadNetwork(RetryingClientTest::answerHalfLines)))
        .isInstanceOf(SeedError.class)
        .hasMessageContaining("expected: \"six times seven? 42\"")
        .hasMessageContaining("but was: \"six");
  }

  private static void answerHalfLines(StreamReader reader, StreamWriter writer) throws IOException {
    for (String question : reader.lines(UTF_8)) {
      writer.writeLine(question + " 42");
    }
  }

  private static void answer(StreamReader reader, StreamWriter writer) throws IOException {
    try {
      while (true) {
        byte[] question = reader.readUntil(NEWLINE);
        writer.writeLine(new String(question, UTF_8).strip() + " 42");
      }
    } catch (IncompleteReadException e) {
      // The client has gone, in the middle of a question perhaps.
    }
  }

  private static void partitionAndHeal(MemoryNetwork network) {
    RandomGenerator random = VirtualLoop.random();
    while (true) {
      Asyncio.sleep(Duration.ofMillis(random.nextInt(2_000)));
      network.isolate("oracle.example");
      Asyncio.sleep(Duration.ofMillis(random.nextInt(2_000)));
      network.heal();
    }
  }
}
