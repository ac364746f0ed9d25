package dev.weir.traces;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** What CPython's asyncio traces for the scenarios in {@code src/test/python}. */
final class CPythonTraces {
  private static final Path FOLDER = Path.of("src", "test", "python").toAbsolutePath();
  private static final int OLDEST_MINOR = 11;
  private static final int NEWEST_MINOR = 19;

  private static final Map<String, Section> PRINTED = new ConcurrentHashMap<>();

  private CPythonTraces() {}

  /**
   * A scenario and its trace.
   *
   * @param since the least version of CPython that traces this
   */
  record Scenario(String name, String since, List<String> lines) {}

  record Section(List<Scenario> scenarios) {}

  /**
   * A Python on this machine.
   *
   * @param minor of its version 3.minor; 0 if there is none
   */
  record Python(String command, int minor) {
    static final Python NONE = new Python("", 0);

    boolean isAtLeast(String version) {
      return minor >= Integer.parseInt(version.substring("3.".length()));
    }

    @Override
    public String toString() {
      return minor == 0 ? "none" : "3." + minor;
    }
  }

  static Section recorded(String section) {
    try {
      return parse(Files.readAllLines(FOLDER.resolve("recorded").resolve(section + ".txt")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** {@return what the newest Python prints, run once} */
  static Section printed(String section) {
    return PRINTED.computeIfAbsent(
        section, s -> parse(output(newestPython().command(), "scenarios.py", s)));
  }

  static Python newestPython() {
    return Newest.PYTHON;
  }

  private static Section parse(List<String> lines) {
    List<Scenario> scenarios = new ArrayList<>();
    for (String line : lines) {
      if (line.startsWith("== ")) {
        String[] words = line.split(" ");
        scenarios.add(new Scenario(words[1], words[3], new ArrayList<>()));
      } else if (!line.startsWith("-- ")) {
        scenarios.getLast().lines().add(line);
      }
    }
    return new Section(scenarios);
  }

  private static List<String> output(String... command) {
    try {
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .directory(FOLDER.toFile())
              .redirectError(ProcessBuilder.Redirect.DISCARD);
      builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
      Process process = builder.start();
      process.getOutputStream().close();
      return process.inputReader().readAllLines();
    } catch (IOException e) {
      return List.of();
    }
  }

  private static Python at(String command) {
    List<String> answer = output(command, "-c", "import sys; print(*sys.version_info[:2])");
    return answer.size() == 1 && answer.getFirst().matches("3 \\d+")
        ? new Python(command, Integer.parseInt(answer.getFirst().substring(2)))
        : Python.NONE;
  }

  /** Looks once, on the path and where pyenv keeps its versions. */
  private static final class Newest {
    static final Python PYTHON = find();

    private static Python find() {
      List<String> commands = new ArrayList<>(List.of("python3"));
      for (int minor = OLDEST_MINOR; minor <= NEWEST_MINOR; minor++) {
        commands.add("python3." + minor);
      }
      Path versions = Path.of(System.getProperty("user.home"), ".pyenv", "versions");
      if (Files.isDirectory(versions)) {
        try (Stream<Path> folders = Files.list(versions)) {
          folders.map(folder -> folder.resolve("bin/python3").toString()).forEach(commands::add);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
      return commands.stream()
          .map(CPythonTraces::at)
          .max(Comparator.comparingInt(Python::minor))
          .orElse(Python.NONE);
    }
  }
}
