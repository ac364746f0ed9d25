package dev.weir.benchmarks.lab;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Far more clients than a server may serve at once. Then they all go, and one more comes. */
final class Flood {
  /** One address has some 28,000 ports; and those of a run before may not be free yet. */
  private static final int ADDRESSES = 8;

  private static final Duration LOOKED_ON = Duration.ofSeconds(5);

  private Flood() {}

  /**
   * What came of it.
   *
   * @param clients that tried
   * @param connected for how many the kernel has made a connection, while nobody was served to the
   *     end
   * @param during what the server held meanwhile
   * @param drained from when the clients went to when the server had none left
   * @param served how long the one after that took from connecting to its answer
   */
  record Outcome(
      int clients,
      int connected,
      Figures during,
      Figures after,
      Duration drained,
      Duration served) {
    @Override
    public String toString() {
      return """
      clients    %,d, of which the kernel connected %,d
      during     %s
      after      %s
      drained    in %,d ms
      next       answered %,d us after it connected\
      """
          .formatted(
              clients, connected, during, after, drained.toMillis(), served.toNanos() / 1000);
    }
  }

  static Outcome run(int clients, int max) throws IOException, InterruptedException {
    try (ServerProcess server =
            ServerProcess.start(List.of("-Xmx256m"), "max=" + max, "backlog=4096");
        Selector selector = Selector.open()) {
      List<SocketChannel> channels = new ArrayList<>();
      for (int i = 0; i < clients; i++) {
        channels.add(connect(server, selector, i));
      }
      int connected = greet(selector);
      Figures during = server.figures();

      long start = System.nanoTime();
      for (SocketChannel channel : channels) {
        channel.close();
      }
      selector.selectNow();
      Figures after = server.awaitOpenAtMost(0);
      long drained = System.nanoTime();
      try (Socket socket = server.connect()) {
        socket.getOutputStream().write("hello\n".getBytes(US_ASCII));
        if (socket.getInputStream().read() != 'h') {
          throw new IOException("the one after the flood was not answered");
        }
      }
      return new Outcome(
          clients,
          connected,
          during,
          after,
          Duration.ofNanos(drained - start),
          Duration.ofNanos(System.nanoTime() - drained));
    }
  }

  private static SocketChannel connect(ServerProcess server, Selector selector, int number)
      throws IOException {
    SocketChannel channel = SocketChannel.open();
    InetAddress from = InetAddress.ofLiteral("127.0.0." + (2 + number % ADDRESSES));
    channel.bind(new InetSocketAddress(from, 0));
    channel.configureBlocking(false);
    channel.register(selector, SelectionKey.OP_CONNECT);
    channel.connect(server.address());
    return channel;
  }

  /** Has each say hello that gets through, for some time. Returns how many did. */
  private static int greet(Selector selector) throws IOException {
    ByteBuffer hello = ByteBuffer.wrap("hello\n".getBytes(US_ASCII));
    int connected = 0;
    long end = System.nanoTime() + LOOKED_ON.toNanos();
    while (System.nanoTime() - end < 0) {
      selector.select(100);
      for (SelectionKey key : selector.selectedKeys()) {
        SocketChannel channel = (SocketChannel) key.channel();
        if (channel.finishConnect()) {
          connected++;
          channel.write(hello.rewind());
          key.interestOps(0);
        }
      }
      selector.selectedKeys().clear();
    }
    return connected;
  }
}
