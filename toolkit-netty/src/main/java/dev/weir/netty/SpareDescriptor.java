package dev.weir.netty;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/**
 * A descriptor put by for the time when no other is left. Without it a listener could not even turn
 * clients away, nor the log be opened to say so. On the loop only.
 */
final class SpareDescriptor {
  /** A socket that is connected to nothing: the one thing every system has that takes one. */
  private @Nullable SocketChannel held;

  /** Puts one by, if there is one. */
  void take() {
    if (held == null) {
      try {
        held = SocketChannel.open();
      } catch (IOException e) {
        // None is left. The next time, perhaps.
      }
    }
  }

  /** Frees it. Returns whether there was one. */
  boolean release() {
    SocketChannel released = held;
    held = null;
    if (released == null) {
      return false;
    }
    try {
      released.close();
    } catch (IOException e) {
      // It is gone all the same.
    }
    return true;
  }

  @Override
  public String toString() {
    return "SpareDescriptor[" + (held == null ? "none]" : "held]");
  }
}
