package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.task.ExceptionContext;
import dev.weir.task.RunOptions;
import io.netty.channel.epoll.Epoll;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** One of the servers here, on a port of the system's choosing, in the JVM of the test. */
final class TestServer {
  private TestServer() {}

  /** A test's body, which runs on the server's loop. */
  interface Body {
    void run(int port) throws Exception;
  }

  /** Runs a body beside a server; nothing may be reported to the loop's exception handler. */
  static void with(TcpEndpoint.Starter starter, Body body) {
    with("auto", starter, body);
  }

  static void with(String transport, TcpEndpoint.Starter starter, Body body) {
    assumeTrue(
        !transport.equals("epoll") || Epoll.isAvailable(),
        () -> "epoll does not work on this machine: " + Epoll.unavailabilityCause());
    List<ExceptionContext> reports = new ArrayList<>();
    Asyncio.run(
        () -> {
          Asyncio.runningLoop().setExceptionHandler((_, context) -> reports.add(context));
          try (Server server = starter.start("127.0.0.1", 0)) {
            body.run(server.addresses().getFirst().getPort());
          }
        },
        RunOptions.defaults().withTransport(transport));
    assertThat(reports).as("what was reported to the loop's exception handler").isEmpty();
  }

  /** {@return all that comes back until the server closes the connection} */
  static String say(int port, String text) throws IOException {
    try (Connection connection = Asyncio.openConnection("127.0.0.1", port)) {
      connection.writer().write(text);
      return new String(connection.reader().readAll(), ISO_8859_1);
    }
  }

  /** {@return all that comes back after this, and no more, was said} */
  static String sayAllOf(int port, String text) throws IOException {
    try (Connection connection = Asyncio.openConnection("127.0.0.1", port)) {
      connection.writer().write(text);
      connection.writer().writeEof();
      return new String(connection.reader().readAll(), ISO_8859_1);
    }
  }
}
