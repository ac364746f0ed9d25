package dev.weir.protocol;

import org.jspecify.annotations.Nullable;

/**
 * What all protocols are told, as {@code asyncio.BaseProtocol}.
 *
 * <p>Callbacks are called on the loop, one at a time, and not in a task: they cannot suspend, and
 * nothing arrives while one runs. What they throw goes to the loop's exception handler; a failed
 * callback that was to take in data ends its connection.
 *
 * @param <T> the kind of transport it belongs to
 */
public interface BaseProtocol<T extends BaseTransport> {
  /**
   * The first call: the transport is there. It is kept for writing and closing.
   *
   * @throws Exception if it fails: goes to the exception handler, and the transport goes on
   */
  default void connectionMade(T transport) throws Exception {}

  /**
   * The last call, made exactly once if {@link #connectionMade} was: the transport is gone.
   *
   * @param cause null after an orderly end, and after this side closed or aborted it, unless
   *     closing came to nothing
   * @throws Exception if it fails: goes to the exception handler
   */
  default void connectionLost(@Nullable Throwable cause) throws Exception {}

  /**
   * More is buffered than high water: called once, within the call that wrote it. Whoever writes on
   * all the same fills memory.
   *
   * @throws Exception if it fails: goes to the exception handler, and the transport goes on
   */
  default void pauseWriting() throws Exception {}

  /**
   * No more is buffered than low water. Called once after each {@link #pauseWriting}.
   *
   * @throws Exception if it fails: goes to the exception handler, and the transport goes on
   */
  default void resumeWriting() throws Exception {}
}
