package dev.weir.demo.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.weir.Asyncio;
import dev.weir.task.CancelledError;
import dev.weir.task.FiberKind;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The table of docs/blocking.md: what blocking calls do to the loop, and what ends them. */
class BlockingCallsTest {
  /** A loop that has not run a callback by then is taken for stalled. */
  private static final int STALLED_MILLIS = 100;

  @TempDir Path folder;

  private record Row(boolean parks, String cancelled) {}

  @TestFactory
  Stream<DynamicTest> eachCallDoesWhatTheTableSays() throws IOException {
    Map<String, Row> table = readTable();
    Map<String, Supplier<BlockingCall>> calls = BlockingCalls.all(folder);

    return table.entrySet().stream()
        .map(entry -> dynamicTest(entry.getKey(), () -> probe(calls, entry)));
  }

  private static void probe(Map<String, Supplier<BlockingCall>> calls, Map.Entry<String, Row> entry)
      throws Exception {
    Row row = entry.getValue();
    try (BlockingCall call = calls.get(entry.getKey()).get()) {
      call.prepare();
      boolean parks = mounted() && row.parks;
      Asyncio.run(() -> {
        if (parks) {
          assertParks(call);
        } else {
          assertStalls(call);
        }
      });
    }
    if (mounted() && row.parks) {
      try (BlockingCall call = calls.get(entry.getKey()).get()) {
        call.prepare();
        Asyncio.run(() -> assertCancelled(call, row.cancelled));
      }
    }
  }

  @Test
  void theTableListsEveryCallThatIsTried() throws IOException {
    assertThat(readTable().keySet()).isEqualTo(BlockingCalls.all(folder).keySet());
  }

  /** Only the loop itself can end the call here: if it stalled, this would hang. */
  private static void assertParks(BlockingCall call) throws Exception {
    Task<?> blocked = Asyncio.createTask(call::block);
    awaitBegun(blocked, call);
    call.release();
    blocked.await(Exception.class);
  }

  private static void awaitBegun(Task<?> blocked, BlockingCall call) {
    while (!call.isIn(blocked.stackTrace())) {
      Asyncio.yieldNow();
    }
  }

  private static void assertStalls(BlockingCall call) throws Exception {
    Loop loop = Asyncio.runningLoop();
    CountDownLatch ran = new CountDownLatch(1);
    Task<?> blocked = Asyncio.createTask(call::block);
    Thread watcher =
        Thread.ofPlatform()
            .start(() -> {
              try {
                while (!call.isIn(blocked.stackTrace())) {
                  Thread.onSpinWait();
                }
                loop.callSoonThreadsafe(ran::countDown);
                call.stalled = !ran.await(STALLED_MILLIS, TimeUnit.MILLISECONDS);
                call.release();
              } catch (Exception e) {
                throw new AssertionError(e);
              }
            });

    blocked.await(Exception.class);

    Asyncio.toThread(() -> watcher.join());
    assertThat(call.stalled).as("stalled the loop").isTrue();
  }

  private static void assertCancelled(BlockingCall call, String expected) throws Exception {
    Task<?> blocked = Asyncio.createTask(call::block);
    awaitBegun(blocked, call);
    blocked.cancel();
    for (int i = 0; i < 20; i++) {
      Asyncio.yieldNow();
    }
    if (expected.startsWith("interrupted")) {
      awaitCancelled(blocked); // Would hang if the call went on.
      assertThat(call.isClosed()).isEqualTo(expected.contains("closed"));
    } else {
      assertThat(blocked.done()).as("ended before the call did").isFalse();
      call.release();
      awaitCancelled(blocked);
    }
  }

  private static void awaitCancelled(Task<?> blocked) throws Exception {
    try {
      blocked.await(Exception.class);
    } catch (CancelledError e) {
      return;
    }
    throw new AssertionError("the task was not cancelled");
  }

  private static boolean mounted() {
    return Asyncio.<FiberKind>run(() -> Asyncio.runningLoop().fibers()) == FiberKind.MOUNTED;
  }

  private static Map<String, Row> readTable() throws IOException {
    Map<String, Row> rows = new LinkedHashMap<>();
    for (String line : Files.readAllLines(Path.of("..", "docs", "blocking.md"))) {
      String[] cells = line.split("\\|", -1);
      if (cells.length == 5 && (cells[2].strip().matches("parks|stalls"))) {
        rows.put(
            cells[1].strip().replace("`", ""),
            new Row(cells[2].strip().equals("parks"), cells[3].strip()));
      }
    }
    return rows;
  }
}
