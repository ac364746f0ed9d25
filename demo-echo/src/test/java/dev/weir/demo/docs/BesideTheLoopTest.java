package dev.weir.demo.docs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.weir.Asyncio;
import dev.weir.demo.echo.EchoServer;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.task.Task;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Work beside the loop, as docs/blocking.md shows it. */
class BesideTheLoopTest {
  @Test
  void primesAreCountedOnAllCores() {
    assertThat(Asyncio.<Long>run(() -> BesideTheLoop.countPrimes(100_000))).isEqualTo(9_592);
  }

  /** All cores compute, before the first question already, until the last one is answered. */
  @Test
  void theLoopGoesOnAnsweringWhileAllCoresCompute() {
    AtomicBoolean answered = new AtomicBoolean();
    int cores = Runtime.getRuntime().availableProcessors();
    CountDownLatch allBusy = new CountDownLatch(cores);

    Asyncio.run(() -> {
      try (Server server = Asyncio.startServer(EchoServer::echo, "127.0.0.1", 0)) {
        int port = server.addresses().getFirst().getPort();
        Task<?>[] computing = new Task<?>[cores];
        for (int i = 0; i < cores; i++) {
          computing[i] =
              Asyncio.createTask(() ->
                  Asyncio.toThread(() -> {
                    allBusy.countDown();
                    while (!answered.get()) {
                      Thread.onSpinWait();
                    }
                  }));
        }
        Asyncio.toThread(() -> allBusy.await());
        try (Connection connection = Asyncio.openConnection("127.0.0.1", port)) {
          for (int i = 0; i < 100; i++) {
            connection.writer().writeLine("ping " + i);
            assertThat(connection.reader().readLine(UTF_8)).isEqualTo("ping " + i);
          }
        }
        assertThat(computing).noneMatch(Task::done);
        answered.set(true);
        for (Task<?> task : computing) {
          task.await();
        }
      }
    });
  }

  @Test
  void aFileIsReadOnAnotherThread(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "contents");

    assertThat(Asyncio.<String>run(() -> BesideTheLoop.readFile(file))).isEqualTo("contents");
  }

  @Test
  void aPageIsFetchedByTheHttpClientOfTheJdk() throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          exchange.getResponseBody().write("page".getBytes(UTF_8));
          exchange.close();
        });
    server.start();
    URI uri = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");

    try (HttpClient client = HttpClient.newHttpClient()) {
      assertThat(Asyncio.<String>run(() -> BesideTheLoop.fetch(client, uri))).isEqualTo("page");
    } finally {
      server.stop(0);
    }
  }
}
