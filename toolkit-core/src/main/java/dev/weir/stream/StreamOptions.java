package dev.weir.stream;

/**
 * What a connection buffers.
 *
 * @param limit the longest line in bytes, its separator not counted, 64 KiB by default; reading
 *     pauses when more than twice as much has arrived unread
 * @param highWater with more than this many bytes unsent, writers wait; 64 KiB by default
 * @param lowWater with as many bytes unsent, or fewer, they go on; 16 KiB by default
 * @param hardCap the most bytes that writes which may not wait can leave unsent, 16 MiB by default
 * @param asyncioWrites whether writes never wait, as asyncio's, and fail at the hard cap instead;
 *     off by default. For a broadcaster, which must not wait for its slowest client
 */
public record StreamOptions(
    int limit, int highWater, int lowWater, int hardCap, boolean asyncioWrites) {
  private static final StreamOptions DEFAULTS =
      new StreamOptions(64 * 1024, 64 * 1024, 16 * 1024, 16 * 1024 * 1024, false);

  /** Checks the options. */
  public StreamOptions {
    if (limit < 1) {
      throw new IllegalArgumentException("limit < 1: " + limit);
    }
    if (limit > Integer.MAX_VALUE / 4) {
      throw new IllegalArgumentException("limit > 512 MiB: " + limit);
    }
    checkWaterMarks(highWater, lowWater, hardCap);
  }

  static void checkWaterMarks(int highWater, int lowWater, int hardCap) {
    if (lowWater < 0 || highWater < lowWater || hardCap < highWater) {
      throw new IllegalArgumentException(
          "not 0 <= lowWater <= highWater <= hardCap: "
              + lowWater
              + ", "
              + highWater
              + ", "
              + hardCap);
    }
  }

  /** {@return the defaults} */
  public static StreamOptions defaults() {
    return DEFAULTS;
  }

  /** {@return these options with another longest line} */
  public StreamOptions withLimit(int limit) {
    return new StreamOptions(limit, highWater, lowWater, hardCap, asyncioWrites);
  }

  /** {@return these options with other water marks} */
  public StreamOptions withWriteLimits(int highWater, int lowWater) {
    return new StreamOptions(
        limit, highWater, lowWater, Math.max(hardCap, highWater), asyncioWrites);
  }

  /** {@return these options with another cap for writes that may not wait} */
  public StreamOptions withHardCap(int hardCap) {
    return new StreamOptions(limit, highWater, lowWater, hardCap, asyncioWrites);
  }

  /** {@return these options with writes that never wait, or that do} */
  public StreamOptions withAsyncioWrites(boolean asyncioWrites) {
    return new StreamOptions(limit, highWater, lowWater, hardCap, asyncioWrites);
  }
}
