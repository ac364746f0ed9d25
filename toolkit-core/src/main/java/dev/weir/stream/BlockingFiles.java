package dev.weir.stream;

import dev.weir.task.Loop;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** File work, which may hang, off the loop. */
final class BlockingFiles {
  private BlockingFiles() {}

  /** Work that blocks. */
  @FunctionalInterface
  interface Work<T> {
    T run() throws IOException;
  }

  /** What work brought. A failure is a value too, as in {@link Addresses}. */
  private record Outcome<T>(@Nullable T result, @Nullable IOException failure) {}

  /**
   * Suspends until the work has run on a worker. If the task is cancelled, the work goes on, or
   * does not begin.
   */
  static <T> T run(Loop loop, Work<T> work) throws IOException {
    Outcome<T> outcome =
        loop.<Outcome<T>>runInExecutor(
                () -> {
                  try {
                    return new Outcome<>(work.run(), null);
                  } catch (IOException e) {
                    return new Outcome<>(null, e);
                  }
                })
            .await();
    if (outcome.failure() != null) {
      throw outcome.failure();
    }
    return Objects.requireNonNull(outcome.result(), "result");
  }
}
