package dev.weir.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.sync.Crowd.Game;
import dev.weir.sync.Crowd.Member;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

/** A queue in random order, beside a list with the items that must be in it. */
class AsyncQueueRandomTest {
  @Test
  void everyItemIsGivenOnceFirstInFirstOut() {
    Crowd.play(crowd -> new QueueGame(crowd, AsyncQueue::new, List::getFirst));
  }

  @Test
  void everyItemIsGivenOnceNewestFirst() {
    Crowd.play(crowd -> new QueueGame(crowd, AsyncQueue::lifo, List::getLast));
  }

  @Test
  void everyItemIsGivenOnceSmallestFirst() {
    Crowd.play(crowd ->
        new QueueGame(
            crowd,
            maxSize -> AsyncQueue.priority(Comparator.naturalOrder(), maxSize),
            items -> items.stream().min(Comparator.naturalOrder()).orElseThrow()));
  }

  private static final class QueueGame implements Game {
    private final Crowd crowd;
    private final int maxSize;
    private final AsyncQueue<Integer> queue;
    private final Function<List<Integer>, Integer> first;

    /** What is in the queue, in the order in which it was put. */
    private final List<Integer> items = new ArrayList<>();

    private final List<Member> taking = new ArrayList<>();
    private final List<Member> giving = new ArrayList<>();
    private final List<Member> joining = new ArrayList<>();
    private final List<Member> working = new ArrayList<>();
    private int unfinished;

    /** How often all items were done. */
    private int finished;

    private boolean shutDown;

    QueueGame(
        Crowd crowd,
        IntFunction<AsyncQueue<Integer>> make,
        Function<List<Integer>, Integer> first) {
      this.crowd = crowd;
      this.maxSize = crowd.random.nextInt(3);
      this.queue = make.apply(maxSize);
      this.first = first;
    }

    @Override
    public void play(Member me) {
      try {
        switch (crowd.random.nextInt(9)) {
          case 0, 1, 2, 3 -> give(me);
          case 4, 5, 6, 7 -> takeAndWork(me);
          default -> join(me);
        }
      } catch (QueueShutDownException e) {
        assertThat(shutDown).isTrue();
      }
    }

    private void give(Member me) {
      int item = crowd.random.nextInt();
      giving.add(me);
      try {
        queue.put(item);
      } finally {
        giving.remove(me);
      }
      put(item);
    }

    private void takeAndWork(Member me) {
      int item;
      taking.add(me);
      try {
        item = queue.get();
      } finally {
        taking.remove(me);
      }
      took(item);
      working.add(me);
      try {
        me.pause();
      } finally {
        working.remove(me);
        queue.taskDone();
        done(1);
      }
    }

    private void done(int count) {
      unfinished -= count;
      if (unfinished == 0) {
        finished++;
      }
    }

    private void join(Member me) {
      int finishedBefore = unfinished == 0 ? -1 : finished;
      joining.add(me);
      try {
        queue.join();
      } finally {
        joining.remove(me);
      }
      assertThat(finished).as("how often all were done").isGreaterThan(finishedBefore);
    }

    private void put(int item) {
      assertThat(shutDown).isFalse();
      items.add(item);
      unfinished++;
      if (maxSize > 0) {
        assertThat(items).hasSizeLessThanOrEqualTo(maxSize);
      }
    }

    private void took(Integer item) {
      assertThat(item).isEqualTo(first.apply(items));
      items.remove(item);
    }

    @Override
    public void act() {
      assertThat(queue.size()).isEqualTo(items.size());
      int what = crowd.random.nextInt(100);
      Member worker = crowd.any(working);
      if (what == 0) {
        shutDown();
      } else if (what < 35) {
        takeNow();
      } else if (what < 70) {
        putNow();
      } else if (worker != null) {
        worker.goOn();
      }
    }

    /** Cancels who was probably woken just now. */
    private void sometimesCancelFirst(List<Member> waiting) {
      if (!waiting.isEmpty() && crowd.random.nextBoolean()) {
        crowd.cancel(waiting.getFirst(), this);
      }
    }

    private void takeNow() {
      try {
        took(queue.getNowait());
        queue.taskDone();
        done(1);
        sometimesCancelFirst(giving);
      } catch (NoSuchElementException | QueueShutDownException e) {
        assertThat(items).isEmpty();
      }
    }

    private void putNow() {
      int item = crowd.random.nextInt();
      try {
        queue.putNowait(item);
      } catch (IllegalStateException e) {
        assertThat(shutDown || items.size() == maxSize).isTrue();
        return;
      }
      put(item);
      sometimesCancelFirst(taking);
    }

    private void shutDown() {
      boolean immediate = crowd.random.nextBoolean();
      shutDown = true;
      queue.shutdown(immediate);
      if (immediate) {
        done(items.size());
        items.clear();
      }
    }

    @Override
    public void cancelled(Member member) {}

    @Override
    public void checkSettled() {
      assertThat(queue)
          .hasToString(
              "AsyncQueue[%d%s items, %d taking, %d giving%s]",
              items.size(),
              maxSize > 0 ? " of " + maxSize : "",
              taking.size(),
              giving.size(),
              shutDown ? ", shut down" : "");
      if (!items.isEmpty()) {
        assertThat(taking).isEmpty();
      }
      if (items.size() < maxSize || maxSize == 0) {
        assertThat(giving).isEmpty();
      }
      if (shutDown) {
        assertThat(taking).isEmpty();
        assertThat(giving).isEmpty();
      }
      assertThat(joining.isEmpty() || unfinished > 0).as("join() waits for nothing").isTrue();
    }
  }
}
