package dev.weir.pipe;

import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import dev.weir.task.Loop;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;

/**
 * Makes transports on channels that block, for those who have such a channel already. Closing the
 * channel has to wake a thread that reads or writes it, as closing any {@link
 * java.nio.channels.InterruptibleChannel} does; else the transport's thread stays until the call
 * returns.
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
}
