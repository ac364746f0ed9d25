package dev.weir.netty;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ServerOptions;
import dev.weir.tls.TlsProvider;
import java.util.Arrays;
import java.util.Random;

/** Sends messages to an echo server of its own, one by one, both with the JDK's TLS. */
final class EchoOverTls {
  private static final int MESSAGE_BYTES = 48 * 1024;
  private static final int MESSAGES = 128;

  private EchoOverTls() {}

  public static void main(String[] transports) {
    TestServer.with(
        transports[0],
        TestServer::echoBytes,
        ServerOptions.defaults().withTls(TestCertificates.serverTls(TlsProvider.JDK)),
        (server, port) -> {
          ConnectOptions options =
              ConnectOptions.defaults().withTls(TestCertificates.clientTls(TlsProvider.JDK));
          try (Connection connection = Asyncio.openConnection("localhost", port, options)) {
            byte[] message = new byte[MESSAGE_BYTES];
            new Random(1).nextBytes(message);
            for (int i = 0; i < MESSAGES; i++) {
              connection.writer().write(message);
              if (!Arrays.equals(connection.reader().readExactly(MESSAGE_BYTES), message)) {
                throw new AssertionError("message " + i + " was changed on the way");
              }
            }
            IO.println("echoed");
          }
        });
  }
}
