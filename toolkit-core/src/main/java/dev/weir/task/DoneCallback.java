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

  private final boolean ofLoop;

  /** Makes a callback of the user's. */
  DoneCallback(Consumer<? super Future<T>> callback, Context context) {
    this(callback, context, false);
  }

  private DoneCallback(Consumer<? super Future<T>> callback, Context context, boolean ofLoop) {
    this.callback = callback;
    this.context = context;
    this.ofLoop = ofLoop;
  }

  /** {@return code of the loop's own that may run the user's} */
  static <T extends @Nullable Object> DoneCallback<T> ofLoop(Consumer<? super Future<T>> callback) {
    return new DoneCallback<>(callback, Context.empty(), true);
  }

  /** {@return whether it is the loop's own, which a closed loop does not drop} */
  boolean ofLoop() {
    return ofLoop;
  }

  /** Calls it at once. */
  void call(Future<T> future) {
    callback.accept(future);
  }

  /** Has the callback called with {@code future}, which is done. */
  void schedule(Future<T> future) {
    Call<T> call = new Call<>(callback, future);
    if (ofLoop) {
      future.loop.enqueueCallback(call);
    } else {
      future.loop.enqueueCallback(call, context);
    }
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
    return "DoneCallback[" + Descriptions.of(callback) + "]";
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
      return Descriptions.of(callback);
    }
  }
}
