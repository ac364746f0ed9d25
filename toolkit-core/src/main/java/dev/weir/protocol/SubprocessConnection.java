package dev.weir.protocol;

import dev.weir.process.ChildProcess;
import dev.weir.process.SubprocessOptions;
import dev.weir.spi.TransportProtocol;
import dev.weir.stream.StreamOptions;
import dev.weir.task.Loop;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A child process whose protocol is the user's. On the loop only. */
final class SubprocessConnection implements SubprocessTransport, ChildProcess.Events {
  private final Loop loop = Loop.running();
  private final Callbacks callbacks = new Callbacks(loop);
  private final SubprocessProtocol protocol;
  private final StreamOptions streamOptions;
  private final @Nullable SubprocessPipe[] pipes = new SubprocessPipe[3];
  private @Nullable ChildProcess child;
  private boolean exited;
  private boolean lost;

  private SubprocessConnection(SubprocessProtocol protocol, SubprocessOptions options) {
    this.protocol = protocol;
    this.streamOptions = options.stream();
  }

  /** Suspends until the program runs, and tells {@code protocol} of it before it returns. */
  static SubprocessConnection start(
      SubprocessProtocol protocol, List<String> command, SubprocessOptions options)
      throws IOException {
    SubprocessConnection connection = new SubprocessConnection(protocol, options);
    // Nothing is told before this step has ended.
    connection.child = ChildProcess.start(command, options, connection);
    connection.callbacks.call(
        "connectionMade", protocol, () -> protocol.connectionMade(connection));
    return connection;
  }

  private ChildProcess child() {
    return Objects.requireNonNull(child, "not started");
  }

  /** {@return whether the protocol was told of the process, or will be} */
  boolean isStarted() {
    return child != null;
  }

  SubprocessProtocol protocol() {
    return protocol;
  }

  Callbacks callbacks() {
    return callbacks;
  }

  /** {@return what the options say of pipes} */
  StreamOptions streamOptions() {
    return streamOptions;
  }

  // --- What happens

  @Override
  public TransportProtocol protocol(int descriptor) {
    SubprocessPipe pipe =
        descriptor == 0
            ? new SubprocessPipe.Writing(this)
            : new SubprocessPipe.Reading(this, descriptor);
    pipes[descriptor] = pipe;
    return pipe;
  }

  @Override
  public void exited() {
    exited = true;
    if (pipes[0] != null) {
      pipes[0].beneath().close();
    }
    callbacks.call("processExited", protocol, protocol::processExited);
    loseIfOver();
  }

  void pipeLost() {
    loseIfOver();
  }

  private void loseIfOver() {
    if (!exited || lost) {
      return;
    }
    for (SubprocessPipe pipe : pipes) {
      if (pipe != null && !pipe.isLost()) {
        return;
      }
    }
    lost = true;
    callbacks.call("connectionLost", protocol, () -> protocol.connectionLost(null));
  }

  // --- The transport

  @Override
  public long pid() {
    return child().pid();
  }

  @Override
  public @Nullable Integer returnCode() {
    return child().returnCode();
  }

  @Override
  public @Nullable BaseTransport pipeTransport(int descriptor) {
    loop.ensureHeld("SubprocessTransport.pipeTransport()");
    if (descriptor < 0 || descriptor >= pipes.length) {
      throw new IllegalArgumentException("not 0, 1 or 2: descriptor " + descriptor);
    }
    return pipes[descriptor];
  }

  @Override
  public WriteTransport stdin() {
    if (pipeTransport(0) instanceof WriteTransport stdin) {
      return stdin;
    }
    throw new IllegalStateException(
        "stdin of " + this + " is no pipe: start it withStdin(Redirection.PIPE)");
  }

  @Override
  public void sendSignal(String signal) throws IOException {
    child().sendSignal(signal);
  }

  @Override
  public void terminate() {
    child().terminate();
  }

  @Override
  public void kill() {
    child().kill();
  }

  @Override
  public void close() {
    if (loop.isClosed()) {
      return;
    }
    loop.ensureHeld("SubprocessTransport.close()");
    for (SubprocessPipe pipe : pipes) {
      if (pipe != null) {
        pipe.closedHere();
      }
    }
    child().close();
  }

  @Override
  public boolean isClosing() {
    loop.ensureHeld("SubprocessTransport.isClosing()");
    return child().isClosing() || lost;
  }

  @Override
  public <T> @Nullable T extraInfo(Class<T> type) {
    Objects.requireNonNull(type, "type");
    return null;
  }

  @Override
  public String toString() {
    return "SubprocessTransport[" + child + "]";
  }
}
