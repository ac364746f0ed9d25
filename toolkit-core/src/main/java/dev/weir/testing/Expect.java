package dev.weir.testing;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What a check expects, said with values if it is not so. */
final class Expect {
  /** Longer arrays are told by their length and the place where they differ. */
  private static final int SHOWN_BYTES_MAX = 80;

  private Expect() {}

  /** A call that is to fail. */
  @FunctionalInterface
  interface Call {
    @Nullable Object run() throws Exception;
  }

  /** The same for a call that returns nothing. */
  @FunctionalInterface
  interface VoidCall {
    void run() throws Exception;
  }

  static void equal(String what, @Nullable Object expected, @Nullable Object actual) {
    if (!Objects.equals(expected, actual)) {
      throw new AssertionError(what + ": expected " + show(expected) + ", but was " + show(actual));
    }
  }

  static void that(boolean condition, String expectation) {
    if (!condition) {
      throw new AssertionError("expected that " + expectation);
    }
  }

  static void atMost(String what, long most, long actual) {
    if (actual > most) {
      throw new AssertionError(what + ": expected at most " + most + ", but was " + actual);
    }
  }

  static void text(String what, String expected, byte[] actual) {
    bytes(what, bytes(expected), actual);
  }

  static void bytes(String what, byte[] expected, byte[] actual) {
    int at = Arrays.mismatch(expected, actual);
    if (at < 0) {
      return;
    }
    boolean isShort = expected.length <= SHOWN_BYTES_MAX && actual.length <= SHOWN_BYTES_MAX;
    throw new AssertionError(
        isShort
            ? what + ": expected " + show(expected) + ", but was " + show(actual)
            : String.format(
                Locale.ROOT,
                "%s: expected %d bytes, but was %d bytes, the first difference at offset %d",
                what,
                expected.length,
                actual.length,
                at));
  }

  /** {@return what {@code call} threw, which must be an {@code expected}} */
  static <X extends Throwable> X thrown(String what, Class<X> expected, Call call) {
    Object returned;
    try {
      returned = call.run();
    } catch (Throwable e) {
      if (expected.isInstance(e)) {
        return expected.cast(e);
      }
      throw new AssertionError(
          what + ": expected " + expected.getSimpleName() + ", but it threw " + e, e);
    }
    throw new AssertionError(
        what + ": expected " + expected.getSimpleName() + ", but it returned " + show(returned));
  }

  static <X extends Throwable> X thrownBy(String what, Class<X> expected, VoidCall call) {
    return thrown(
        what,
        expected,
        () -> {
          call.run();
          return "normally";
        });
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String show(@Nullable Object value) {
    return switch (value) {
      case byte[] bytes when bytes.length <= SHOWN_BYTES_MAX ->
          quote(new String(bytes, StandardCharsets.UTF_8));
      case byte[] bytes -> bytes.length + " bytes";
      case String text -> quote(text);
      case null, default -> String.valueOf(value);
    };
  }

  private static String quote(String text) {
    return '"' + text.replace("\r", "\\r").replace("\n", "\\n").replace("\0", "\\0") + '"';
  }
}
