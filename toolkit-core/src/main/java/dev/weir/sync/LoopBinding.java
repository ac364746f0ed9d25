package dev.weir.sync;

import dev.weir.task.Future;
import dev.weir.task.Loop;
import org.jspecify.annotations.Nullable;

/** Which loop a primitive belongs to: the first one on which it makes a task wait. */
final class LoopBinding {
  private final String primitive;
  private @Nullable Loop loop;

  /** Makes a binding for a primitive whose class has this name. */
  LoopBinding(String primitive) {
    this.primitive = primitive;
  }

  /**
   * Checks a call that never waits.
   *
   * @param call what was called, for the message
   */
  void ensureHeld(String call) {
    Loop bound = loop;
    if (bound != null) {
      bound.ensureHeld(call);
    }
  }

  /**
   * Checks a call that may wait.
   *
   * @param call what was called, for the message
   */
  void ensureInTask(String call) {
    Loop running = Loop.running();
    running.ensureInTask(call);
    Loop bound = loop;
    if (bound != null && bound != running) {
      throw new IllegalStateException(
          "This "
              + primitive
              + " belongs to another loop, "
              + bound
              + ", on which it made a task wait: make one for each loop");
    }
  }

  /**
   * Checks a call that waits, and must not begin if it cannot.
   *
   * @param call what was called, for the message
   */
  void ensureMaySuspend(String call) {
    ensureInTask(call);
    Loop.running().ensureMaySuspend(call);
  }

  /** Binds to the running loop: its task, which passed {@link #ensureInTask}, is about to wait. */
  Loop bind() {
    Loop running = Loop.running();
    loop = running;
    return running;
  }

  /**
   * Binds to the running loop. Returns what its task is about to wait for, which reports call
   * {@code primitive}.
   */
  Future<@Nullable Void> newWaiter(Object primitive) {
    return bind().createFuture(primitive);
  }

  @Override
  public String toString() {
    return "LoopBinding[" + primitive + " to " + loop + "]";
  }
}
