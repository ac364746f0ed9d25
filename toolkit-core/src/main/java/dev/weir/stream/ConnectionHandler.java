package dev.weir.stream;

/** Serves one connection: asyncio's {@code client_connected_cb}. Each call is a task of its own. */
@FunctionalInterface
public interface ConnectionHandler {
  /**
   * Serves one connection. When it returns or throws, what it wrote is sent and the connection is
   * closed, unless it called {@link StreamWriter#detach}.
   *
   * @throws Exception is reported to the loop's exception handler; an {@link java.io.IOException}
   *     of this very connection, a reset say, is logged at DEBUG only
   */
  void handle(StreamReader reader, StreamWriter writer) throws Exception;
}
