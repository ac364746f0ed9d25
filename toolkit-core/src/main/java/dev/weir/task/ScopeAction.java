package dev.weir.task;

/**
 * The body of a scope, such as {@link Timeout} or {@link TaskGroup}, that returns nothing.
 *
 * @param <S> the scope, which is passed to the body
 * @param <X> the checked exceptions that the body throws
 */
@FunctionalInterface
public interface ScopeAction<S, X extends Exception> {
  /** Runs the body in the scope, on the task that entered it. */
  void run(S scope) throws X;
}
