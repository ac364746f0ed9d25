package dev.weir.spi;

import java.util.List;

/**
 * What goes on outside a loop and will wake it, a description of each.
 *
 * @param working what ends by itself: work on executors, tasks in a blocking call with a time limit
 * @param waiting what waits for somebody, who may be the loop itself: stages of the JDK's, tasks
 *     and callbacks in other blocking calls
 * @param abandoned work on executors that goes on although nobody waits for it any more
 */
public record OutsideWork(List<String> working, List<String> waiting, List<String> abandoned) {
  /** Copies the lists. */
  public OutsideWork {
    working = List.copyOf(working);
    waiting = List.copyOf(waiting);
    abandoned = List.copyOf(abandoned);
  }
}
