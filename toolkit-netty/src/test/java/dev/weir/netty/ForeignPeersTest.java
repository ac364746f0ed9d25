package dev.weir.netty;

import static dev.weir.netty.RawPeer.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.task.Future;
import dev.weir.task.Task;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Both ends of a connection are ours in the other tests; here one is not. */
@Tag("slow")
@ExtendWith(LeakCheck.class)
class ForeignPeersTest {
  @TempDir Path directory;

  private static Server startEcho() throws IOException {
    return Asyncio.startServer(TestServer::echoBytes, "127.0.0.1", 0);
  }

  private static String port(Server server) {
    return String.valueOf(server.addresses().getFirst().getPort());
  }

  private static byte[] randomBytes(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  @EachTransport
  void theClientOfCPythonsAsyncioIsServed(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Server server = startEcho();
              ForeignProgram client = ForeignProgram.python("asyncio_client.py", port(server))) {
            assertThat(OnLoop.onWorker(client::nextLine).await()).isEqualTo("done");
            assertThat(OnLoop.onWorker(client::awaitExit).await()).isZero();
          }
        });
  }

  @EachTransport
  void theServerOfCPythonsAsyncioServesUs(String transport) {
    byte[] message = randomBytes(1 << 20);
    OnLoop.run(
        transport,
        () -> {
          try (ForeignProgram server = ForeignProgram.python("asyncio_server.py")) {
            int port = Integer.parseInt(OnLoop.onWorker(server::nextLine).await());
            try (Connection connection = Asyncio.openConnection("127.0.0.1", port)) {
              connection.writer().writeLine("hello");
              assertThat(connection.reader().readLine()).isEqualTo(bytes("hello\n"));

              Task<?> sending =
                  Asyncio.createTask(() -> {
                    connection.writer().write(message);
                    connection.writer().writeEof();
                  });
              assertThat(connection.reader().readAll()).isEqualTo(message);
              sending.await();
            }
          }
        });
  }

  @EachTransport
  void everythingNcSendsBeforeItsHalfCloseComesBack(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Server server = startEcho();
              ForeignProgram nc = ForeignProgram.start("nc", "-N", "127.0.0.1", port(server))) {
            assertComesBack(nc);
          }
        });
  }

  @EachTransport
  void everythingSocatSendsBeforeItsHalfCloseComesBack(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Server server = startEcho();
              ForeignProgram socat =
                  ForeignProgram.start("socat", "-t10", "-", "TCP:127.0.0.1:" + port(server))) {
            assertComesBack(socat);
          }
        });
  }

  @EachTransport
  void everythingSocatSendsByAUnixSocketComesBack(String transport) {
    Path path = directory.resolve("weir.sock");
    OnLoop.run(
        transport,
        () -> {
          try (Server _ = Asyncio.startUnixServer(TestServer::echoBytes, path);
              ForeignProgram socat =
                  ForeignProgram.start("socat", "-t10", "-", "UNIX-CONNECT:" + path)) {
            assertComesBack(socat);
          }
        });
  }

  @EachTransport
  void everythingSentToSocatByAUnixSocketComesBack(String transport) {
    Path path = directory.resolve("socat.sock");
    byte[] message = randomBytes(1 << 20);
    OnLoop.run(
        transport,
        () -> {
          try (ForeignProgram _ =
              ForeignProgram.start("socat", "UNIX-LISTEN:" + path, "EXEC:cat")) {
            OnLoop.passRoundsUntil(() -> Files.exists(path));
            try (Connection connection = connectOnceItListens(path)) {
              Task<?> sending =
                  Asyncio.createTask(() -> {
                    connection.writer().write(message);
                    connection.writer().writeEof();
                  });
              assertThat(connection.reader().readAll()).isEqualTo(message);
              sending.await();
            }
          }
        });
  }

  /** The file is there a moment before. */
  private static Connection connectOnceItListens(Path path) throws IOException {
    while (true) {
      try {
        return Asyncio.openUnixConnection(path);
      } catch (ConnectException e) {
        OnLoop.passRounds(1);
      }
    }
  }

  @EachTransport
  void onlyThoseConnectWhomThePermissionsLet(String transport) throws IOException {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root can act as another user");
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path path = directory.resolve("permissions.sock");
    OnLoop.run(
        transport,
        () -> {
          assertThat(echoAsNobody(path, ServerOptions.defaults())).isEmpty();
          assertThat(
                  echoAsNobody(
                      path,
                      ServerOptions.defaults()
                          .withUnixPermissions(PosixFilePermissions.fromString("rw-rw-rw-"))))
              .isEqualTo("hello");
        });
  }

  private static String echoAsNobody(Path path, ServerOptions options) throws IOException {
    Server server = Asyncio.startUnixServer(TestServer::echoBytes, path, options);
    try (ForeignProgram socat =
        ForeignProgram.start(
            "setpriv",
            "--reuid=65534",
            "--clear-groups",
            "socat",
            "-t10",
            "-",
            "UNIX-CONNECT:" + path)) {
      return OnLoop.onWorker(
              () -> {
                socat.input().write(bytes("hello"));
                socat.input().close();
                return RawPeer.text(socat.allOutput());
              })
          .await();
    } finally {
      server.close();
      server.waitClosed();
    }
  }

  private static void assertComesBack(ForeignProgram program) {
    byte[] message = randomBytes(1 << 20);
    Future<Object> sending =
        OnLoop.onWorker(() -> {
          program.input().write(message);
          program.input().close();
          return null;
        });
    assertThat(OnLoop.onWorker(program::allOutput).await()).isEqualTo(message);
    sending.await();
  }
}
