package dev.weir.task;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A JVM of its own that runs one main class of the tests, with the fibers of this JVM: for what
 * ends a JVM.
 */
final class ChildJvm implements AutoCloseable {
  /** Bounds a wait that takes this long only if the test fails. */
  private static final long FAILED_SECONDS = 30;

  private final Process process;
  private final BufferedReader reader;
  private final List<String> output = new ArrayList<>();

  private ChildJvm(Process process) {
    this.process = process;
    this.reader = process.inputReader();
  }

  /** Starts it; what it logs is part of its output. */
  static ChildJvm start(Class<?> main, String... arguments) throws IOException {
    return start(List.of(), main, arguments);
  }

  /** The same, with options of its own for the JVM. */
  static ChildJvm start(List<String> options, Class<?> main, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")); // It starts sooner.
    command.add("-Dweir.fibers=" + System.getProperty("weir.fibers"));
    if (Loops.mounted()) {
      command.add("--add-opens=java.base/java.lang=ALL-UNNAMED");
    }
    command.addAll(options);
    command.add("-cp");
    command.add(folderOf(Loop.class) + ":" + folderOf(main));
    command.add(main.getName());
    command.addAll(List.of(arguments));
    return new ChildJvm(new ProcessBuilder(command).redirectErrorStream(true).start());
  }

  private static String folderOf(Class<?> type) {
    return type.getProtectionDomain().getCodeSource().getLocation().getPath();
  }

  /** Waits until it prints {@code line}. */
  void awaitLine(String line) throws IOException {
    String read = reader.readLine();
    while (read != null) {
      output.add(read);
      if (read.equals(line)) {
        return;
      }
      read = reader.readLine();
    }
    throw new AssertionError("It ended without '" + line + "': " + output);
  }

  /** Sends it a signal, {@code INT} for instance. */
  void signal(String name) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
  }

  /** {@return its exit status, once it has ended} */
  int exitStatus() throws IOException, InterruptedException {
    if (!process.waitFor(FAILED_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("It does not end; so far it printed " + output);
    }
    reader.lines().forEach(output::add);
    return process.exitValue();
  }

  /** {@return what it has printed, as far as it was waited for} */
  List<String> output() {
    return output;
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
