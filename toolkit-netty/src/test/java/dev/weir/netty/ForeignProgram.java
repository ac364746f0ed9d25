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
    this(new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT));
  }

  private ForeignProgram(ProcessBuilder builder) throws IOException {
    process = builder.start();
    output = process.inputReader(StandardCharsets.UTF_8);
  }

  /** Starts a program, or has the test skipped if this machine does not have it. */
  static ForeignProgram start(String... command) throws IOException {
    assumeTrue(isInstalled(command[0]), command[0] + " is not installed on this machine");
    return new ForeignProgram(List.of(command));
  }

  /** Starts a program whose output is what it says on standard error as well. */
  static ForeignProgram startTalkative(String... command) throws IOException {
    assumeTrue(isInstalled(command[0]), command[0] + " is not installed on this machine");
    return new ForeignProgram(new ProcessBuilder(command).redirectErrorStream(true));
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

  /** Has the test skipped if the machine's Python is older than a version of 3. */
  static void assumePython3(int minor) throws IOException {
    assumeTrue(isInstalled("python3"), "python3 is not installed on this machine");
    String found = "import sys; print(sys.version_info.minor)";
    try (ForeignProgram python = start("python3", "-c", found)) {
      assumeTrue(
          Integer.parseInt(python.nextLine()) >= minor,
          "python3 on this machine is older than 3." + minor);
    }
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

  /** {@return the next line that has this in it} */
  String nextLineWith(String text) throws IOException {
    StringBuilder before = new StringBuilder();
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      if (line.contains(text)) {
        return line;
      }
      before.append(line).append('\n');
    }
    throw new AssertionError("'" + text + "' was not said, but:\n" + before);
  }

  /** {@return its output from here to its end} */
  String restOfOutput() throws IOException {
    return output.readAllAsString();
  }

  void send(String text) throws IOException {
    input().write(text.getBytes(StandardCharsets.UTF_8));
    input().flush();
  }

  void sendLine() throws IOException {
    input().write('\n');
    input().flush();
  }

  int awaitExit() throws InterruptedException {
    return process.waitFor();
  }

  /** As {@code kill -9}: it has no say in it, and its sockets are closed by the system. */
  void kill() {
    process.destroyForcibly();
  }

  @Override
  public void close() {
    kill();
  }
}
