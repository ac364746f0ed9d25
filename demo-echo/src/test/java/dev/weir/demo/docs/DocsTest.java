package dev.weir.demo.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.weir.Asyncio;
import dev.weir.demo.echo.EchoServer;
import dev.weir.stream.Server;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What README.md and docs show is code that compiles and runs. */
class DocsTest {
  private static final Path ROOT = Path.of("..");
  private static final Pattern JAVA_BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  @TestFactory
  Stream<DynamicTest> everyBlockOfJavaStandsInACompiledFile() throws IOException {
    List<String> sources = files(Path.of("src"), ".java").map(DocsTest::squeezed).toList();
    Stream<Path> pages =
        Stream.concat(Stream.of(ROOT.resolve("README.md")), files(ROOT.resolve("docs"), ".md"));

    return pages.flatMap(page ->
        JAVA_BLOCK
            .matcher(read(page))
            .results()
            .map(MatchResult::group)
            .map(block -> block.replaceAll("```(java)?", ""))
            .map(block ->
                dynamicTest(
                    page.getFileName() + ": " + block.strip().lines().findFirst().orElse(""),
                    () ->
                        assertThat(sources)
                            .anySatisfy(source -> assertThat(source).contains(squeezed(block))))));
  }

  @Test
  void theClientsAndTheServerOfTheReadmeTalkToEachOther() {
    Asyncio.run(() -> {
      try (Server server = Asyncio.startServer(EchoServer::echo, "127.0.0.1", 0)) {
        int port = server.addresses().getFirst().getPort();
        assertThat(Greeting.greet("127.0.0.1", port)).isEqualTo("hello");
        assertThat(Greeting.greetAll(List.of("127.0.0.1", "localhost"), port))
            .containsExactly("hello", "hello");
      }
    });
  }

  private static Stream<Path> files(Path folder, String ending) throws IOException {
    try (Stream<Path> walk = Files.walk(folder)) {
      return walk.filter(file -> file.toString().endsWith(ending)).toList().stream();
    }
  }

  private static String squeezed(Path file) {
    return squeezed(read(file));
  }

  /** {@return the text with every run of white space as one blank: indentation may differ} */
  private static String squeezed(String text) {
    return text.strip().replaceAll("\\s+", " ");
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
