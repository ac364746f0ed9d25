package dev.weir.protocol;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A subprocess and its pipes, as {@code asyncio.SubprocessTransport}. {@link #close} closes the
 * pipes and kills the process if it still runs; {@link SubprocessProtocol#processExited} and {@link
 * SubprocessProtocol#connectionLost} follow.
 */
public interface SubprocessTransport extends BaseTransport {
  /** {@return its process id} */
  long pid();

  /**
   * {@return its exit status, or the number of the signal that killed it, negative; null while it
   * runs} Corresponds to {@code get_returncode()}; {@link dev.weir.process.Subprocess#returnCode}
   * says what the JVM does not tell apart.
   */
  @Nullable Integer returnCode();

  /**
   * {@return the transport of one of its pipes: a {@link WriteTransport} for 0, its standard input,
   * a {@link ReadTransport} for 1 and 2, its output and error; null if that is no pipe} Corresponds
   * to {@code get_pipe_transport(fd)}.
   *
   * @throws IllegalArgumentException for another number
   */
  @Nullable BaseTransport pipeTransport(int descriptor);

  /**
   * {@return the transport of its standard input}
   *
   * @throws IllegalStateException if that is no pipe
   */
  WriteTransport stdin();

  /**
   * Sends it a signal; see {@link dev.weir.process.Subprocess#sendSignal}. Other than {@code TERM}
   * and {@code KILL} it suspends, and so needs a task.
   *
   * @throws dev.weir.process.NoSuchProcessException if the process has ended
   * @throws IllegalArgumentException if there is no such signal, or it may not be sent
   * @throws IOException if there is no program {@code kill}
   */
  void sendSignal(String signal) throws IOException;

  /**
   * Asks it to end, by SIGTERM.
   *
   * @throws dev.weir.process.NoSuchProcessException if the process has ended
   */
  void terminate();

  /**
   * Kills it, by SIGKILL.
   *
   * @throws dev.weir.process.NoSuchProcessException if the process has ended
   */
  void kill();
}
