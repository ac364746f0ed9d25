package dev.weir.demo.docs;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import java.io.IOException;
import java.time.Duration;
import java.util.random.RandomGenerator;

/** Asks a server a question until it has an answer or the deadline is over. */
final class RetryingClient {
  private static final Duration ATTEMPT = Duration.ofSeconds(2);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(50);
  private static final int DOUBLINGS_MAX = 5;
  private static final byte[] NEWLINE = {'\n'};

  private final String host;
  private final int port;
  private final RandomGenerator random;

  RetryingClient(String host, int port, RandomGenerator random) {
    this.host = host;
    this.port = port;
    this.random = random;
  }

  /** Asks until there is an answer; throws TimeoutException when {@code deadline} is over. */
  String ask(String question, Duration deadline) throws IOException {
    return Asyncio.timeout(deadline)
        .call(timeout -> {
          for (int attempt = 0; ; attempt++) {
            try {
              return askOnce(question);
            } catch (IOException e) {
              Asyncio.sleep(pauseAfter(attempt));
            }
          }
        });
  }

  private String askOnce(String question) throws IOException {
    return Asyncio.timeout(ATTEMPT)
        .call(timeout -> {
          try (Connection connection = Asyncio.openConnection(host, port)) {
            connection.writer().writeLine(question);
            // Not readLine(): at the end of the stream it returns what there is, half a line too.
            return new String(connection.reader().readUntil(NEWLINE), UTF_8).strip();
          }
        });
  }

  /** Doubles from attempt to attempt, and differs from client to client, so that they spread. */
  private Duration pauseAfter(int attempt) {
    long millis = FIRST_PAUSE.toMillis() << Math.min(attempt, DOUBLINGS_MAX);
    return Duration.ofMillis(random.nextLong(millis / 2, millis + 1));
  }
}
