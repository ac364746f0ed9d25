package dev.weir.demo.docs;

import dev.weir.Asyncio;
import dev.weir.task.Task;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The examples of docs/blocking.md, which shows these methods as they stand here. */
final class BesideTheLoop {
  private BesideTheLoop() {}

  /** Counts on all cores; the loop goes on answering meanwhile. */
  static long countPrimes(int below) {
    int parts = Runtime.getRuntime().availableProcessors();
    List<Task<Long>> counting = new ArrayList<>();
    for (int part = 0; part < parts; part++) {
      int first = part;
      counting.add(
          Asyncio.createTask(() -> Asyncio.toThread(() -> countPrimes(below, first, parts))));
    }
    return Asyncio.gather(counting).await().stream().mapToLong(Long::longValue).sum();
  }

  private static long countPrimes(int below, int first, int step) {
    long count = 0;
    for (int i = first; i < below; i += step) {
      count += isPrime(i) ? 1 : 0;
    }
    return count;
  }

  private static boolean isPrime(int number) {
    for (int i = 2; i <= number / i; i++) {
      if (number % i == 0) {
        return false;
      }
    }
    return number > 1;
  }

  static String readFile(Path file) throws IOException {
    return Asyncio.toThread(() -> Files.readString(file));
  }

  static String fetch(HttpClient client, URI uri) throws IOException {
    HttpRequest request = HttpRequest.newBuilder(uri).build();
    return Asyncio.wrapFuture(client.sendAsync(request, BodyHandlers.ofString()))
        .await(IOException.class)
        .body();
  }
}
