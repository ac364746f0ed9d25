package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.task.CancelledError;
import dev.weir.task.Task;
import java.io.IOException;
import java.net.BindException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;

/** What a Unix server does with what is at its path, and what it leaves there. */
@ExtendWith(LeakCheck.class)
class UnixSocketFileTest {
  private static final int NOBODY = 65_534;
  private static final int PATH_BYTES_MAX = 106;

  private Path directory;
  private Path path;

  @BeforeEach
  void makeDirectory() throws IOException {
    directory = Files.createTempDirectory("weir-unix");
    path = directory.resolve("echo.sock");
  }

  @AfterEach
  void removeDirectory() throws IOException {
    for (Path left : contents()) {
      Files.delete(left);
    }
    Files.delete(directory);
  }

  private List<Path> contents() throws IOException {
    try (Stream<Path> contents = Files.list(directory)) {
      return contents.toList();
    }
  }

  private Server start() throws IOException {
    return start(ServerOptions.defaults());
  }

  private Server start(ServerOptions options) throws IOException {
    return Asyncio.startUnixServer(TestServer::echo, path, options);
  }

  private void assertServed() throws IOException {
    try (Connection connection = Asyncio.openUnixConnection(path)) {
      assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
    }
  }

  private void assertRefused(String why) {
    assertThatExceptionOfType(BindException.class)
        .isThrownBy(this::start)
        .withMessageStartingWith("Address already in use: " + path + ": " + why);
  }

  /** Leaves a socket on which nobody listens any more, as a program that was killed does. */
  private void leaveStaleSocket() throws IOException {
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(path));
    }
    assertThat(path).exists();
  }

  private static Set<PosixFilePermission> permissions(Path path) throws IOException {
    return Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS);
  }

  @EachTransport
  void theFileIsThereWhileTheServerIsAndNothingElse(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Server server = start();
          assertThat(contents()).containsExactly(path);
          assertThat(server.path()).isEqualTo(path);
          assertThat(server.addresses()).isEmpty();
          assertThat(server).hasToString("Server[" + path + ", 0 connections]");
          assertServed();

          server.close();
          server.waitClosed();

          assertThat(contents()).isEmpty();
          assertThat(server.path()).isNull();
        });
  }

  @EachTransport
  void aStaleSocketOfOurOwnIsReplaced(String transport) throws IOException {
    leaveStaleSocket();

    OnLoop.run(
        transport,
        () -> {
          try (Server _ = start()) {
            assertThat(contents()).containsExactly(path);
            assertServed();
          }
        });
  }

  @EachTransport
  void aLiveServerIsNotReplaced(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Server _ = start()) {
            assertRefused("a server listens there; stop it, or choose another path");
            assertServed();
          }
        });
  }

  /** Connecting would have to wait there. */
  @EachTransport
  void aLiveServerWhoseQueueIsFullIsNotReplaced(String transport) throws IOException {
    try (ServerSocketChannel busy = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      busy.bind(UnixDomainSocketAddress.of(path), 1);
      OnLoop.run(
          transport,
          () -> {
            try (Connection _ = Asyncio.openUnixConnection(path);
                Connection _ = Asyncio.openUnixConnection(path)) {
              assertRefused("a server listens there");
            }
          });
    }
  }

  @EachTransport
  void aSocketOfAnotherKindIsNotReplaced(String transport) throws IOException {
    try (ForeignProgram _ = ForeignProgram.start("socat", "-u", "UNIX-RECV:" + path, "STDOUT")) {
      OnLoop.run(
          transport,
          () -> {
            OnLoop.passRoundsUntil(() -> Files.exists(path));
            assertRefused("there is a socket, and no telling whether a server listens on it");
            assertThat(path).exists();
          });
    }
  }

  @EachTransport
  void aFileStays(String transport) throws IOException {
    Files.writeString(path, "precious");

    OnLoop.run(
        transport,
        () -> assertRefused("there is a file, which a server does not replace; remove it"));

    assertThat(path).hasContent("precious");
    OnLoop.run(transport, () -> assertThat(contents()).containsExactly(path));
  }

  @EachTransport
  void aDirectoryStays(String transport) throws IOException {
    Files.createDirectory(path);

    OnLoop.run(transport, () -> assertRefused("there is a directory; choose another path"));

    assertThat(path).isDirectory();
  }

  /** Even to a socket that would give way. */
  @EachTransport
  void aSymbolicLinkStays(String transport) throws IOException {
    leaveStaleSocket();
    Path target = directory.resolve("target.sock");
    Files.move(path, target);
    Files.createSymbolicLink(path, target);

    OnLoop.run(transport, () -> assertRefused("there is a symbolic link"));

    assertThat(path).isSymbolicLink();
    assertThat(target).exists();
  }

  @EachTransport
  void aStaleSocketOfAnotherUserStays(String transport) throws IOException {
    assumeTrue(isRoot(), "only root can make a socket of another user's");
    leaveStaleSocket();
    Files.setAttribute(path, "unix:uid", NOBODY, LinkOption.NOFOLLOW_LINKS);

    OnLoop.run(
        transport, () -> assertRefused("there is a socket of the user " + NOBODY + "'s, on which"));

    assertThat(path).exists();
  }

  private static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  @EachTransport
  void aDirectoryThatIsNotThereIsNamed(String transport) {
    path = directory.resolve("missing").resolve("echo.sock");

    OnLoop.run(
        transport,
        () ->
            assertThatExceptionOfType(BindException.class)
                .isThrownBy(this::start)
                .withMessage("No such directory: " + directory.resolve("missing")));
  }

  /** Root may write anywhere; demo-echo has the test for that, without root's capabilities. */
  @EachTransport
  void aDirectoryWhereNothingMayBeMadeIsNamed(String transport) throws IOException {
    assumeFalse(isRoot(), "root may write anywhere");
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("r-x------"));

    OnLoop.run(
        transport,
        () ->
            assertThatExceptionOfType(BindException.class)
                .isThrownBy(this::start)
                .withMessage("Permission denied: cannot make a socket in " + directory));

    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
  }

  @EachTransport
  void thePermissionsAreTheOwnersOnlyUnlessToldOtherwise(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Server server = start();
          assertThat(PosixFilePermissions.toString(permissions(path))).isEqualTo("rw-------");
          server.close();
          server.waitClosed();
          Set<PosixFilePermission> all = PosixFilePermissions.fromString("rw-rw-rw-");
          try (Server _ = start(ServerOptions.defaults().withUnixPermissions(all))) {
            assertThat(permissions(path)).isEqualTo(all);
            assertServed();
          }
        });
  }

  /** What is there instead may be another server's. */
  @EachTransport
  void aFileThatHasTakenTheSocketsPlaceStaysWhenTheServerCloses(String transport)
      throws IOException {
    OnLoop.run(
        transport,
        () -> {
          Server server = start();
          Files.delete(path);
          Files.writeString(path, "another's");
          server.close();
          server.waitClosed();
        });

    assertThat(path).hasContent("another's");
    assertThat(contents()).containsExactly(path);
  }

  @EachTransport
  void aSocketThatHasTakenTheSocketsPlaceStaysWhenTheServerCloses(String transport)
      throws IOException {
    OnLoop.run(
        transport,
        () -> {
          Server old = start();
          Files.delete(path);
          try (Server _ = start()) {
            old.close();
            old.waitClosed();
            assertServed();
          }
        });
  }

  @EachTransport
  void aFileThatIsGoneAlreadyIsNoMatter(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Server server = start();
          Files.delete(path);
          server.close();
          server.waitClosed();
        });
  }

  @EachTransport
  void aPathCanBeListenedOnAgainAtOnce(String transport) {
    OnLoop.run(
        transport,
        () -> {
          for (int i = 0; i < 20; i++) {
            try (Server _ = start()) {
              assertServed();
            }
          }
        });
  }

  /** Each of them finds the same stale socket, and must not take the winner's for it. */
  @EachTransport
  void ofServersThatStartAtOnceOneGetsThePath(String transport) {
    OnLoop.run(
        transport,
        () -> {
          for (int round = 0; round < 10; round++) {
            leaveStaleSocket();
            List<Task<Server>> starting = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
              starting.add(Asyncio.createTask(() -> start()));
            }
            List<Server> started = new ArrayList<>();
            for (Task<Server> start : starting) {
              try {
                started.add(start.await(IOException.class));
              } catch (BindException e) {
                assertThat(e).hasMessageContaining("a server listens there");
              }
            }
            assertThat(started).hasSize(1);
            assertServed();
            started.getFirst().close();
            started.getFirst().waitClosed();
          }
        });
  }

  @EachTransport
  void aStartCancelledInAnyRoundLeavesNothing(String transport) throws IOException {
    OnLoop.run(
        transport,
        () -> {
          long before = Descriptors.open();
          for (int round = 0; round < 200; round += 1 + round / 10) {
            Task<Server> starting = Asyncio.createTask(() -> start());
            OnLoop.passRounds(round);
            if (starting.cancel()) {
              assertThatThrownBy(starting::await).isInstanceOf(CancelledError.class);
            } else {
              starting.await().close();
            }
          }
          OnLoop.passRoundsUntil(() -> Descriptors.open() <= before);
        });

    assertThat(contents()).isEmpty(); // The end of the run has waited for the workers.
  }

  @EachTransport
  void aPathTooLongForASocketIsABindExceptionThatSaysSo(String transport) {
    Path longest = directory.resolve("x".repeat(longestName()));
    OnLoop.run(
        transport,
        () -> {
          path = longest;
          try (Server _ = start()) {
            assertServed();
          }
          path = directory.resolve(longest.getFileName() + "x");
          assertThatExceptionOfType(BindException.class)
              .isThrownBy(this::start)
              .withMessageContaining("94 bytes where at most 93 are possible: " + path);
        });
  }

  /** With the directory in which the socket is for a moment. */
  private int longestName() {
    return PATH_BYTES_MAX - "/.weir-123456".length() - (directory + "/").length();
  }

  @EachTransport
  void aPathThatIsRelativeOrOddIsAPathAllTheSame(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Path here = Path.of("").toAbsolutePath();
          path = here.relativize(directory).resolve("größe .moved");
          try (Server server = start()) {
            assertThat(directory.resolve("größe .moved")).exists();
            assertServed();
            assertRefused("a server listens there");
            assertThat(server.path()).isEqualTo(path);
          }
          assertThatThrownBy(() -> Asyncio.startUnixServer(TestServer::echo, Path.of("")))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageContaining("path is empty");
          for (String directories : List.of("/", "..", ".")) {
            assertThatThrownBy(
                    () -> Asyncio.startUnixServer(TestServer::echo, Path.of(directories)))
                .isInstanceOf(BindException.class)
                .hasMessageContaining("there is a directory");
          }
        });
  }
}
