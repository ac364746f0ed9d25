package dev.weir.testing;

/**
 * Decides what the memory network does to a connection: by script, from the addresses and the
 * number of the attempt, or by chance.
 *
 * <pre>{@code
 * network.setLinkPolicy(
 *     attempt ->
 *         attempt.number() == 1
 *             ? LinkConditions.perfect().withResetAfter(100)
 *             : LinkConditions.perfect());
 * }</pre>
 */
@FunctionalInterface
public interface LinkPolicy {
  /** {@return the conditions of the connection that this attempt is for} Must not suspend. */
  LinkConditions conditionsFor(ConnectAttempt attempt);
}
