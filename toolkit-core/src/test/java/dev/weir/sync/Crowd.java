package dev.weir.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.Loops;
import dev.weir.task.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;

/**
 * Tasks around one primitive, which come, go on and are cancelled in an order that a seed decides.
 *
 * <p>Nothing is ever waited for: a task that pauses does so until the crowd lets it go on. So once
 * what is ready has run, the primitive's state is known exactly, and can be compared with a model.
 */
final class Crowd {
  private static final int SEEDS = 25;
  private static final int STEPS = 200;

  /** What is done with the primitive, and what must hold. */
  interface Game {
    /** What a new task does. */
    void play(Member me);

    /** Something that happens besides: called by the test's own task. */
    void act();

    /** {@code member} was cancelled. If it waits, it must get nothing any more. */
    void cancelled(Member member);

    /** Nothing is ready to run: checks that nobody waits who need not, and that all is there. */
    void checkSettled();
  }

  /** One of the tasks. */
  static final class Member {
    private final int number;
    private @Nullable Future<@Nullable Void> pause;
    private @Nullable Task<?> task;

    private Member(int number) {
      this.number = number;
    }

    /** Suspends the member, which calls it, until it is let go on. */
    void pause() {
      Future<@Nullable Void> pause = Loop.running().createFuture();
      this.pause = pause;
      pause.await();
    }

    /** Lets it go on, if it pauses. */
    void goOn() {
      if (pause != null && !pause.done()) {
        pause.setResult(null);
      }
    }

    @Override
    public String toString() {
      return "Member[" + number + "]";
    }
  }

  final RandomGenerator random;
  private final List<Member> members = new ArrayList<>();
  private int count;

  private Crowd(RandomGenerator random) {
    this.random = random;
  }

  /** Plays the game once for each of a fixed list of seeds. A failure tells the seed. */
  static void play(Function<Crowd, Game> game) {
    RandomGeneratorFactory<RandomGenerator> generators =
        RandomGeneratorFactory.of("L64X128MixRandom");
    for (long seed = 1; seed <= SEEDS; seed++) {
      Crowd crowd = new Crowd(generators.create(seed));
      try {
        Loops.run(() -> crowd.run(game.apply(crowd)));
      } catch (Throwable e) {
        throw new AssertionError("With seed " + seed + ": " + e.getMessage(), e);
      }
    }
  }

  private void run(Game game) {
    for (int step = 0; step < STEPS; step++) {
      switch (random.nextInt(16)) {
        case 0, 1, 2, 3, 4 -> start(game);
        case 5, 6, 7, 8, 9 -> game.act();
        case 10, 11 -> cancelOne(game);
        case 12, 13 -> Loop.running().yieldNow();
        default -> settle(game);
      }
    }
    settle(game);
  }

  private void start(Game game) {
    Member member = new Member(count++);
    member.task = Loop.running().createTask(() -> game.play(member));
    members.add(member);
  }

  private void cancelOne(Game game) {
    Member member = any(members);
    if (member != null) {
      cancel(member, game);
    }
  }

  void cancel(Member member, Game game) {
    members.remove(member);
    if (taskOf(member).cancel()) {
      game.cancelled(member);
    }
  }

  private void settle(Game game) {
    for (int i = 0; i < count; i++) {
      Loop.running().yieldNow(); // A lock that passes from one to the next takes a round for each.
    }
    Loops.settle();
    for (Member member : List.copyOf(members)) {
      Task<?> task = taskOf(member);
      if (task.done()) {
        task.await(); // Throws what the member found wrong.
        members.remove(member);
      }
    }
    game.checkSettled();
  }

  private static Task<?> taskOf(Member member) {
    Task<?> task = member.task;
    assertThat(task).isNotNull();
    return task;
  }

  /** {@return one of {@code members}, or null if there is none} */
  @Nullable Member any(List<Member> members) {
    return members.isEmpty() ? null : members.get(random.nextInt(members.size()));
  }
}
