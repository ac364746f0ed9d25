package dev.weir.benchmarks;

import dev.weir.Asyncio;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.FiberKind;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.RunOptions;
import dev.weir.task.Runner;
import dev.weir.task.Task;
import dev.weir.testing.StreamPair;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
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
 * What the steps cost of which an exchange is made: where {@link TaskCosts} and {@code
 * benchmarks/compare} show that something is slow, this tells which part. With {@code -prof gc}
 * also what each allocates.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--add-opens=java.base/java.lang=ALL-UNNAMED",
      "--enable-native-access=ALL-UNNAMED"
    })
public class LoopCosts {
  private static final int BATCH = 10_000;
  private static final int LINES = 16 * 1024;
  private static final int LINE_BYTES = 64;

  /** What the tasks run on. */
  @Param({"mounted", "portable"})
  public String fibers = "";

  private Runner runner;
  private Future<Integer> awaited;

  /** Opens the loop. */
  @Setup
  public void open() {
    runner = new Runner(options());
  }

  private RunOptions options() {
    return RunOptions.defaults().withFibers(FiberKind.valueOf(fibers.toUpperCase(Locale.ROOT)));
  }

  /** Closes the loop. */
  @TearDown
  public void close() {
    runner.close();
  }

  /** One of two tasks gives way to the other: a switch between fibers. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void aTaskGivesWayToAnother() {
    runner.run(() -> {
      Task<?> other = Asyncio.createTask(() -> giveWay(BATCH / 2));
      giveWay(BATCH / 2);
      other.await();
    });
  }

  private static void giveWay(int times) {
    Loop loop = Asyncio.runningLoop();
    for (int i = 0; i < times; i++) {
      loop.yieldNow();
    }
  }

  /**
   * A future is completed, and the task that awaited it goes on and awaits the next: two switches
   * beside the future.
   */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void aFutureIsCompletedAndItsTaskGoesOn() {
    runner.run(() -> {
      Loop loop = Asyncio.runningLoop();
      Task<?> completing =
          Asyncio.createTask(() -> {
            for (int i = 0; i < BATCH; i++) {
              awaited.setResult(i);
              loop.yieldNow();
            }
          });
      for (int i = 0; i < BATCH; i++) {
        awaited = loop.createFuture();
        awaited.await();
      }
      completing.await();
    });
  }

  /** A timer is armed and cancelled long before it is due. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void aTimerIsArmedAndCancelled() {
    runner.run(() -> {
      Loop loop = Asyncio.runningLoop();
      for (int i = 0; i < BATCH; i++) {
        loop.callLater(Duration.ofSeconds(10), () -> {}).cancel();
      }
    });
  }

  /** A line is read that arrived long ago, with many others: no waiting, no I/O. */
  @Benchmark
  @OperationsPerInvocation(LINES)
  public void aLineIsReadFromAFullBuffer(FullBuffer buffer) {
    runner.run(() -> {
      for (int i = 0; i < LINES; i++) {
        if (buffer.reader().readLine().length != LINE_BYTES) {
          throw new IOException("The buffer was not full: the connection has ended");
        }
      }
    });
  }

  /** A connection of the loop with itself, and in its reader {@link #LINES} lines and one more. */
  @State(Scope.Benchmark)
  public static class FullBuffer {
    /** Reading pauses beyond twice the limit: all lines fit. */
    private static final StreamOptions OPTIONS =
        StreamOptions.defaults().withLimit((LINES + 1) * LINE_BYTES / 2);

    private static final Duration ARRIVAL = Duration.ofMillis(10);

    private static final int BLOCK_LINES = 64;

    private final byte[] block = lines(BLOCK_LINES);
    private StreamPair pair;

    private static byte[] lines(int count) {
      byte[] lines = new byte[count * LINE_BYTES];
      Arrays.fill(lines, (byte) 'x');
      for (int end = LINE_BYTES - 1; end < lines.length; end += LINE_BYTES) {
        lines[end] = '\n';
      }
      return lines;
    }

    private StreamReader reader() {
      return pair.right().reader();
    }

    /**
     * Connects. The line sent now stays over each time: a reader that was emptied gives its array
     * back, and a new one would count as allocated by the lines.
     */
    @Setup
    public void connect(LoopCosts loop) {
      loop.runner.run(() -> {
        pair = StreamPair.open(OPTIONS);
        pair.left().writer().write(lines(1));
      });
    }

    /**
     * Fills the buffer, with so little in each round that the writer's array is one that is kept.
     * When the writer returns, all is sent but the last; the loop takes it in while it has nothing
     * else to do.
     */
    @Setup(Level.Invocation)
    public void fill(LoopCosts loop) {
      loop.runner.run(() -> {
        StreamWriter writer = pair.left().writer();
        for (int i = 0; i < LINES / BLOCK_LINES; i++) {
          writer.write(block);
          Asyncio.runningLoop().yieldNow();
        }
        Asyncio.sleep(ARRIVAL);
      });
    }

    /** Disconnects. */
    @TearDown
    public void disconnect(LoopCosts loop) {
      loop.runner.run(() -> pair.close());
    }
  }

  /**
   * Another thread hands a callback to the loop, which sleeps, and sleeps itself until it has been
   * run: two threads are woken.
   */
  @Benchmark
  public void anotherThreadWakesTheLoopAndIsWoken(SleepingLoop sleeping) {
    Thread caller = Thread.currentThread();
    sleeping.answered = false;
    sleeping.loop.callSoonThreadsafe(() -> {
      sleeping.answered = true;
      LockSupport.unpark(caller);
    });
    while (!sleeping.answered) {
      LockSupport.park(sleeping);
    }
  }

  /** A loop on a thread of its own that has nothing to do. */
  @State(Scope.Benchmark)
  public static class SleepingLoop {
    private volatile boolean answered;
    private Thread thread;
    private Loop loop;
    private Future<Void> end;

    /** Starts the loop. */
    @Setup
    public void start(LoopCosts costs) throws InterruptedException {
      CountDownLatch started = new CountDownLatch(1);
      thread =
          Thread.ofPlatform()
              .start(() ->
                  Asyncio.run(
                      () -> {
                        loop = Asyncio.runningLoop();
                        end = loop.createFuture();
                        started.countDown();
                        end.await();
                      },
                      costs.options()));
      started.await();
    }

    /** Ends the loop. */
    @TearDown
    public void stop() throws InterruptedException {
      loop.callSoonThreadsafe(() -> end.setResult(null));
      thread.join();
    }
  }
}
