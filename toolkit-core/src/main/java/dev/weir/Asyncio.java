package dev.weir;

import dev.weir.datagram.DatagramEndpoint;
import dev.weir.datagram.DatagramOptions;
import dev.weir.pipe.NamedPipes;
import dev.weir.pipe.ReadPipe;
import dev.weir.pipe.StandardStreams;
import dev.weir.process.Subprocess;
import dev.weir.process.SubprocessOptions;
import dev.weir.protocol.Attached;
import dev.weir.protocol.BaseProtocol;
import dev.weir.protocol.DatagramProtocol;
import dev.weir.protocol.DatagramTransport;
import dev.weir.protocol.Datagrams;
import dev.weir.protocol.Protocols;
import dev.weir.protocol.SubprocessProtocol;
import dev.weir.protocol.SubprocessProtocols;
import dev.weir.protocol.SubprocessTransport;
import dev.weir.protocol.Transport;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.NameInfo;
import dev.weir.stream.NameLookup;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Action;
import dev.weir.task.CancelledError;
import dev.weir.task.Coroutine;
import dev.weir.task.DoneAndPending;
import dev.weir.task.Future;
import dev.weir.task.FutureCallGraph;
import dev.weir.task.Futures;
import dev.weir.task.Loop;
import dev.weir.task.Outcome;
import dev.weir.task.ReturnWhen;
import dev.weir.task.RunOptions;
import dev.weir.task.Runner;
import dev.weir.task.Task;
import dev.weir.task.TaskOptions;
import dev.weir.task.Timeout;
import dev.weir.task.TimeoutException;
import dev.weir.tls.ClientTls;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsSession;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
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
    return run(main, RunOptions.defaults());
  }

  /**
   * Runs {@code main} on a new loop and waits until it is done; see {@link #run(Coroutine,
   * RunOptions)}.
   */
  public static void run(Action main) {
    run(main, RunOptions.defaults());
  }

  /**
   * Runs {@code main} as the main task of a new loop, waits until it is done, and closes the loop.
   * Corresponds to {@code asyncio.run}. Any thread may call it that is not on a loop.
   *
   * <p>Tasks that are left when {@code main} ends are cancelled and waited for. Interrupting the
   * calling thread cancels the main task, and so does the exit of the JVM, which waits for the end
   * ({@link RunOptions#exitTimeout}).
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
    Objects.requireNonNull(main, "main");
    try (Runner runner = new Runner(options)) {
      return runner.run(main);
    }
  }

  /**
   * Runs {@code main} on a new loop and waits until it is done; see {@link #run(Coroutine,
   * RunOptions)}.
   */
  public static void run(Action main, RunOptions options) {
    Objects.requireNonNull(main, "main");
    try (Runner runner = new Runner(options)) {
      runner.run(main);
    }
  }

  /**
   * {@return the loop of the calling task or callback} Corresponds to {@code get_running_loop()}.
   */
  public static Loop runningLoop() {
    return Loop.running();
  }

  /**
   * Opens a loop to be run, stopped and closed by hand. Corresponds to {@code new_event_loop()}.
   * Any thread.
   */
  public static Loop newLoop() {
    return Loop.open(RunOptions.defaults());
  }

  // --- Tasks

  /**
   * Makes a task that runs {@code coroutine} beside the caller, beginning in the loop's next round.
   * Corresponds to {@code create_task(coro)}. Also from a callback.
   *
   * <p>The loop holds the task until it is done. A failure that nobody awaits is reported to the
   * loop's exception handler.
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
   * Makes a task with a name or a context of its own, or that begins at once; see {@link
   * #createTask(Coroutine)}.
   */
  public static <T extends @Nullable Object> Task<T> createTask(
      Coroutine<T> coroutine, TaskOptions options) {
    return Loop.running().createTask(coroutine, options);
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

  /** Makes a task as {@code options} say; see {@link #createTask(Coroutine, TaskOptions)}. */
  public static Task<@Nullable Void> createTask(Action action, TaskOptions options) {
    return Loop.running().createTask(action, options);
  }

  /**
   * Makes a task that nobody needs to wait for: a failure is reported to the loop's exception
   * handler at once. Asyncio has no such call; its users lose tasks of which they keep no
   * reference, and their failures. Also from a callback.
   */
  public static void background(Action action) {
    Loop.running().background(action);
  }

  /** {@return the task that calls, or null in a callback} Corresponds to {@code current_task()}. */
  public static @Nullable Task<?> currentTask() {
    return Loop.currentTask();
  }

  /**
   * {@return the tasks of the running loop that are not done, in the order of their making}
   * Corresponds to {@code all_tasks()}. Also from a callback.
   */
  public static Set<Task<?>> allTasks() {
    return Loop.running().allTasks();
  }

  // --- Waiting

  /**
   * Suspends for {@code delay}, and lets other tasks run meanwhile. Zero or less lets everything
   * that is ready run once. Corresponds to {@code sleep(delay)}.
   *
   * @throws CancelledError if the task is cancelled
   */
  public static void sleep(Duration delay) {
    Loop.running().sleep(delay);
  }

  /**
   * Suspends for {@code delay}, as {@link #sleep(Duration)}. Corresponds to {@code sleep(delay,
   * result)}.
   *
   * @return {@code result}
   */
  public static <T extends @Nullable Object> T sleep(Duration delay, T result) {
    Loop.running().sleep(delay);
    return result;
  }

  /**
   * Suspends until everything that is ready now has run. Corresponds to {@code sleep(0)}.
   *
   * @throws CancelledError if the task is cancelled
   */
  public static void yieldNow() {
    Loop.running().yieldNow();
  }

  /**
   * Runs coroutines side by side, a task each. Corresponds to {@code gather(*coros)}. If a task
   * factory fails to make one of the tasks, those made before it are cancelled.
   *
   * @return completes with the results in the order of the arguments, or with the first failure;
   *     see {@link #gather(Collection)}
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // The array is only read.
  public static <T extends @Nullable Object> Future<List<T>> gather(
      Coroutine<? extends T>... coroutines) {
    return Futures.gather(Futures.createTasks(coroutines));
  }

  /**
   * Waits for futures together. Corresponds to {@code gather(*futures)}. Also from a callback.
   *
   * <p>The first failure, or cancellation of a future, is the failure of the whole at once; the
   * other futures go on, and a later failure of theirs is reported to the loop's exception handler
   * unless somebody asks for it. Cancelling what is returned cancels every future that is not done,
   * and it fails with a {@link CancelledError} as soon as the first of them has ended as cancelled,
   * or when all have ended; it is never {@code cancelled()} itself. A future that is given twice is
   * waited for once, and its result stands twice in the list.
   *
   * @return completes with the results in the order of the futures; at once if there are none
   * @throws IllegalArgumentException if a future is another loop's
   */
  public static <T extends @Nullable Object> Future<List<T>> gather(
      Collection<? extends Future<? extends T>> futures) {
    return Futures.gather(futures);
  }

  /**
   * Runs coroutines side by side, and waits until all have ended, well or not. Corresponds to
   * {@code gather(*coros, return_exceptions=True)}.
   *
   * @return completes with their outcomes in the order of the arguments; see {@link
   *     #gatherOutcomes(Collection)}
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // The array is only read.
  public static <T extends @Nullable Object> Future<List<Outcome<T>>> gatherOutcomes(
      Coroutine<? extends T>... coroutines) {
    return Futures.gatherOutcomes(Futures.createTasks(coroutines));
  }

  /**
   * Waits until all futures are done, well or not. Corresponds to {@code gather(*futures,
   * return_exceptions=True)}. Also from a callback.
   *
   * <p>Cancelling what is returned cancels every future that is not done, and it fails with a
   * {@link CancelledError} when they have ended.
   *
   * @return completes with the outcomes in the order of the futures
   * @throws IllegalArgumentException if a future is another loop's
   */
  public static <T extends @Nullable Object> Future<List<Outcome<T>>> gatherOutcomes(
      Collection<? extends Future<? extends T>> futures) {
    return Futures.gatherOutcomes(futures);
  }

  /** Suspends until all futures are done; see {@link #wait(Collection, ReturnWhen, Duration)}. */
  public static <F extends Future<?>> DoneAndPending<F> wait(Collection<F> futures) {
    return Futures.wait(futures, ReturnWhen.ALL_COMPLETED, null);
  }

  /** Suspends until enough is done; see {@link #wait(Collection, ReturnWhen, Duration)}. */
  public static <F extends Future<?>> DoneAndPending<F> wait(
      Collection<F> futures, ReturnWhen returnWhen) {
    return Futures.wait(futures, returnWhen, null);
  }

  /**
   * Suspends until as many futures are done as {@code returnWhen} says, or {@code timeout} is over,
   * which is no error. Does not suspend if that is so already. Cancels nothing, also when the
   * calling task is cancelled. Corresponds to {@code wait(fs, timeout=, return_when=)}.
   *
   * @param timeout null for none
   * @return which are done and which are not
   * @throws CancelledError if the task is cancelled
   * @throws IllegalArgumentException if there is no future, or one is another loop's
   */
  public static <F extends Future<?>> DoneAndPending<F> wait(
      Collection<F> futures, ReturnWhen returnWhen, @Nullable Duration timeout) {
    return Futures.wait(futures, returnWhen, timeout);
  }

  /**
   * Suspends while {@code coroutine} runs, in the calling task, and cancels it when {@code timeout}
   * is over. Corresponds to {@code wait_for(aw, timeout)}.
   *
   * <p>On timeout it waits until the work has ended; if that returns a value or fails for another
   * reason nevertheless, so does this call. What the work throws is thrown as it is.
   *
   * @param timeout null for none; with zero or less the work does not begin
   * @return what the work returned
   * @throws TimeoutException if the timeout is over and the work was cancelled
   * @throws CancelledError if the task is cancelled, and with it the work
   */
  public static <T extends @Nullable Object> T waitFor(
      Coroutine<T> coroutine, @Nullable Duration timeout) throws TimeoutException {
    return Futures.waitFor(coroutine, timeout);
  }

  /**
   * Suspends until {@code future} is done, and cancels it when {@code timeout} is over; see {@link
   * #waitFor(Coroutine, Duration)}.
   */
  public static <T extends @Nullable Object> T waitFor(Future<T> future, @Nullable Duration timeout)
      throws TimeoutException {
    return Futures.waitFor(future, timeout);
  }

  /**
   * The futures in the order in which they get done; see {@link #asCompleted(Collection,
   * Duration)}.
   */
  public static <F extends Future<?>> Iterable<F> asCompleted(Collection<F> futures) {
    return Futures.asCompleted(futures, null);
  }

  /**
   * The futures in the order in which they get done: iterating suspends until the next one is, and
   * returns it. Corresponds to {@code as_completed(fs, timeout=)}, used with {@code async for}. Can
   * be iterated once, also by several tasks that share it; ending early cancels nothing.
   *
   * <p>Once {@code timeout} is over, counted from this call, iterating throws an {@link
   * java.io.UncheckedIOException} with a {@link TimeoutException} for every future that was not
   * done.
   *
   * @param timeout null for none
   * @throws IllegalArgumentException if a future is another loop's
   */
  public static <F extends Future<?>> Iterable<F> asCompleted(
      Collection<F> futures, @Nullable Duration timeout) {
    return Futures.asCompleted(futures, timeout);
  }

  /**
   * Protects {@code future} from the cancellation of whoever waits for it: the future returned can
   * be cancelled, and {@code future} goes on. Corresponds to {@code shield(aw)}. Also from a
   * callback.
   *
   * <p>If {@code future} fails after that, it is reported to the loop's exception handler, unless
   * somebody else waits for it.
   *
   * @return follows {@code future}; the same if that is done already
   */
  public static <T extends @Nullable Object> Future<T> shield(Future<T> future) {
    return Futures.shield(future);
  }

  /**
   * Makes a scope that cancels its body after {@code delay}, counted from this call; null for no
   * deadline. Corresponds to {@code timeout(delay)}.
   *
   * <pre>{@code
   * Asyncio.timeout(Duration.ofSeconds(5)).run(timeout -> exchange(connection));
   * }</pre>
   */
  public static Timeout timeout(@Nullable Duration delay) {
    return Timeout.after(delay);
  }

  /**
   * Makes a scope that cancels its body at {@code when}, by {@link Loop#time}; null for no
   * deadline. Corresponds to {@code timeout_at(when)}.
   */
  public static Timeout timeoutAt(@Nullable Duration when) {
    return Timeout.at(when);
  }

  /**
   * Runs {@code body} and makes sure that nothing else ran on the loop meanwhile: an await inside
   * throws, and so does this call if the body parked in blocking code of the JDK's. It is a check,
   * not a lock. Asyncio needs no such call, because there only {@code await} suspends.
   *
   * @return what {@code body} returned; what it threw is thrown as it is
   * @throws IllegalStateException outside a task; from an await inside; and after the body, if it
   *     parked, with the stack of where it did as the cause
   */
  public static <T extends @Nullable Object> T exclusive(Coroutine<T> body) {
    return Loop.running().exclusive(body);
  }

  /**
   * Runs {@code body} and makes sure that it does not suspend; see {@link #exclusive(Coroutine)}.
   */
  public static void exclusive(Action body) {
    Loop.running().exclusive(body);
  }

  // --- Introspection

  /**
   * {@return where the calling task is and who waits for it, or null in a callback} Corresponds to
   * {@code capture_call_graph()}.
   */
  public static @Nullable FutureCallGraph captureCallGraph() {
    return Futures.captureCallGraph(null, Integer.MAX_VALUE);
  }

  /**
   * {@return where a task is and who waits for it, or who waits for a future} Corresponds to {@code
   * capture_call_graph(future)}. Also from a callback. It looks at every task of the loop, and at
   * stacks: for diagnosis, not for every request.
   */
  public static FutureCallGraph captureCallGraph(Future<?> future) {
    return captureCallGraph(future, Integer.MAX_VALUE);
  }

  /**
   * {@return the same, with a part of each stack} Corresponds to {@code capture_call_graph(future,
   * limit=...)}.
   *
   * @param limit how many calls of a stack, the innermost; if negative, the outermost; 0 for none
   */
  public static FutureCallGraph captureCallGraph(Future<?> future, int limit) {
    Objects.requireNonNull(future, "future");
    return Objects.requireNonNull(Futures.captureCallGraph(future, limit));
  }

  /**
   * Appends {@link FutureCallGraph#format} of a future. Corresponds to {@code
   * print_call_graph(future, file=...)}.
   *
   * @throws IOException if {@code to} does
   */
  public static void printCallGraph(Future<?> future, Appendable to) throws IOException {
    to.append(captureCallGraph(future).format());
  }

  // --- Threads

  /**
   * Suspends until {@code work} has run on a thread of the loop's default executor, in a copy of
   * the caller's context. For what would block the loop: files, computing, native calls.
   * Corresponds to {@code to_thread(func)}.
   *
   * @return what {@code work} returned; what it threw is thrown as it is
   * @throws CancelledError if the task is cancelled; the thread goes on, and if the work fails
   *     then, that is reported to the exception handler
   */
  public static <T extends @Nullable Object> T toThread(Coroutine<T> work) {
    return Loop.running().toThread(work);
  }

  /** Suspends until {@code work} has run on another thread; see {@link #toThread(Coroutine)}. */
  public static void toThread(Action work) {
    Loop.running().toThread(work);
  }

  /**
   * Runs {@code coroutine} as a task of {@code loop}. For threads that are not on that loop; any
   * may call it. Corresponds to {@code run_coroutine_threadsafe(coro, loop)}.
   *
   * <p>A thread of its own waits with {@code get()}. A task of another loop, of the same {@link
   * Loop#group} say, waits with {@code wrapFuture(...).await()}, which suspends it alone: it gets
   * the very exception that the coroutine threw, and if it is cancelled, so is the coroutine, for
   * whose clean-up it does not wait.
   *
   * @return follows the task; cancelling it cancels the task, and a cancelled task cancels it
   * @throws IllegalStateException if the loop is closed
   */
  public static <T extends @Nullable Object> CompletableFuture<T> runCoroutineThreadsafe(
      Coroutine<T> coroutine, Loop loop) {
    return Futures.runCoroutineThreadsafe(coroutine, loop);
  }

  /**
   * Makes a future that follows {@code stage}, so that it can be awaited. Cancelling it cancels the
   * stage. Corresponds to {@code wrap_future(future)}; the way back is {@link
   * Future#toCompletableFuture}. Also from a callback.
   */
  public static <T extends @Nullable Object> Future<T> wrapFuture(CompletionStage<T> stage) {
    return Loop.running().wrapFuture(stage);
  }

  // --- Names

  /**
   * Suspends until the addresses of a host are known. Corresponds to {@code getaddrinfo(host,
   * port)} of asyncio's loops. The JDK is asked, on a thread of the loop's default executor, or
   * what {@link Loop#setResolver} set.
   *
   * @param host a name, or an address, which is returned at once
   * @return at least one, in the order in which they should be tried
   * @throws UnknownHostException if the name has no address, or nobody could say
   * @throws IllegalArgumentException if the port is not from 0 to 65535
   * @throws CancelledError if the task is cancelled; the JDK's lookup goes on, on its thread
   */
  public static List<InetSocketAddress> getaddrinfo(String host, int port)
      throws UnknownHostException {
    return NameLookup.addresses(host, port);
  }

  /**
   * Suspends until the addresses of a host in one family are known, as {@link #getaddrinfo(String,
   * int)}.
   *
   * @param family {@link java.net.StandardProtocolFamily#INET} or {@link
   *     java.net.StandardProtocolFamily#INET6}
   * @throws UnknownHostException also if the host has addresses of the other family only
   * @throws IllegalArgumentException also if it is another family
   */
  public static List<InetSocketAddress> getaddrinfo(String host, int port, ProtocolFamily family)
      throws UnknownHostException {
    return NameLookup.addresses(host, port, family);
  }

  /**
   * Suspends until the names of an address and its port are known. Corresponds to {@code
   * getnameinfo(sockaddr)} of asyncio's loops. The JDK is asked for the host, {@code /etc/services}
   * for the port of TCP, both on a thread of the loop's default executor. The JDK does not believe
   * in a name that does not lead back to the address.
   *
   * @return the names; for what has none, it in digits
   * @throws IllegalArgumentException if the address is unresolved
   * @throws CancelledError if the task is cancelled; the JDK's lookup goes on, on its thread
   */
  public static NameInfo getnameinfo(InetSocketAddress address) {
    return NameLookup.names(address);
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

  /**
   * Suspends until a TCP server listens on several hosts, as {@code start_server} with a sequence
   * of them. With port 0 each address gets a port of its own.
   */
  public static Server startServer(
      ConnectionHandler handler, List<String> hosts, int port, ServerOptions options)
      throws IOException {
    return Server.start(handler, hosts, port, options);
  }

  /**
   * Suspends until connected to a Unix socket. Corresponds to {@code open_unix_connection(path)},
   * with a connect timeout of 30 s, which counts while the server's queue is full.
   *
   * @param path that of the socket; one that begins with {@code @} stands for a name in Linux's
   *     abstract namespace, for which the transport must be epoll
   * @return the connection, to be closed by the caller
   * @throws IOException if it fails; {@link Connection#openUnix} says which exception means what
   * @throws CancelledError if the task is cancelled
   */
  public static Connection openUnixConnection(Path path) throws IOException {
    return Connection.openUnix(path, ConnectOptions.defaults());
  }

  /** Suspends until connected to a Unix socket, as {@link #openUnixConnection(Path)}. */
  public static Connection openUnixConnection(Path path, ConnectOptions options)
      throws IOException {
    return Connection.openUnix(path, options);
  }

  /**
   * Suspends until a server listens on a Unix socket. Corresponds to {@code
   * start_unix_server(callback, path)}. Its connections are served as those of {@link
   * #startServer(ConnectionHandler, String, int)}.
   *
   * <p>Nobody can connect before the socket has its {@linkplain ServerOptions#unixPermissions
   * permissions}: by default only its owner may. A socket of the same user's on which nobody
   * listens any more is replaced; whatever else is at the path stays, and is an error. The file is
   * removed when the server closes, unless another has taken its place.
   *
   * @param path where the socket is made, in at most 93 bytes: 106 are possible, and for a moment
   *     the socket is in a directory of its own. One that begins with {@code @} stands for a name
   *     in Linux's abstract namespace, for which the transport must be epoll; it has neither file
   *     nor permissions
   * @return the server, to be closed by the caller
   * @throws IOException if it fails; {@link Server#startUnix} says which exception means what
   * @throws CancelledError if the task is cancelled
   */
  public static Server startUnixServer(ConnectionHandler handler, Path path) throws IOException {
    return Server.startUnix(handler, path, ServerOptions.defaults());
  }

  /**
   * Suspends until a server listens on a Unix socket, as {@link #startUnixServer(ConnectionHandler,
   * Path)}.
   */
  public static Server startUnixServer(ConnectionHandler handler, Path path, ServerOptions options)
      throws IOException {
    return Server.startUnix(handler, path, options);
  }

  // --- Connections of callbacks

  /**
   * Suspends until connected by TCP, for a protocol of callbacks. Corresponds to {@code
   * loop.create_connection(protocol_factory, host, port)}; all that holds for {@link
   * #openConnection(String, int)} holds here. The protocol is told {@code connectionMade} before it
   * returns, with TLS after the handshake, and runs in a copy of the caller's {@link
   * dev.weir.task.Context}.
   *
   * @param factory makes the protocol, a {@link dev.weir.protocol.Protocol} or a {@link
   *     dev.weir.protocol.BufferedProtocol}; its failure is thrown
   * @return the transport and the protocol
   * @throws IOException if it fails; {@link Connection#open} says which exception means what
   * @throws CancelledError if the task is cancelled
   */
  public static <P extends BaseProtocol<Transport>> Attached<Transport, P> createConnection(
      Supplier<? extends P> factory, String host, int port) throws IOException {
    return Protocols.connect(factory, host, port, ConnectOptions.defaults());
  }

  /** Suspends until connected by TCP, as {@link #createConnection(Supplier, String, int)}. */
  public static <P extends BaseProtocol<Transport>> Attached<Transport, P> createConnection(
      Supplier<? extends P> factory, String host, int port, ConnectOptions options)
      throws IOException {
    return Protocols.connect(factory, host, port, options);
  }

  /**
   * Suspends until connected to a Unix socket, for a protocol of callbacks: as {@link
   * #createConnection(Supplier, String, int)} and {@link #openUnixConnection(Path)} together.
   * Corresponds to {@code loop.create_unix_connection}.
   */
  public static <P extends BaseProtocol<Transport>> Attached<Transport, P> createUnixConnection(
      Supplier<? extends P> factory, Path path) throws IOException {
    return Protocols.connectUnix(factory, path, ConnectOptions.defaults());
  }

  /** Suspends until connected, as {@link #createUnixConnection(Supplier, Path)}. */
  public static <P extends BaseProtocol<Transport>> Attached<Transport, P> createUnixConnection(
      Supplier<? extends P> factory, Path path, ConnectOptions options) throws IOException {
    return Protocols.connectUnix(factory, path, options);
  }

  /**
   * Suspends until a TCP server listens whose connections have protocols of callbacks. Corresponds
   * to {@code loop.create_server(protocol_factory, host, port)}. Its options hold as for {@link
   * #startServer(ConnectionHandler, String, int, ServerOptions)}, and connections stay open until
   * their transport is closed.
   *
   * @param factory makes the protocol of one connection, a {@link dev.weir.protocol.Protocol} or a
   *     {@link dev.weir.protocol.BufferedProtocol}; where it fails, that connection is closed and
   *     the failure reported
   * @return the server, to be closed by the caller
   * @throws IOException if it fails; {@link Server#start} says which exception means what
   * @throws CancelledError if the task is cancelled
   */
  public static Server createServer(
      Supplier<? extends BaseProtocol<Transport>> factory, @Nullable String host, int port)
      throws IOException {
    return createServer(factory, host, port, ServerOptions.defaults());
  }

  /** Suspends until a TCP server listens, as {@link #createServer(Supplier, String, int)}. */
  public static Server createServer(
      Supplier<? extends BaseProtocol<Transport>> factory,
      @Nullable String host,
      int port,
      ServerOptions options)
      throws IOException {
    return createServer(factory, List.of(host == null ? "" : host), port, options);
  }

  /** Suspends until a TCP server listens on several hosts, as {@code create_server} with them. */
  public static Server createServer(
      Supplier<? extends BaseProtocol<Transport>> factory,
      List<String> hosts,
      int port,
      ServerOptions options)
      throws IOException {
    return Protocols.listen(factory, hosts, port, options);
  }

  /**
   * Suspends until a server listens on a Unix socket whose connections have protocols of callbacks:
   * as {@link #createServer(Supplier, String, int)} and {@link #startUnixServer(ConnectionHandler,
   * Path)} together. Corresponds to {@code loop.create_unix_server}.
   */
  public static Server createUnixServer(
      Supplier<? extends BaseProtocol<Transport>> factory, Path path) throws IOException {
    return Protocols.listenUnix(factory, path, ServerOptions.defaults());
  }

  /** Suspends until a server listens, as {@link #createUnixServer(Supplier, Path)}. */
  public static Server createUnixServer(
      Supplier<? extends BaseProtocol<Transport>> factory, Path path, ServerOptions options)
      throws IOException {
    return Protocols.listenUnix(factory, path, options);
  }

  /**
   * Suspends until a connection that somebody else accepted has a protocol of callbacks, with this
   * end as the server. Corresponds to {@code loop.connect_accepted_socket(protocol_factory, sock)}.
   * {@link Connection#adopt} is the same for streams.
   *
   * @param socket connected by TCP; the connection's own from now on, and closed if this fails
   * @return the transport and the protocol
   * @throws IllegalArgumentException if the socket is not connected, or not by TCP
   * @throws UnsupportedOperationException if the loop's network has no sockets
   * @throws IOException if it is closed
   * @throws CancelledError if the task is cancelled; the connection is aborted
   */
  public static <P extends BaseProtocol<Transport>> Attached<Transport, P> connectAcceptedSocket(
      Supplier<? extends P> factory, SocketChannel socket) throws IOException {
    return Protocols.connectAccepted(factory, socket, ServerOptions.defaults());
  }

  /**
   * Suspends as {@link #connectAcceptedSocket(Supplier, SocketChannel)}.
   *
   * @param options what they say of streams holds, and of TLS: it is secured before this returns
   */
  public static <P extends BaseProtocol<Transport>> Attached<Transport, P> connectAcceptedSocket(
      Supplier<? extends P> factory, SocketChannel socket, ServerOptions options)
      throws IOException {
    return Protocols.connectAccepted(factory, socket, options);
  }

  /**
   * Suspends until the connection of a protocol is secured, with this end as the client.
   * Corresponds to {@code loop.start_tls}, but the transport stays the same one. What had arrived
   * and was not told to the protocol counts as the beginning of the handshake; {@code
   * connectionMade} is not called again. If it fails, or the task is cancelled, the connection is
   * aborted.
   *
   * @param transport one of {@link #createConnection(Supplier, String, int)} or {@link
   *     #createServer(Supplier, String, int)}
   * @param serverHostname for whom the server's certificate has to be
   * @return what was agreed on
   * @throws IllegalArgumentException if it is a transport of somebody else's
   * @throws IllegalStateException if it is secured already
   * @throws IOException if it fails; {@link dev.weir.stream.StreamWriter#startTls(ClientTls,
   *     String)} says which exception means what
   * @throws CancelledError if the task is cancelled
   */
  public static TlsSession startTls(Transport transport, ClientTls tls, String serverHostname)
      throws IOException {
    return Protocols.startTls(transport, tls, serverHostname);
  }

  /**
   * Suspends until the connection of a protocol is secured, with this end as the server: the same
   * as {@link #startTls(Transport, ClientTls, String)} but for the side.
   */
  public static TlsSession startTls(Transport transport, ServerTls tls) throws IOException {
    return Protocols.startTls(transport, tls);
  }

  // --- Pipes and the terminal

  /**
   * Suspends until standard input is open as a stream, so that a task can read the user's lines
   * while others run. Corresponds to {@code connect_read_pipe(factory, sys.stdin)}.
   *
   * <pre>{@code
   * try (var input = Asyncio.standardInput()) {
   *   for (byte[] line : input.reader()) {
   *     connection.writer().write(line);
   *   }
   * }
   * }</pre>
   *
   * @return the input, to be closed by the caller
   * @throws IllegalStateException if somebody else in this JVM reads it by this call
   * @throws IOException if it cannot be opened; {@link StandardStreams#input} says more
   */
  public static ReadPipe standardInput() throws IOException {
    return StandardStreams.input(StreamOptions.defaults());
  }

  /**
   * Suspends until standard output is open as a stream. Corresponds to {@code
   * connect_write_pipe(factory, sys.stdout)}.
   *
   * @return the output; closing it flushes it, and leaves {@code System.out} open
   * @throws IOException if it cannot be opened; {@link StandardStreams#output} says more
   */
  public static StreamWriter standardOutput() throws IOException {
    return StandardStreams.output(StreamOptions.defaults());
  }

  /** Suspends until standard error is open as a stream, as {@link #standardOutput}. */
  public static StreamWriter standardError() throws IOException {
    return StandardStreams.error(StreamOptions.defaults());
  }

  /**
   * Suspends until a named pipe is open for reading, which is when somebody has it open for
   * writing. Corresponds to {@code connect_read_pipe}.
   *
   * @return the pipe, to be closed by the caller
   * @throws IllegalArgumentException if it is a regular file or a directory
   * @throws IOException if it fails; {@link NamedPipes#openRead} says which exception means what
   * @throws CancelledError if the task is cancelled; nothing stays open
   */
  public static ReadPipe openReadPipe(Path path) throws IOException {
    return NamedPipes.openRead(path, StreamOptions.defaults());
  }

  /**
   * Suspends until a named pipe is open for writing, which is when somebody has it open for
   * reading. Corresponds to {@code connect_write_pipe}.
   *
   * @return what is written into it, to be closed by the caller
   * @throws IllegalArgumentException if it is a regular file or a directory
   * @throws IOException if it fails; {@link NamedPipes#openWrite} says which exception means what
   * @throws CancelledError if the task is cancelled; nothing stays open
   */
  public static StreamWriter openWritePipe(Path path) throws IOException {
    return NamedPipes.openWrite(path, StreamOptions.defaults());
  }

  // --- Subprocesses

  /**
   * Suspends until a program runs, which has this process's standard streams. Corresponds to {@code
   * create_subprocess_exec(program, *args)}.
   *
   * @return the process, to be closed by the caller
   * @throws IOException if it fails; {@link Subprocess#exec} says which exception means what
   * @throws CancelledError if the task is cancelled; the program is killed
   */
  public static Subprocess createSubprocessExec(String... command) throws IOException {
    return Subprocess.exec(List.of(command), SubprocessOptions.defaults());
  }

  /**
   * Suspends until a program runs, as {@link #createSubprocessExec(String...)}, with pipes, an
   * environment or a directory of its own.
   */
  public static Subprocess createSubprocessExec(List<String> command, SubprocessOptions options)
      throws IOException {
    return Subprocess.exec(command, options);
  }

  /**
   * Suspends until the system's shell runs a script. Corresponds to {@code
   * create_subprocess_shell(cmd)}.
   *
   * @return the process, to be closed by the caller
   * @throws IOException if it fails; {@link Subprocess#exec} says which exception means what
   * @throws CancelledError if the task is cancelled; the shell is killed
   */
  public static Subprocess createSubprocessShell(String script) throws IOException {
    return Subprocess.shell(script, SubprocessOptions.defaults());
  }

  /** Suspends until the system's shell runs a script, as {@link #createSubprocessShell(String)}. */
  public static Subprocess createSubprocessShell(String script, SubprocessOptions options)
      throws IOException {
    return Subprocess.shell(script, options);
  }

  /**
   * Suspends until a program runs, for a protocol of callbacks, with a pipe for each of its
   * standard streams. Corresponds to {@code loop.subprocess_exec(protocol_factory, program,
   * *args)}. The protocol is told {@code connectionMade} before it returns, and runs in a copy of
   * the caller's {@link dev.weir.task.Context}.
   *
   * @param factory makes the protocol, before the program is started
   * @return the transport, whose {@code close()} kills the program, and the protocol
   * @throws IOException if it fails; {@link Subprocess#exec} says which exception means what
   * @throws CancelledError if the task is cancelled; the program is killed
   */
  public static <P extends SubprocessProtocol> Attached<SubprocessTransport, P> subprocessExec(
      Supplier<? extends P> factory, List<String> command) throws IOException {
    return SubprocessProtocols.exec(factory, command, SubprocessOptions.piped());
  }

  /** Suspends until a program runs, as {@link #subprocessExec(Supplier, List)}. */
  public static <P extends SubprocessProtocol> Attached<SubprocessTransport, P> subprocessExec(
      Supplier<? extends P> factory, List<String> command, SubprocessOptions options)
      throws IOException {
    return SubprocessProtocols.exec(factory, command, options);
  }

  /**
   * Suspends until the system's shell runs a script, for a protocol of callbacks, as {@link
   * #subprocessExec(Supplier, List)}. Corresponds to {@code loop.subprocess_shell}.
   */
  public static <P extends SubprocessProtocol> Attached<SubprocessTransport, P> subprocessShell(
      Supplier<? extends P> factory, String script) throws IOException {
    return SubprocessProtocols.shell(factory, script, SubprocessOptions.piped());
  }

  /** Suspends until the system's shell runs a script, as {@link #subprocessShell}. */
  public static <P extends SubprocessProtocol> Attached<SubprocessTransport, P> subprocessShell(
      Supplier<? extends P> factory, String script, SubprocessOptions options) throws IOException {
    return SubprocessProtocols.shell(factory, script, options);
  }

  /**
   * Suspends until a named pipe is open for reading, for a protocol of callbacks; see {@link
   * #openReadPipe}. Corresponds to {@code loop.connect_read_pipe}. With the path {@code /dev/stdin}
   * it is standard input, if that is a pipe or a terminal. The transport writes nothing.
   *
   * @param factory makes the protocol, once the pipe is open
   * @return the transport and the protocol
   * @throws IOException if it fails; {@link NamedPipes#openRead} says which exception means what
   */
  public static <P extends BaseProtocol<Transport>> Attached<Transport, P> connectReadPipe(
      Supplier<? extends P> factory, Path path) throws IOException {
    return SubprocessProtocols.connectReadPipe(factory, path);
  }

  /**
   * Suspends until a named pipe is open for writing, for a protocol of callbacks; see {@link
   * #openWritePipe}. Corresponds to {@code loop.connect_write_pipe}. The transport receives
   * nothing.
   *
   * @param factory makes the protocol, once the pipe is open
   * @return the transport and the protocol
   * @throws IOException if it fails; {@link NamedPipes#openWrite} says which exception means what
   */
  public static <P extends BaseProtocol<Transport>> Attached<Transport, P> connectWritePipe(
      Supplier<? extends P> factory, Path path) throws IOException {
    return SubprocessProtocols.connectWritePipe(factory, path);
  }

  // --- Datagrams

  /**
   * Suspends until a datagram endpoint receives at an address, from everybody.
   *
   * @param host a name of this machine or a literal address, {@code 0.0.0.0} for all of IPv4,
   *     {@code ::} for all of IPv6, and on most systems of IPv4 too
   * @param port from 0, for any that is free, to 65535
   * @return the endpoint, to be closed by the caller
   * @throws IOException if it fails; {@link DatagramEndpoint#open} says which exception means what
   * @throws CancelledError if the task is cancelled
   */
  public static DatagramEndpoint bindDatagramEndpoint(String host, int port) throws IOException {
    return bindDatagramEndpoint(host, port, DatagramOptions.defaults());
  }

  /** Suspends until an endpoint receives, as {@link #bindDatagramEndpoint(String, int)}. */
  public static DatagramEndpoint bindDatagramEndpoint(
      String host, int port, DatagramOptions options) throws IOException {
    return DatagramEndpoint.open(InetSocketAddress.createUnresolved(host, port), null, options);
  }

  /**
   * Suspends until a datagram endpoint is connected: it sends to one address and receives from that
   * only, and learns of it if nobody receives there. Nothing is sent for that.
   *
   * @param host a name or a literal address
   * @param port from 1 to 65535
   * @return the endpoint, to be closed by the caller
   * @throws IOException if it fails; {@link DatagramEndpoint#open} says which exception means what
   * @throws CancelledError if the task is cancelled
   */
  public static DatagramEndpoint connectDatagramEndpoint(String host, int port) throws IOException {
    return connectDatagramEndpoint(host, port, DatagramOptions.defaults());
  }

  /** Suspends until an endpoint is connected, as {@link #connectDatagramEndpoint(String, int)}. */
  public static DatagramEndpoint connectDatagramEndpoint(
      String host, int port, DatagramOptions options) throws IOException {
    return DatagramEndpoint.open(null, InetSocketAddress.createUnresolved(host, port), options);
  }

  /**
   * Suspends until a datagram endpoint is there, with the arguments of {@code
   * create_datagram_endpoint}: with a remote address it is connected, unless the options allow
   * broadcast.
   *
   * @param localAddress where to receive; null for a port that the system chooses
   * @param remoteAddress whom to send to and receive from; null for everybody
   * @return the endpoint, to be closed by the caller
   * @throws IllegalArgumentException if both are null
   * @throws IOException if it fails; {@link DatagramEndpoint#open} says which exception means what
   * @throws CancelledError if the task is cancelled
   */
  public static DatagramEndpoint openDatagramEndpoint(
      @Nullable InetSocketAddress localAddress,
      @Nullable InetSocketAddress remoteAddress,
      DatagramOptions options)
      throws IOException {
    return DatagramEndpoint.open(localAddress, remoteAddress, options);
  }

  /**
   * Suspends until a datagram socket is there that tells a protocol what comes in. Corresponds to
   * {@code create_datagram_endpoint(protocol_factory, local_addr, remote_addr)}.
   *
   * @param protocolFactory makes the protocol, at once
   * @param localAddress where to receive; null for a port that the system chooses
   * @param remoteAddress whom to send to and receive from; null for everybody
   * @return the transport, to be closed by the caller, and the protocol
   * @throws IllegalArgumentException if both addresses are null
   * @throws IOException if it fails; {@link Datagrams#open} says which exception means what
   * @throws CancelledError if the task is cancelled
   */
  public static <P extends DatagramProtocol> Attached<DatagramTransport, P> createDatagramEndpoint(
      Supplier<P> protocolFactory,
      @Nullable InetSocketAddress localAddress,
      @Nullable InetSocketAddress remoteAddress,
      DatagramOptions options)
      throws IOException {
    return Datagrams.open(protocolFactory, localAddress, remoteAddress, options);
  }
}
