package dev.weir.protocol;

import dev.weir.task.Action;
import dev.weir.task.Context;
import dev.weir.task.ExceptionContext;
import dev.weir.task.Loop;
import org.jspecify.annotations.Nullable;

/**
 * Calls a user's protocol: in the context of whoever made it, and so that what it throws reaches
 * the loop's exception handler and nobody else. On the loop only.
 */
final class Callbacks {
  private final Loop loop;
  private final Context context = Context.copyOfCurrent();

  Callbacks(Loop loop) {
    this.loop = loop;
  }

  Loop loop() {
    return loop;
  }

  /**
   * Calls, in the context.
   *
   * @param name what is called, for the report
   * @param protocol whose it is
   * @return what it failed with, which was reported
   */
  @Nullable Throwable call(String name, BaseProtocol<?> protocol, Action callback) {
    return callHere(name, protocol, () -> context.run(callback));
  }

  /** Calls within what runs already: a callback that a call of the user's causes. */
  @Nullable Throwable callHere(String name, BaseProtocol<?> protocol, Action callback) {
    try {
      callback.run();
      return null;
    } catch (Throwable e) {
      loop.callExceptionHandler(
          ExceptionContext.of("Exception in " + name + "() of the protocol " + protocol, e));
      return e;
    }
  }
}
