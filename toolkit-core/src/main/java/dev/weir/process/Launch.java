package dev.weir.process;

import dev.weir.process.Redirection.Kind;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.channels.Channel;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A program that was started, and this process's ends of its pipes. Starting blocks; any thread.
 *
 * @param stdin null if it is no pipe, as the others
 */
record Launch(
    Process process,
    @Nullable WritableByteChannel stdin,
    @Nullable ReadableByteChannel stdout,
    @Nullable ReadableByteChannel stderr) {
  /** How the JDK says why a program could not be run. */
  private static final Pattern ERRNO = Pattern.compile("error[=:] ?(\\d+)");

  private static final int ENOENT = 2;
  private static final int EACCES = 13;

  /** Starts a program. */
  static Launch start(List<String> command, SubprocessOptions options) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command);
    Path directory = options.workingDirectory();
    if (directory != null) {
      ensureDirectory(directory);
      builder.directory(directory.toFile());
    }
    changeEnvironment(builder.environment(), options.environment());
    try (Ends ends = new Ends()) {
      ends.in = ends.piped(options.stdin());
      ends.out = ends.piped(options.stdout());
      ends.err = ends.piped(options.stderr());
      builder.redirectInput(
          ends.in == null ? input(options.stdin()) : Redirect.from(file(ends.in)));
      builder.redirectOutput(
          ends.out == null ? output(options.stdout()) : Redirect.to(file(ends.out)));
      if (options.stderr().kind() == Kind.STDOUT) {
        builder.redirectErrorStream(true);
      } else {
        builder.redirectError(
            ends.err == null ? output(options.stderr()) : Redirect.to(file(ends.err)));
      }
      Process process;
      try {
        process = builder.start();
      } catch (IOException e) {
        throw explained(e, command.getFirst());
      }
      return ends.handOut(process, options);
    }
  }

  private static File file(ChildPipe pipe) {
    return pipe.path().toFile();
  }

  private static Redirect input(Redirection redirection) {
    return switch (redirection.kind()) {
      case PIPE -> Redirect.PIPE;
      case INHERIT -> Redirect.INHERIT;
      case DISCARD -> Redirect.from(Redirect.DISCARD.file());
      case FILE -> Redirect.from(redirection.path().toFile());
      case STDOUT, APPEND -> throw new AssertionError(redirection); // Refused by the options.
    };
  }

  private static Redirect output(Redirection redirection) {
    return switch (redirection.kind()) {
      case PIPE -> Redirect.PIPE;
      case INHERIT -> Redirect.INHERIT;
      case DISCARD -> Redirect.DISCARD;
      case FILE -> Redirect.to(redirection.path().toFile());
      case APPEND -> Redirect.appendTo(redirection.path().toFile());
      case STDOUT -> throw new AssertionError(redirection); // Refused by the options.
    };
  }

  private static void changeEnvironment(
      Map<String, String> environment, Map<String, @Nullable String> changes) {
    changes.forEach((name, value) -> {
      if (value == null) {
        environment.remove(name);
      } else {
        environment.put(name, value);
      }
    });
  }

  private static void ensureDirectory(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      throw new NoSuchFileException(directory.toString(), null, "no such working directory");
    }
    if (!Files.isDirectory(directory)) {
      throw new NotDirectoryException(directory.toString());
    }
  }

  /** {@return what to throw for a program that was not started} */
  private static IOException explained(IOException failure, String program) {
    if (failure.getCause() instanceof FileNotFoundException redirection) {
      return new NoSuchFileException(null, null, "redirection: " + redirection.getMessage());
    }
    Matcher errno = ERRNO.matcher(String.valueOf(failure.getMessage()));
    IOException explained = failure;
    if (errno.find()) {
      switch (Integer.parseInt(errno.group(1))) {
        case ENOENT ->
            explained =
                new NoSuchFileException(
                    program,
                    null,
                    Files.exists(Path.of(program))
                        ? "the program is there, but not what is to interpret it, or a library"
                        : "no such program");
        case EACCES -> explained = new AccessDeniedException(program, null, "not executable");
        default -> {}
      }
    }
    if (explained != failure) {
      explained.initCause(failure);
    }
    return explained;
  }

  /** Kills the program, and closes its pipes. */
  void discard() {
    process.toHandle().destroyForcibly();
    close(stdin);
    close(stdout);
    close(stderr);
  }

  private static void close(@Nullable Channel channel) {
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException e) {
        // Of a pipe that nobody is to use.
      }
    }
  }

  /** The pipes of a program that is being started, closed unless they were handed out. */
  private static final class Ends implements AutoCloseable {
    @Nullable ChildPipe in;
    @Nullable ChildPipe out;
    @Nullable ChildPipe err;
    private boolean handedOut;

    /** {@return a pipe if one is asked for, and there can be one} */
    @Nullable ChildPipe piped(Redirection redirection) throws IOException {
      return redirection.kind() == Kind.PIPE ? ChildPipe.open() : null;
    }

    /** Closes the child's ends here, and takes this process's. */
    Launch handOut(Process process, SubprocessOptions options) throws IOException {
      handedOut = true;
      return new Launch(
          process,
          writing(process, options),
          reading(out, process, options.stdout(), false),
          reading(err, process, options.stderr(), true));
    }

    private @Nullable WritableByteChannel writing(Process process, SubprocessOptions options)
        throws IOException {
      if (in != null) {
        in.source().close();
        return in.sink();
      }
      return options.stdin().kind() == Kind.PIPE
          ? Channels.newChannel(process.getOutputStream())
          : null;
    }

    private static @Nullable ReadableByteChannel reading(
        @Nullable ChildPipe pipe, Process process, Redirection redirection, boolean error)
        throws IOException {
      if (pipe != null) {
        pipe.sink().close();
        return pipe.source();
      }
      if (redirection.kind() != Kind.PIPE) {
        return null;
      }
      return Channels.newChannel(error ? process.getErrorStream() : process.getInputStream());
    }

    @Override
    public void close() {
      if (!handedOut) {
        for (ChildPipe pipe : new @Nullable ChildPipe[] {in, out, err}) {
          if (pipe != null) {
            pipe.close();
          }
        }
      }
    }
  }
}
