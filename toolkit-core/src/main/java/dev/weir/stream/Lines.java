package dev.weir.stream;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * Iterates over a stream's lines. Reads ahead by the one line that {@code hasNext} must know of.
 */
final class Lines<T> implements Iterator<T> {
  /** Reads a line, or returns null at the end of the stream. */
  interface Reading<T> {
    @Nullable T read() throws IOException;
  }

  private final Reading<T> reading;
  private @Nullable T next;

  Lines(Reading<T> reading) {
    this.reading = reading;
  }

  @Override
  public boolean hasNext() {
    if (next == null) {
      try {
        next = reading.read();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return next != null;
  }

  @Override
  public T next() {
    T line = hasNext() ? next : null;
    if (line == null) {
      throw new NoSuchElementException("the stream has ended");
    }
    next = null;
    return line;
  }
}
