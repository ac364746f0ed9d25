package dev.weir.process;

import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What one of a subprocess's standard streams is connected to. Immutable. */
public final class Redirection {
  /** To this process, by a pipe: a stream of the {@link Subprocess}. */
  public static final Redirection PIPE = new Redirection(Kind.PIPE, null);

  /** To what this process's own is connected to. The default. */
  public static final Redirection INHERIT = new Redirection(Kind.INHERIT, null);

  /**
   * To nothing: input is at its end, output is dropped. Corresponds to {@code subprocess.DEVNULL}.
   */
  public static final Redirection DISCARD = new Redirection(Kind.DISCARD, null);

  /** For standard error only: to where standard output goes. */
  public static final Redirection STDOUT = new Redirection(Kind.STDOUT, null);

  enum Kind {
    PIPE,
    INHERIT,
    DISCARD,
    STDOUT,
    FILE,
    APPEND
  }

  private final Kind kind;
  private final @Nullable Path file;

  private Redirection(Kind kind, @Nullable Path file) {
    this.kind = kind;
    this.file = file;
  }

  /**
   * {@return a redirection from a file, or for output to a file, which is made if there is none and
   * else emptied}
   */
  public static Redirection file(Path file) {
    return new Redirection(Kind.FILE, Objects.requireNonNull(file, "file"));
  }

  /** {@return a redirection of output to the end of a file, which is made if there is none} */
  public static Redirection append(Path file) {
    return new Redirection(Kind.APPEND, Objects.requireNonNull(file, "file"));
  }

  Kind kind() {
    return kind;
  }

  /** {@return the file of a {@link Kind#FILE} or {@link Kind#APPEND}} */
  Path path() {
    return Objects.requireNonNull(file);
  }

  @Override
  public String toString() {
    return file == null ? kind.toString() : kind + " " + file;
  }
}
