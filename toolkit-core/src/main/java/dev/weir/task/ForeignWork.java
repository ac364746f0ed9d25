package dev.weir.task;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What goes on outside a loop and will wake it when it has ended: work on executors, stages of the
 * JDK's, tasks and callbacks in blocking code. Whoever steps the loop's clock by hand has to know
 * of it, because it takes real time. On the loop only.
 */
final class ForeignWork {
  private final Loop loop;

  /** What each pending future stands for. */
  private final Map<Future<?>, String> pending = new LinkedHashMap<>();

  ForeignWork(Loop loop) {
    this.loop = loop;
  }

  /** Notes that something outside will complete {@code future}. */
  <T extends @Nullable Object> Future<T> completes(Future<T> future, String what) {
    // Taken out on the loop, not where the work ends: in between, the loop would look idle.
    pending.put(future, what);
    future.onDone(() -> pending.remove(future));
    return future;
  }

  /** {@return one description for each} */
  List<String> describe() {
    List<String> descriptions = new ArrayList<>(pending.values());
    for (Task<?> task : loop.tasks.list()) {
      if (task.fiber.inForeignCode()) {
        descriptions.add(
            task.label() + " in a blocking call at " + Stacks.callerOfJdk(task.stackTrace()));
      }
    }
    int callbacks = loop.carrier.callbackFibers.busy();
    if (callbacks > 0) {
      descriptions.add(
          callbacks + (callbacks == 1 ? " callback" : " callbacks") + " in a blocking call");
    }
    return descriptions;
  }

  @Override
  public String toString() {
    return "ForeignWork" + pending.values();
  }
}
