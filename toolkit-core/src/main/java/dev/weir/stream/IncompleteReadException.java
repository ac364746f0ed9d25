package dev.weir.stream;

import java.io.EOFException;

/** The stream ended before a read had all it asked for, as {@code asyncio.IncompleteReadError}. */
public final class IncompleteReadException extends EOFException {
  private static final long serialVersionUID = 1;

  /** What {@link #expected} returns where the length was not known beforehand. */
  public static final int UNKNOWN = -1;

  private final byte[] partial;
  private final int expected;

  /**
   * Creates an exception.
   *
   * @param partial what had arrived
   * @param expected how many bytes were asked for, or {@link #UNKNOWN}
   */
  public IncompleteReadException(byte[] partial, int expected) {
    super(
        partial.length
            + " bytes read on a total of "
            + (expected == UNKNOWN ? "undefined" : expected)
            + " expected bytes");
    this.partial = partial.clone();
    this.expected = expected;
  }

  /** {@return what had arrived; it is no longer in the stream} */
  public byte[] partial() {
    return partial.clone();
  }

  /** {@return how many bytes were asked for, or {@link #UNKNOWN} when reading up to a separator} */
  public int expected() {
    return expected;
  }
}
