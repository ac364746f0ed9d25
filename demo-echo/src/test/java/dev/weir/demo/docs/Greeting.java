package dev.weir.demo.docs;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.task.Task;
import dev.weir.task.TaskGroup;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The clients of README.md, which shows the methods as they stand here. */
final class Greeting {
  private Greeting() {}

  static @Nullable String greet(String host, int port) throws IOException {
    try (Connection connection = Asyncio.openConnection(host, port)) {
      connection.writer().writeLine("hello");
      return connection.reader().readLine(UTF_8);
    }
  }

  static List<String> greetAll(List<String> hosts, int port) throws IOException {
    List<Task<String>> greetings = new ArrayList<>();
    Asyncio.timeout(Duration.ofSeconds(5))
        .run(timeout ->
            new TaskGroup()
                .run(group -> {
                  for (String host : hosts) {
                    greetings.add(group.createTask(() -> greet(host, port)));
                  }
                }));
    return greetings.stream().map(Task::result).toList();
  }
}
