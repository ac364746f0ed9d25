package dev.weir.stream;

import dev.weir.task.CancelledError;
import dev.weir.task.Future;
import dev.weir.task.Futures;
import dev.weir.task.Loop;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Work on files and names, which may hang, off the loop. */
final class BlockingWork {
  private BlockingWork() {}

  /** Work that blocks. */
  @FunctionalInterface
  interface Work<T> {
    T run() throws IOException;
  }

  /**
   * What work brought. A failure is a value too: thrown on the other thread, that of work which
   * nobody waits for any more would be reported, and is no error.
   */
  private record Outcome<T>(@Nullable T result, @Nullable IOException failure) {
    static <T> Outcome<T> of(Work<T> work) {
      try {
        return new Outcome<>(work.run(), null);
      } catch (IOException e) {
        return new Outcome<>(null, e);
      }
    }

    T get() throws IOException {
      if (failure != null) {
        throw failure;
      }
      return Objects.requireNonNull(result, "result");
    }
  }

  /**
   * Suspends until the work has run on a worker. If the task is cancelled, the work goes on, or
   * does not begin.
   */
  static <T> T run(Loop loop, Work<T> work) throws IOException {
    return loop.runInExecutor(() -> Outcome.of(work)).await().get();
  }

  /** The same, but a task that is cancelled waits as well: the work has ended in any case. */
  static <T> T runToTheEnd(Loop loop, Work<T> work) throws IOException {
    Future<Outcome<T>> outcome = loop.runInExecutor(() -> Outcome.of(work));
    CancelledError cancellation = null;
    while (!outcome.done()) {
      try {
        Futures.shield(outcome).await();
      } catch (CancelledError e) {
        cancellation = e;
      }
    }
    if (cancellation != null) {
      throw cancellation;
    }
    return outcome.result().get();
  }
}
