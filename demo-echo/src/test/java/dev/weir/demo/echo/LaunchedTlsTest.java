package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.tls.TlsIdentity;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code echo server} and {@code echo client} as processes that speak TLS. */
@Tag("slow")
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class LaunchedTlsTest {
  private static final char[] NO_PASSWORD = {};

  /** The common pool may have one thread only, and both ends of an exchange block. */
  private static final Executor THREADS = task -> Thread.ofPlatform().daemon().start(task);

  @TempDir static Path directory;
  private static TlsIdentity identity;
  private static String certificate;
  private static String key;

  @BeforeAll
  static void makeFiles() throws Exception {
    identity = SelfSigned.forThisMachine();
    Certificate own = identity.certificates().getFirst();
    certificate = writePem("cert.pem", "CERTIFICATE", own.getEncoded());
    key = writePem("key.pem", "PRIVATE KEY", identity.privateKey().getEncoded());
  }

  private static String writePem(String file, String label, byte[] content) throws IOException {
    String lines = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
    Path path = directory.resolve(file);
    Files.writeString(
        path, "-----BEGIN " + label + "-----\n" + lines + "\n-----END " + label + "-----\n");
    return path.toString();
  }

  private static LaunchedProgram startServer() throws IOException {
    return LaunchedProgram.start(
        "server", "--port", "0", "--tls-cert", certificate, "--tls-key", key);
  }

  private static LaunchedProgram startClient(int port, String... more) throws IOException {
    String[] command = {"client", "--port", String.valueOf(port), "--tls"};
    String[] all = new String[command.length + more.length];
    System.arraycopy(command, 0, all, 0, command.length);
    System.arraycopy(more, 0, all, command.length, more.length);
    return LaunchedProgram.start(all);
  }

  @Test
  void aServerWithACertificateOfItsOwnIsKnownByItsFingerprint() throws Exception {
    try (LaunchedProgram server =
        LaunchedProgram.start("server", "--port", "0", "--tls-self-signed")) {
      int port = server.nextPort();
      String notice = server.nextLine();
      assertThat(notice).startsWith("for trying things only").matches(".* SHA-256 [0-9A-F:]{95}");
      String fingerprint = notice.substring(notice.lastIndexOf(' ') + 1);

      try (LaunchedProgram client = startClient(port, "--insecure")) {
        client.input().write("hello\n".getBytes(UTF_8));
        client.input().flush();
        assertThat(client.nextLine()).isEqualTo("hello");
        client.input().close(); // Everything is back: nothing else will wake the client.

        assertThat(client.awaitExit()).isZero();
        assertThat(client.errors())
            .startsWith("echo: warning: --insecure: this may be anybody's server")
            .contains(fingerprint);
      }
      assertThat(server.errors()).isEmpty();
    }
  }

  @Test
  void everyAnswerIsPrintedAlthoughTheInputEndedBefore() throws Exception {
    String input = "A line of thirty characters...\n".repeat(200_000);
    try (LaunchedProgram server = startServer();
        LaunchedProgram client = startClient(server.nextPort(), "--ca", certificate)) {
      CompletableFuture<Void> typing =
          CompletableFuture.runAsync(() -> writeAndClose(client.input(), input), THREADS);

      assertThat(client.restOfOutput()).isEqualTo(input);
      assertThat(client.awaitExit()).isZero();
      assertThat(client.errors()).isEmpty();
      typing.join();
    }
  }

  private static void writeAndClose(OutputStream output, String text) {
    try (output) {
      output.write(text.getBytes(UTF_8));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void withoutInputTheClientEndsAtOnce() throws Exception {
    try (LaunchedProgram server = startServer();
        LaunchedProgram client = startClient(server.nextPort(), "--ca", certificate)) {
      client.input().close();

      assertThat(client.restOfOutput()).isEmpty();
      assertThat(client.awaitExit()).isZero();
      assertThat(client.errors()).isEmpty();
    }
  }

  @Test
  void overAUnixSocketTheServerIsLocalhost() throws Exception {
    String path = directory.resolve("echo.sock").toString();
    try (LaunchedProgram server =
        LaunchedProgram.start(
            "server", "--unix", path, "--tls-cert", certificate, "--tls-key", key)) {
      assertThat(server.nextLine()).startsWith("listening on " + path).endsWith(", TLS)");
      try (LaunchedProgram client =
          LaunchedProgram.start("client", "--unix", path, "--tls", "--ca", certificate)) {
        writeAndClose(client.input(), "hello\n");

        assertThat(client.restOfOutput()).isEqualTo("hello\n");
        assertThat(client.awaitExit()).isZero();
      }
    }
  }

  @Test
  void aServerThatNobodyVouchesForGetsNothing() throws Exception {
    try (LaunchedProgram server = startServer();
        LaunchedProgram client = startClient(server.nextPort())) {
      writeAndClose(client.input(), "secret\n");

      assertThat(client.awaitExit()).isEqualTo(1);
      assertThat(client.errors())
          .startsWith("echo: The certificate for localhost, 127.0.0.1, ")
          .endsWith(" is self-signed, and none of the trusted ones (asked for: 127.0.0.1)\n")
          .containsOnlyOnce("\n");
      assertThat(client.restOfOutput()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aServerThatDoesNotSendAllBackIsNoSuccess(boolean inputEnds) throws Exception {
    try (ServerSocket listener = listenWithJdk();
        LaunchedProgram client = startClient(listener.getLocalPort(), "--ca", certificate)) {
      client.input().write("hello".getBytes(UTF_8));
      client.input().flush();
      if (inputEnds) {
        client.input().close();
      }
      try (Socket server = listener.accept()) {
        assertThat(server.getInputStream().readNBytes(5)).isEqualTo("hello".getBytes(UTF_8));
        server.getOutputStream().write("he".getBytes(UTF_8));
      }

      assertThat(client.restOfOutput()).isEqualTo("he");
      assertThat(client.awaitExit()).isEqualTo(1);
      assertThat(client.errors())
          .isEqualTo("echo: The server closed the connection when 2 of 5 bytes had come back\n");
    }
  }

  private static ServerSocket listenWithJdk() throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    Certificate[] chain = identity.certificates().toArray(Certificate[]::new);
    store.setKeyEntry("server", identity.privateKey(), NO_PASSWORD, chain);
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(store, NO_PASSWORD);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), null, null);
    ServerSocket listener =
        context.getServerSocketFactory().createServerSocket(0, 1, InetAddress.getLoopbackAddress());
    listener.setSoTimeout(30_000); // Should the client not come.
    return listener;
  }
}
