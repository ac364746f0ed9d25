package dev.weir.pipe;

import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import dev.weir.task.Loop;
import java.io.IOException;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;

/**
 * Makes transports on channels that block, for those who have such a channel already and write a
 * {@link TransportProtocol} for it; programs have {@code Asyncio.openReadPipe}, {@code
 * Asyncio.connectReadPipe} and their like. Closing the channel has to wake a thread that reads or
 * writes it, as closing any {@link java.nio.channels.InterruptibleChannel} does; else the
 * transport's thread stays until the call returns.
 */
public final class PipeTransports {
  private PipeTransports() {}

  /**
   * Makes a transport that receives what a channel reads, on a thread of its own, and tells {@code
   * protocol} on the loop. The channel is closed with it. Called on the loop.
   *
   * @param name what it is, for messages and {@code toString}
   */
  public static Transport reading(
      Loop loop, String name, ReadableByteChannel channel, TransportProtocol protocol) {
    PipeReading transport = new PipeReading(loop, name, protocol);
    transport.start(channel);
    return transport;
  }

  /**
   * Makes a transport that writes to a channel, on a thread of its own. The channel is closed with
   * it. Called on the loop.
   *
   * @param name what it is, for messages and {@code toString}
   */
  public static Transport writing(
      Loop loop, String name, WritableByteChannel channel, TransportProtocol protocol) {
    PipeWriting transport = new PipeWriting(loop, name, protocol);
    transport.start(channel);
    return transport;
  }

  /**
   * Has a transport of {@link #writing} give back its thread and its channel, because whoever reads
   * has ended: a pipe tells that only to who writes. What is unsent goes out first if another reads
   * it. A later write fails, as one to a pipe that nobody reads does. Called on the loop.
   */
  public static void readerEnded(Transport writing) {
    ((PipeWriting) writing).readerEnded();
  }

  /**
   * Suspends until a named pipe is open for reading, and makes a transport of it; {@link
   * NamedPipes#openRead} says how and what can go wrong.
   */
  public static Transport openReading(Loop loop, Path path, TransportProtocol protocol)
      throws IOException {
    PipeReading transport = new PipeReading(loop, "pipe " + path, protocol);
    Opening.await(loop, transport, FifoOpener.forReading(path));
    return transport;
  }

  /**
   * Suspends until a named pipe is open for writing, and makes a transport of it; {@link
   * NamedPipes#openWrite} says how and what can go wrong.
   */
  public static Transport openWriting(Loop loop, Path path, TransportProtocol protocol)
      throws IOException {
    PipeWriting transport = new PipeWriting(loop, "pipe " + path, protocol);
    Opening.await(loop, transport, FifoOpener.forWriting(path));
    return transport;
  }
}
