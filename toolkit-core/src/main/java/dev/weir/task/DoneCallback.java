package dev.weir.task;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A callback registered with a future, and the context it runs in. Equal to every other
 * registration of the same callback, as {@link Future#removeDoneCallback} needs it.
 */
final class DoneCallback<T extends @Nullable Object> {
  private final Consumer<? super Future<T>> callback;
  private final Context context;

  DoneCallback(Consumer<? super Future<T>> callback, Context context) {
    this.callback = callback;
    this.context = context;
  }

  /** Has the callback called with {@code future}, which is done. */
  void schedule(Future<T> future) {
    future.loop.enqueueCallback(new Call<>(callback, future), context);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof DoneCallback<?> that && callback.equals(that.callback);
  }

  @Override
  public int hashCode() {
    return callback.hashCode();
  }

  @Override
  public String toString() {
    return "DoneCallback[" + callback + "]";
  }

  /** Shows in reports as the callback that the user registered. */
  private record Call<T extends @Nullable Object>(
      Consumer<? super Future<T>> callback, Future<T> future) implements Runnable {
    @Override
    public void run() {
      callback.accept(future);
    }

    @Override
    public String toString() {
      return callback.toString();
    }
  }
}
