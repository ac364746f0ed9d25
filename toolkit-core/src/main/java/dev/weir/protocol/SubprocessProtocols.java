package dev.weir.protocol;

import dev.weir.pipe.PipeTransports;
import dev.weir.process.Subprocess;
import dev.weir.process.SubprocessOptions;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.TransportStreams;
import dev.weir.task.CancelledError;
import dev.weir.task.Loop;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * Starts subprocesses and opens pipes for protocols; see the functions of the same names in {@code
 * Asyncio}, which stand on these and are what programs call.
 */
public final class SubprocessProtocols {
  private SubprocessProtocols() {}

  /**
   * Suspends until a program runs; see {@code Asyncio.subprocessExec}.
   *
   * @param factory makes the protocol, before the program is started
   * @return the transport and the protocol, which was told of it
   * @throws IOException as {@link Subprocess#exec} does
   * @throws CancelledError if the task is cancelled; the program is killed
   */
  public static <P extends SubprocessProtocol> Attached<SubprocessTransport, P> exec(
      Supplier<? extends P> factory, List<String> command, SubprocessOptions options)
      throws IOException {
    P protocol = Objects.requireNonNull(factory.get(), "the factory's protocol");
    return new Attached<>(SubprocessConnection.start(protocol, command, options), protocol);
  }

  /**
   * Suspends until the system's shell runs a script; see {@code Asyncio.subprocessShell}.
   *
   * @throws IOException as {@link Subprocess#exec} does
   */
  public static <P extends SubprocessProtocol> Attached<SubprocessTransport, P> shell(
      Supplier<? extends P> factory, String script, SubprocessOptions options) throws IOException {
    return exec(factory, Subprocess.shellCommand(script), options);
  }

  /**
   * Suspends until a named pipe is open for reading; see {@code Asyncio.connectReadPipe}.
   *
   * @throws IOException as {@link dev.weir.pipe.NamedPipes#openRead} does
   */
  public static <P extends BaseProtocol<Transport>> Attached<Transport, P> connectReadPipe(
      Supplier<? extends P> factory, Path path) throws IOException {
    Loop loop = Loop.running();
    loop.ensureMaySuspend("connectReadPipe()");
    TransportStreams streams = new TransportStreams(loop, StreamOptions.defaults());
    PipeTransports.openReading(loop, path, streams.protocol());
    return attach(factory, streams);
  }

  /**
   * Suspends until a named pipe is open for writing; see {@code Asyncio.connectWritePipe}.
   *
   * @throws IOException as {@link dev.weir.pipe.NamedPipes#openWrite} does
   */
  public static <P extends BaseProtocol<Transport>> Attached<Transport, P> connectWritePipe(
      Supplier<? extends P> factory, Path path) throws IOException {
    Loop loop = Loop.running();
    loop.ensureMaySuspend("connectWritePipe()");
    TransportStreams streams = new TransportStreams(loop, StreamOptions.defaults());
    PipeTransports.openWriting(loop, path, streams.protocol());
    return attach(factory, streams);
  }

  private static <P extends BaseProtocol<Transport>> Attached<Transport, P> attach(
      Supplier<? extends P> factory, TransportStreams streams) {
    boolean attached = false;
    try {
      P protocol = factory.get();
      Transport transport =
          ConnectionTransport.takeOver(streams.writer(), StreamOptions.defaults(), protocol);
      attached = true;
      return new Attached<>(transport, protocol);
    } finally {
      if (!attached) {
        streams.writer().abort();
      }
    }
  }
}
