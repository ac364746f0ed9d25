package dev.weir.testing;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.BiConsumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The virtual time, and what the memory network does when it comes. On the loop only.
 *
 * <p>Entries of one time run in the order of their making, or in a random one: on a real network
 * nobody knows which of two connections is served first.
 */
final class Agenda {
  /** The time of what never happens. */
  static final long NEVER = Long.MAX_VALUE;

  private final @Nullable RandomGenerator random;
  private final PriorityQueue<Entry> entries = new PriorityQueue<>();
  private volatile long nowNanos;
  private long sequence;

  /** Makes an agenda whose ties {@code random} breaks; null for the order of making. */
  Agenda(@Nullable RandomGenerator random) {
    this.random = random;
  }

  /** {@return the virtual time; any thread may ask} */
  long nowNanos() {
    return nowNanos;
  }

  void advanceTo(long nanos) {
    if (nanos > nowNanos) {
      nowNanos = nanos;
    }
  }

  /** Lets time pass, and leaves what becomes due to the next {@link #runDue}. */
  void advanceBy(long nanos) {
    advanceTo(Math.min(saturatedAdd(nowNanos, nanos), NEVER - 1));
  }

  /** Has {@code action} run when it is that time, and not before the next round. */
  Entry at(long whenNanos, Runnable action) {
    int tieBreak = random == null ? 0 : random.nextInt();
    Entry entry = new Entry(Math.max(whenNanos, nowNanos), tieBreak, sequence++, action);
    entries.add(entry);
    return entry;
  }

  /** The same after {@code delayNanos}. */
  Entry after(long delayNanos, Runnable action) {
    return at(saturatedAdd(nowNanos, delayNanos), action);
  }

  /** {@return the duration in nanoseconds; {@link #NEVER} if they are too many} */
  static long nanos(Duration duration) {
    // Compared as durations first: toNanos() of a long one overflows.
    return duration.compareTo(Duration.ofNanos(NEVER)) > 0 ? NEVER : duration.toNanos();
  }

  static long saturatedAdd(long nanos, long moreNanos) {
    long sum = nanos + moreNanos;
    return sum < 0 ? NEVER : sum;
  }

  /** {@return when the next entry is due, or {@link #NEVER}} */
  long nextNanos() {
    for (Entry first = entries.peek(); first != null; first = entries.peek()) {
      if (!first.cancelled) {
        return first.whenNanos;
      }
      entries.remove();
    }
    return NEVER;
  }

  /**
   * Runs what is due now, but not what that makes due: tasks come first.
   *
   * @param onError receives an entry's error; the others run nevertheless
   * @return whether anything ran
   */
  boolean runDue(BiConsumer<String, Throwable> onError) {
    if (nextNanos() > nowNanos) {
      return false;
    }
    List<Entry> due = new ArrayList<>();
    while (nextNanos() <= nowNanos) {
      due.add(entries.remove());
    }
    for (Entry entry : due) {
      if (!entry.cancelled) {
        try {
          entry.action.run();
        } catch (RuntimeException | Error e) {
          onError.accept("Error in the memory network", e);
        }
      }
    }
    return true;
  }

  @Override
  public String toString() {
    return "Agenda[" + nowNanos + " ns, " + entries.size() + " entries]";
  }

  /** What is to happen at a time. */
  static final class Entry implements Comparable<Entry> {
    private final long whenNanos;
    private final int tieBreak;
    private final long sequence;
    private final Runnable action;
    private boolean cancelled;

    private Entry(long whenNanos, int tieBreak, long sequence, Runnable action) {
      this.whenNanos = whenNanos;
      this.tieBreak = tieBreak;
      this.sequence = sequence;
      this.action = action;
    }

    void cancel() {
      cancelled = true;
    }

    @Override
    public int compareTo(Entry other) {
      int byTime = Long.compare(whenNanos, other.whenNanos);
      if (byTime != 0) {
        return byTime;
      }
      int byTieBreak = Integer.compare(tieBreak, other.tieBreak);
      return byTieBreak != 0 ? byTieBreak : Long.compare(sequence, other.sequence);
    }

    @Override
    public String toString() {
      return "Entry[" + whenNanos + " ns, " + (cancelled ? "cancelled]" : action + "]");
    }
  }
}
