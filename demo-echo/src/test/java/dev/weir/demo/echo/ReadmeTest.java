package dev.weir.demo.echo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.Asyncio;
import dev.weir.stream.Server;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What README.md shows is code that compiles and runs. */
class ReadmeTest {
  private static final Pattern JAVA_BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  @Test
  void everyBlockOfJavaStandsInACompiledFile() throws IOException {
    List<String> sources =
        List.of(
            squeezed(Files.readString(Path.of("src/main/java/dev/weir/demo/echo/EchoServer.java"))),
            squeezed(Files.readString(Path.of("src/test/java/dev/weir/demo/echo/Greeting.java"))));

    List<String> blocks =
        JAVA_BLOCK
            .matcher(Files.readString(Path.of("..", "README.md")))
            .results()
            .map(block -> squeezed(block.group(1)))
            .toList();

    assertThat(blocks).hasSameSizeAs(sources);
    for (String block : blocks) {
      assertThat(sources).anySatisfy(source -> assertThat(source).contains(block));
    }
  }

  @Test
  void theClientAndTheServerOfItTalkToEachOther() {
    Asyncio.run(() -> {
      try (Server server = Asyncio.startServer(EchoServer::echo, "127.0.0.1", 0)) {
        assertThat(Greeting.greet("127.0.0.1", server.addresses().getFirst().getPort()))
            .isEqualTo("hello");
      }
    });
  }

  /** {@return the text with every run of white space as one blank: indentation may differ} */
  private static String squeezed(String text) {
    return text.strip().replaceAll("\\s+", " ");
  }
}
