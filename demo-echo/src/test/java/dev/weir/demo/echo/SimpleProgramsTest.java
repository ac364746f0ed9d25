package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/**
 * The two programs moved over from Python, each on a terminal of its own, at which a script of
 * Python's sits.
 */
@Tag("slow")
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class SimpleProgramsTest {
  @Test
  void onTerminalsTheyTalkAsInPython() throws Exception {
    assumeTrue(pythonExists(), "needs python3, for its pseudo-terminals");
    List<String> command = new ArrayList<>();
    command.add("python3");
    command.add(Path.of("src/test/resources/simple_programs_on_terminals.py").toString());
    command.addAll(LaunchedProgram.commandLine());

    Process script = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(script.getInputStream().readAllBytes(), UTF_8);

    assertThat(script.waitFor()).as(said).isZero();
    assertThat(said)
        .isEqualToNormalizingNewlines(
            """
            client: Enter a message: Hello, Weir!
            client: Sent: Hello, Weir!
            client ended with 0
            server: Received: Hello, Weir!
            server ended with 130
            """);
  }

  private static boolean pythonExists() throws InterruptedException {
    try {
      return new ProcessBuilder("python3", "-c", "import pty").start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }
}
