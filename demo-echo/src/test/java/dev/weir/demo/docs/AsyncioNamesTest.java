package dev.weir.demo.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What docs/asyncio-names.md says: every name of asyncio's is in it, with what Weir has for it, or
 * with one of six reasons why there is nothing.
 */
class AsyncioNamesTest {
  private static final Path PAGE = Path.of("..", "docs", "asyncio-names.md");

  private static final List<String> REASONS =
      List.of(
          "weak references",
          "generators",
          "policies",
          "coroutine objects",
          "pickling",
          "deprecated");

  private static final String NOTHING = "–";
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");

  /** A class by its simple or its full name, and perhaps a member of it. */
  private static final Pattern JAVA_NAME =
      Pattern.compile("((?:[a-z]+\\.)*[A-Z]\\w*(?:\\.[A-Z][a-z]\\w*)*)(?:\\.(\\w+))?");

  /** One line of the table. */
  private record Row(String name, String weir, String note) {
    static Row of(String line) {
      String[] cells = line.substring(1, line.lastIndexOf('|')).split("\\|", -1);
      assertThat(cells).as(line).hasSize(3);
      return new Row(cells[0].strip().replace("`", ""), cells[1].strip(), cells[2].strip());
    }

    List<String> javaNames() {
      return CODE.matcher(weir).results().map(result -> result.group(1)).toList();
    }
  }

  private static List<Row> rows() throws IOException {
    return Files.readAllLines(PAGE).stream()
        .filter(line -> line.startsWith("| `"))
        .map(Row::of)
        .toList();
  }

  /** Python 3.14's {@code asyncio.__all__}, and a few names that others use all the same. */
  private static List<String> asyncioNames() throws IOException {
    try (InputStream names = AsyncioNamesTest.class.getResourceAsStream("/asyncio-names.txt")) {
      return new String(Objects.requireNonNull(names).readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .toList();
    }
  }

  // --- The page

  @Test
  void everyNameIsInTheTableOnce() throws IOException {
    assertThat(asyncioNames()).hasSizeGreaterThan(100).isSorted().doesNotHaveDuplicates();
    assertThat(rows()).extracting(Row::name).containsExactlyInAnyOrderElementsOf(asyncioNames());
  }

  @Test
  void everyJavaNameIsThere() throws IOException {
    List<String> wrong = new ArrayList<>();
    for (Row row : rows()) {
      for (String name : row.javaNames()) {
        String problem = problemOf(name);
        if (problem != null) {
          wrong.add(row.name() + ": " + name + " " + problem);
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void whatWeirDoesNotHaveHasAReason() throws IOException {
    List<String> wrong = new ArrayList<>();
    for (Row row : rows()) {
      if (row.weir().equals(NOTHING)) {
        if (REASONS.stream().noneMatch(reason -> row.note().startsWith(reason + ": "))) {
          wrong.add(row.name() + ": no reason is '" + row.note() + "'");
        }
      } else if (row.javaNames().isEmpty()) {
        wrong.add(row.name() + ": neither a Java name nor " + NOTHING + " is '" + row.weir() + "'");
      }
    }
    assertThat(wrong).isEmpty();
  }

  // --- Java names

  @ParameterizedTest
  @CsvSource(
      nullValues = "fine",
      value = {
        "Asyncio.createTask, fine",
        "TaskGroup, fine",
        "ReturnWhen.FIRST_COMPLETED, fine",
        "RunOptions.loops, fine",
        "dev.weir.task.TimeoutException, fine",
        "java.util.NoSuchElementException, fine",
        "Asyncio.create_task, 'has no public member create_task'",
        "Asyncio.ensure, 'has no public member ensure'",
        "Loop.closeAlone, 'has no public member closeAlone'",
        "Tasks, 'is no public class of Weir''s'",
        "Carrier, 'is no public class of Weir''s'",
        "dev.weir.Nothing, 'is no public class'",
        "'new Runner()', 'is neither Type nor Type.member'",
      })
  void aJavaNameIsCheckedByReflection(String name, String problem) throws IOException {
    assertThat(problemOf(name)).isEqualTo(problem);
  }

  /** {@return what is wrong with it, or null} */
  private static String problemOf(String javaName) throws IOException {
    MatchResult parts = JAVA_NAME.matcher(javaName).results().findFirst().orElse(null);
    if (parts == null || !parts.group().equals(javaName)) {
      return "is neither Type nor Type.member";
    }
    List<Class<?>> types = publicTypes(parts.group(1));
    if (types.isEmpty()) {
      return "is no public class" + (javaName.matches("[a-z].*") ? "" : " of Weir's");
    }
    if (types.size() > 1) {
      return "is one of " + types + ": write its package";
    }
    String member = parts.group(2);
    return member == null || hasPublicMember(types.getFirst(), member)
        ? null
        : "has no public member " + member;
  }

  private static List<Class<?>> publicTypes(String name) throws IOException {
    boolean full = Character.isLowerCase(name.charAt(0));
    Stream<String> candidates =
        full
            ? Stream.of(name)
            : weirPackages().map(packageName -> packageName + "." + name.replace('.', '$'));
    List<Class<?>> found = new ArrayList<>();
    for (String candidate : candidates.toList()) {
      try {
        Class<?> type = Class.forName(candidate, false, AsyncioNamesTest.class.getClassLoader());
        if (Modifier.isPublic(type.getModifiers())) {
          found.add(type);
        }
      } catch (ClassNotFoundException e) {
        // Not in that package.
      }
    }
    return found;
  }

  private static boolean hasPublicMember(Class<?> type, String name) {
    Stream<String> methods = Arrays.stream(type.getMethods()).map(Method::getName);
    Stream<String> fields = Arrays.stream(type.getFields()).map(Field::getName);
    return Stream.concat(methods, fields).anyMatch(name::equals);
  }

  /** {@return what Weir's modules export: what is beneath has another use for the same names} */
  private static Stream<String> weirPackages() throws IOException {
    TreeSet<String> packages = new TreeSet<>();
    for (String name : List.of("dev.weir.Asyncio", "dev.weir.netty.NettyStreams")) {
      for (ModuleReference module : ModuleFinder.of(jarOf(name)).findAll()) {
        module.descriptor().exports().stream()
            .map(ModuleDescriptor.Exports::source)
            .forEach(packages::add);
      }
    }
    packages.remove("dev.weir.spi");
    return packages.stream();
  }

  private static Path jarOf(String type) throws IOException {
    try {
      return Path.of(
          Class.forName(type).getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (ClassNotFoundException | URISyntaxException e) {
      throw new IOException(e);
    }
  }
}
