package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A program that nobody here wrote, on the other end of a connection. What waits for it here
 * suspends a task, so the loop goes on serving.
 */
final class ForeignProgram implements AutoCloseable {
  private final Process process;
  private final BufferedReader output;

  private ForeignProgram(List<String> command) throws IOException {
    process = new ProcessBuilder(command).redirectErrorStream(true).start();
    output = process.inputReader(UTF_8);
  }

  /** Starts a program, or has the test skipped if this machine does not have it. */
  static ForeignProgram start(String... command) throws IOException {
    assumeTrue(
        isInstalled(command[0]),
        command[0] + " is not installed on this machine, see build/install-lab");
    return new ForeignProgram(List.of(command));
  }

  /** {@return all that a program says, on standard error as well; it has to end with 0} */
  static String run(String... command) throws IOException {
    try (ForeignProgram program = start(command)) {
      String said = program.restOfOutput();
      assertThat(program.awaitExit()).as(said).isZero();
      return said;
    }
  }

  static boolean isInstalled(String program) {
    for (String folder : System.getenv("PATH").split(File.pathSeparator)) {
      if (Files.isExecutable(Path.of(folder).resolve(program))) {
        return true;
      }
    }
    return false;
  }

  /** {@return the next line that has this in it, or null if there is none} */
  String nextLineWith(String text) {
    return Asyncio.toThread(() -> {
      String line = output.readLine();
      while (line != null && !line.contains(text)) {
        line = output.readLine();
      }
      return line;
    });
  }

  /** {@return its output from here to its end} */
  String restOfOutput() {
    return Asyncio.toThread(() -> output.readAllAsString());
  }

  private int awaitExit() {
    return Asyncio.toThread(() -> process.waitFor());
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
