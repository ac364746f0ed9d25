package dev.weir.task;

import org.jspecify.annotations.Nullable;

/**
 * The body of a scope, such as {@link Timeout} or {@link TaskGroup}, that returns a value.
 *
 * @param <S> the scope, which is passed to the body
 * @param <T> what the body returns
 * @param <X> the checked exceptions that the body throws
 */
@FunctionalInterface
public interface ScopeCall<S, T extends @Nullable Object, X extends Exception> {
  /** Runs the body in the scope, on the task that entered it. */
  T call(S scope) throws X;
}
