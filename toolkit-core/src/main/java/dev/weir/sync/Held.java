package dev.weir.sync;

/**
 * Something acquired, to be released at the end of a {@code try} block; as {@code async with}.
 *
 * <pre>{@code
 * try (var _ = lock.hold()) {
 *   // Nobody else is here.
 * }
 * }</pre>
 */
public final class Held implements AutoCloseable {
  private final Runnable release;
  private boolean closed;

  Held(Runnable release) {
    this.release = release;
  }

  /** Releases it. A second call has no effect. Never suspends. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      release.run();
    }
  }

  @Override
  public String toString() {
    return "Held[" + (closed ? "released]" : "]");
  }
}
