package dev.weir.benchmarks;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What is below {@link TaskCosts}, and no library on virtual threads can undercut: the JDK's
 * virtual threads on a scheduler that does nothing but run them in order, on one thread.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "--add-opens=java.base/java.lang=ALL-UNNAMED")
public class BareVirtualThreads {
  private static final int BATCH = 10_000;
  private static final MethodHandle NEW_VIRTUAL_THREAD = findNewVirtualThread();

  private final ArrayDeque<Runnable> due = new ArrayDeque<>();
  private boolean turnOfFirst;

  private static MethodHandle findNewVirtualThread() {
    try {
      Class<?> builders = Class.forName("java.lang.ThreadBuilders");
      return MethodHandles.privateLookupIn(builders, MethodHandles.lookup())
          .findStatic(
              builders,
              "newVirtualThread",
              MethodType.methodType(
                  Thread.class, Executor.class, String.class, int.class, Runnable.class));
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private Thread newThread(Runnable body) {
    try {
      return (Thread) NEW_VIRTUAL_THREAD.invokeExact((Executor) due::add, "bare", 0, body);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private void runAll() {
    for (Runnable continuation = due.poll(); continuation != null; continuation = due.poll()) {
      continuation.run();
    }
  }

  /** Two threads park and unpark each other: the switches of {@code TaskCosts.queuePingPong}. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void parkPingPong() {
    Thread[] threads = new Thread[2];
    for (int i = 0; i < 2; i++) {
      boolean isFirst = i == 0;
      Thread[] other = threads;
      threads[i] =
          newThread(() -> {
            for (int turn = 0; turn < BATCH; turn++) {
              while (turnOfFirst != isFirst) {
                LockSupport.park();
              }
              turnOfFirst = !isFirst;
              LockSupport.unpark(other[isFirst ? 1 : 0]);
            }
          });
    }
    turnOfFirst = true;
    threads[0].start();
    threads[1].start();
    runAll();
  }

  /** A thread that does nothing is made, started and run: a part of {@code spawnAndAwait}. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void startAndRun() {
    for (int i = 0; i < BATCH; i++) {
      newThread(() -> {}).start();
      runAll();
    }
  }
}
