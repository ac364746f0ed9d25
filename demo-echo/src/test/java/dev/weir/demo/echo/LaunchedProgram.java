package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The finished jar in a JVM of its own, on the kind of fibers that this run of the tests is about.
 */
final class LaunchedProgram implements AutoCloseable {
  private static final Pattern PORT = Pattern.compile(":([0-9]+)\\b");
  private static final int IGNORES_SIGINT = 0x2;

  /** The watchdog's warning and the stack below it, up to the next line of log or error. */
  private static final Pattern SLOW_STEP =
      Pattern.compile(
          "^[0-9:.]+ WARN .* has held the turn of .*\\R(?:(?!echo: |[0-9]{2}:).*\\R)*",
          Pattern.MULTILINE);

  private final Process process;
  private final BufferedReader output;
  private final Path errors;

  private LaunchedProgram(Process process, Path errors) {
    this.process = process;
    this.output = process.inputReader(UTF_8);
    this.errors = errors;
  }

  static LaunchedProgram start(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(commandLine());
    command.addAll(List.of(arguments));
    Path errors = Files.createTempFile("echo", ".err");
    errors.toFile().deleteOnExit();
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
    return new LaunchedProgram(builder.start(), errors);
  }

  /** How the jar is started: as a user does, for its manifest says the rest. */
  static List<String> commandLine() {
    Path jar = Path.of("target", "demo-echo.jar").toAbsolutePath();
    assertThat(jar).as("the jar, which `mvn package` builds").exists();
    String fibers = System.getProperty("weir.fibers", "auto");
    return List.of(javaCommand(), "-Dweir.fibers=" + fibers, "-jar", jar.toString());
  }

  static String javaCommand() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  /** {@return the next line of its standard output, or null at the end} */
  String nextLine() throws IOException {
    return output.readLine();
  }

  /** {@return the port in the next line of its standard output} */
  int nextPort() throws IOException {
    String line = nextLine();
    Matcher matcher = PORT.matcher(String.valueOf(line));
    assertThat(matcher.find()).as("a port in '%s', errors: %s", line, errors()).isTrue();
    return Integer.parseInt(matcher.group(1));
  }

  /** {@return the rest of its standard output, to the end} */
  String restOfOutput() throws IOException {
    return output.readAllAsString();
  }

  /** {@return its standard input} */
  OutputStream input() {
    return process.getOutputStream();
  }

  /**
   * {@return what it wrote to standard error so far, without warnings of slow steps: a JVM that
   * starts on a busy machine has those, and nothing is wrong then}
   */
  String errors() throws IOException {
    return SLOW_STEP.matcher(Files.readString(errors)).replaceAll("");
  }

  void signal(String name) throws IOException, InterruptedException {
    Process kill = new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid())).start();
    assertThat(kill.waitFor()).isZero();
  }

  /**
   * {@return whether it inherited that SIGINT is ignored, as the background jobs of a script do;
   * then Java ignores it}
   */
  boolean ignoresInterrupts() throws IOException {
    Path status = Path.of("/proc", String.valueOf(process.pid()), "status");
    if (!Files.isReadable(status)) {
      return false;
    }
    try (var lines = Files.lines(status)) {
      return lines
          .filter(line -> line.startsWith("SigIgn:"))
          .map(line -> Long.parseUnsignedLong(line.substring("SigIgn:".length()).strip(), 16))
          .anyMatch(ignored -> (ignored & IGNORES_SIGINT) != 0);
    }
  }

  int awaitExit() throws InterruptedException {
    return process.waitFor();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }

  static Socket connect(int port) throws IOException {
    return new Socket(InetAddress.getLoopbackAddress(), port);
  }

  /** Returns once nothing listens on {@code port} any more. */
  static void awaitRefusal(int port) throws IOException {
    while (true) {
      try {
        connect(port).close();
      } catch (ConnectException e) {
        return;
      } catch (SocketException e) {
        // Reset, because the listener was closed before it accepted this one: ask again.
      }
    }
  }
}
