package dev.weir.netty;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Future;
import dev.weir.tls.TlsProvider;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;

/** Sends a large message to an echo server of its own, both with the JDK's TLS. */
final class EchoOverTls {
  private static final int MESSAGE_BYTES = 8 << 20;

  private EchoOverTls() {}

  public static void main(String[] transports) {
    TestServer.with(
        transports[0],
        EchoOverTls::echo,
        ServerOptions.defaults().withTls(TestCertificates.serverTls(TlsProvider.JDK)),
        (server, port) -> {
          ConnectOptions options =
              ConnectOptions.defaults().withTls(TestCertificates.clientTls(TlsProvider.JDK));
          try (Connection connection = Asyncio.openConnection("localhost", port, options)) {
            byte[] message = new byte[MESSAGE_BYTES];
            new Random(1).nextBytes(message);
            Future<?> sending = Asyncio.createTask(() -> connection.writer().write(message));
            byte[] echoed = connection.reader().readExactly(MESSAGE_BYTES);
            sending.await();
            IO.println(Arrays.equals(echoed, message) ? "echoed" : "changed on the way");
          }
        });
  }

  private static void echo(StreamReader reader, StreamWriter writer) throws IOException {
    for (byte[] chunk = reader.read(64 * 1024); chunk.length > 0; chunk = reader.read(64 * 1024)) {
      writer.write(chunk);
    }
  }
}
