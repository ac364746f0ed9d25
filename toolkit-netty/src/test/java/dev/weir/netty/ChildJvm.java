package dev.weir.netty;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A JVM of its own, with the fibers of this one: for what a JVM decides or says once. */
final class ChildJvm {
  private ChildJvm() {}

  /** Runs a main class of the tests to its end, and returns what it printed and logged. */
  static List<String> run(List<String> options, Class<?> main, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")); // It starts sooner.
    command.add("--add-opens=java.base/java.lang=ALL-UNNAMED");
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-Dweir.fibers=" + System.getProperty("weir.fibers", "auto"));
    command.addAll(options);
    command.addAll(List.of("-cp", classPath(), main.getName()));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      return process.inputReader().lines().toList();
    } finally {
      process.destroyForcibly();
    }
  }

  /** {@return where the tests' classes are, and all that they need, modules or not} */
  static String classPath() {
    return Stream.of("jdk.module.path", "java.class.path")
        .map(property -> System.getProperty(property, ""))
        .flatMap(path -> Stream.of(path.split(File.pathSeparator)))
        .filter(entry -> !entry.isEmpty())
        .collect(
            Collectors.joining(
                File.pathSeparator,
                Path.of("target", "test-classes").toAbsolutePath() + File.pathSeparator,
                ""));
  }
}
