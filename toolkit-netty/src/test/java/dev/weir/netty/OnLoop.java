package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.stream.StreamOptions;
import dev.weir.task.Action;
import dev.weir.task.Coroutine;
import dev.weir.task.ExceptionContext;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.RunOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/**
 * Runs the body of a test as the main task of a loop. A body that hangs fails, with the stacks of
 * everything that had to do with it, and so does one after which the loop's exception handler was
 * told of something.
 */
final class OnLoop {
  /** Far more than any test takes: reaching it means that something never happens. */
  static final Duration PATIENCE = Duration.ofSeconds(20);

  private OnLoop() {}

  /** A test's body that needs a peer. */
  interface PeerBody {
    void run(RawPeer peer) throws Exception;
  }

  /** Runs a body during which no error may reach the loop's exception handler. */
  static void run(String transport, Action body) {
    List<ExceptionContext> reports = runAndCollectReports(transport, body);
    assertThat(reports).as("what was reported to the loop's exception handler").isEmpty();
  }

  /** Runs a body that has more to do than others, and may take so long. */
  static void run(String transport, Duration patience, Action body) {
    List<ExceptionContext> reports = runAndCollectReports(transport, 1, patience, body);
    assertThat(reports).as("what was reported to the loop's exception handler").isEmpty();
  }

  /** Runs a body on the first of several loops, none of which may be told of an error. */
  static void run(String transport, int loops, Action body) {
    List<ExceptionContext> reports = runAndCollectReports(transport, loops, PATIENCE, body);
    assertThat(reports).as("what was reported to the loops' exception handlers").isEmpty();
  }

  /** Runs a body that gets a fresh connection, the other end of which is a plain socket. */
  static void withPeer(String transport, PeerBody body) {
    withPeer(transport, StreamOptions.defaults(), body);
  }

  /** Runs a body that gets a fresh connection with buffers of its own. */
  static void withPeer(String transport, StreamOptions options, PeerBody body) {
    run(
        transport,
        () -> {
          try (RawPeer peer = RawPeer.connect(options)) {
            body.run(peer);
          }
        });
  }

  /** Runs a body and returns what was reported to the loop's exception handler. */
  static List<ExceptionContext> runAndCollectReports(String transport, Action body) {
    return runAndCollectReports(transport, 1, PATIENCE, body);
  }

  private static List<ExceptionContext> runAndCollectReports(
      String transport, int loops, Duration patience, Action body) {
    assumeAvailable(transport);
    List<ExceptionContext> reports = new CopyOnWriteArrayList<>();
    Action main =
        () -> {
          Loop first = Asyncio.runningLoop();
          first.setExceptionHandler((loop, context) -> reports.add(context));
          for (Loop other : first.group().subList(1, loops)) {
            other.callSoonThreadsafe(
                () -> other.setExceptionHandler((loop, context) -> reports.add(context)));
          }
          body.run();
        };
    RunOptions options = RunOptions.defaults().withTransport(transport).withLoops(loops);
    failIfItHangs(patience, () -> Asyncio.run(main, options));
    return reports;
  }

  static void assumeAvailable(String transport) {
    String reason = NettyIo.valueOf(transport.toUpperCase(Locale.ROOT)).unavailability();
    assumeTrue(reason == null, () -> transport + " does not work here: " + reason);
  }

  // --- Within a body

  /** Lets {@code count} rounds of the loop pass, in each of which it polls for I/O. */
  static void passRounds(int count) {
    for (int i = 0; i < count; i++) {
      Asyncio.sleep(Duration.ZERO);
    }
  }

  /**
   * Lets rounds pass until {@code condition} holds. It is asked first in every round, before a task
   * that the I/O of the round before made ready.
   */
  static void passRoundsUntil(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      Asyncio.sleep(Duration.ZERO);
    }
  }

  /** Starts something that blocks on a thread of its own, where it holds up no loop. */
  static <T> Future<T> onWorker(Coroutine<T> blocking) {
    return Asyncio.runningLoop().runInExecutor(blocking);
  }

  /** Does something in a callback and waits for it. */
  static <T> T inCallback(Coroutine<T> body) {
    Future<T> outcome = Asyncio.runningLoop().createFuture();
    Asyncio.runningLoop()
        .callSoon(() -> {
          try {
            outcome.setResult(body.run());
          } catch (Throwable e) {
            outcome.setException(e);
          }
        });
    return outcome.await();
  }

  // --- The guard

  static void failIfItHangs(Runnable body) {
    failIfItHangs(PATIENCE, body);
  }

  private static void failIfItHangs(Duration patience, Runnable body) {
    FutureTask<Void> run = new FutureTask<>(body, null);
    Thread thread = Thread.ofPlatform().name("test-body").daemon().start(run);
    try {
      run.get(patience.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw OnLoop.<RuntimeException>asIs(e.getCause());
    } catch (TimeoutException e) {
      AssertionError hang =
          new AssertionError("Nothing ended within " + patience + ".\n" + stacks());
      run.cancel(
          true); // Interrupts run(), which cancels the main task: the next test gets a fair chance.
      join(thread);
      throw hang;
    } catch (InterruptedException e) {
      throw new AssertionError("the test's thread was interrupted", e);
    }
  }

  private static void join(Thread thread) {
    try {
      thread.join(Duration.ofSeconds(15));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @SuppressWarnings("unchecked") // Nothing is cast: the compiler is only to forget what is thrown.
  private static <X extends Throwable> X asIs(Throwable failure) throws X {
    throw (X) failure;
  }

  /** {@return the stacks of the threads, virtual ones too, that have to do with Weir} */
  private static String stacks() {
    try {
      Path dump = Files.createTempDirectory("weir-hang").resolve("threads.txt");
      Process jcmd =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                  Long.toString(ProcessHandle.current().pid()),
                  "Thread.dump_to_file",
                  dump.toString())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      jcmd.waitFor(10, TimeUnit.SECONDS);
      StringBuilder stacks = new StringBuilder();
      for (String stack : Files.readString(dump).split("\n\n")) {
        if (stack.contains("dev.weir")) {
          stacks.append(stack).append("\n\n");
        }
      }
      return stacks.toString();
    } catch (IOException | InterruptedException e) {
      return "(no stacks: " + e + ")";
    }
  }
}
