package dev.weir.netty;

import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Future;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A connection of Weir's whose other end is a plain blocking socket of the JDK's, for the test to
 * misbehave with.
 */
final class RawPeer implements AutoCloseable {
  private static final Pattern BUFFERED = Pattern.compile("ReadBuffer\\[(\\d+) bytes");

  private static final byte[] CHUNK = new byte[64 * 1024];

  private final Connection connection;
  private final Socket socket;

  private RawPeer(Connection connection, Socket socket) {
    this.connection = connection;
    this.socket = socket;
  }

  /** Connects to a socket of this test's own. */
  static RawPeer connect(StreamOptions options) throws IOException {
    try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Connection connection =
          Connection.open(
              "127.0.0.1", listener.getLocalPort(), ConnectOptions.defaults().withStream(options));
      return new RawPeer(connection, listener.accept());
    }
  }

  Connection connection() {
    return connection;
  }

  StreamReader reader() {
    return connection.reader();
  }

  StreamWriter writer() {
    return connection.writer();
  }

  Socket socket() {
    return socket;
  }

  // --- What the peer does

  /** Sends a little, which the kernel takes at once. */
  void send(String text) throws IOException {
    send(bytes(text));
  }

  /** Sends a little, which the kernel takes at once. */
  void send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
  }

  /** Sends a lot. */
  Future<Void> sendInBackground(byte[] bytes) {
    return OnLoop.onWorker(() -> {
      socket.getOutputStream().write(bytes);
      return null;
    });
  }

  /** Receives so many bytes, or fewer if the stream ends. */
  byte[] receive(int length) {
    return receiving(length).await();
  }

  Future<byte[]> receiving(int length) {
    return OnLoop.onWorker(() -> socket.getInputStream().readNBytes(length));
  }

  void sendEof() throws IOException {
    socket.shutdownOutput();
  }

  /** Ends the connection by RST, as a crashed machine or an impatient one does. */
  void reset() throws IOException {
    socket.setSoLinger(true, 0);
    socket.close();
  }

  // --- What our end does

  /**
   * Writes until our writers have to wait, because the peer does not read and the kernel takes no
   * more.
   *
   * @return how many bytes were taken, all of them zero
   */
  int fill() throws IOException {
    int taken = 0;
    int refused = 0;
    while (refused < 100) { // The kernel may take some more in the rounds that follow.
      if (writer().tryWrite(CHUNK)) {
        taken += CHUNK.length;
        refused = 0;
      } else {
        refused++;
      }
      OnLoop.passRounds(1);
    }
    return taken;
  }

  /** {@return how many bytes our reader holds unread} */
  int arrived() {
    return arrived(reader());
  }

  /** {@return how many bytes a reader holds unread} */
  static int arrived(StreamReader reader) {
    Matcher matcher = BUFFERED.matcher(reader.toString());
    if (!matcher.find()) {
      throw new AssertionError("no count of bytes in " + reader);
    }
    return Integer.parseInt(matcher.group(1));
  }

  /** Lets rounds pass until our reader holds so many bytes unread. */
  void awaitArrived(int length) {
    OnLoop.passRoundsUntil(() -> arrived() >= length);
  }

  @Override
  public void close() throws IOException {
    connection.close();
    socket.close();
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
