package dev.weir.testing;

import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The memory network keeps every promise of a stream, however bad it is. */
class MemoryStreamContractTest {
  private static final LinkConditions PERFECT = LinkConditions.perfect();

  private static final Map<String, LinkConditions> CONDITIONS =
      Map.of(
          "perfect", PERFECT,
          "delayed", PERFECT.withDelay(Duration.ofMillis(1), Duration.ofMillis(50)),
          "cut", PERFECT.withPieces(1, 3000).withDelay(Duration.ofMillis(5)),
          "narrow", PERFECT.withWindow(1000),
          "slow", PERFECT.withBytesPerSecond(128 * 1024));

  @TestFactory
  Stream<DynamicTest> everyPromiseIsKept() {
    return CONDITIONS.entrySet().stream()
        .flatMap(named ->
            StreamContract.checks().stream()
                .map(check ->
                    dynamicTest(
                        named.getKey() + ": " + check.name(),
                        () ->
                            VirtualLoop.run(() -> {
                              MemoryNetwork.current().setConditions(named.getValue());
                              check.run(StreamPair::open);
                            }))));
  }

  @TestFactory
  Stream<DynamicTest> everyPromiseIsKeptByUnixSockets() {
    return StreamContract.checks(StreamContract.Abort.END).stream()
        .map(check ->
            dynamicTest(
                check.name(),
                () ->
                    VirtualLoop.run(() ->
                        check.run(options -> StreamPair.openUnix(Path.of("/run/echo"), options)))));
  }

  @TestFactory
  Stream<DynamicTest> everyPromiseIsKeptInWhateverOrderTasksRun() {
    List<LinkConditions> conditions = List.of(PERFECT, CONDITIONS.get("delayed"));
    return StreamContract.checks().stream()
        .map(check ->
            dynamicTest(
                check.name(),
                () ->
                    VirtualLoop.runSeeds(
                        10,
                        () -> {
                          int choice = VirtualLoop.random().nextInt(conditions.size());
                          MemoryNetwork.current().setConditions(conditions.get(choice));
                          check.run(StreamPair::open);
                        })));
  }
}
