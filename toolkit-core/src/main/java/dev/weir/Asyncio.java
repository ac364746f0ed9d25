package dev.weir;

import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.task.Action;
import dev.weir.task.CancelledError;
import dev.weir.task.Coroutine;
import dev.weir.task.Loop;
import dev.weir.task.RunOptions;
import dev.weir.task.Runner;
import dev.weir.task.Task;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The functions of Python's {@code asyncio} module, in Java's spelling. Most programs need only
 * this class and the objects it returns.
 *
 * <p>Except for {@code run}, its functions are called from a task, or where it is said also from a
 * callback, and throw {@link IllegalStateException} elsewhere.
 */
public final class Asyncio {
  private Asyncio() {}

  // --- Running

  /**
   * Runs {@code main} on a new loop and waits until it is done; see {@link #run(Coroutine,
   * RunOptions)}.
   *
   * @return what {@code main} returned
   */
  public static <T extends @Nullable Object> T run(Coroutine<T> main) {
    return Runner.run(main, RunOptions.defaults());
  }

  /**
   * Runs {@code main} on a new loop and waits until it is done; see {@link #run(Coroutine,
   * RunOptions)}.
   */
  public static void run(Action main) {
    Runner.run(main, RunOptions.defaults());
  }

  /**
   * Runs {@code main} as the main task of a new loop, waits until it is done, and closes the loop.
   * Corresponds to {@code asyncio.run}. Any thread may call it that is not on a loop.
   *
   * <p>Tasks that are left when {@code main} ends are cancelled and waited for. Interrupting the
   * calling thread cancels the main task.
   *
   * <p>What {@code main} throws is thrown as it is, checked exceptions included, although none is
   * declared.
   *
   * @return what {@code main} returned
   * @throws CancelledError if the main task was cancelled
   * @throws dev.weir.task.SignalException if a signal cancelled it; see {@link
   *     RunOptions#handleSignals}
   * @throws IllegalStateException on a loop, which it would block
   */
  public static <T extends @Nullable Object> T run(Coroutine<T> main, RunOptions options) {
    return Runner.run(main, options);
  }

  /**
   * Runs {@code main} on a new loop and waits until it is done; see {@link #run(Coroutine,
   * RunOptions)}.
   */
  public static void run(Action main, RunOptions options) {
    Runner.run(main, options);
  }

  /**
   * {@return the loop of the calling task or callback} Corresponds to {@code get_running_loop()}.
   */
  public static Loop runningLoop() {
    return Loop.running();
  }

  // --- Tasks

  /**
   * Makes a task that runs {@code coroutine} beside the caller, beginning in the loop's next round.
   * Corresponds to {@code create_task(coro)}. Also from a callback.
   */
  public static <T extends @Nullable Object> Task<T> createTask(Coroutine<T> coroutine) {
    return Loop.running().createTask(coroutine);
  }

  /** Makes a task with a name; see {@link #createTask(Coroutine)}. */
  public static <T extends @Nullable Object> Task<T> createTask(
      Coroutine<T> coroutine, String name) {
    return Loop.running().createTask(coroutine, name);
  }

  /**
   * Makes a task that runs {@code action} beside the caller; see {@link #createTask(Coroutine)}.
   */
  public static Task<@Nullable Void> createTask(Action action) {
    return Loop.running().createTask(action);
  }

  /** Makes a task with a name; see {@link #createTask(Coroutine)}. */
  public static Task<@Nullable Void> createTask(Action action, String name) {
    return Loop.running().createTask(action, name);
  }

  /** {@return the task that calls, or null in a callback} Corresponds to {@code current_task()}. */
  public static @Nullable Task<?> currentTask() {
    return Loop.currentTask();
  }

  /**
   * Suspends for {@code delay}, and lets other tasks run meanwhile. Zero or less lets everything
   * that is ready run once. Corresponds to {@code sleep(delay)}.
   *
   * @throws CancelledError if the task is cancelled
   */
  public static void sleep(Duration delay) {
    Loop.running().sleep(delay);
  }

  // --- Streams

  /**
   * Suspends until connected by TCP. Corresponds to {@code open_connection(host, port)}, with a
   * connect timeout of 30 s.
   *
   * @return the connection, to be closed by the caller
   * @throws IOException if it fails; {@link Connection#open} says which exception means what
   * @throws CancelledError if the task is cancelled
   */
  public static Connection openConnection(String host, int port) throws IOException {
    return Connection.open(host, port, ConnectOptions.defaults());
  }

  /** Suspends until connected by TCP, as {@link #openConnection(String, int)}. */
  public static Connection openConnection(String host, int port, ConnectOptions options)
      throws IOException {
    return Connection.open(host, port, options);
  }

  /**
   * Suspends until a TCP server listens. Corresponds to {@code start_server(callback, host, port)}.
   * Each connection is served by a task of its own, and closed when the handler returns.
   *
   * @return the server, to be closed by the caller
   * @throws IOException if it fails; {@link Server#start} says which exception means what
   * @throws CancelledError if the task is cancelled
   */
  public static Server startServer(ConnectionHandler handler, @Nullable String host, int port)
      throws IOException {
    return Server.start(handler, host, port, ServerOptions.defaults());
  }

  /**
   * Suspends until a TCP server listens, as {@link #startServer(ConnectionHandler, String, int)}.
   */
  public static Server startServer(
      ConnectionHandler handler, @Nullable String host, int port, ServerOptions options)
      throws IOException {
    return Server.start(handler, host, port, options);
  }
}
