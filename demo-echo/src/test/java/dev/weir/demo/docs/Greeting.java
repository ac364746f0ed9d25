package dev.weir.demo.docs;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The client of README.md, which shows the method as it stands here. */
final class Greeting {
  private Greeting() {}

  static @Nullable String greet(String host, int port) throws IOException {
    try (Connection connection = Asyncio.openConnection(host, port)) {
      connection.writer().writeLine("hello");
      return connection.reader().readLine(UTF_8);
    }
  }
}
