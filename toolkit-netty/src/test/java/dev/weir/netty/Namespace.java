package dev.weir.netty;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A program of the tests in a JVM and a network namespace of its own, where packets can be dropped
 * without harm; see {@code namespace.sh} for what is there.
 */
final class Namespace {
  private static final long PATIENCE_SECONDS = 60;

  private Namespace() {}

  /** Has the test skipped where a tool or a right is missing. */
  static void assumeAvailable() throws Exception {
    for (String tool : List.of("unshare", "ip", "nft")) {
      assumeTrue(ForeignProgram.isInstalled(tool), tool + " is not installed on this machine");
    }
    List<String> trial = new ArrayList<>(unshared());
    trial.add("true");
    Outcome outcome = run(trial);
    assumeTrue(outcome.status() == 0, "no network namespace may be made here: " + outcome.output());
  }

  /** What a program said on both its outputs, and how it ended. */
  record Outcome(int status, String output) {}

  /** Runs the main method of a class of the tests there, to its end. */
  static Outcome runMain(Class<?> main, List<String> jvmOptions, String... arguments)
      throws Exception {
    List<String> command = new ArrayList<>(unshared());
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", classPath(), "--enable-native-access=ALL-UNNAMED"));
    if (!System.getProperty("weir.fibers", "auto").equals("portable")) {
      command.addAll(List.of("--add-opens", "java.base/java.lang=ALL-UNNAMED"));
    }
    command.add("-Dweir.fibers=" + System.getProperty("weir.fibers", "auto"));
    command.addAll(jvmOptions);
    command.add(main.getName());
    command.addAll(List.of(arguments));
    return run(command);
  }

  /** The tests run as a module; on the class path its parts are found as well. */
  private static String classPath() {
    return String.join(
        File.pathSeparator,
        System.getProperty("jdk.module.path", ""),
        System.getProperty("java.class.path", ""),
        Path.of("target", "classes").toAbsolutePath().toString(),
        Path.of("target", "test-classes").toAbsolutePath().toString());
  }

  private static List<String> unshared() {
    Path script = Path.of(Namespace.class.getResource("/namespace.sh").getPath());
    return List.of("unshare", "--map-root-user", "--net", "sh", script.toString());
  }

  private static Outcome run(List<String> command) throws IOException, InterruptedException {
    Path output = Files.createTempFile("namespace", ".out");
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
        throw new AssertionError("did not end: " + command + "\n" + Files.readString(output));
      }
      return new Outcome(process.exitValue(), Files.readString(output));
    } finally {
      Files.delete(output);
    }
  }
}
