package dev.weir.datagram;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Datagrams that wait to be received, bounded in number and in bytes. When there are too many, the
 * oldest go: whoever is late wants the newest. Knows nothing of loops.
 */
final class Inbox {
  private final int sizeMax;
  private final int bytesMax;
  private final ArrayDeque<Datagram> waiting = new ArrayDeque<>();
  private int bytes;
  private long dropped;

  Inbox(int sizeMax, int bytesMax) {
    this.sizeMax = sizeMax;
    this.bytesMax = bytesMax;
  }

  /** Adds one that fits if it is alone. */
  void add(Datagram datagram) {
    bytes += datagram.data().length;
    waiting.add(datagram);
    while (waiting.size() > sizeMax || bytes > bytesMax) {
      bytes -= waiting.remove().data().length;
      dropped++;
    }
  }

  @Nullable Datagram poll() {
    Datagram oldest = waiting.poll();
    if (oldest != null) {
      bytes -= oldest.data().length;
    }
    return oldest;
  }

  boolean isEmpty() {
    return waiting.isEmpty();
  }

  /** Forgets what nobody will receive, without counting it. */
  void clear() {
    waiting.clear();
    bytes = 0;
  }

  /** {@return how many went because there was no room} */
  long dropped() {
    return dropped;
  }

  @Override
  public String toString() {
    return waiting.size() + " datagrams of " + bytes + " bytes waiting, " + dropped + " dropped";
  }
}
