package dev.weir.netty;

import dev.weir.Asyncio;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/** The threads that pipes have while they are open. */
final class PipeThreads {
  private PipeThreads() {}

  static List<Thread> alive() {
    Set<Thread> threads = Thread.getAllStackTraces().keySet();
    return threads.stream().filter(thread -> thread.getName().contains("-pipe-")).toList();
  }

  /** {@return how many of them are in a method of one of these names} */
  static long countIn(String... methods) {
    return alive().stream()
        .filter(thread ->
            Arrays.stream(thread.getStackTrace())
                .anyMatch(frame -> List.of(methods).contains(frame.getMethodName())))
        .count();
  }

  /** Lets rounds pass until one of them waits for the other end of a named pipe. */
  static void untilOneOpens() {
    OnLoop.passRoundsUntil(() -> countIn("open", "open0") > 0);
  }

  /** Lets rounds pass until there are none. */
  static void untilGone() {
    while (!alive().isEmpty()) {
      Asyncio.yieldNow();
    }
  }

  /** Waits until there are none, off a loop. */
  static void awaitGone() {
    OnLoop.failIfItHangs(() -> {
      for (List<Thread> alive = alive(); !alive.isEmpty(); alive = alive()) {
        for (Thread thread : alive) {
          try {
            thread.join();
          } catch (InterruptedException e) {
            throw new AssertionError(alive.toString(), e);
          }
        }
      }
    });
  }
}
