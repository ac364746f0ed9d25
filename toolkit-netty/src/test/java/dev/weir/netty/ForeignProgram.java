package dev.weir.netty;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A program that nobody here wrote, on the other end of a connection. Ends with the test. */
final class ForeignProgram implements AutoCloseable {
  private final Process process;
  private final BufferedReader output;

  private ForeignProgram(List<String> command) throws IOException {
    process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    output = process.inputReader(StandardCharsets.UTF_8);
  }

  /** Starts a program, or has the test skipped if this machine does not have it. */
  static ForeignProgram start(String... command) throws IOException {
    assumeTrue(isInstalled(command[0]), command[0] + " is not installed on this machine");
    return new ForeignProgram(List.of(command));
  }

  /** Starts a script of the test's resources with CPython. */
  static ForeignProgram python(String script, String... arguments) throws IOException {
    assumeTrue(isInstalled("python3"), "python3 is not installed on this machine");
    URL resource = ForeignProgram.class.getResource("/" + script);
    List<String> command =
        new ArrayList<>(List.of("python3", Path.of(resource.getPath()).toString()));
    command.addAll(List.of(arguments));
    return new ForeignProgram(command);
  }

  static boolean isInstalled(String program) {
    for (String folder : System.getenv("PATH").split(File.pathSeparator)) {
      if (Files.isExecutable(Path.of(folder, program))) {
        return true;
      }
    }
    return false;
  }

  OutputStream input() {
    return process.getOutputStream();
  }

  byte[] allOutput() throws IOException {
    return process.getInputStream().readAllBytes();
  }

  String nextLine() throws IOException {
    return output.readLine();
  }

  void sendLine() throws IOException {
    input().write('\n');
    input().flush();
  }

  int awaitExit() throws InterruptedException {
    return process.waitFor();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
