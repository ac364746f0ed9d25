package dev.weir.testing;

import dev.weir.stream.StreamOptions;
import dev.weir.task.CancelledError;
import dev.weir.task.Loop;
import dev.weir.tls.TlsTruncatedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * What every stream promises, whatever carries it, as checks that hold any transport to it. The
 * promises are those of {@code StreamReader} and {@code StreamWriter}.
 *
 * <pre>{@code
 * StreamContract.run(StreamPair::open); // The network of the running loop.
 * StreamContract.run(options -> connectOverMyTransport(options));
 * StreamContract.run(options -> StreamPair.openUnix(path, options), Abort.END);
 * StreamContract.run(options -> openSecured(options), Abort.RESET, HalfClose.NO);
 * }</pre>
 *
 * <p>A check assumes that its transport loses nothing, keeps the order, and swallows no more than
 * 64 MiB that nobody reads. It assumes nothing about how bytes are cut on their way or how much a
 * buffer takes. It never sleeps, but a transport must not be too slow: it carries at least 128 KiB
 * per second in each direction, because closing a stream flushes a mebibyte within ten seconds; and
 * all that it swallows within 30 s.
 *
 * <p>A check that has not ended within 30 s by the loop's clock fails, which is at once where that
 * clock jumps. Its error has the stacks of the tasks that waited. No check leaves a task or an open
 * connection behind, also when it fails.
 *
 * <p>Called from a task. Depends on no test framework; one that makes a test of each check shows
 * the most:
 *
 * <pre>{@code
 * return StreamContract.checks().stream()
 *     .map(check -> dynamicTest(check.name(), () -> Asyncio.run(() -> check.run(maker))));
 * }</pre>
 */
public final class StreamContract {
  private StreamContract() {}

  /** Connects two ends over the transport that is held to the contract. */
  @FunctionalInterface
  public interface PairMaker {
    /**
     * Makes two connected ends. Called in a task; may suspend. The check ends both of them by
     * itself.
     *
     * @param options what each end buffers
     * @return the pair
     * @throws Exception is why the check fails
     */
    StreamPair open(StreamOptions options) throws Exception;
  }

  /** One promise, and how to find out whether it is kept. */
  public static final class Check {
    private final String name;
    private final Body body;
    private final Abort abort;
    private final HalfClose halfClose;

    Check(String name, Body body) {
      this(name, body, Abort.RESET, HalfClose.YES);
    }

    private Check(String name, Body body, Abort abort, HalfClose halfClose) {
      this.name = name;
      this.body = body;
      this.abort = abort;
      this.halfClose = halfClose;
    }

    /** {@return the same check, of a transport that ends connections as these say} */
    Check of(Abort abort, HalfClose halfClose) {
      return new Check(name, body, abort, halfClose);
    }

    /** How a check finds out. */
    @FunctionalInterface
    interface Body {
      void run(Trial trial) throws Exception;
    }

    /** {@return the promise, as a sentence without its full stop} */
    public String name() {
      return name;
    }

    /**
     * Suspends until it is known whether the promise is kept.
     *
     * @param maker makes what the check works on
     * @throws AssertionError if it is not; the message says what was promised and what happened
     *     instead
     * @throws CancelledError if the task is cancelled; nothing is left behind then either
     * @throws IllegalStateException outside a task
     */
    public void run(PairMaker maker) {
      Objects.requireNonNull(maker, "maker");
      Loop loop = Loop.running();
      loop.ensureInTask("StreamContract.Check.run()");
      new Trial(loop, name, maker, abort, halfClose).run(body);
    }

    @Override
    public String toString() {
      return "Check[" + name + "]";
    }
  }

  /** How the peer learns of an abort, as far as that is the transport's own. */
  public enum Abort {
    /** By a reset, as over TCP, so that it does not take what was cut off for the whole. */
    RESET,

    /**
     * By an end of the stream, as over a Unix socket, which knows no reset unless it is closed with
     * bytes unread. It reads as after a close, and learns of the loss from the first write that
     * fails. Nothing else may differ.
     */
    END,

    /**
     * By an end of the stream that is known to come too early, as with TLS over a Unix socket: the
     * peer is told with a {@link TlsTruncatedException}, or by a reset after all if the transport
     * knows one.
     */
    TRUNCATION
  }

  /** Whether one direction can end while the other goes on. */
  public enum HalfClose {
    /** It can, as over TCP: {@code writeEof()} ends one, and the peer's answer still arrives. */
    YES,

    /**
     * It cannot, as with TLS: {@code writeEof()} is refused, and once the peer has closed, what it
     * had sent is read, then the end, and the connection closes.
     */
    NO
  }

  /**
   * {@return all checks of a transport whose aborts reset and whose directions end one by one; see
   * {@link #checks(Abort, HalfClose)}}
   */
  public static List<Check> checks() {
    return checks(Abort.RESET);
  }

  /**
   * {@return all checks of a transport whose directions end one by one; see {@link #checks(Abort,
   * HalfClose)}}
   */
  public static List<Check> checks(Abort abort) {
    return checks(abort, HalfClose.YES);
  }

  /** {@return all checks, none of which depends on another} */
  public static List<Check> checks(Abort abort, HalfClose halfClose) {
    Objects.requireNonNull(abort, "abort");
    Objects.requireNonNull(halfClose, "halfClose");
    return Stream.of(
            ReadingChecks.all(),
            SeparatorChecks.all(),
            WritingChecks.all(),
            BackPressureChecks.all(),
            TransferChecks.all(),
            ClosingChecks.all(),
            switch (halfClose) {
              case YES -> HalfCloseChecks.all();
              case NO -> CommonEndChecks.all();
            },
            LossChecks.all(),
            switch (abort) {
              case RESET, TRUNCATION -> LossChecks.ofResets();
              case END -> QuietLossChecks.all();
            },
            CancellationChecks.all())
        .flatMap(List::stream)
        .map(check -> check.of(abort, halfClose))
        .toList();
  }

  /**
   * Suspends until all checks of a transport whose aborts reset and whose directions end one by one
   * have run; see {@link #run(PairMaker, Abort, HalfClose)}.
   */
  public static void run(PairMaker maker) {
    run(maker, Abort.RESET);
  }

  /**
   * Suspends until all checks of a transport whose directions end one by one have run; see {@link
   * #run(PairMaker, Abort, HalfClose)}.
   */
  public static void run(PairMaker maker, Abort abort) {
    run(maker, abort, HalfClose.YES);
  }

  /**
   * Suspends until all checks have run.
   *
   * @param maker makes what they work on, for each check anew
   * @param abort how its transport tells the peer of an abort
   * @param halfClose whether its transport can end one direction alone
   * @throws AssertionError if promises are broken; the message has every one of them with what
   *     happened instead. The first check's error is the cause, the others are suppressed
   * @throws CancelledError if the task is cancelled; nothing is left behind then
   * @throws IllegalStateException outside a task
   */
  public static void run(PairMaker maker, Abort abort, HalfClose halfClose) {
    List<Check> checks = checks(abort, halfClose);
    List<AssertionError> broken = new ArrayList<>();
    for (Check check : checks) {
      try {
        check.run(maker);
      } catch (AssertionError e) {
        broken.add(e);
      }
    }
    if (!broken.isEmpty()) {
      throw allOf(broken, checks.size());
    }
  }

  private static AssertionError allOf(List<AssertionError> broken, int checked) {
    StringBuilder message = new StringBuilder();
    message.append(broken.size()).append(" of ").append(checked).append(" promises are broken:");
    for (AssertionError error : broken) {
      message.append("\n- ").append(error.getMessage());
    }
    AssertionError all = new AssertionError(message.toString(), broken.getFirst());
    broken.stream().skip(1).forEach(all::addSuppressed);
    return all;
  }
}
