package dev.weir.netty;

import dev.weir.Asyncio;
import dev.weir.task.RunOptions;

/** Runs a loop on each transport it is given, one after the other, and prints what it ran on. */
final class LoopsInTurn {
  private LoopsInTurn() {}

  public static void main(String[] transports) {
    for (String transport : transports) {
      try {
        Asyncio.run(
            () -> IO.println("ran on " + Asyncio.runningLoop().transport()),
            RunOptions.defaults().withTransport(transport));
      } catch (IllegalStateException e) {
        IO.println("refused: " + e.getMessage());
      }
    }
  }
}
