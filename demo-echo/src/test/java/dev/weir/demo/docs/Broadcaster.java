package dev.weir.demo.docs;

import dev.weir.Asyncio;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The broadcaster of docs/serving.md, which shows the members as they stand here. */
final class Broadcaster {
  private final Set<StreamWriter> listeners = new HashSet<>();

  Server start(int port) throws IOException {
    StreamOptions stream =
        StreamOptions.defaults().withAsyncioWrites(true).withHardCap(1024 * 1024);
    ServerOptions options = ServerOptions.defaults().withStream(stream);
    return Asyncio.startServer(this::listen, "127.0.0.1", port, options);
  }

  private void listen(StreamReader reader, StreamWriter writer) {
    listeners.add(writer);
    try {
      writer.awaitPeerGone();
    } finally {
      listeners.remove(writer);
    }
  }

  /** Never waits, so that no listener waits for another. */
  void send(String event) {
    for (StreamWriter listener : List.copyOf(listeners)) {
      try {
        listener.writeLine(event);
      } catch (IOException e) {
        listener.abort(); // It has gone, or is so slow that 1 MiB is unsent.
      }
    }
  }

  /** {@return how many listen} */
  int size() {
    return listeners.size();
  }
}
