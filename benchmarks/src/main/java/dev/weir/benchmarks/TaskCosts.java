package dev.weir.benchmarks;

import dev.weir.Asyncio;
import dev.weir.sync.AsyncQueue;
import dev.weir.task.FiberKind;
import dev.weir.task.RunOptions;
import dev.weir.task.Runner;
import dev.weir.task.Task;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the task model costs on one loop, without I/O. {@code benchmarks/taskcosts} measures the
 * same in Go and in CPython beside it.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--add-opens=java.base/java.lang=ALL-UNNAMED",
      "--enable-native-access=ALL-UNNAMED"
    })
public class TaskCosts {
  private static final int BATCH = 10_000;
  private static final int SLEEPERS = 100_000;

  /** What the tasks run on. */
  @Param({"mounted", "portable"})
  public String fibers = "";

  private Runner runner;

  /** Opens the loop. */
  @Setup
  public void open() {
    FiberKind kind = FiberKind.valueOf(fibers.toUpperCase(Locale.ROOT));
    runner = new Runner(RunOptions.defaults().withFibers(kind));
  }

  /** Closes the loop. */
  @TearDown
  public void close() {
    runner.close();
  }

  /** Makes a task that does nothing, and awaits it. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void spawnAndAwait() {
    runner.run(() -> {
      for (int i = 0; i < BATCH; i++) {
        Asyncio.createTask(() -> {}).await();
      }
    });
  }

  /** An item to another task and one back, through two queues. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void queuePingPong() {
    runner.run(() -> {
      AsyncQueue<Integer> there = new AsyncQueue<>(1);
      AsyncQueue<Integer> back = new AsyncQueue<>(1);
      Task<?> echo =
          Asyncio.createTask(() -> {
            for (int i = 0; i < BATCH; i++) {
              back.put(there.get());
            }
          });
      for (int i = 0; i < BATCH; i++) {
        there.put(i);
        back.get();
      }
      echo.await();
    });
  }

  /** A timeout scope around nothing. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void timeoutScope() {
    runner.run(() -> {
      for (int i = 0; i < BATCH; i++) {
        Asyncio.timeout(Duration.ofSeconds(10)).run(timeout -> {});
      }
    });
  }

  /** 100,000 tasks that sleep for a second, from the first one made to the last one ended. */
  @Benchmark
  @BenchmarkMode(Mode.SingleShotTime)
  @OutputTimeUnit(TimeUnit.SECONDS)
  @Warmup(iterations = 2)
  @Measurement(iterations = 3)
  public void sleepers() {
    runner.run(() -> {
      Task<?>[] tasks = new Task<?>[SLEEPERS];
      for (int i = 0; i < SLEEPERS; i++) {
        tasks[i] = Asyncio.createTask(() -> Asyncio.sleep(Duration.ofSeconds(1)));
      }
      for (Task<?> task : tasks) {
        task.await();
      }
    });
  }
}
