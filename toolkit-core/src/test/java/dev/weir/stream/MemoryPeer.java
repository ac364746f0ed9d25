package dev.weir.stream;

import dev.weir.Asyncio;
import dev.weir.task.Future;
import dev.weir.task.Task;
import dev.weir.testing.StreamEnd;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A connection over the memory network, with the other end of it for the test to misbehave with.
 */
final class MemoryPeer implements AutoCloseable {
  private static final Pattern BUFFERED = Pattern.compile("ReadBuffer\\[(\\d+) bytes");

  private static final byte[] CHUNK = new byte[64 * 1024];

  private final Connection connection;
  private final StreamEnd peer;

  private MemoryPeer(Connection connection, StreamEnd peer) {
    this.connection = connection;
    this.peer = peer;
  }

  /** A test's body that needs a peer. */
  interface PeerBody {
    void run(MemoryPeer peer) throws Exception;
  }

  /** Runs a body that gets a fresh connection on a virtual loop. */
  static void run(PeerBody body) {
    run(StreamOptions.defaults(), body);
  }

  /** Runs a body that gets a fresh connection; our end, not the peer's, has the options. */
  static void run(StreamOptions options, PeerBody body) {
    VirtualLoop.run(() -> {
      try (MemoryPeer peer = connect(options)) {
        body.run(peer);
      }
    });
  }

  static MemoryPeer connect(StreamOptions options) throws IOException {
    Future<StreamEnd> accepted = Asyncio.runningLoop().createFuture();
    try (Server server =
        Asyncio.startServer(
            (reader, writer) -> {
              writer.detach();
              accepted.setResult(new StreamEnd(reader, writer));
            },
            "127.0.0.1",
            0)) {
      int port = server.addresses().getFirst().getPort();
      Connection connection =
          Connection.open("127.0.0.1", port, ConnectOptions.defaults().withStream(options));
      return new MemoryPeer(connection, accepted.await());
    }
  }

  StreamReader reader() {
    return connection.reader();
  }

  StreamWriter writer() {
    return connection.writer();
  }

  /** {@return the peer's streams} */
  StreamEnd peer() {
    return peer;
  }

  // --- What the peer does

  /** Sends a little, without waiting. */
  void send(String text) throws IOException {
    send(bytes(text));
  }

  /** Sends a little, without waiting. */
  void send(byte[] bytes) throws IOException {
    peer.writer().write(bytes);
  }

  /** Sends a lot. */
  Task<?> sendInBackground(byte[] bytes) {
    return Asyncio.createTask(() -> peer.writer().write(bytes));
  }

  byte[] receive(int length) throws IOException {
    return peer.reader().readExactly(length);
  }

  Task<byte[]> receiving(int length) {
    return Asyncio.createTask(() -> receive(length));
  }

  /** Receives everything up to the end of the stream. */
  byte[] receiveAll() throws IOException {
    return peer.reader().readAll();
  }

  void sendEof() throws IOException {
    peer.writer().writeEof();
  }

  /** Ends the connection by a reset behind what was sent. */
  void reset() {
    Rounds.settle(); // An abort would drop what has not gone out.
    peer.writer().abort();
  }

  // --- What our end does

  /**
   * Writes until our writers have to wait, because the peer does not read and the network takes no
   * more.
   *
   * @return how many bytes were taken, all of them zero
   */
  int fill() throws IOException {
    int taken = 0;
    while (writer().tryWrite(CHUNK)) {
      taken += CHUNK.length;
      Rounds.settle();
    }
    return taken;
  }

  /** {@return how many bytes our reader holds unread} */
  int arrived() {
    Matcher matcher = BUFFERED.matcher(reader().toString());
    if (!matcher.find()) {
      throw new AssertionError("no count of bytes in " + reader());
    }
    return Integer.parseInt(matcher.group(1));
  }

  @Override
  public void close() {
    connection.close();
    peer.writer().close();
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
