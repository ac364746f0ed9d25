package dev.weir.process;

import dev.weir.stream.StreamOptions;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** How a subprocess is started. Immutable: each {@code with} returns a copy. */
public final class SubprocessOptions {
  private static final SubprocessOptions DEFAULTS = new SubprocessOptions();

  // Set by the withers before anybody sees the copy, and never again.

  private Redirection stdin = Redirection.INHERIT;
  private Redirection stdout = Redirection.INHERIT;
  private Redirection stderr = Redirection.INHERIT;
  private Map<String, @Nullable String> environment = Map.of();
  private @Nullable Path workingDirectory;
  private StreamOptions stream = StreamOptions.defaults();

  private SubprocessOptions() {}

  private SubprocessOptions(SubprocessOptions copied) {
    stdin = copied.stdin;
    stdout = copied.stdout;
    stderr = copied.stderr;
    environment = copied.environment;
    workingDirectory = copied.workingDirectory;
    stream = copied.stream;
  }

  /** {@return the defaults: everything is inherited} */
  public static SubprocessOptions defaults() {
    return DEFAULTS;
  }

  /** {@return the defaults with a pipe for each of the three standard streams} */
  public static SubprocessOptions piped() {
    return DEFAULTS
        .withStdin(Redirection.PIPE)
        .withStdout(Redirection.PIPE)
        .withStderr(Redirection.PIPE);
  }

  /** {@return what its standard input is connected to} */
  public Redirection stdin() {
    return stdin;
  }

  /**
   * {@return these options with another standard input}
   *
   * @throws IllegalArgumentException if it is one for output only
   */
  public SubprocessOptions withStdin(Redirection stdin) {
    if (stdin.kind() == Redirection.Kind.STDOUT || stdin.kind() == Redirection.Kind.APPEND) {
      throw new IllegalArgumentException(
          "stdin cannot be " + stdin + ": PIPE, INHERIT, DISCARD or file(path)");
    }
    SubprocessOptions copy = new SubprocessOptions(this);
    copy.stdin = stdin;
    return copy;
  }

  /** {@return what its standard output is connected to} */
  public Redirection stdout() {
    return stdout;
  }

  /**
   * {@return these options with another standard output}
   *
   * @throws IllegalArgumentException if it is {@link Redirection#STDOUT}, which is for stderr
   */
  public SubprocessOptions withStdout(Redirection stdout) {
    if (stdout.kind() == Redirection.Kind.STDOUT) {
      throw new IllegalArgumentException(
          "stdout cannot be STDOUT, which is for stderr: PIPE, INHERIT, DISCARD, file(path) or"
              + " append(path)");
    }
    SubprocessOptions copy = new SubprocessOptions(this);
    copy.stdout = stdout;
    return copy;
  }

  /** {@return what its standard error is connected to} */
  public Redirection stderr() {
    return stderr;
  }

  /** {@return these options with another standard error} */
  public SubprocessOptions withStderr(Redirection stderr) {
    SubprocessOptions copy = new SubprocessOptions(this);
    copy.stderr = Objects.requireNonNull(stderr, "stderr");
    return copy;
  }

  /** {@return how its environment differs from this process's; null for a name it does not have} */
  public Map<String, @Nullable String> environment() {
    return environment;
  }

  /**
   * {@return these options with one more change to the environment, which is this process's else}
   *
   * @param value null to take the variable out
   * @throws IllegalArgumentException if the name is empty, or there is a NUL in it or in the value,
   *     or a {@code =} in the name
   */
  public SubprocessOptions withEnvironment(String name, @Nullable String value) {
    if (name.isEmpty()
        || name.contains("=")
        || name.contains("\0")
        || (value != null && value.contains("\0"))) {
      throw new IllegalArgumentException(
          "no variable of an environment: '" + name + "', with the value '" + value + "'");
    }
    Map<String, @Nullable String> changed = new HashMap<>(environment);
    changed.put(name, value);
    SubprocessOptions copy = new SubprocessOptions(this);
    copy.environment = Collections.unmodifiableMap(changed);
    return copy;
  }

  /** {@return where it is started; null for where this process was} */
  public @Nullable Path workingDirectory() {
    return workingDirectory;
  }

  /** {@return these options with another working directory} */
  public SubprocessOptions withWorkingDirectory(Path workingDirectory) {
    SubprocessOptions copy = new SubprocessOptions(this);
    copy.workingDirectory = Objects.requireNonNull(workingDirectory, "workingDirectory");
    return copy;
  }

  /** {@return what the streams of its pipes buffer} */
  public StreamOptions stream() {
    return stream;
  }

  /** {@return these options with other buffers for its pipes} */
  public SubprocessOptions withStream(StreamOptions stream) {
    SubprocessOptions copy = new SubprocessOptions(this);
    copy.stream = Objects.requireNonNull(stream, "stream");
    return copy;
  }

  @Override
  public String toString() {
    return "SubprocessOptions[stdin "
        + stdin
        + ", stdout "
        + stdout
        + ", stderr "
        + stderr
        + ", environment changed: "
        + environment.keySet() // Not the values: there are secrets among such.
        + ", in "
        + (workingDirectory == null ? "the same directory" : workingDirectory)
        + ", "
        + stream
        + "]";
  }
}
