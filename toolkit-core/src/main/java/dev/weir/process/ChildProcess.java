package dev.weir.process;

import dev.weir.pipe.PipeTransports;
import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import dev.weir.task.Attachment;
import dev.weir.task.CancelledError;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A child of this process and the transports of its pipes, without streams: what {@link Subprocess}
 * and the callback API stand on. For those who write a third of that kind; programs have {@code
 * Asyncio.createSubprocessExec} and {@code Asyncio.subprocessExec}. On the loop only.
 *
 * <p>The child is killed when its loop closes. The JDK reaps it, whoever waits for it.
 */
public final class ChildProcess {
  private static final Pattern SIGNAL_NAME = Pattern.compile("[A-Z][A-Z0-9+-]*|\\d+");

  private final Loop loop;
  private final Attachment attachment;
  private final Process process;
  private final ProcessHandle handle;
  private final Events events;
  private final @Nullable Transport stdin;
  private final @Nullable Transport stdout;
  private final @Nullable Transport stderr;

  private @Nullable Integer returnCode;
  private boolean closed;
  private final List<Future<@Nullable Void>> waiters = new ArrayList<>();

  /** What is told of a child. Called on the loop, in no task. */
  public interface Events {
    /**
     * {@return who is told of a pipe}
     *
     * @param descriptor 0 for the child's standard input, 1 for its output, 2 for its error
     */
    TransportProtocol protocol(int descriptor);

    /** The child has ended; what it wrote may still arrive. */
    void exited();
  }

  private ChildProcess(Loop loop, Attachment attachment, Launch launch, Events events) {
    this.loop = loop;
    this.attachment = attachment;
    this.process = launch.process();
    this.handle = process.toHandle();
    this.events = events;
    @Nullable Transport[] made = pipes(loop, launch, events);
    this.stdin = made[0];
    this.stdout = made[1];
    this.stderr = made[2];
  }

  /** Makes the transports of its pipes: all of them, or none that holds anything. */
  private static @Nullable Transport[] pipes(Loop loop, Launch launch, Events events) {
    String name = " of process " + launch.process().pid();
    @Nullable Transport[] made = new Transport[3];
    boolean complete = false;
    try {
      if (launch.stdin() != null) {
        made[0] = PipeTransports.writing(loop, "stdin" + name, launch.stdin(), events.protocol(0));
      }
      if (launch.stdout() != null) {
        made[1] =
            PipeTransports.reading(loop, "stdout" + name, launch.stdout(), events.protocol(1));
      }
      if (launch.stderr() != null) {
        made[2] =
            PipeTransports.reading(loop, "stderr" + name, launch.stderr(), events.protocol(2));
      }
      complete = true;
      return made;
    } finally {
      if (!complete) {
        for (Transport transport : made) {
          if (transport != null) {
            transport.abort();
          }
        }
      }
    }
  }

  // --- Starting

  /**
   * Suspends until a program runs.
   *
   * @throws IOException if it cannot be started; {@link Subprocess#exec} says which exception means
   *     what
   * @throws CancelledError if the task is cancelled; the program is killed if it runs by then
   */
  public static ChildProcess start(List<String> command, SubprocessOptions options, Events events)
      throws IOException {
    List<String> checked = checked(command);
    Objects.requireNonNull(options, "options");
    Objects.requireNonNull(events, "events");
    Loop loop = Loop.running();
    loop.ensureMaySuspend("createSubprocess()");
    Starting starting = new Starting(loop, checked.getFirst());
    Launch launch = starting.await(checked, options);
    ChildProcess child = null;
    try {
      child = new ChildProcess(loop, starting.attachment, launch, events);
      starting.child = child;
      child.watch();
      return child;
    } finally {
      if (child == null) { // There can be no thread more, say.
        launch.discard();
        starting.attachment.detach();
      }
    }
  }

  private static List<String> checked(List<String> command) {
    if (command.isEmpty()) {
      throw new IllegalArgumentException("The command is empty: write a program and its arguments");
    }
    for (String word : command) {
      if (word.indexOf('\0') >= 0) {
        throw new IllegalArgumentException(
            "There is a NUL in a word of the command, where no program can see it: '"
                + word.replace("\0", "\\0")
                + "'");
      }
    }
    return List.copyOf(command);
  }

  /**
   * A program that is being started, on a worker. It may be there when nobody wants it any more.
   */
  private static final class Starting {
    private static final Object GIVEN_UP = new Object();

    private final Loop loop;
    private final Attachment attachment;

    /** What was started, if it was; or {@link #GIVEN_UP}. Whoever comes second acts. */
    private final AtomicReference<@Nullable Object> state = new AtomicReference<>();

    /** What it became. */
    private @Nullable ChildProcess child;

    Starting(Loop loop, String program) {
      this.loop = loop;
      this.attachment = loop.attach("subprocess " + program, this::loopEnds);
    }

    /** What a worker brought; a failure too, which nobody may be waiting for. */
    private record Outcome(@Nullable Launch launch, @Nullable IOException failure) {}

    Launch await(List<String> command, SubprocessOptions options) throws IOException {
      Launch launched = null;
      try {
        Outcome outcome = loop.runInExecutor(() -> start(command, options)).await();
        if (outcome.failure() != null) {
          throw outcome.failure();
        }
        launched = Objects.requireNonNull(outcome.launch());
      } finally {
        if (launched == null) {
          giveUp();
          attachment.detach();
        }
      }
      return launched;
    }

    private Outcome start(List<String> command, SubprocessOptions options) {
      try {
        Launch launch = Launch.start(command, options);
        if (!state.compareAndSet(null, launch)) {
          launch.discard();
        }
        return new Outcome(launch, null);
      } catch (IOException e) {
        return new Outcome(null, e);
      }
    }

    private void giveUp() {
      if (state.getAndSet(GIVEN_UP) instanceof Launch launch) {
        launch.discard();
      }
    }

    private void loopEnds(long deadlineNanos) {
      if (child == null) {
        giveUp();
      } else {
        child.handle.destroyForcibly();
      }
    }
  }

  // --- The end

  private void watch() {
    var _ = process.onExit().thenRun(() -> attachment.submit(this::exited));
  }

  private void exited() {
    returnCode = ReturnCodes.of(process.exitValue());
    attachment.detach();
    if (stdin != null) {
      PipeTransports.readerEnded(stdin);
    }
    for (Future<@Nullable Void> waiter : waiters) {
      if (!waiter.done()) {
        waiter.setResult(null);
      }
    }
    events.exited();
  }

  /** Suspends until the child has ended, and returns its {@link #returnCode}. */
  public int awaitExit() {
    loop.ensureInTask("Subprocess.awaitExit()");
    while (returnCode == null) {
      Future<@Nullable Void> exit = loop.createFuture(this);
      waiters.add(exit);
      try {
        exit.await();
      } finally {
        waiters.remove(exit);
      }
    }
    return returnCode;
  }

  /** {@return its return code, negative for a signal; null while it runs} */
  public @Nullable Integer returnCode() {
    loop.ensureHeld("Subprocess.returnCode()");
    return returnCode;
  }

  /** {@return its process id; any thread may ask} */
  public long pid() {
    return process.pid();
  }

  /** {@return the loop it belongs to} */
  public Loop loop() {
    return loop;
  }

  /** {@return the transport of a pipe; null if that standard stream is none} */
  public @Nullable Transport transport(int descriptor) {
    loop.ensureHeld("Subprocess.transport()");
    return switch (descriptor) {
      case 0 -> stdin;
      case 1 -> stdout;
      case 2 -> stderr;
      default -> throw new IllegalArgumentException("not 0, 1 or 2: descriptor " + descriptor);
    };
  }

  // --- Signals

  /**
   * Asks it to end, by SIGTERM.
   *
   * @throws NoSuchProcessException if it has ended
   */
  public void terminate() {
    ensureRuns("Subprocess.terminate()");
    handle.destroy();
  }

  /**
   * Kills it, by SIGKILL.
   *
   * @throws NoSuchProcessException if it has ended
   */
  public void kill() {
    ensureRuns("Subprocess.kill()");
    handle.destroyForcibly();
  }

  /** Sends it a signal; see {@link Subprocess#sendSignal}. */
  public void sendSignal(String signal) throws IOException {
    String name = signal.toUpperCase(Locale.ROOT);
    name = name.startsWith("SIG") ? name.substring(3) : name;
    if (!SIGNAL_NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("no signal: '" + signal + "'; write its name, as USR1");
    }
    switch (name) {
      case "TERM", "15" -> terminate();
      case "KILL", "9" -> kill();
      default -> sendByProgram(name);
    }
  }

  private void sendByProgram(String name) throws IOException {
    loop.ensureMaySuspend("Subprocess.sendSignal()");
    ensureRuns("Subprocess.sendSignal()");
    KillProgram.Answer answer = loop.runInExecutor(() -> KillProgram.send(handle, name)).await();
    switch (answer) {
      case KillProgram.Answer.Sent _ -> {}
      case KillProgram.Answer.Gone _ -> throw gone("Subprocess.sendSignal()");
      case KillProgram.Answer.Refused(String reason) ->
          throw new IllegalArgumentException("The signal '" + name + "' was refused: " + reason);
      case KillProgram.Answer.Failed(IOException failure) ->
          throw new IOException("The program that sends signals cannot be run", failure);
    }
  }

  private void ensureRuns(String call) {
    loop.ensureHeld(call);
    if (returnCode != null) {
      throw gone(call);
    }
  }

  private NoSuchProcessException gone(String call) {
    return new NoSuchProcessException(
        call
            + ": process "
            + pid()
            + " has ended"
            + (returnCode == null ? "" : ", with " + returnCode));
  }

  // --- Closing

  /** Closes its pipes, and kills it if it runs. Never waits, never throws. */
  public void close() {
    if (closed || loop.isClosed()) {
      return;
    }
    loop.ensureHeld("Subprocess.close()");
    closed = true;
    if (returnCode == null) {
      handle.destroyForcibly();
    }
    if (stdin != null) {
      stdin.abort(); // Nobody is there to read what is unsent.
    }
    if (stdout != null) {
      stdout.close();
    }
    if (stderr != null) {
      stderr.close();
    }
  }

  /** {@return whether it was closed} */
  public boolean isClosing() {
    return closed;
  }

  @Override
  public String toString() {
    return "process " + pid() + (returnCode == null ? ", running" : ", ended with " + returnCode);
  }
}
