package dev.weir.task;

/** Objects of the user's in messages: what says what they are is user code, and may throw. */
final class Descriptions {
  private Descriptions() {}

  /**
   * {@return {@code described} as a text, or its class if it cannot say more} Never its identity
   * hash, which tells nobody anything and is another in each run.
   */
  static String of(Object described) {
    try {
      return withoutIdentity(described, described.toString());
    } catch (Throwable e) { // Whatever it is: the message has something else to tell.
      return described.getClass().getName()
          + " (its toString() throws "
          + e.getClass().getName()
          + ")";
    }
  }

  private static String withoutIdentity(Object described, String text) {
    Class<?> type = described.getClass();
    String identity =
        type.getName() + "@" + Integer.toHexString(System.identityHashCode(described));
    if (!text.startsWith(identity)) {
      return text;
    }
    int lambdaAt = type.getName().indexOf("$$Lambda");
    String what =
        lambdaAt < 0 ? type.getName() : "a lambda of " + type.getName().substring(0, lambdaAt);
    return what + text.substring(identity.length());
  }
}
