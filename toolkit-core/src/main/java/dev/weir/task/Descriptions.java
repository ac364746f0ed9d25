package dev.weir.task;

/** Objects of the user's in messages: what says what they are is user code, and may throw. */
final class Descriptions {
  private Descriptions() {}

  /** {@return {@code described} as a text, or its class if it cannot say more} */
  static String of(Object described) {
    try {
      return described.toString();
    } catch (Throwable e) { // Whatever it is: the message has something else to tell.
      return described.getClass().getName()
          + " (its toString() throws "
          + e.getClass().getName()
          + ")";
    }
  }
}
