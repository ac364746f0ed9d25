package dev.weir.task;

import org.jspecify.annotations.Nullable;

/**
 * A signal ended the main task: what {@code Asyncio.run} throws in place of the {@link
 * CancelledError} when {@link RunOptions#handleSignals} is on, as asyncio raises {@code
 * KeyboardInterrupt}.
 *
 * <p>Thrown by a task or a callback, which happens where that runs a loop of its own on another
 * thread, it ends the run of the loop at once and is thrown to whoever runs it.
 */
public final class SignalException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final String signal;
  private final int number;

  /**
   * Creates an exception.
   *
   * @param signal the signal's name without its prefix, {@code INT} for instance
   * @param number the signal's number
   */
  public SignalException(String signal, int number, @Nullable Throwable cause) {
    super("ended by SIG" + signal, cause);
    this.signal = signal;
    this.number = number;
  }

  /** {@return the signal's name without its prefix, {@code INT} or {@code TERM}} */
  public String signal() {
    return signal;
  }

  /**
   * {@return the exit status a shell expects of a program ended by this signal: 128 and the
   * signal's number}
   */
  public int exitStatus() {
    return 128 + number;
  }
}
