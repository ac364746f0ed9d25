package dev.weir.demo.docs;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.tls.ClientTls;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsIdentity;
import dev.weir.tls.TlsSession;
import java.io.IOException;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import org.jspecify.annotations.Nullable;

/** The clients and servers of docs/tls.md, which shows the methods as they stand here. */
final class Securing {
  private Securing() {}

  /** Made once, before the loop runs: both files are read here. */
  static ServerTls fromFiles(Path directory) throws IOException {
    TlsIdentity identity =
        TlsIdentity.fromPem(directory.resolve("cert.pem"), directory.resolve("key.pem"));
    return ServerTls.of(identity);
  }

  static Server startSecured(ConnectionHandler handler, int port, ServerTls tls)
      throws IOException {
    return Asyncio.startServer(handler, "127.0.0.1", port, ServerOptions.defaults().withTls(tls));
  }

  static @Nullable String greetSecurely(String host, int port, ClientTls tls) throws IOException {
    ConnectOptions options = ConnectOptions.defaults().withTls(tls);
    try (Connection connection = Asyncio.openConnection(host, port, options)) {
      connection.writer().writeLine("hello");
      return connection.reader().readLine(UTF_8);
    }
  }

  static ServerTls forSeveralNames(TlsIdentity example, TlsIdentity others, TlsIdentity rest) {
    return ServerTls.of(rest) // For those who ask for another name, or for none.
        .withNamed("example.org", example)
        .withNamed("*.example.org", others);
  }

  static ServerTls forStaff(TlsIdentity identity, Path issuers) throws IOException {
    return ServerTls.of(identity).withClientsTrustedPem(issuers);
  }

  static void greetByName(StreamReader reader, StreamWriter writer) throws IOException {
    TlsSession session = writer.tlsSession();
    if (session != null
        && session.peerCertificates().getFirst() instanceof X509Certificate certificate) {
      writer.writeLine("hello " + certificate.getSubjectX500Principal());
    }
  }

  static void serveMail(StreamReader reader, StreamWriter writer, ServerTls tls)
      throws IOException {
    for (String line = reader.readLine(UTF_8); line != null; line = reader.readLine(UTF_8)) {
      if (line.equals("STARTTLS")) {
        writer.writeLine("220 go ahead");
        TlsSession session = writer.startTls(tls);
        writer.writeLine("250 " + session.protocol());
      } else {
        writer.writeLine("500 not in clear");
      }
    }
  }

  static String greetMail(Connection connection, ClientTls tls) throws IOException {
    connection.writer().writeLine("STARTTLS");
    connection.reader().readLine(UTF_8);
    connection.writer().startTls(tls, "localhost");
    return String.valueOf(connection.reader().readLine(UTF_8));
  }
}
