package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.Asyncio;
import dev.weir.process.Subprocess;
import dev.weir.process.SubprocessOptions;
import dev.weir.sync.AsyncSemaphore;
import dev.weir.task.TaskGroup;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

@Tag("slow")
@ExtendWith(LeakCheck.class)
class ManySubprocessesTest {
  private static final int CHILDREN = 500; // On each transport.
  private static final int AT_ONCE = 50;

  @EachTransport
  void aThousandChildrenLeaveNothingBehind(String transport) {
    OnLoop.run(
        transport,
        () -> {
          startAndReap(AT_ONCE); // What the JDK keeps for them is there from now on.
          untilNothingIsLeft();
          long open = Descriptors.open();
          long threads = threads();

          long begunNanos = System.nanoTime();
          startAndReap(CHILDREN);
          System.out.printf(
              "%d children, %d at once, in %d ms on %s%n",
              CHILDREN, AT_ONCE, (System.nanoTime() - begunNanos) / 1_000_000, transport);

          untilNothingIsLeft();
          assertThat(Children.zombies()).isEmpty();
          assertThat(Descriptors.open()).isLessThanOrEqualTo(open);
          assertThat(threads()).isLessThanOrEqualTo(threads);
        });
  }

  private static void startAndReap(int count) {
    AsyncSemaphore running = new AsyncSemaphore(AT_ONCE);
    new TaskGroup()
        .run(group -> {
          for (int i = 0; i < count; i++) {
            String number = Integer.toString(i);
            group.createTask(() -> {
              try (var _ = running.hold();
                  Subprocess echo =
                      Asyncio.createSubprocessExec(
                          List.of("echo", number), SubprocessOptions.piped())) {
                assertThat(RawPeer.text(echo.communicate().stdout())).isEqualTo(number + "\n");
                assertThat(echo.returnCode()).isZero();
              }
            });
          }
        });
  }

  private static void untilNothingIsLeft() {
    OnLoop.passRoundsUntil(() -> PipeThreads.alive().isEmpty() && Children.pids().isEmpty());
  }

  /**
   * The JDK's reapers and the default executor's threads are kept for a while, to be used again.
   */
  private static long threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> !name.startsWith("process reaper") && !name.contains("-worker-"))
        .count();
  }
}
