package dev.weir.sync;

/**
 * An {@link AsyncBarrier} was aborted, or reset while tasks waited there; as {@code
 * asyncio.BrokenBarrierError}.
 */
public final class BrokenBarrierException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  /** Creates an exception. */
  public BrokenBarrierException(String message) {
    super(message);
  }
}
