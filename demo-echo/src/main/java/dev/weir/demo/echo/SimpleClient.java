package dev.weir.demo.echo;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.StreamWriter;
import java.io.EOFException;

/**
 * Asks for a message and sends it. In Python:
 *
 * <pre>{@code
 * async def main():
 *     reader, writer = await asyncio.open_connection('127.0.0.1', 8888)
 *     async with writer:
 *         message = input("Enter a message: ")
 *         writer.write(message.encode())
 *         await writer.drain()
 *         print(f"Sent: {message}")
 *
 * asyncio.run(main())
 * }</pre>
 *
 * <p>That program has two faults, and this one has neither. {@code input()} blocks its event loop
 * until somebody types; here another thread waits for the keyboard, and only the task waits for
 * that thread. And a {@code StreamWriter} is no context manager in Python, so that {@code async
 * with writer} fails; here the connection closes at the end of its {@code try}.
 */
public final class SimpleClient {
  private SimpleClient() {}

  /** Connects to 127.0.0.1, to the port that is the first argument, by default 8888. */
  public static void main(String... args) {
    int port = args.length > 0 ? Integer.parseInt(args[0]) : 8888;
    Asyncio.run(() -> {
      try (Connection connection = Asyncio.openConnection("127.0.0.1", port)) {
        StreamWriter writer = connection.writer();
        String message = input("Enter a message: ");
        writer.write(message);
        writer.drain(); // As in Python; here write() has already waited if it had to.
        IO.println("Sent: " + message);
      }
    });
  }

  private static String input(String prompt) throws EOFException {
    String line = Asyncio.runningLoop().runInExecutor(() -> IO.readln(prompt)).await();
    if (line == null) {
      throw new EOFException("the input ended before there was a message");
    }
    return line;
  }
}
