package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Scripts of Python's that sit at pseudo-terminals, on which they start the programs here. */
final class TerminalScript {
  private TerminalScript() {}

  /** {@return all that a script says; it has to end with 0} */
  static String run(String name) throws IOException, InterruptedException {
    assumeTrue(pythonExists(), "needs python3, for its pseudo-terminals");
    List<String> command = new ArrayList<>();
    command.add("python3");
    command.add("-B"); // Leave no compiled module among the sources.
    command.add(Path.of("src/test/resources").resolve(name).toString());
    command.addAll(LaunchedProgram.commandLine());

    Process script = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      String said = new String(script.getInputStream().readAllBytes(), UTF_8);
      assertThat(script.waitFor()).as(said).isZero();
      return said;
    } finally {
      script.destroyForcibly();
    }
  }

  private static boolean pythonExists() throws InterruptedException {
    try {
      return new ProcessBuilder("python3", "-c", "import pty").start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }
}
