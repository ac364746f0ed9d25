package dev.weir.pipe;

import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamWriter;
import dev.weir.stream.TransportStreams;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import java.io.IOException;
import java.nio.channels.Channel;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import org.jspecify.annotations.Nullable;

/** Opens pipes for tasks, which suspend meanwhile. */
final class Opening {
  private Opening() {}

  static ReadPipe read(
      Loop loop, String name, ChannelOpener<ReadableByteChannel> opener, StreamOptions options)
      throws IOException {
    TransportStreams streams = new TransportStreams(loop, options);
    PipeReading transport = new PipeReading(loop, name, streams.protocol());
    await(loop, transport, opener);
    return new ReadPipe(loop, transport, streams.reader());
  }

  static StreamWriter write(
      Loop loop, String name, ChannelOpener<WritableByteChannel> opener, StreamOptions options)
      throws IOException {
    TransportStreams streams = new TransportStreams(loop, options);
    await(loop, new PipeWriting(loop, name, streams.protocol()), opener);
    return streams.writer();
  }

  /** Suspends until {@code opener} has opened the transport's channel. */
  static <C extends Channel> void await(
      Loop loop, PipeTransport<C> transport, ChannelOpener<C> opener) throws IOException {
    Future<@Nullable Void> opened = loop.createFuture(transport);
    transport.start(opener, opened);
    boolean handedOut = false;
    try {
      opened.await(IOException.class);
      handedOut = true;
    } finally {
      if (!handedOut) {
        transport.giveUp();
      }
    }
  }
}
