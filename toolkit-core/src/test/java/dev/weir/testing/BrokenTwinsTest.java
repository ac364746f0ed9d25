package dev.weir.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.IncompleteReadException;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamWriter;
import dev.weir.sync.AsyncEvent;
import dev.weir.sync.AsyncSemaphore;
import dev.weir.task.Action;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.task.TaskGroup;
import dev.weir.task.TimeoutException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * For each kind of fault a program that can bear it and one that cannot: the kit lets the first
 * pass and finds the second, and what it says is enough to see why.
 */
class BrokenTwinsTest {
  private static final LinkConditions PERFECT = LinkConditions.perfect();
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final int SEEDS = 100;
  private static final int FRAMES = 30;
  private static final byte[] NEWLINE = {'\n'};

  private static Server serverAt(String host, ConnectionHandler handler) throws IOException {
    return Asyncio.startServer(handler, host, 80);
  }

  private static Throwable failureUnderSeeds(Action scenario) {
    return catchThrowable(() -> VirtualLoop.runSeeds(SEEDS, scenario));
  }

  // --- Delay: answers come in another order than questions were asked.

  private static void fetchBoth(boolean byArrival) throws IOException {
    MemoryNetwork.current().setConditions(PERFECT.withDelay(Duration.ZERO, SECOND));
    try (Server _ =
        serverAt("10.0.0.1", (reader, writer) -> writer.write(reader.readUntil(NEWLINE)))) {
      List<String> arrived = new ArrayList<>();
      List<Task<String>> fetching = new ArrayList<>();
      new TaskGroup()
          .run(group -> {
            for (String question : List.of("first\n", "second\n")) {
              fetching.add(
                  group.createTask(() -> {
                    String answer = ask("10.0.0.1", question);
                    arrived.add(answer);
                    return answer;
                  }));
            }
          });

      List<String> answers = byArrival ? arrived : fetching.stream().map(Task::result).toList();
      assertThat(answers).containsExactly("first\n", "second\n");
    }
  }

  private static String ask(String host, String question) throws IOException {
    try (Connection connection = Asyncio.openConnection(host, 80)) {
      connection.writer().write(question);
      return new String(connection.reader().readUntil(NEWLINE), UTF_8);
    }
  }

  @Test
  void whoTakesAnswersInTheOrderOfTheirArrivalIsFoundByDelays() {
    VirtualLoop.runSeeds(SEEDS, () -> fetchBoth(false));

    assertThat(failureUnderSeeds(() -> fetchBoth(true)))
        .isInstanceOf(SeedError.class)
        .hasMessageContaining("[\"second\n\", \"first\n\"]");
  }

  // --- Bandwidth: who forgets back-pressure fills memory.

  private static void broadcast(boolean withBackPressure) throws IOException {
    MemoryNetwork.current().setConditions(PERFECT.withBytesPerSecond(100_000));
    StreamOptions small = StreamOptions.defaults().withHardCap(256 * 1024);
    ConnectionHandler broadcaster =
        (reader, writer) -> {
          byte[] frame = new byte[32 * 1024];
          for (int i = 0; i < FRAMES; i++) {
            if (withBackPressure) {
              writer.write(frame);
            } else {
              Loop.running().callSoon(() -> writeOrFail(writer, frame));
            }
          }
          reader.read(1);
        };
    try (Server _ =
            Server.start(broadcaster, "10.0.0.1", 80, ServerOptions.defaults().withStream(small));
        Connection connection = Asyncio.openConnection("10.0.0.1", 80)) {
      connection.reader().readExactly(FRAMES * 32 * 1024);
    }
  }

  private static void writeOrFail(StreamWriter writer, byte[] frame) {
    try {
      writer.write(frame);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void aHandlerThatForgetsBackPressureIsFoundByASlowLink() {
    VirtualLoop.run(() -> broadcast(true));

    Throwable failure = catchThrowable(() -> VirtualLoop.run(() -> broadcast(false)));
    assertThat(failure)
        .isInstanceOf(DeadlockError.class)
        .hasMessageContaining("'Task-1' waits in StreamReader.readExactly()");
    assertThat(failure.getSuppressed())
        .extracting(Throwable::getCause)
        .anySatisfy(cause ->
            assertThat(cause)
                .hasMessageContaining("bytes are unsent")
                .hasMessageContaining("write from a task, which waits"));
  }

  // --- Pieces: a read is not a message.

  private static void countMessages(boolean byReads) throws IOException {
    MemoryNetwork.current().setConditions(PERFECT.withPieces(1, 8));
    List<String> messages = new ArrayList<>();
    AsyncEvent ended = new AsyncEvent();
    try (Server _ =
        serverAt(
            "10.0.0.1",
            (reader, writer) -> {
              byte[] message = byReads ? reader.read(1024) : reader.readLine();
              while (message.length > 0) {
                messages.add(new String(message, UTF_8));
                message = byReads ? reader.read(1024) : reader.readLine();
              }
              ended.set();
            })) {
      try (Connection connection = Asyncio.openConnection("10.0.0.1", 80)) {
        connection.writer().write("hello\n");
        connection.writer().write("world\n");
      }
      ended.await();
    }
    assertThat(messages).containsExactly("hello\n", "world\n");
  }

  @Test
  void whoTakesAReadForAMessageIsFoundByPieces() {
    VirtualLoop.runSeeds(SEEDS, () -> countMessages(false));

    assertThat(failureUnderSeeds(() -> countMessages(true)))
        .isInstanceOf(SeedError.class)
        .hasMessageContaining("to contain exactly");
  }

  // --- Stall: without a deadline one waits for ever.

  private static void askOneThatStalls(boolean withDeadline) throws IOException {
    MemoryNetwork.current().setConditions(PERFECT.withStallAfter(3));
    try (Server server =
        serverAt("10.0.0.1", (reader, writer) -> writer.write(reader.readUntil(NEWLINE)))) {
      if (withDeadline) {
        assertThatThrownBy(() -> Asyncio.timeout(SECOND).run(timeout -> ask("10.0.0.1", "hello\n")))
            .isInstanceOf(IOException.class);
      } else {
        ask("10.0.0.1", "hello\n");
      }
      server.shutdown(SECOND);
    }
  }

  @Test
  void whoSetsNoDeadlineIsFoundByAStall() {
    VirtualLoop.run(() -> askOneThatStalls(true));

    assertThatThrownBy(() -> VirtualLoop.run(() -> askOneThatStalls(false)))
        .isInstanceOf(DeadlockError.class)
        .hasMessageContaining("'Task-1' waits in StreamReader.readUntil()")
        .hasMessageContaining("with /10.0.0.1:80")
        .hasMessageContaining("held up");
  }

  // --- Half-close: the end of one direction is not the end of the answer.

  private static void upload(boolean checked) throws IOException {
    MemoryNetwork.current()
        .setLinkPolicy(attempt ->
            attempt.number() == 1
                ? PERFECT.withEndAfter(attempt.random().nextInt(1, 10))
                : PERFECT);
    List<byte[]> stored = new ArrayList<>();
    try (Server _ =
        serverAt(
            "10.0.0.1",
            (reader, writer) -> {
              try {
                stored.add(reader.readExactly(10));
              } catch (IncompleteReadException e) {
                return; // Stores nothing, and says so by saying nothing.
              }
              writer.write("stored\n");
            })) {
      while (!uploadOnce(checked)) {}
    }
    assertThat(stored).as("uploads that the client takes for stored").hasSize(1);
  }

  private static boolean uploadOnce(boolean checked) throws IOException {
    try (Connection connection = Asyncio.openConnection("10.0.0.1", 80)) {
      connection.writer().write(new byte[10]);
      connection.writer().writeEof();
      byte[] answer = connection.reader().readAll();
      return !checked || new String(answer, UTF_8).equals("stored\n");
    }
  }

  @Test
  void whoTakesTheEndForAnAnswerIsFoundByAOneSidedEnd() {
    VirtualLoop.runSeeds(SEEDS, () -> upload(true));

    assertThat(failureUnderSeeds(() -> upload(false)))
        .isInstanceOf(SeedError.class)
        .hasMessageContaining("uploads that the client takes for stored")
        .hasMessageContaining("but was: 0");
  }

  // --- Reset: what was acquired has to be released.

  private static void serveOneAtATime(boolean releasing) throws IOException {
    MemoryNetwork.current()
        .setLinkPolicy(attempt -> attempt.number() == 1 ? PERFECT.withResetAfter(3) : PERFECT);
    AsyncSemaphore slots = new AsyncSemaphore(1);
    ConnectionHandler leaking =
        (reader, writer) -> {
          slots.acquire();
          writer.write(reader.readUntil(NEWLINE));
          slots.release();
        };
    ConnectionHandler tidy =
        (reader, writer) -> {
          try (var _ = slots.hold()) {
            writer.write(reader.readUntil(NEWLINE));
          }
        };
    try (Server _ = serverAt("10.0.0.1", releasing ? tidy : leaking)) {
      assertThatThrownBy(() -> ask("10.0.0.1", "hello\n")).hasMessageContaining("reset");
      assertThat(ask("10.0.0.1", "hello\n")).isEqualTo("hello\n");
    }
  }

  @Test
  void whoForgetsToReleaseIsFoundByAReset() {
    VirtualLoop.run(() -> serveOneAtATime(true));

    assertThatThrownBy(() -> VirtualLoop.run(() -> serveOneAtATime(false)))
        .isInstanceOf(DeadlockError.class)
        .hasMessageContaining("waits in AsyncSemaphore.acquire() for AsyncSemaphore[0 permits");
  }

  // --- Refused and unanswered connects, several addresses: there may be another way.

  /** A client that tries the next host, but only after a failure that it knows how to bear. */
  private static final class Client {
    private final Class<? extends IOException> bearable;
    private final List<String> gaveUpOn = new ArrayList<>();

    Client(Class<? extends IOException> bearable) {
      this.bearable = bearable;
    }

    String ask(List<String> hosts) {
      for (String host : hosts) {
        try {
          return Asyncio.timeout(SECOND)
              .call(timeout -> BrokenTwinsTest.ask(host, "hello\n").strip());
        } catch (IOException e) {
          gaveUpOn.add(host + " (" + e.getClass().getSimpleName() + ")");
          if (!bearable.isInstance(e)) {
            break;
          }
        }
      }
      return "no answer, gave up on " + gaveUpOn;
    }
  }

  private static void askTheSecond(
      LinkConditions first, Class<? extends IOException> bearable, String... hosts)
      throws IOException {
    MemoryNetwork network = MemoryNetwork.current();
    network.setLinkPolicy(
        attempt -> attempt.to().getHostString().equals("10.0.0.1") ? first : PERFECT);
    network.addHost("db.example", "10.0.0.1", "10.0.0.2");
    List<String> served = new ArrayList<>();
    try (Server _ = echoAt("10.0.0.1", served);
        Server _ = echoAt("10.0.0.2", served)) {
      assertThat(new Client(bearable).ask(List.of(hosts))).isEqualTo("hello");
    }
    assertThat(served).containsExactly("10.0.0.2");
  }

  private static Server echoAt(String host, List<String> served) throws IOException {
    return serverAt(
        host,
        (reader, writer) -> {
          writer.write(reader.readUntil(NEWLINE));
          served.add(host);
        });
  }

  @Test
  void whoBearsTimeoutsOnlyIsFoundByARefusal() {
    LinkConditions refused = PERFECT.withAnswer(LinkConditions.Answer.REFUSED);
    Action asking = () -> askTheSecond(refused, TimeoutException.class, "10.0.0.1", "10.0.0.2");
    VirtualLoop.run(() -> askTheSecond(refused, IOException.class, "10.0.0.1", "10.0.0.2"));

    assertThatThrownBy(() -> VirtualLoop.run(asking))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("no answer, gave up on [10.0.0.1 (ConnectException)]");
  }

  @Test
  void whoBearsRefusalsOnlyIsFoundBySilence() {
    LinkConditions silent = PERFECT.withAnswer(LinkConditions.Answer.NONE);
    Action asking = () -> askTheSecond(silent, ConnectException.class, "10.0.0.1", "10.0.0.2");
    VirtualLoop.run(() -> askTheSecond(silent, IOException.class, "10.0.0.1", "10.0.0.2"));

    assertThatThrownBy(() -> VirtualLoop.run(asking))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("no answer, gave up on [10.0.0.1 (TimeoutException)]");
  }

  @Test
  void eachFaultFindsItsOwnTwinOnly() {
    LinkConditions refused = PERFECT.withAnswer(LinkConditions.Answer.REFUSED);
    LinkConditions silent = PERFECT.withAnswer(LinkConditions.Answer.NONE);

    VirtualLoop.run(() -> askTheSecond(refused, ConnectException.class, "10.0.0.1", "10.0.0.2"));
    VirtualLoop.run(() -> askTheSecond(silent, TimeoutException.class, "10.0.0.1", "10.0.0.2"));
  }

  @Test
  void whoKnowsOneAddressOnlyIsFoundByANameWithTwo() {
    LinkConditions refused = PERFECT.withAnswer(LinkConditions.Answer.REFUSED);
    VirtualLoop.run(() -> askTheSecond(refused, IOException.class, "db.example"));

    assertThatThrownBy(
            () -> VirtualLoop.run(() -> askTheSecond(refused, IOException.class, "10.0.0.1")))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("no answer, gave up on [10.0.0.1 (ConnectException)]");
  }

  // --- Partition: who does not answer may well be alive.

  private static void elect(boolean withMajority) throws IOException {
    MemoryNetwork network = MemoryNetwork.current();
    List<String> members = List.of("10.0.0.1", "10.0.0.2", "10.0.0.3");
    List<String> leaders = new ArrayList<>();
    List<Server> servers = new ArrayList<>();
    for (String member : members) {
      servers.add(serverAt(member, (reader, writer) -> writer.write("alive\n")));
    }
    network.isolate("10.0.0.1");
    for (String member : members) {
      try (var _ = network.onHost(member)) {
        int reached = 1;
        boolean lowest = true;
        for (String other : members) {
          if (!other.equals(member) && answers(other)) {
            reached++;
            lowest &= member.compareTo(other) < 0;
          }
        }
        if (lowest && (!withMajority || reached > members.size() / 2)) {
          leaders.add(member);
        }
      }
    }
    for (Server server : servers) {
      server.close();
    }
    assertThat(leaders).as("leaders").hasSize(1);
  }

  private static boolean answers(String host) {
    try {
      Asyncio.timeout(SECOND).run(timeout -> ask(host, "are you there?\n"));
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void whoTakesSilenceForDeathIsFoundByAPartition() {
    VirtualLoop.run(() -> elect(true));

    assertThatThrownBy(() -> VirtualLoop.run(() -> elect(false)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("leaders")
        .hasMessageContaining("[\"10.0.0.1\", \"10.0.0.2\"]");
  }
}
