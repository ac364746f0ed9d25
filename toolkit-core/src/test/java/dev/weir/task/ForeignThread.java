package dev.weir.task;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Threads that hold nothing of the loop that the calling task runs on. */
enum ForeignThread {
  PLATFORM {
    @Override
    void run(Runnable call) throws InterruptedException {
      Thread.ofPlatform().start(call).join();
    }
  },
  VIRTUAL_STARTED_BY_A_TASK {
    @Override
    void run(Runnable call) throws InterruptedException {
      Thread.ofVirtual().start(call).join();
    }
  },
  WORKER_OF_THE_LOOP {
    @Override
    void run(Runnable call) {
      Loop.running().toThread(call::run);
    }
  },
  TASK_OF_ANOTHER_LOOP {
    @Override
    void run(Runnable call) throws InterruptedException {
      Thread.ofPlatform().start(() -> Loops.run(call::run)).join();
    }
  };

  abstract void run(Runnable call) throws InterruptedException;

  /** Runs {@code call} there while the calling task waits, and returns what it threw, if it did. */
  @Nullable Throwable thrownBy(Action call) throws InterruptedException {
    AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
    run(() -> {
      try {
        call.run();
      } catch (Throwable e) {
        thrown.set(e);
      }
    });
    return thrown.get();
  }
}
