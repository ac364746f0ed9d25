package dev.weir.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.sync.Crowd.Game;
import dev.weir.sync.Crowd.Member;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Locks, semaphores, conditions and barriers in random order, beside a model of each. */
class RandomOrderTest {
  @Test
  void aLockHasOneHolderAndPassesOnInOrder() {
    Crowd.play(_ -> new LockGame());
  }

  @Test
  void aSemaphoreKeepsItsPermitsAndGivesThemInOrder() {
    Crowd.play(crowd -> new SemaphoreGame(crowd, false));
  }

  @Test
  void aBoundedSemaphoreKeepsItsPermitsAndGivesThemInOrder() {
    Crowd.play(crowd -> new SemaphoreGame(crowd, true));
  }

  @Test
  void aConditionLosesNoSignal() {
    Crowd.play(ConditionGame::new);
  }

  @Test
  void aBarrierLetsWholeGroupsThrough() {
    Crowd.play(BarrierGame::new);
  }

  private static final class LockGame implements Game {
    private final AsyncLock lock = new AsyncLock();
    private final List<Member> row = new ArrayList<>();
    private @Nullable Member holder;

    @Override
    public void play(Member me) {
      row.add(me);
      try (Held _ = lock.hold()) {
        assertThat(holder).as("another holder").isNull();
        assertThat(row.removeFirst()).as("the first in the row").isSameAs(me);
        holder = me;
        try {
          me.pause();
        } finally {
          holder = null;
        }
      }
    }

    @Override
    public void act() {
      if (holder != null) {
        holder.goOn();
      }
    }

    @Override
    public void cancelled(Member member) {
      row.remove(member);
    }

    @Override
    public void checkSettled() {
      if (holder == null) {
        assertThat(row).isEmpty();
      }
      assertThat(lock)
          .asString()
          .startsWith(
              "AsyncLock[%s, %d waiting"
                  .formatted(holder == null ? "unlocked" : "locked", row.size()));
    }
  }

  private static final class SemaphoreGame implements Game {
    private final Crowd crowd;
    private final boolean bounded;
    private final AsyncSemaphore semaphore;
    private final List<Member> row = new ArrayList<>();
    private final List<Member> holders = new ArrayList<>();
    private int permits;

    SemaphoreGame(Crowd crowd, boolean bounded) {
      this.crowd = crowd;
      this.bounded = bounded;
      this.permits = crowd.random.nextInt(4);
      this.semaphore = bounded ? AsyncSemaphore.bounded(permits) : new AsyncSemaphore(permits);
    }

    @Override
    public void play(Member me) {
      row.add(me);
      try (Held _ = semaphore.hold()) {
        assertThat(row.removeFirst()).as("the first in the row").isSameAs(me);
        holders.add(me);
        assertThat(holders).hasSizeLessThanOrEqualTo(permits);
        try {
          me.pause();
        } finally {
          holders.remove(me);
        }
      }
    }

    @Override
    public void act() {
      Member holder = crowd.any(holders);
      if (holder != null) {
        holder.goOn();
      } else if (!bounded) {
        permits++;
        semaphore.release();
      }
    }

    @Override
    public void cancelled(Member member) {
      row.remove(member);
    }

    @Override
    public void checkSettled() {
      int free = permits - holders.size();
      assertThat(semaphore.locked()).isEqualTo(free == 0);
      if (free > 0) {
        assertThat(row).isEmpty();
      }
      assertThat(semaphore)
          .hasToString(
              "AsyncSemaphore[%d%s permits, %d waiting]",
              free, bounded ? " of " + permits : "", row.size());
      if (bounded && holders.isEmpty()) {
        assertThatThrownBy(semaphore::release).isInstanceOf(IllegalStateException.class);
      }
    }
  }

  /** Some bring tokens and signal, others wait for one; both may keep the lock for a while. */
  private static final class ConditionGame implements Game {
    private final AsyncCondition condition = new AsyncCondition();
    private final List<Member> waiting = new ArrayList<>();
    private final Crowd crowd;
    private @Nullable Member holder;
    private int tokens;
    private int brought;
    private int taken;

    ConditionGame(Crowd crowd) {
      this.crowd = crowd;
    }

    @Override
    public void play(Member me) {
      int brings = crowd.random.nextInt(-3, 3);
      boolean pauses = crowd.random.nextInt(3) == 0;
      try (Held _ = condition.hold()) {
        if (brings > 0) {
          brought += brings;
          tokens += brings;
          condition.signal(brings);
          if (!waiting.isEmpty() && crowd.random.nextBoolean()) {
            crowd.cancel(waiting.getFirst(), this); // Often one of those signalled just now.
          }
        } else {
          takeToken(me);
        }
        if (pauses) {
          pauseWithLock(me);
        }
      }
    }

    private void takeToken(Member me) {
      assertThat(holder).as("another holder").isNull();
      waiting.add(me);
      condition.awaitUntil(() -> {
        assertThat(holder).as("another holder").isNull();
        assertThat(condition.locked()).isTrue();
        return tokens > 0;
      });
      waiting.remove(me);
      tokens--;
      taken++;
    }

    private void pauseWithLock(Member me) {
      holder = me;
      try {
        me.pause();
      } finally {
        holder = null;
      }
    }

    @Override
    public void act() {
      if (holder != null) {
        holder.goOn();
      }
    }

    @Override
    public void cancelled(Member member) {
      waiting.remove(member);
    }

    @Override
    public void checkSettled() {
      assertThat(taken + tokens).isEqualTo(brought);
      if (holder == null) {
        assertThat(condition).hasToString("AsyncCondition[unlocked, %d waiting]", waiting.size());
        assertThat(tokens == 0 || waiting.isEmpty())
            .as("%d tokens, and %s wait", tokens, waiting)
            .isTrue();
      }
    }
  }

  private static final class BarrierGame implements Game {
    private final Crowd crowd;
    private final int parties;
    private final AsyncBarrier barrier;
    private final List<Member> inside = new ArrayList<>();
    private final Set<Integer> indices = new HashSet<>();
    private int breaks;

    BarrierGame(Crowd crowd) {
      this.crowd = crowd;
      this.parties = crowd.random.nextInt(1, 6);
      this.barrier = new AsyncBarrier(parties);
    }

    @Override
    public void play(Member me) {
      int laps = crowd.random.nextInt(1, 4);
      for (int lap = 0; lap < laps; lap++) {
        int breaksBefore = barrier.broken() ? -1 : breaks;
        inside.add(me);
        try {
          passed(barrier.await());
        } catch (BrokenBarrierException e) {
          assertThat(breaks).as("resets and aborts").isGreaterThan(breaksBefore);
        } finally {
          inside.remove(me);
        }
      }
    }

    private void passed(int index) {
      if (index == parties - 1) {
        assertThat(inside).hasSizeGreaterThanOrEqualTo(parties);
        indices.clear();
      } else {
        assertThat(indices).as("the last to come goes on first").contains(parties - 1);
      }
      assertThat(index).isBetween(0, parties - 1);
      assertThat(indices.add(index)).as("index %d is new among %s", index, indices).isTrue();
    }

    @Override
    public void act() {
      switch (crowd.random.nextInt(12)) {
        case 0 -> {
          breaks++;
          barrier.abort();
        }
        case 1, 2 -> {
          breaks++;
          barrier.reset();
        }
        default -> assertThat(barrier.waiting()).isLessThan(parties);
      }
    }

    @Override
    public void cancelled(Member member) {}

    @Override
    public void checkSettled() {
      assertThat(inside).hasSizeLessThan(parties);
      assertThat(barrier)
          .hasToString(
              "AsyncBarrier[%s, %d of %d parties]",
              barrier.broken() ? "BROKEN" : "FILLING", inside.size(), parties);
      if (barrier.broken()) {
        assertThat(inside).isEmpty();
      }
    }
  }
}
