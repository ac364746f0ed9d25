package dev.weir.sync;

import dev.weir.task.CancelledError;
import dev.weir.task.Future;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * A queue between tasks, as {@code asyncio.Queue}: takers wait while it is empty, and givers while
 * it is full.
 *
 * <p>The constructors make one that is first in, first out; {@link #lifo} and {@link #priority}
 * make the others. Tasks that wait go on in the order in which they came, but nothing is reserved
 * for them: one that was woken and finds that somebody else took the item waits again, at the end.
 *
 * @param <E> the type of its items, which are not null
 */
public final class AsyncQueue<E> {
  private static final int UNBOUNDED = 0;

  private final LoopBinding binding = new LoopBinding("AsyncQueue");
  private final Waiters takers = new Waiters();
  private final Waiters givers = new Waiters();
  private final AsyncEvent finished = new AsyncEvent();
  private final Queue<E> items;
  private final int maxSize;

  /** How many items were put, less those that {@link #taskDone} was called for. */
  private int unfinished;

  private boolean shutDown;

  /** Makes a queue without a limit, first in, first out. */
  public AsyncQueue() {
    this(UNBOUNDED);
  }

  /**
   * Makes a queue that holds at most {@code maxSize} items, first in, first out.
   *
   * @param maxSize zero or less for no limit
   */
  public AsyncQueue(int maxSize) {
    this(maxSize, new ArrayDeque<>());
  }

  private AsyncQueue(int maxSize, Queue<E> items) {
    this.maxSize = Math.max(maxSize, UNBOUNDED);
    this.items = items;
    finished.set();
  }

  /** Makes a queue that gives the newest item first. Corresponds to {@code LifoQueue()}. */
  public static <E> AsyncQueue<E> lifo() {
    return lifo(UNBOUNDED);
  }

  /**
   * Makes a queue that gives the newest item first. Corresponds to {@code LifoQueue(maxsize)}.
   *
   * @param maxSize zero or less for no limit
   */
  public static <E> AsyncQueue<E> lifo(int maxSize) {
    return new AsyncQueue<>(maxSize, java.util.Collections.asLifoQueue(new ArrayDeque<>()));
  }

  /**
   * Makes a queue that gives the smallest item first. Items that compare as equal come in any
   * order. Corresponds to {@code PriorityQueue()}.
   */
  public static <E extends Comparable<? super E>> AsyncQueue<E> priority() {
    return priority(Comparator.naturalOrder(), UNBOUNDED);
  }

  /**
   * Makes a queue that gives the first item in the order of {@code comparator}. Items that compare
   * as equal come in any order. Corresponds to {@code PriorityQueue(maxsize)}.
   *
   * @param maxSize zero or less for no limit
   */
  public static <E> AsyncQueue<E> priority(Comparator<? super E> comparator, int maxSize) {
    Objects.requireNonNull(comparator, "comparator");
    return new AsyncQueue<>(maxSize, new PriorityQueue<E>(comparator));
  }

  /**
   * Suspends while the queue is full, then puts {@code item} into it; does not suspend if there is
   * room.
   *
   * @throws QueueShutDownException if it is shut down, before or meanwhile
   * @throws CancelledError if the task is cancelled; the item is not in the queue then
   * @throws IllegalStateException outside a task, or on another loop than the queue's
   */
  public void put(E item) {
    Objects.requireNonNull(item, "item");
    binding.ensureInTask("AsyncQueue.put()");
    Future<@Nullable Void> giver = null;
    try {
      while (full() && !shutDown) {
        giver = binding.newWaiter(this);
        givers.await(giver);
      }
      putNowait(item); // Throws what the comparator of a priority queue throws.
    } catch (Throwable e) {
      if (giver != null && Waiters.wasWoken(giver) && !full()) {
        givers.wakeNext(); // The place that this task was woken for is the next one's.
      }
      throw e;
    }
  }

  /**
   * Puts {@code item} into the queue. Never suspends; corresponds to {@code put_nowait}.
   *
   * @throws IllegalStateException if it is full, or on another loop than the queue's
   * @throws QueueShutDownException if it is shut down
   */
  public void putNowait(E item) {
    Objects.requireNonNull(item, "item");
    binding.ensureHeld("AsyncQueue.putNowait()");
    if (shutDown) {
      throw new QueueShutDownException("The queue is shut down: it takes no more items");
    }
    if (full()) {
      throw new IllegalStateException(
          "The queue is full, it holds " + maxSize + " items: put() waits for room");
    }
    items.add(item);
    unfinished++;
    finished.clear();
    takers.wakeNext();
  }

  /**
   * Suspends while the queue is empty, then takes an item from it; does not suspend if there is
   * one.
   *
   * @throws QueueShutDownException if it is empty and shut down, before or meanwhile
   * @throws CancelledError if the task is cancelled; it has taken nothing then
   * @throws IllegalStateException outside a task, or on another loop than the queue's
   */
  public E get() {
    binding.ensureInTask("AsyncQueue.get()");
    while (items.isEmpty() && !shutDown) {
      Future<@Nullable Void> taker = binding.newWaiter(this);
      try {
        takers.await(taker);
      } catch (Throwable e) {
        if (Waiters.wasWoken(taker) && !items.isEmpty()) {
          takers.wakeNext(); // The item that this task was woken for is the next one's.
        }
        throw e;
      }
    }
    return getNowait();
  }

  /**
   * Takes an item. Never suspends; corresponds to {@code get_nowait}.
   *
   * @throws NoSuchElementException if the queue is empty
   * @throws QueueShutDownException if it is empty and shut down
   * @throws IllegalStateException on another loop than the queue's
   */
  public E getNowait() {
    binding.ensureHeld("AsyncQueue.getNowait()");
    E item = items.poll();
    if (item == null) {
      if (shutDown) {
        throw new QueueShutDownException("The queue is shut down, and empty");
      }
      throw new NoSuchElementException("The queue is empty: get() waits for an item");
    }
    givers.wakeNext();
    return item;
  }

  /**
   * Says that an item which was taken has been dealt with. When that is true of every item that was
   * put, {@link #join} returns.
   *
   * @throws IllegalStateException if it was called for all items already
   */
  public void taskDone() {
    binding.ensureHeld("AsyncQueue.taskDone()");
    if (unfinished == 0) {
      throw new IllegalStateException(
          "taskDone() called too often: call it once for every item that get() returned");
    }
    finish(1);
  }

  /**
   * Suspends until {@link #taskDone} was called for every item that was put; does not suspend if
   * that is so.
   *
   * @throws CancelledError if the task is cancelled
   * @throws IllegalStateException outside a task, or on another loop than the queue's
   */
  public void join() {
    binding.ensureInTask("AsyncQueue.join()");
    if (unfinished > 0) {
      binding.bind();
      finished.await();
    }
  }

  /** Shuts the queue down, and lets the items in it be taken; see {@link #shutdown(boolean)}. */
  public void shutdown() {
    shutdown(false);
  }

  /**
   * Shuts the queue down: from now on it takes no items, and when it is empty it gives none. Tasks
   * that wait get a {@link QueueShutDownException}. It may be called again, to drop what is left.
   *
   * @param immediate whether to drop the items in the queue; they count as dealt with, those taken
   *     before do not
   */
  public void shutdown(boolean immediate) {
    binding.ensureHeld("AsyncQueue.shutdown()");
    shutDown = true;
    if (immediate) {
      int dropped = Math.min(items.size(), unfinished);
      items.clear();
      finish(dropped);
    }
    takers.wakeAll();
    givers.wakeAll();
  }

  private void finish(int count) {
    unfinished -= count;
    if (unfinished == 0) {
      finished.set();
    }
  }

  /** {@return how many items it may hold; 0 for no limit} Corresponds to {@code maxsize}. */
  public int maxSize() {
    return maxSize;
  }

  /** {@return how many items are in it} Corresponds to {@code qsize()}. */
  public int size() {
    binding.ensureHeld("AsyncQueue.size()");
    return items.size();
  }

  /** {@return whether there is no item in it} */
  public boolean empty() {
    binding.ensureHeld("AsyncQueue.empty()");
    return items.isEmpty();
  }

  /** {@return whether it holds as many items as it may; never without a limit} */
  public boolean full() {
    binding.ensureHeld("AsyncQueue.full()");
    return maxSize != UNBOUNDED && items.size() >= maxSize;
  }

  @Override
  public String toString() {
    return "AsyncQueue["
        + items.size()
        + (maxSize == UNBOUNDED ? "" : " of " + maxSize)
        + " items, "
        + takers.size()
        + " taking, "
        + givers.size()
        + " giving"
        + (shutDown ? ", shut down]" : "]");
  }
}
