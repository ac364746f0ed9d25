package dev.weir.protocol;

/** A transport that something comes in by, as {@code asyncio.ReadTransport}. */
public interface ReadTransport extends BaseTransport {
  /** {@return whether what arrives is told to the protocol: neither paused nor closing} */
  boolean isReading();

  /**
   * Tells the protocol of nothing that arrives until {@link #resumeReading}; the peer is held back.
   * If the connection is lost meanwhile, what had arrived is told before the loss. A second call
   * has no effect.
   */
  void pauseReading();

  /** Receives again. Without effect unless reading is paused. */
  void resumeReading();
}
