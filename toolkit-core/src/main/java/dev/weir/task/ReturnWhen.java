package dev.weir.task;

/** What {@code Asyncio.wait} waits for. */
public enum ReturnWhen {
  /** Any future is done. */
  FIRST_COMPLETED,

  /** Any future has failed, or all are done. A cancelled one has not failed. */
  FIRST_EXCEPTION,

  /** All futures are done. */
  ALL_COMPLETED
}
