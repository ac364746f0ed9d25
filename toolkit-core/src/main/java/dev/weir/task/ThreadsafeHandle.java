package dev.weir.task;

import java.util.concurrent.CountDownLatch;

/**
 * A callback handed over by another thread. Whoever cancels it from outside the loop must be able
 * to rely on it: afterwards the callback has run to its end, or never will.
 */
final class ThreadsafeHandle extends Handle {
  private final CountDownLatch ended = new CountDownLatch(1);

  ThreadsafeHandle(Loop loop, Runnable callback, Context context) {
    super(loop, callback, context);
  }

  @Override
  void run() {
    try {
      super.run();
    } finally {
      ended.countDown();
    }
  }

  @Override
  public void cancel() {
    if (withdraw()) {
      ended.countDown();
    } else {
      awaitEnd();
    }
  }

  @Override
  public boolean cancelled() {
    if (!pending()) {
      awaitEnd();
    }
    return super.cancelled();
  }

  /** On the loop itself nobody waits: the callback may be the caller, or wait for it. */
  private void awaitEnd() {
    if (loop.carrier.holdsTurn()) {
      return;
    }
    try {
      ended.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
