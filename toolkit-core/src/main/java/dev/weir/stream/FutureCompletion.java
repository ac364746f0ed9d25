package dev.weir.stream;

import dev.weir.spi.Network.Completion;
import dev.weir.task.Future;
import java.io.IOException;
import java.util.function.Consumer;

/** Completes a future with how an operation of the network ended. */
final class FutureCompletion<T> implements Completion<T> {
  private final Future<T> future;
  private final Consumer<? super T> disposal;

  /**
   * @param disposal receives what comes too late, when the task that waits was cancelled
   */
  FutureCompletion(Future<T> future, Consumer<? super T> disposal) {
    this.future = future;
    this.disposal = disposal;
  }

  @Override
  public void succeeded(T value) {
    if (future.done()) {
      disposal.accept(value);
    } else {
      future.setResult(value);
    }
  }

  @Override
  public void failed(IOException cause) {
    if (!future.done()) {
      future.setException(cause);
    }
  }

  @Override
  public String toString() {
    return "FutureCompletion[" + future + "]";
  }
}
