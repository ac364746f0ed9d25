package dev.weir.testing;

import dev.weir.task.Loop;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One connection of the memory network, for a test to disturb. On the loop only.
 *
 * <p>Handed out by {@link MemoryNetwork#links}, as soon as the connection is made.
 */
public final class Link {
  /** Which way. */
  public enum Direction {
    /** From the one who connected to the one who accepted. */
    TO_SERVER,
    /** From the one who accepted to the one who connected. */
    TO_CLIENT
  }

  private final Loop loop;
  private final MemoryNetwork network;
  private final Agenda agenda;
  private final InetSocketAddress client;
  private final InetSocketAddress server;

  /** Of the Unix socket, or null. */
  private final @Nullable Path path;

  private LinkConditions conditions;

  private final Pipe toServer;
  private final Pipe toClient;
  private final Set<Direction> stalled = EnumSet.noneOf(Direction.class);

  /** What goes on when the link is no longer blocked. */
  private final List<Runnable> held = new ArrayList<>();

  private long bytesDelivered;
  private @Nullable MemoryTransport clientTransport;
  private @Nullable MemoryTransport serverTransport;

  Link(
      Loop loop,
      MemoryNetwork network,
      Agenda agenda,
      RandomGenerator random,
      InetSocketAddress client,
      InetSocketAddress server,
      @Nullable Path path,
      LinkConditions conditions) {
    this.loop = loop;
    this.network = network;
    this.agenda = agenda;
    this.client = client;
    this.server = server;
    this.path = path;
    this.conditions = conditions;
    this.toServer = new Pipe(this, Direction.TO_SERVER, agenda, random);
    this.toClient = new Pipe(this, Direction.TO_CLIENT, agenda, random);
  }

  /** {@return the address of the one who connected} */
  public InetSocketAddress client() {
    return client;
  }

  /** {@return the address of the one who accepted} */
  public InetSocketAddress server() {
    return server;
  }

  /**
   * {@return the path of the Unix socket that the connection was made to; null if it was none} Then
   * {@link #client} and {@link #server} tell no more than the host.
   */
  public @Nullable Path path() {
    return path;
  }

  /** {@return the conditions in force} */
  public LinkConditions conditions() {
    return conditions;
  }

  /**
   * Changes the conditions for what is sent or delivered from now on. The answer no longer counts.
   */
  public void setConditions(LinkConditions conditions) {
    Objects.requireNonNull(conditions, "conditions");
    loop.ensureHeld("Link.setConditions()");
    this.conditions = conditions;
  }

  /** Lets nothing arrive on either side, and tells nobody, until {@link #resume}. */
  public void stall() {
    stall(Direction.TO_SERVER);
    stall(Direction.TO_CLIENT);
  }

  /** Lets nothing arrive in one direction, and tells nobody, until {@link #resume}. */
  public void stall(Direction direction) {
    Objects.requireNonNull(direction, "direction");
    loop.ensureHeld("Link.stall()");
    stalled.add(direction);
  }

  /** Lets what was held up arrive. */
  public void resume() {
    loop.ensureHeld("Link.resume()");
    stalled.clear();
    unblockedMaybe();
  }

  /**
   * Resets the connection: what has arrived can still be read, what is on the way is lost, and both
   * sides are told at once, through a stall or a partition too: as if each had found out by itself.
   * {@link LinkConditions#withResetAfter} does the same once so many bytes have arrived, also in
   * the one direction that is not stalled.
   */
  public void reset() {
    loop.ensureHeld("Link.reset()");
    toServer.reset();
    toClient.reset();
  }

  /**
   * Ends one direction behind what has arrived, as if its sender had half-closed it. What is on the
   * way and what is sent there later is lost.
   */
  public void end(Direction direction) {
    Objects.requireNonNull(direction, "direction");
    loop.ensureHeld("Link.end()");
    pipe(direction).cutOff();
  }

  // --- For the network

  Pipe pipe(Direction direction) {
    return direction == Direction.TO_SERVER ? toServer : toClient;
  }

  boolean blocked(Direction direction) {
    return stalled.contains(direction)
        || network.separated(client.getAddress(), server.getAddress());
  }

  /** Runs {@code step} after {@code delayNanos}, and not before the link carries it. */
  void travel(Direction direction, long delayNanos, Runnable step) {
    agenda.after(
        delayNanos,
        () -> {
          if (blocked(direction)) {
            held.add(() -> travel(direction, 0, step));
          } else {
            step.run();
          }
        });
  }

  /** Lets what is held up go on, where nothing blocks it any more. */
  void unblockedMaybe() {
    List<Runnable> steps = List.copyOf(held);
    held.clear();
    steps.forEach(Runnable::run);
    toServer.unblocked();
    toClient.unblocked();
  }

  /** {@return how many bytes may be delivered before one of the conditions' faults} */
  long bytesUntilFault() {
    long fault =
        Math.min(
            conditions.resetAfterBytes(),
            Math.min(conditions.stallAfterBytes(), conditions.endAfterBytes()));
    return Math.max(0, fault - bytesDelivered);
  }

  /** Notes bytes that were delivered, and does what the conditions say happens after them. */
  void delivered(int bytes, Direction direction) {
    bytesDelivered += bytes;
    if (bytesDelivered >= conditions.resetAfterBytes()) {
      pipe(direction).loseArrived();
      reset();
    } else if (bytesDelivered >= conditions.stallAfterBytes()) {
      conditions = conditions.withStallAfter(LinkConditions.NEVER); // It may be resumed.
      stall();
    } else if (bytesDelivered >= conditions.endAfterBytes()) {
      conditions = conditions.withEndAfter(LinkConditions.NEVER); // The other direction goes on.
      pipe(direction).loseArrived();
      end(direction);
    }
  }

  void connected(MemoryTransport transport) {
    clientTransport = transport;
    toServer.setSender(transport);
    toClient.setReceiver(transport);
  }

  void accepted(MemoryTransport transport) {
    serverTransport = transport;
    network.remember(this); // The client may have closed already.
    toClient.setSender(transport);
    toServer.setReceiver(transport);
    delivered(0, Direction.TO_SERVER); // For faults after no bytes at all.
  }

  /** Notes that one of the transports has closed. */
  void closed() {
    if (!isOpen()) {
      network.forget(this);
    }
  }

  boolean isOpen() {
    return isOpen(clientTransport) || isOpen(serverTransport);
  }

  private static boolean isOpen(@Nullable MemoryTransport transport) {
    return transport != null && !transport.isClosed();
  }

  List<MemoryTransport> openTransports() {
    List<MemoryTransport> open = new ArrayList<>(2);
    for (MemoryTransport transport : new MemoryTransport[] {clientTransport, serverTransport}) {
      if (transport != null && !transport.isClosed()) {
        open.add(transport);
      }
    }
    return open;
  }

  /** {@return what is open of it and what is in it, for a report} */
  String describe() {
    String openSides =
        isOpen(clientTransport)
            ? isOpen(serverTransport) ? "both sides open" : "open on the client's side"
            : "open on the server's side";
    return "connection "
        + (path == null ? MemoryNetwork.format(client) : "by a Unix socket")
        + " -> "
        + describeServer()
        + ", "
        + openSides
        + "; to the server: "
        + describe(clientTransport, toServer)
        + "; to the client: "
        + describe(serverTransport, toClient);
  }

  String describeServer() {
    return path == null ? MemoryNetwork.format(server) : path.toString();
  }

  private static String describe(@Nullable MemoryTransport sender, Pipe pipe) {
    long unsent = sender == null ? 0 : sender.writeBufferSize();
    return (unsent > 0 ? unsent + " bytes unsent, " : "") + pipe.describe();
  }

  @Override
  public String toString() {
    return "Link[" + describe() + "]";
  }
}
