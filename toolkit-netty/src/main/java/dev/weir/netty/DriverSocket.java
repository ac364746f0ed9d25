package dev.weir.netty;

/** A socket of a loop that its I/O fiber looks after. Called on the I/O fiber. */
interface DriverSocket {
  /** Does what tasks asked for since the last round. */
  void flush();

  /** Drops what is unsent and closes at once. */
  void abort();

  /** {@return whether it was closed and is not done with sending} */
  boolean isFlushing();

  /** The loop ends now. */
  void endWithLoop();

  /** {@return which one it is and what it has not sent, for a report} */
  String describe();
}
