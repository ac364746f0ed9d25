package dev.weir.benchmarks;

import java.io.IOException;

/**
 * One {@link EchoPeer} in a process of its own, for {@code benchmarks/pingpong}. Prints its port
 * and what it is on one line, and serves until its standard input ends.
 */
public final class EchoServer {
  private EchoServer() {}

  /**
   * Runs the server.
   *
   * @param args its kind, one of {@link EchoPeer#KINDS}
   */
  public static void main(String[] args) throws IOException {
    if (args.length != 1) {
      System.err.println("usage: EchoServer KIND; KIND is one of " + EchoPeer.KINDS);
      System.exit(2);
    }
    EchoPeer peer = EchoPeer.start(args[0]);
    System.out.println(peer.port() + " " + peer.description());
    while (System.in.read() >= 0) {
      // Its end is the signal: it comes also when the parent was killed.
    }
    peer.close();
  }
}
