package dev.weir.netty;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.stream.TcpSocketOptions;
import dev.weir.task.RunOptions;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.time.Duration;
import jdk.net.ExtendedSocketOptions;

/** What {@link NamespaceTest} runs in a namespace. Each prints one line. */
final class NamespacePrograms {
  private static final int PORT = 8080;

  private NamespacePrograms() {}

  private static Server echoAt(String host) throws IOException {
    return Asyncio.startServer(
        (reader, writer) -> {
          for (byte[] chunk = reader.read(1000); chunk.length > 0; chunk = reader.read(1000)) {
            writer.write(chunk);
          }
        },
        host,
        PORT);
  }

  private static long millisSince(long startNanos) {
    return (System.nanoTime() - startNanos) / 1_000_000;
  }

  /** Connects a few times to a name with a dead address of IPv6 and a living one of IPv4. */
  static final class BothFamilies {
    public static void main(String[] arguments) {
      Asyncio.run(
          () -> {
            try (Server _ = echoAt("10.0.0.1");
                Server _ = echoAt("2001:db8::1")) {
              long fastest = Long.MAX_VALUE;
              InetSocketAddress connectedTo = null;
              for (int i = 0; i < 3; i++) {
                long start = System.nanoTime();
                try (Connection connection = Asyncio.openConnection("both.example", PORT)) {
                  fastest = Math.min(fastest, millisSince(start));
                  connectedTo = (InetSocketAddress) connection.writer().remoteAddress();
                }
              }
              System.out.println(connectedTo.getAddress().getHostAddress() + " " + fastest);
            }
          },
          RunOptions.defaults().withTransport(arguments[0]));
    }
  }

  /** Has an established connection cut, and tells who noticed after how long. */
  static final class Silenced {
    public static void main(String[] arguments) {
      boolean writing = arguments[1].equals("writing");
      ConnectOptions options = ConnectOptions.defaults();
      ConnectOptions watchful =
          writing
              ? options.withSocketOption(TcpSocketOptions.TCP_USER_TIMEOUT, Duration.ofSeconds(2))
              : options
                  .withSocketOption(StandardSocketOptions.SO_KEEPALIVE, true)
                  .withSocketOption(ExtendedSocketOptions.TCP_KEEPIDLE, 1)
                  .withSocketOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, 1)
                  .withSocketOption(ExtendedSocketOptions.TCP_KEEPCOUNT, 1);
      Asyncio.run(
          () -> {
            try (Server _ = echoAt("10.0.0.1");
                Connection connection = Asyncio.openConnection("10.0.0.1", PORT, watchful)) {
              connection.writer().write("hello");
              connection.reader().readExactly(5);
              Asyncio.toThread(() -> drop());
              long start = System.nanoTime();
              if (writing) {
                connection.writer().write("is anybody there?");
              }
              String noticed = noticedBy(() -> connection.reader().read(1));
              long millis = millisSince(start);
              System.out.println(
                  noticed + " " + noticedBy(() -> connection.writer().write("x")) + " " + millis);
            }
          },
          RunOptions.defaults().withTransport(arguments[0]));
      System.exit(0); // The server's end is still waiting for its peer, which was cut off too.
    }

    /** From now on nothing passes on the connection, either way, and nobody is told. */
    private static void drop() throws Exception {
      for (String side : new String[] {"dport", "sport"}) {
        int status =
            new ProcessBuilder("nft", "add rule inet weir input tcp " + side + " " + PORT + " drop")
                .inheritIO()
                .start()
                .waitFor();
        if (status != 0) {
          throw new IllegalStateException("nft ended with " + status);
        }
      }
    }

    private interface Call {
      void run() throws IOException;
    }

    private static String noticedBy(Call call) {
      try {
        call.run();
        return "nobody";
      } catch (SocketTimeoutException e) {
        return "SocketTimeoutException";
      } catch (IOException e) {
        return e.toString();
      }
    }
  }
}
