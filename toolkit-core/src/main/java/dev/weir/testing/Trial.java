package dev.weir.testing;

import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.LimitOverrunException;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.stream.WriteBufferFullException;
import dev.weir.task.Action;
import dev.weir.task.CancelledError;
import dev.weir.task.Coroutine;
import dev.weir.task.Future;
import dev.weir.task.Futures;
import dev.weir.task.Loop;
import dev.weir.task.ReturnWhen;
import dev.weir.task.Task;
import dev.weir.tls.TlsTruncatedException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One run of a check: makes what the check works on, and ends all of it afterwards, however the
 * check ended.
 *
 * <p>On the loop only.
 */
final class Trial {
  /** Far more than any check takes, unless the transport is very slow. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /**
   * How many rounds in which nothing happens mean that nothing will. A loop may leave out the poll
   * for some hundred of them.
   */
  private static final int QUIET_ROUNDS = 600;

  /** What a transport may swallow of a peer that nobody reads from. */
  static final int SWALLOWED_BYTES_MAX = 64 << 20;

  private static final byte[] CHUNK = new byte[64 * 1024];

  private final Loop loop;
  private final String promise;
  private final StreamContract.PairMaker maker;
  private final StreamContract.Abort abort;
  private final StreamContract.HalfClose halfClose;
  private final Set<Task<?>> before;
  private final List<StreamPair> pairs = new ArrayList<>();
  private final List<Task<?>> started = new ArrayList<>();

  Trial(
      Loop loop,
      String promise,
      StreamContract.PairMaker maker,
      StreamContract.Abort abort,
      StreamContract.HalfClose halfClose) {
    this.loop = loop;
    this.promise = promise;
    this.maker = maker;
    this.abort = abort;
    this.halfClose = halfClose;
    this.before = loop.allTasks();
  }

  // --- From beginning to end

  void run(StreamContract.Check.Body body) {
    Task<?> checking = start("check", () -> body.run(this));
    String broken;
    List<String> left;
    try {
      broken = awaitEnd(checking);
    } finally {
      left = end();
    }
    if (!left.isEmpty()) {
      String leftBehind =
          "left behind, although both ends were aborted: " + String.join(", ", left);
      broken = broken == null ? leftBehind : broken + "\n  " + leftBehind;
    }
    if (broken != null) {
      throw new AssertionError(promise + ": " + broken, failure(checking));
    }
  }

  /** {@return what is wrong, or null} */
  private @Nullable String awaitEnd(Task<?> checking) {
    if (!wait(List.of(checking)).isEmpty()) {
      return "not ended within " + PATIENCE.toSeconds() + " s." + situation();
    }
    Throwable failure = failure(checking);
    return failure == null ? null : reason(failure);
  }

  /** {@return what the task failed with, a cancellation too, or null} */
  private static @Nullable Throwable failure(Task<?> task) {
    try {
      return task.done() ? task.exception() : null;
    } catch (CancelledError e) {
      return e;
    }
  }

  private static String reason(Throwable failure) {
    StringBuilder reason = new StringBuilder();
    if (failure instanceof AssertionError) {
      reason.append(failure.getMessage());
    } else {
      reason.append("did not expect ").append(failure).append(where(failure));
    }
    for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
      if (reason.indexOf(cause.toString()) < 0) {
        reason.append("\n  caused by ").append(cause).append(where(cause));
      }
    }
    return reason.toString();
  }

  /** {@return the line of a check that met {@code failure}} */
  private static String where(Throwable failure) {
    for (StackTraceElement frame : failure.getStackTrace()) {
      if (frame.getClassName().endsWith("Checks")) {
        return " at " + frame;
      }
    }
    return "";
  }

  /** {@return what the tasks wait for, and how full the streams are} */
  private String situation() {
    StringBuilder situation = new StringBuilder();
    for (Task<?> task : newTasks()) {
      situation.append("\n  ").append(task).append(" waits");
      for (StackTraceElement frame : task.stackTrace()) {
        if (!isPlumbing(frame)) {
          situation.append("\n    at ").append(frame);
        }
      }
    }
    for (StreamPair pair : pairs) {
      situation.append("\n  left:  ").append(pair.left());
      situation.append("\n  right: ").append(pair.right());
    }
    return situation.toString();
  }

  private static boolean isPlumbing(StackTraceElement frame) {
    String type = frame.getClassName();
    return type.startsWith("java.") || type.startsWith("jdk.") || type.startsWith("dev.weir.task.");
  }

  private List<Task<?>> newTasks() {
    List<Task<?>> tasks = new ArrayList<>(loop.allTasks());
    tasks.removeAll(before);
    return tasks;
  }

  /** Ends everything. Returns what does not. */
  private List<String> end() {
    started.forEach(Task::cancel);
    wait(started);
    for (Task<?> task : started) {
      failure(task); // Asks for it: what follows from what is reported is no news.
    }
    pairs.forEach(Trial::abort);
    List<String> left = new ArrayList<>(awaitClosed(pairs));
    // A maker's own tasks may take their time to notice.
    for (int round = 0; round < QUIET_ROUNDS && !newTasks().isEmpty(); round++) {
      loop.yieldNow();
    }
    for (Task<?> task : newTasks()) {
      left.add(task.toString());
    }
    return left;
  }

  /** Waits until both ends of all {@code pairs} are closed, however. Returns those that are not. */
  private List<String> awaitClosed(List<StreamPair> pairs) {
    Map<Task<?>, StreamWriter> closing = new LinkedHashMap<>();
    for (StreamPair pair : pairs) {
      for (StreamEnd end : List.of(pair.left(), pair.right())) {
        closing.put(loop.createTask(() -> awaitClosed(end.writer()), "waitClosed"), end.writer());
      }
    }
    List<String> open = new ArrayList<>();
    for (Task<?> waiting : wait(List.copyOf(closing.keySet()))) {
      waiting.cancel();
      open.add("an end that never says it is closed, " + closing.get(waiting));
    }
    return open;
  }

  private static void awaitClosed(StreamWriter writer) {
    try {
      writer.waitClosed();
    } catch (IOException e) {
      // Closed all the same.
    }
  }

  /** Waits until tasks have ended. Returns those that have not. */
  private static Set<Task<?>> wait(List<Task<?>> tasks) {
    return tasks.isEmpty()
        ? Set.of()
        : Futures.wait(tasks, ReturnWhen.ALL_COMPLETED, PATIENCE).pending();
  }

  // --- What a check works on

  /** Makes a pair with default buffers. */
  StreamPair open() throws Exception {
    return open(StreamOptions.defaults());
  }

  StreamPair open(StreamOptions options) throws Exception {
    StreamPair pair = maker.open(options);
    pairs.add(pair);
    return pair;
  }

  /**
   * Ends what the other side reads, after everything written; by {@code close()} where a direction
   * cannot end alone. What the other side writes may be lost from then on.
   */
  void endOutput(StreamWriter writer) throws IOException {
    if (canHalfClose()) {
      writer.writeEof();
    } else {
      writer.close();
    }
  }

  /** {@return whether the transport is said to end one direction without the other} */
  boolean canHalfClose() {
    return halfClose == StreamContract.HalfClose.YES;
  }

  /** {@return what {@code call} threw, which must tell of an abort, in the way of the transport} */
  IOException expectTold(String what, Expect.Call call) {
    if (abort != StreamContract.Abort.TRUNCATION) {
      return Expect.thrown(what, ConnectionResetException.class, call);
    }
    IOException told = Expect.thrown(what, IOException.class, call);
    Expect.that(tellsOfAbort(told), what + " tells of the abort, but it says " + told);
    return told;
  }

  /** {@return whether the exception tells of an abort, in the way of the transport} */
  boolean tellsOfAbort(@Nullable Throwable thrown) {
    return thrown instanceof ConnectionResetException
        || (abort == StreamContract.Abort.TRUNCATION && thrown instanceof TlsTruncatedException);
  }

  /** Ends a pair before the check ends, and waits until it is gone. */
  void discard(StreamPair pair) {
    abort(pair);
    awaitClosed(List.of(pair));
  }

  private static void abort(StreamPair pair) {
    pair.left().writer().abort();
    pair.right().writer().abort();
  }

  /** Starts a task beside the check. Its name stands in the error if the check hangs. */
  <T extends @Nullable Object> Task<T> start(String name, Coroutine<T> coroutine) {
    Task<T> task = loop.createTask(coroutine, name);
    started.add(task);
    return task;
  }

  Task<@Nullable Void> start(String name, Action action) {
    Task<@Nullable Void> task = loop.createTask(action, name);
    started.add(task);
    return task;
  }

  /** Does something in a callback, where nothing can wait, and waits for it. */
  <T extends @Nullable Object> T inCallback(Coroutine<T> body) throws Exception {
    Future<T> outcome = loop.createFuture();
    loop.callSoon(() -> {
      try {
        outcome.setResult(body.run());
      } catch (Throwable e) {
        outcome.setException(e);
      }
    });
    return outcome.await(Exception.class);
  }

  // --- Waiting without a clock

  /** Lets what is ready run, and what that makes ready. */
  void settle() {
    for (int round = 0; round < 5; round++) {
      loop.yieldNow();
    }
  }

  /** Lets {@code task} run until it waits for something. */
  void untilWaiting(Task<?> task) {
    for (int round = 0; round < QUIET_ROUNDS && !task.done(); round++) {
      loop.yieldNow();
      if (task.waitingFor() != null) {
        return;
      }
    }
    throw new AssertionError("expected that " + task.name() + " waits, but it does not: " + task);
  }

  /** Lets {@code task} run until it has got no further for many rounds, or is done. */
  void untilHeldBack(Task<?> task, LongSupplier progress) {
    long reached = progress.getAsLong();
    for (int quiet = 0; quiet < QUIET_ROUNDS && !task.done(); quiet++) {
      loop.yieldNow();
      if (progress.getAsLong() != reached) {
        reached = progress.getAsLong();
        quiet = 0;
      }
    }
  }

  /** Waits until {@code length} bytes have arrived that nobody has read, and leaves them there. */
  static void awaitArrived(StreamReader reader, int length) throws IOException {
    try {
      byte[] all = reader.readAll(length - 1);
      throw new AssertionError(
          "expected " + length + " bytes to arrive, but the stream ended after " + all.length);
    } catch (LimitOverrunException e) {
      // There are more than length - 1, and they stay in the stream.
    }
  }

  /**
   * Writes zeros until writers have to wait, because the peer does not read.
   *
   * @return how many were taken
   */
  int fill(StreamWriter writer) throws IOException {
    int taken = 0;
    int refused = 0;
    while (refused < QUIET_ROUNDS) { // The transport may take some more in the rounds that follow.
      if (tryWrite(writer)) {
        taken += CHUNK.length;
        refused = 0;
        Expect.atMost(
            "what a transport takes while nobody reads, in bytes", SWALLOWED_BYTES_MAX, taken);
      } else {
        refused++;
      }
      loop.yieldNow();
    }
    return taken;
  }

  private static boolean tryWrite(StreamWriter writer) throws IOException {
    try {
      return writer.tryWrite(CHUNK);
    } catch (WriteBufferFullException e) {
      throw new AssertionError(
          "expected that tryWrite() is refused above high water, but it went on: " + e, e);
    }
  }

  /** Writes in the very round in which that is possible, or waits for its turn after all. */
  void writeAsSoonAsPossible(StreamWriter writer, String message) throws IOException {
    for (int round = 0; round < QUIET_ROUNDS; round++) {
      if (writer.tryWrite(Expect.bytes(message))) {
        return;
      }
      loop.yieldNow();
    }
    writer.write(message);
  }

  /**
   * Writes on and on, until that fails.
   *
   * @return if it does not: how much was written
   */
  static String writeOn(StreamWriter writer) throws IOException {
    for (int taken = 0; taken <= SWALLOWED_BYTES_MAX; taken += CHUNK.length) {
      writer.write(CHUNK);
    }
    return "normally, after it took more than " + SWALLOWED_BYTES_MAX + " bytes";
  }

  /** Reads what had arrived on a stream that has ended. */
  static void discardRest(StreamReader reader) throws IOException {
    while (reader.read(CHUNK.length).length > 0) {
      // What it was does not matter.
    }
  }

  @Override
  public String toString() {
    return "Trial[" + promise + ", " + pairs.size() + " pairs]";
  }
}
