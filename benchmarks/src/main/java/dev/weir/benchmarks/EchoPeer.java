package dev.weir.benchmarks;

import dev.weir.task.FiberKind;
import java.io.IOException;
import java.util.List;

/**
 * An echo server on a port of 127.0.0.1 that the system chose, listening from the moment it exists.
 *
 * <p>Each kind sends back what it receives, as it comes, in the way that is usual for its library,
 * so the kinds differ in nothing but that library.
 */
interface EchoPeer extends AutoCloseable {
  /** The most that a kind with a buffer of its own reads at once. */
  int READ_BYTES_MAX = 16 * 1024;

  /** How many connections may wait to be accepted. */
  int BACKLOG = 1024;

  /** What {@link #start} knows. */
  List<String> KINDS = List.of("mounted", "portable", "netty", "blocking");

  /**
   * Starts a server.
   *
   * @param kind one of {@link #KINDS}
   */
  static EchoPeer start(String kind) throws IOException {
    return switch (kind) {
      case "mounted" -> WeirEchoPeer.start(FiberKind.MOUNTED);
      case "portable" -> WeirEchoPeer.start(FiberKind.PORTABLE);
      case "netty" -> NettyEchoPeer.start();
      case "blocking" -> BlockingEchoPeer.start();
      default ->
          throw new IllegalArgumentException(
              "Unknown server '" + kind + "': write one of " + KINDS);
    };
  }

  /** {@return the port it listens on} */
  int port();

  /** {@return what it runs on, in a few words, for the head of a report} */
  String description();

  /** Stops listening, closes the connections, and ends its threads. */
  @Override
  void close();
}
