package dev.weir.benchmarks;

import com.sun.management.ThreadMXBean;
import dev.weir.benchmarks.EchoPeer.Mode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;

/**
 * One {@link EchoPeer} in a process of its own, for {@code benchmarks/compare}. Prints its port and
 * what it is on one line, and serves until its standard input ends. The line {@code allocated}
 * there is answered by the bytes that all threads have allocated so far.
 */
public final class EchoServer {
  /** By which a server says that it lacks something, and is to be left out. */
  private static final int MISSING_STATUS = 3;

  private EchoServer() {}

  /**
   * Runs the server.
   *
   * @param args its kind, one of {@link EchoPeer#KINDS}, and its mode
   */
  public static void main(String[] args) throws IOException {
    EchoPeer peer = start(args);
    System.out.println(
        peer.port() + " " + peer.description() + ", Java " + System.getProperty("java.version"));
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    BufferedReader commands =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    // The end of the input is the signal to end: it comes also when the parent was killed.
    for (String command = commands.readLine(); command != null; command = commands.readLine()) {
      if (command.equals("allocated")) {
        System.out.println("allocated " + threads.getTotalThreadAllocatedBytes());
      }
    }
    peer.close();
    System.exit(0); // A library may have left threads that would keep the process alive.
  }

  private static EchoPeer start(String[] args) throws IOException {
    try {
      if (args.length == 2) {
        return EchoPeer.start(args[0], Mode.of(args[1]));
      }
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
    } catch (UnsupportedOperationException e) {
      System.err.println(e.getMessage());
      System.exit(MISSING_STATUS);
    }
    System.err.println("usage: EchoServer KIND bytes|lines; KIND is one of " + EchoPeer.KINDS);
    System.exit(2);
    throw new AssertionError("The process has ended");
  }
}
