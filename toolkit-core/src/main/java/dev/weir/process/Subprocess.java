package dev.weir.process;

import dev.weir.spi.TransportProtocol;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.LimitOverrunException;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.stream.TransportStreams;
import dev.weir.task.CancelledError;
import dev.weir.task.ExceptionGroup;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.task.TaskGroup;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A program that runs beside this one, as {@code asyncio.subprocess.Process}. Its scope is a {@code
 * try} block, at whose end it is killed if it still runs:
 *
 * <pre>{@code
 * SubprocessOptions options = SubprocessOptions.defaults().withStdout(Redirection.PIPE);
 * try (Subprocess git = Asyncio.createSubprocessExec(List.of("git", "log"), options)) {
 *   for (byte[] line : git.stdout()) {
 *     ...
 *   }
 * }
 * }</pre>
 *
 * <p>A pipe holds little, so a program whose output nobody reads waits, and so does whoever waits
 * for it: where both input and output are pipes, {@link #communicate} does all at once.
 *
 * <p>Only tasks and callbacks of its loop may use it; elsewhere its calls throw {@link
 * IllegalStateException}.
 */
public final class Subprocess implements AutoCloseable {
  /** How much input is handed to the writer at once: it copies what it is given. */
  private static final int INPUT_CHUNK_BYTES = 64 * 1024;

  private static final byte[] NOTHING = {};

  private final ChildProcess child;
  private final Pipes pipes;

  /** What {@link #communicate} has read of an output to its end, if it could not return it yet. */
  private final byte[] @Nullable [] collected = new byte[3][];

  /** Its pipes' streams. */
  private static final class Pipes implements ChildProcess.Events {
    private final Loop loop = Loop.running();
    private final SubprocessOptions options;
    private final @Nullable TransportStreams[] streams = new TransportStreams[3];

    Pipes(SubprocessOptions options) {
      this.options = options;
    }

    @Override
    public TransportProtocol protocol(int descriptor) {
      TransportStreams made = new TransportStreams(loop, options.stream());
      streams[descriptor] = made;
      return made.protocol();
    }

    @Override
    public void exited() {}
  }

  private Subprocess(ChildProcess child, Pipes pipes) {
    this.child = child;
    this.pipes = pipes;
  }

  /**
   * Suspends until a program runs. It is started on a thread of the loop's default executor.
   *
   * @param command the program, by its path or its name in {@code PATH}, and its arguments, each as
   *     it is
   * @return the process, to be closed by the caller
   * @throws java.nio.file.NoSuchFileException if there is no such program, working directory or
   *     file to redirect from
   * @throws java.nio.file.AccessDeniedException if the program may not be executed
   * @throws java.nio.file.NotDirectoryException if the working directory is none
   * @throws IOException if it cannot be started for another reason
   * @throws IllegalArgumentException if the command is empty, or has a NUL in a word
   * @throws CancelledError if the task is cancelled; a program that has started by then is killed
   */
  public static Subprocess exec(List<String> command, SubprocessOptions options)
      throws IOException {
    Objects.requireNonNull(options, "options");
    Pipes pipes = new Pipes(options);
    return new Subprocess(ChildProcess.start(command, options, pipes), pipes);
  }

  /**
   * Suspends until the system's shell runs {@code script}: {@code /bin/sh -c}. What the script is
   * made of must be quoted by the caller. The process is the shell; to kill it does not kill what
   * it has started, unless that is all it does and the shell {@code exec}s it.
   *
   * @return the process, to be closed by the caller
   * @throws IOException as {@link #exec}
   */
  public static Subprocess shell(String script, SubprocessOptions options) throws IOException {
    return exec(shellCommand(script), options);
  }

  /** {@return the command that has the system's shell run {@code script}} Any thread. */
  public static List<String> shellCommand(String script) {
    Objects.requireNonNull(script, "script");
    boolean windows = System.getProperty("os.name").startsWith("Windows");
    return windows ? List.of("cmd.exe", "/c", script) : List.of("/bin/sh", "-c", script);
  }

  // --- Its streams

  /**
   * {@return what writes to its standard input} {@link StreamWriter#writeEof} ends that, and then
   * waits for the program to take all of it; {@code close()} does so for 10 s. A write after the
   * program has closed its input or ended throws {@link ConnectionResetException}; also if another
   * that it started would read on: the pipe ends with the program, once all is sent.
   *
   * @throws IllegalStateException if that is no pipe
   */
  public StreamWriter stdin() {
    return streams(0, "stdin").writer();
  }

  /**
   * {@return its standard output} It ends when the program has ended, and so has everything that
   * inherited it from the program.
   *
   * @throws IllegalStateException if that is no pipe
   */
  public StreamReader stdout() {
    return streams(1, "stdout").reader();
  }

  /**
   * {@return its standard error} It ends as {@link #stdout} does.
   *
   * @throws IllegalStateException if that is no pipe
   */
  public StreamReader stderr() {
    return streams(2, "stderr").reader();
  }

  private TransportStreams streams(int descriptor, String name) {
    TransportStreams streams = pipes.streams[descriptor];
    if (streams == null) {
      throw new IllegalStateException(
          name
              + " of "
              + this
              + " is no pipe: start it with SubprocessOptions.defaults().with"
              + name.substring(0, 1).toUpperCase(Locale.ROOT)
              + name.substring(1)
              + "(Redirection.PIPE)");
    }
    return streams;
  }

  // --- Waiting

  /** {@return its process id; any thread may ask} */
  public long pid() {
    return child.pid();
  }

  /**
   * {@return its exit status, or the number of the signal that killed it, negative; null while it
   * runs, as far as the loop knows} Corresponds to {@code returncode}.
   *
   * <p>The JVM does not tell a program that was killed by signal <i>n</i> from one that called
   * {@code exit(128 + }<i>n</i>{@code )}, as a shell does whose child was killed so: both are
   * &minus;<i>n</i> here.
   */
  public @Nullable Integer returnCode() {
    return child.returnCode();
  }

  /**
   * Suspends until the program has ended. Any number of tasks may wait. What it wrote stays to be
   * read, also what programs write that it has left behind. Corresponds to {@code wait()}.
   *
   * @return its {@link #returnCode}
   * @throws CancelledError if the task is cancelled; the program goes on
   */
  public int awaitExit() {
    return child.awaitExit();
  }

  /** The same as {@link #communicate(byte[], int)} without input, with at most 16 MiB of output. */
  public ProcessOutput communicate() throws IOException {
    return communicate(NOTHING);
  }

  /** The same as {@link #communicate(byte[], int)} with at most 16 MiB of each output. */
  public ProcessOutput communicate(byte[] input) throws IOException {
    return communicate(input, StreamReader.READ_ALL_BYTES_MAX);
  }

  /**
   * Writes {@code input} and ends it, reads what the program says to the end, all at the same time,
   * and suspends until it has ended. That the program does not want all of the input is no error.
   *
   * <p>If the task is cancelled, the program goes on. Its input may have been written in part. What
   * it said stays to be read by calling this again without input; an output that had come to its
   * end by then is only to be had so. The same holds for failures but {@link
   * LimitOverrunException}.
   *
   * @param outputMax the most bytes of standard output, and of standard error
   * @return what it said
   * @throws LimitOverrunException if there is more; the program is killed
   * @throws IllegalArgumentException if {@code outputMax} is negative
   * @throws IllegalStateException if there is input and standard input is no pipe, or another task
   *     reads its output
   * @throws IOException if its output cannot be read
   * @throws CancelledError if the task is cancelled
   */
  public ProcessOutput communicate(byte[] input, int outputMax) throws IOException {
    child.loop().ensureInTask("Subprocess.communicate()");
    if (outputMax < 0) {
      throw new IllegalArgumentException("outputMax < 0: " + outputMax);
    }
    if (input.length > 0) {
      stdin(); // Refuses if it is no pipe.
    }
    ProcessOutput output;
    try {
      output = new TaskGroup().call(group -> exchange(group, input, outputMax));
      awaitExit();
    } catch (ExceptionGroup e) {
      if (e.exceptions().stream().anyMatch(LimitOverrunException.class::isInstance)) {
        killIfRunning();
      }
      throw firstOf(e);
    }
    Arrays.fill(collected, null);
    return output;
  }

  private ProcessOutput exchange(TaskGroup group, byte[] input, int outputMax) {
    if (pipes.streams[0] != null) {
      group.createTask(() -> feed(pipes.streams[0].writer(), input), "stdin of " + this);
    }
    Task<byte[]> errors = group.createTask(() -> readAll(2, outputMax), "stderr of " + this);
    Task<byte[]> output = group.createTask(() -> readAll(1, outputMax), "stdout of " + this);
    return new ProcessOutput(output.await(), errors.await());
  }

  private byte[] readAll(int descriptor, int bytesMax) throws IOException {
    TransportStreams streams = pipes.streams[descriptor];
    if (streams == null) {
      return NOTHING;
    }
    byte[] read = collected[descriptor];
    if (read == null) {
      read = streams.reader().readAll(bytesMax);
      collected[descriptor] = read;
    } else if (read.length > bytesMax) {
      throw new LimitOverrunException(
          "The output is " + read.length + " bytes long, more than " + bytesMax, bytesMax);
    }
    return read;
  }

  private static void feed(StreamWriter writer, byte[] input) throws IOException {
    try {
      for (int offset = 0; offset < input.length; offset += INPUT_CHUNK_BYTES) {
        writer.write(input, offset, Math.min(INPUT_CHUNK_BYTES, input.length - offset));
      }
      writer.writeEof();
    } catch (ConnectionResetException e) {
      // It has all it wanted.
    }
  }

  /**
   * {@return what failed first, as it is} The tasks of the group that it ended are not in there.
   */
  private static IOException firstOf(ExceptionGroup group) {
    Throwable first = group.exceptions().getFirst();
    return switch (first) {
      case IOException e -> e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> new IOException(first);
    };
  }

  // --- Signals

  /**
   * Sends it a signal. {@code TERM} and {@code KILL} are sent at once. Any other is sent by the
   * program {@code kill}: the call suspends, and a callback cannot make it; it makes a task that
   * does. If the process ends just then, another that got its number may receive the signal.
   *
   * @param signal its name, as {@code USR1}, with or without {@code SIG}, in any case; or its
   *     number
   * @throws NoSuchProcessException if the process has ended
   * @throws IllegalArgumentException if there is no such signal, or it may not be sent
   * @throws IOException if there is no program {@code kill}
   */
  public void sendSignal(String signal) throws IOException {
    child.sendSignal(signal);
  }

  /**
   * Asks it to end, by SIGTERM. Never suspends.
   *
   * @throws NoSuchProcessException if it has ended
   */
  public void terminate() {
    child.terminate();
  }

  /**
   * Kills it, by SIGKILL. Never suspends.
   *
   * @throws NoSuchProcessException if it has ended
   */
  public void kill() {
    child.kill();
  }

  private void killIfRunning() {
    if (child.returnCode() == null) {
      child.kill();
    }
  }

  // --- Closing

  /**
   * Closes its pipes, dropping what is unsent, and kills it if it still runs. What has been
   * received can still be read. Never waits and never throws; a second call has no effect. {@link
   * #awaitExit} waits for the end, for those who want to know of it.
   */
  @Override
  public void close() {
    child.close();
  }

  @Override
  public String toString() {
    return "Subprocess[" + child + "]";
  }
}
