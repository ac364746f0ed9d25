package dev.weir.task;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;

/**
 * Has the JVM set up its pollers for blocking sockets from a thread of the default scheduler. If
 * the first such call came from a fiber, they would inherit that fiber's scheduler.
 */
final class PollerWarmUp {
  private PollerWarmUp() {}

  /** Done once in a JVM; every caller returns after that. */
  static void ensureDone() {
    Once.ensureDone();
  }

  private static void blockInAccept() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      socket.setSoTimeout(1);
      socket.accept().close();
    } catch (SocketTimeoutException e) {
      // Expected: nobody connects.
    } catch (IOException e) {
      // Without sockets there are no pollers to set up.
    }
  }

  /**
   * A class of its own: the warm-up's thread must not need the class whose initialiser waits for
   * it.
   */
  private static final class Once {
    static {
      Thread warmUp =
          Thread.ofVirtual().name("weir-poller-warm-up").start(PollerWarmUp::blockInAccept);
      boolean interrupted = false;
      while (true) {
        try {
          warmUp.join();
          break;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }

    static void ensureDone() {}
  }
}
