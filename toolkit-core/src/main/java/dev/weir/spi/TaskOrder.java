package dev.weir.spi;

/**
 * Decides in which order a loop runs the tasks that are ready at the same time. Callbacks keep the
 * order of their registration among each other: that is promised, the order of tasks is not.
 */
@FunctionalInterface
public interface TaskOrder {
  /**
   * Chooses one.
   *
   * @param count how many there are, at least 2
   * @return from 0 to {@code count - 1}; called on the loop
   */
  int choose(int count);
}
