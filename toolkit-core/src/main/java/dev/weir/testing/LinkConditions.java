package dev.weir.testing;

import java.time.Duration;
import java.util.Objects;
import java.util.random.RandomGenerator;

/**
 * What the memory network does to one connection. The same holds in both directions, except where
 * it is said.
 *
 * @param delayMin how long bytes take to the other side, at least; zero by default
 * @param delayMax how long they take at most; the seed picks, and what was sent first arrives first
 * @param bytesPerSecond how many bytes a direction carries; {@link #UNLIMITED} by default
 * @param pieceBytesMin how many bytes arrive at once, at least, if there are as many; however they
 *     were written
 * @param pieceBytesMax how many bytes arrive at once at most; the seed picks; 64 KiB by default
 * @param windowBytes how many bytes a direction holds that the receiver has not taken, as the
 *     kernel's buffers do; what is more stays with the sender; 64 KiB by default
 * @param answer what becomes of the attempt to connect
 * @param resetAfterBytes after so many bytes, counted in both directions together, the connection
 *     is reset; {@link #NEVER} by default, zero for as soon as it is made
 * @param stallAfterBytes after so many bytes nothing arrives any more, and nobody is told
 * @param endAfterBytes after so many bytes the direction in which they went ends, as if its sender
 *     had half-closed it; what is sent there later is lost
 */
public record LinkConditions(
    Duration delayMin,
    Duration delayMax,
    long bytesPerSecond,
    int pieceBytesMin,
    int pieceBytesMax,
    int windowBytes,
    Answer answer,
    long resetAfterBytes,
    long stallAfterBytes,
    long endAfterBytes) {
  /** No bound on the bytes per second. */
  public static final long UNLIMITED = Long.MAX_VALUE;

  /** A count of bytes that no connection reaches. */
  public static final long NEVER = Long.MAX_VALUE;

  private static final int PIECE_BYTES = 64 * 1024;
  private static final int WINDOW_BYTES = 64 * 1024;

  /** What becomes of an attempt to connect. */
  public enum Answer {
    /** It succeeds, if somebody listens there. */
    ACCEPTED,
    /** It is refused, as if nobody listened. */
    REFUSED,
    /** Nobody answers, so that it fails when its timeout is over. */
    NONE
  }

  /** Checks the conditions. */
  public LinkConditions {
    Objects.requireNonNull(answer, "answer");
    if (delayMin.isNegative() || delayMax.compareTo(delayMin) < 0) {
      throw new IllegalArgumentException(
          "not 0 <= delayMin <= delayMax: " + delayMin + ", " + delayMax);
    }
    ensurePositive(bytesPerSecond, "bytesPerSecond");
    ensurePositive(pieceBytesMin, "pieceBytesMin");
    ensurePositive(windowBytes, "windowBytes");
    if (pieceBytesMax < pieceBytesMin) {
      throw new IllegalArgumentException(
          "pieceBytesMax < pieceBytesMin: " + pieceBytesMax + " < " + pieceBytesMin);
    }
    ensureNotNegative(resetAfterBytes, "resetAfterBytes");
    ensureNotNegative(stallAfterBytes, "stallAfterBytes");
    ensureNotNegative(endAfterBytes, "endAfterBytes");
  }

  private static void ensurePositive(long value, String name) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " < 1: " + value);
    }
  }

  private static void ensureNotNegative(long value, String name) {
    if (value < 0) {
      throw new IllegalArgumentException(name + " is negative: " + value);
    }
  }

  /** {@return conditions as good as they get: no delay, no bound, no fault} */
  public static LinkConditions perfect() {
    return new LinkConditions(
        Duration.ZERO,
        Duration.ZERO,
        UNLIMITED,
        PIECE_BYTES,
        PIECE_BYTES,
        WINDOW_BYTES,
        Answer.ACCEPTED,
        NEVER,
        NEVER,
        NEVER);
  }

  /**
   * {@return conditions as bad as they get, picked at random: delays of up to 200 ms, pieces of any
   * size, and for half of the connections one fault, which is to be refused or not to be answered,
   * or a reset, a stall or a one-sided end within the first kilobyte}
   */
  public static LinkConditions hostile(RandomGenerator random) {
    int bytes = random.nextInt(1024);
    LinkConditions conditions =
        perfect()
            .withDelay(Duration.ZERO, Duration.ofMillis(random.nextInt(200)))
            .withPieces(1, 1 << random.nextInt(11));
    return switch (random.nextInt(10)) {
      case 0 -> conditions.withAnswer(Answer.REFUSED);
      case 1 -> conditions.withAnswer(Answer.NONE);
      case 2 -> conditions.withResetAfter(bytes);
      case 3 -> conditions.withStallAfter(bytes);
      case 4 -> conditions.withEndAfter(bytes);
      default -> conditions;
    };
  }

  /** {@return these conditions with one delay for all bytes} */
  public LinkConditions withDelay(Duration delay) {
    return withDelay(delay, delay);
  }

  /** {@return these conditions with delays from {@code min} to {@code max}, picked by the seed} */
  public LinkConditions withDelay(Duration min, Duration max) {
    return new LinkConditions(
        min,
        max,
        bytesPerSecond,
        pieceBytesMin,
        pieceBytesMax,
        windowBytes,
        answer,
        resetAfterBytes,
        stallAfterBytes,
        endAfterBytes);
  }

  /** {@return these conditions with another bandwidth} */
  public LinkConditions withBytesPerSecond(long bytesPerSecond) {
    return new LinkConditions(
        delayMin,
        delayMax,
        bytesPerSecond,
        pieceBytesMin,
        pieceBytesMax,
        windowBytes,
        answer,
        resetAfterBytes,
        stallAfterBytes,
        endAfterBytes);
  }

  /**
   * {@return these conditions with bytes arriving in pieces of {@code bytesMin} to {@code
   * bytesMax}, picked by the seed}
   */
  public LinkConditions withPieces(int bytesMin, int bytesMax) {
    return new LinkConditions(
        delayMin,
        delayMax,
        bytesPerSecond,
        bytesMin,
        bytesMax,
        windowBytes,
        answer,
        resetAfterBytes,
        stallAfterBytes,
        endAfterBytes);
  }

  /** {@return these conditions with another window} */
  public LinkConditions withWindow(int windowBytes) {
    return new LinkConditions(
        delayMin,
        delayMax,
        bytesPerSecond,
        pieceBytesMin,
        pieceBytesMax,
        windowBytes,
        answer,
        resetAfterBytes,
        stallAfterBytes,
        endAfterBytes);
  }

  /** {@return these conditions with another answer to the attempt to connect} */
  public LinkConditions withAnswer(Answer answer) {
    return new LinkConditions(
        delayMin,
        delayMax,
        bytesPerSecond,
        pieceBytesMin,
        pieceBytesMax,
        windowBytes,
        answer,
        resetAfterBytes,
        stallAfterBytes,
        endAfterBytes);
  }

  /** {@return these conditions with a reset after {@code bytes}} */
  public LinkConditions withResetAfter(long bytes) {
    return new LinkConditions(
        delayMin,
        delayMax,
        bytesPerSecond,
        pieceBytesMin,
        pieceBytesMax,
        windowBytes,
        answer,
        bytes,
        stallAfterBytes,
        endAfterBytes);
  }

  /** {@return these conditions with a stall after {@code bytes}} */
  public LinkConditions withStallAfter(long bytes) {
    return new LinkConditions(
        delayMin,
        delayMax,
        bytesPerSecond,
        pieceBytesMin,
        pieceBytesMax,
        windowBytes,
        answer,
        resetAfterBytes,
        bytes,
        endAfterBytes);
  }

  /** {@return these conditions with a one-sided end after {@code bytes}} */
  public LinkConditions withEndAfter(long bytes) {
    return new LinkConditions(
        delayMin,
        delayMax,
        bytesPerSecond,
        pieceBytesMin,
        pieceBytesMax,
        windowBytes,
        answer,
        resetAfterBytes,
        stallAfterBytes,
        bytes);
  }
}
