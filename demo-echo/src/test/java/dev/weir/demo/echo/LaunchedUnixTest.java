package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** {@code echo server --unix} and {@code echo client --unix} as processes. */
@Tag("slow")
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class LaunchedUnixTest {
  private static final int NOBODY = 65_534;

  @TempDir Path directory;
  private Path path;

  @BeforeEach
  void choosePath() {
    path = directory.resolve("echo.sock");
  }

  @Test
  void theClientGetsBackWhatItSendsAndTheServerLeavesNoFile() throws Exception {
    try (LaunchedProgram server = LaunchedProgram.start("server", "--unix", path.toString())) {
      assertThat(server.nextLine()).startsWith("listening on " + path + " (");
      try (LaunchedProgram client = LaunchedProgram.start("client", "--unix", path.toString())) {
        client.input().write("hello\n".getBytes(UTF_8));
        client.input().close();

        assertThat(client.restOfOutput()).isEqualTo("hello\n");
        assertThat(client.awaitExit()).isZero();
      }
      server.signal("TERM");

      assertThat(server.awaitExit()).isEqualTo(143);
      assertThat(server.errors()).isEmpty();
      assertThat(directory).isEmptyDirectory();
    }
  }

  @Test
  void aServerThatWasKilledDoesNotKeepTheNextFromStarting() throws Exception {
    try (LaunchedProgram killed = LaunchedProgram.start("server", "--unix", path.toString())) {
      killed.nextLine();
      killed.signal("KILL");
      killed.awaitExit();
      assertThat(path).exists();
    }

    try (LaunchedProgram next = LaunchedProgram.start("server", "--unix", path.toString())) {
      assertThat(next.nextLine()).startsWith("listening on " + path);
    }
  }

  /** Root may write anywhere, unless it gives its capabilities up. */
  @Test
  void aDirectoryWhereItMayMakeNothingEndsItWithOneLine() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root can make the directory");
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/setpriv")), "setpriv is not installed");
    Files.setAttribute(directory, "unix:uid", NOBODY, LinkOption.NOFOLLOW_LINKS);
    Files.setAttribute(directory, "unix:mode", 0755, LinkOption.NOFOLLOW_LINKS);
    List<String> command =
        new ArrayList<>(List.of("/usr/bin/setpriv", "--bounding-set=-all", "--inh-caps=-all"));
    command.addAll(LaunchedProgram.commandLine());
    command.addAll(List.of("server", "--unix", path.toString()));

    Process server = new ProcessBuilder(command).redirectErrorStream(true).start();

    assertThat(output(server))
        .isEqualTo("echo: Permission denied: cannot make a socket in " + directory + "\n");
    assertThat(server.waitFor()).isEqualTo(1);
  }

  private static String output(Process process) throws IOException {
    try (var output = process.inputReader(UTF_8)) {
      return output.readAllAsString();
    }
  }
}
