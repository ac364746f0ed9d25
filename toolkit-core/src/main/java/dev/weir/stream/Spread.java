package dev.weir.stream;

/**
 * Which loops serve the connections of a server, where {@link dev.weir.task.RunOptions#withLoops
 * several} run. On a loop alone it makes no difference.
 *
 * <p>However they are spread: the handler of a connection, its tasks and its timers stay on one
 * loop, so what belongs to one connection needs no lock. What handlers of several connections share
 * does.
 */
public enum Spread {
  /** The loop on which the server was started serves all of them. The default. */
  NONE,

  /**
   * Each loop listens for itself, on the same port with {@code SO_REUSEPORT}, and the kernel says
   * which one gets a connection. No loop waits for another to accept.
   *
   * <p>The kernel decides by a hash of the addresses: many connections lie about even, a few may
   * all come to the same loop. It knows neither how busy a loop is nor whether it has reached its
   * limit: each loop has its share of {@link ServerOptions#maxConnections}, and whoever comes to
   * one that is full waits, although another has room. Other processes of the same user may listen
   * on the port as well. Not for Unix sockets, and only where the system has it; elsewhere the
   * server does not start.
   */
  REUSE_PORT,

  /**
   * The loop on which the server was started accepts for all and hands connections out in turn:
   * each loop gets exactly as many as any other. For connections that live for more than a moment,
   * few of them above all. It costs the connection one way to another thread, at its beginning. For
   * Unix sockets too.
   */
  DISTRIBUTE,

  /**
   * What suits most servers: {@link #DISTRIBUTE}. Even by construction, exact in its limits, and
   * the same on every system and with every kind of address; to accept costs so little that one
   * loop does it for many, and where it does not, who opens thousands of connections in a second
   * measures anyway. A later version may choose otherwise.
   */
  AUTO
}
