package dev.weir.testing;

import java.util.ArrayDeque;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One direction of a link, from what one transport sent to what the other takes. On the loop only.
 *
 * <pre>
 *   send() -> in transit, until their time comes -> arrived, until the receiver wants them -> receiver
 * </pre>
 *
 * <p>The end and a reset travel behind the bytes sent before them.
 */
final class Pipe {
  /** Bytes of a slow link travel in packets, or a large write would arrive in one lump, late. */
  private static final int PACKET_BYTES = 1460;

  private enum Signal {
    BYTES,
    END,
    RESET
  }

  @SuppressWarnings("ArrayRecordComponent") // Neither compared nor handed out.
  private record Segment(Signal signal, byte[] bytes, long arrivesAtNanos) {}

  private static final byte[] NOTHING = {};

  private final Link link;
  private final Link.Direction direction;
  private final Agenda agenda;
  private final RandomGenerator random;

  private final ArrayDeque<Segment> inTransit = new ArrayDeque<>();
  private int bytesInTransit;

  /** When the link has sent what it was given so far. */
  private long sentAtNanos;

  private long lastArrivalNanos;
  private Agenda.@Nullable Entry arrival;

  private final ByteQueue arrived = new ByteQueue();
  private boolean endArrived;
  private boolean endTaken;
  private boolean resetArrived;
  private Agenda.@Nullable Entry delivery;

  /** Whether what is sent is lost. */
  private boolean cutOff;

  private @Nullable MemoryTransport sender;

  /** Null until the connection was accepted. */
  private @Nullable MemoryTransport receiver;

  Pipe(Link link, Link.Direction direction, Agenda agenda, RandomGenerator random) {
    this.link = link;
    this.direction = direction;
    this.agenda = agenda;
    this.random = random;
  }

  void setSender(MemoryTransport sender) {
    this.sender = sender;
  }

  /** Connects the receiving end, which takes what has arrived so far. */
  void setReceiver(MemoryTransport receiver) {
    this.receiver = receiver;
    deliverSoon();
  }

  // --- The sending side

  /** {@return how many bytes may be sent now} */
  int free() {
    return cutOff
        ? Integer.MAX_VALUE
        : link.conditions().windowBytes() - bytesInTransit - arrived.size();
  }

  /** Sends bytes, at most {@link #free}. */
  void send(byte[] bytes) {
    if (cutOff) {
      return;
    }
    int packet =
        link.conditions().bytesPerSecond() == LinkConditions.UNLIMITED
            ? bytes.length
            : PACKET_BYTES;
    ByteQueue rest = new ByteQueue();
    rest.add(bytes);
    while (rest.size() > 0) {
      enqueue(Signal.BYTES, rest.take(Math.min(packet, rest.size())));
    }
  }

  void sendEnd() {
    enqueue(Signal.END, NOTHING);
  }

  void sendReset() {
    enqueue(Signal.RESET, NOTHING);
  }

  private void enqueue(Signal signal, byte[] bytes) {
    LinkConditions conditions = link.conditions();
    long startNanos = Math.max(agenda.nowNanos(), sentAtNanos);
    sentAtNanos = Agenda.saturatedAdd(startNanos, sendingNanos(bytes.length, conditions));
    lastArrivalNanos =
        Math.max(lastArrivalNanos, Agenda.saturatedAdd(sentAtNanos, delayNanos(conditions)));
    bytesInTransit += bytes.length;
    inTransit.add(new Segment(signal, bytes, lastArrivalNanos));
    scheduleArrival();
  }

  private static long sendingNanos(int bytes, LinkConditions conditions) {
    return conditions.bytesPerSecond() == LinkConditions.UNLIMITED
        ? 0
        : bytes * 1_000_000_000L / conditions.bytesPerSecond();
  }

  /** {@return how long something takes to the other side, this time} */
  long delayNanos() {
    return delayNanos(link.conditions());
  }

  private long delayNanos(LinkConditions conditions) {
    long min = conditions.delayMin().toNanos();
    long max = conditions.delayMax().toNanos();
    return min == max ? min : random.nextLong(min, max + 1);
  }

  // --- On the way

  private void scheduleArrival() {
    Segment first = inTransit.peek();
    if (first != null && arrival == null) {
      arrival = agenda.at(first.arrivesAtNanos, this::arrive);
    }
  }

  private void arrive() {
    arrival = null;
    if (link.blocked(direction)) {
      return; // Until unblocked().
    }
    for (Segment first = inTransit.peek();
        first != null && first.arrivesAtNanos <= agenda.nowNanos();
        first = inTransit.peek()) {
      inTransit.remove();
      take(first);
    }
    scheduleArrival();
    deliver();
  }

  private void take(Segment segment) {
    bytesInTransit -= segment.bytes.length;
    switch (segment.signal) {
      case BYTES -> {
        if (receiver != null && receiver.isClosed()) {
          receiver.refuseBytes();
        } else {
          arrived.add(segment.bytes);
        }
      }
      case END -> endArrived = true;
      case RESET -> resetArrived = true;
    }
  }

  /** What was held up goes on. */
  void unblocked() {
    scheduleArrival();
    deliverSoon();
  }

  /** Ends the direction for the receiver behind what has arrived; the rest is lost. */
  void cutOff() {
    if (!cutOff) {
      cutOff = true;
      lose();
      endArrived = true;
      deliverSoon();
      wakeSender();
    }
  }

  /** Resets the receiver; what is on the way is lost. */
  void reset() {
    lose();
    resetArrived = true;
    deliverSoon();
  }

  /** Loses what has arrived and was not taken yet: a fault comes before it. */
  void loseArrived() {
    arrived.clear();
  }

  /** Drops what the receiver has not taken, now that it is closed. Returns whether it was any. */
  boolean dropUntaken() {
    boolean any = arrived.size() > 0;
    arrived.clear();
    return any;
  }

  private void lose() {
    inTransit.clear();
    bytesInTransit = 0;
  }

  // --- The receiving side

  /** Hands over what the receiver now wants, when the network is next polled. */
  void deliverSoon() {
    if (delivery == null && anythingToDeliver()) {
      delivery =
          agenda.after(
              0,
              () -> {
                delivery = null;
                deliver();
              });
    }
  }

  private boolean anythingToDeliver() {
    return arrived.size() > 0 || (endArrived && !endTaken) || resetArrived;
  }

  /**
   * Hands over one piece, or the end, or a reset: the receiver's tasks get to see each by itself.
   */
  private void deliver() {
    MemoryTransport to = receiver;
    if (to == null || to.isClosed() || (link.blocked(direction) && !resetArrived)) {
      return;
    }
    if (resetArrived) {
      if (arrived.size() > 0) {
        to.received(arrived.take(arrived.size()));
      }
      to.wasReset();
      return;
    }
    if (!to.wantsBytes()) {
      return;
    }
    if (arrived.size() > 0) {
      deliverPiece(to);
      deliverSoon();
    } else if (endArrived && !endTaken) {
      endTaken = true;
      to.ended();
    }
  }

  private void deliverPiece(MemoryTransport to) {
    LinkConditions conditions = link.conditions();
    int min = conditions.pieceBytesMin();
    int max = conditions.pieceBytesMax();
    int wanted = min == max ? min : (int) random.nextLong(min, max + 1L);
    int length = (int) Math.min(Math.min(wanted, arrived.size()), link.bytesUntilFault());
    if (length > 0) {
      to.received(arrived.take(length));
      wakeSender();
    }
    link.delivered(length, direction);
  }

  private void wakeSender() {
    if (sender != null) {
      sender.windowOpened();
    }
  }

  /** {@return what is in it, for a report} */
  String describe() {
    StringBuilder description = new StringBuilder();
    description.append(bytesInTransit).append(" bytes on the way, ");
    description.append(arrived.size()).append(" arrived and not taken");
    if (endArrived && !endTaken) {
      description.append(", then the end");
    }
    if (link.blocked(direction)) {
      description.append(", held up");
    }
    return description.toString();
  }

  @Override
  public String toString() {
    return "Pipe[" + direction + ", " + describe() + "]";
  }
}
