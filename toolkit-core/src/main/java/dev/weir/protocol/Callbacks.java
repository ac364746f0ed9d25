package dev.weir.protocol;

import dev.weir.task.Action;
import dev.weir.task.Context;
import dev.weir.task.ExceptionContext;
import dev.weir.task.Loop;
import org.jspecify.annotations.Nullable;

/**
 * Calls a user's protocol: in the context of whoever made it, so that it cannot suspend, and so
 * that what it throws reaches the loop's exception handler and nobody else. On the loop only.
 */
final class Callbacks {
  private final Loop loop;
  private final Context context = Context.copyOfCurrent();

  /** Whether a callback is in the context: it may have parked, or be the one that calls. */
  private boolean entered;

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
    if (entered) {
      return callHere(name, protocol, callback);
    }
    entered = true;
    try {
      return callHere(name, protocol, () -> context.run(callback));
    } finally {
      entered = false;
    }
  }

  /** Calls within what runs already: a callback that a call of the user's causes. */
  @Nullable Throwable callHere(String name, BaseProtocol<?> protocol, Action callback) {
    boolean[] done = {false};
    Action noted =
        () -> {
          callback.run();
          done[0] = true;
        };
    try {
      if (loop.inTask()) {
        loop.exclusive(noted); // A task could suspend; that this is one is a matter of ours.
      } else {
        noted.run();
      }
      return null;
    } catch (Throwable e) {
      if (done[0]) {
        return null; // It parked in a blocking call, a logger's lock say: its own business.
      }
      loop.callExceptionHandler(
          ExceptionContext.of("Exception in " + name + "() of the protocol " + protocol, e));
      return e;
    }
  }
}
