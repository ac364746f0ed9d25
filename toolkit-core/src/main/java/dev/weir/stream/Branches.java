package dev.weir.stream;

import dev.weir.spi.ListenRequest;
import dev.weir.spi.Network.Completion;
import dev.weir.spi.Network.Destination;
import dev.weir.spi.Network.Listener;
import dev.weir.task.Context;
import dev.weir.task.Loop;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * A server that is spread has a branch on each loop: a server that knows its own loop's connections
 * only. This is what the first branch, which the user holds, knows of the others. They tell each
 * other by callbacks, so that nobody waits for a lock.
 *
 * <p>On the loop of the first branch only, where nothing else is said.
 */
final class Branches {
  private final ServerOptions options;

  /** The first, then the others. Complete before another loop knows of this. */
  private final List<Server> servers = new ArrayList<>();

  /** How many of the others have not ended. */
  private int othersOpen;

  /** Which branch gets the next connection. */
  private int turn;

  private Branches(ServerOptions options) {
    this.options = options;
  }

  /** {@return the first branch, that of {@code loop}, with the others behind it} */
  static Server grow(Loop loop, ConnectionHandler handler, ServerOptions options) {
    List<Loop> loops = loops(loop, options);
    Branches branches = new Branches(options);
    for (int i = 0; i < loops.size(); i++) {
      int max = share(i, loops.size(), options);
      branches.servers.add(new Server(loops.get(i), handler, options, max, branches));
    }
    branches.othersOpen = loops.size() - 1;
    return branches.first();
  }

  private static List<Loop> loops(Loop first, ServerOptions options) {
    if (options.spread() == Spread.NONE) {
      return List.of(first);
    }
    List<Loop> loops = new ArrayList<>(first.group());
    loops.remove(first);
    loops.addFirst(first);
    return options.spread() == Spread.REUSE_PORT // Each with a share of one at least.
        ? loops.subList(0, Math.min(loops.size(), options.maxConnections()))
        : loops;
  }

  /** {@return how many connections a branch may have} */
  private static int share(int index, int count, ServerOptions options) {
    int max = options.maxConnections();
    return options.spread() != Spread.REUSE_PORT || max == ServerOptions.UNLIMITED
        ? max
        : max / count + (index < max % count ? 1 : 0);
  }

  private Server first() {
    return servers.getFirst();
  }

  private List<Server> others() {
    return servers.subList(1, servers.size());
  }

  private boolean spread() {
    return servers.size() > 1;
  }

  /** {@return whether each branch listens for itself} Any thread. */
  boolean listenEach() {
    return spread() && options.spread() == Spread.REUSE_PORT;
  }

  /** {@return whether the first branch accepts, and counts, for the others} Any thread. */
  boolean distribute() {
    return spread() && options.spread() != Spread.REUSE_PORT;
  }

  // --- Connections that are handed out

  /** {@return where the next connection is served} In turn. */
  Destination next() {
    Server server = servers.get(turn);
    turn = (turn + 1) % servers.size();
    if (limited()) {
      first().taken();
    }
    return server.destination();
  }

  /** A connection that was handed out to {@code branch} is no more. On either loop. */
  void released(Server branch) {
    if (!limited()) {
      return; // Nobody counts, and nobody is woken for it.
    }
    if (branch == first()) {
      branch.released();
    } else {
      tell(first(), Server::released);
    }
  }

  private boolean limited() {
    return options.maxConnections() != ServerOptions.UNLIMITED;
  }

  // --- What the first branch has the others do

  /** Suspends until every other branch listens there. */
  void listen(ListenRequest request) throws IOException {
    List<CompletableFuture<Listener>> listening = new ArrayList<>();
    for (Server server : others()) {
      CompletableFuture<Listener> outcome = new CompletableFuture<>();
      listening.add(outcome);
      tell(server, branch -> branch.listen(request, new Telling(outcome)));
    }
    for (CompletableFuture<Listener> outcome : listening) {
      first().loop.wrapFuture(outcome).await(IOException.class);
    }
  }

  /** Tells a task of another loop. */
  private record Telling(CompletableFuture<Listener> outcome) implements Completion<Listener> {
    @Override
    public void succeeded(Listener listener) {
      outcome.complete(listener);
    }

    @Override
    public void failed(IOException cause) {
      outcome.completeExceptionally(cause);
    }
  }

  /** Has the others do soon what the first does. What they do goes no further. */
  void follow(Server branch, Consumer<Server> call) {
    if (branch == first()) {
      others().forEach(other -> tell(other, call));
    }
  }

  private static void tell(Server branch, Consumer<Server> call) {
    try {
      branch.loop.callSoonThreadsafe(() -> call.accept(branch), Context.empty());
    } catch (IllegalStateException e) {
      // That loop is closed, and with it everything that was the branch's.
    }
  }

  // --- The end

  /** {@code branch} has ended. On its loop; called once for each but the first. */
  void ended(Server branch) {
    if (branch != first()) {
      tell(
          first(),
          told -> {
            othersOpen--;
            told.wakeIfEnded();
          });
    }
  }

  /** {@return whether {@code branch} has no other to wait for} On its loop. */
  boolean othersHaveEnded(Server branch) {
    return branch != first() || othersOpen == 0;
  }

  /** {@return what to add to the description of a branch} Any thread. */
  String describe() {
    return spread() ? " on this loop, " + options.spread() + " over " + servers.size() : "";
  }

  @Override
  public String toString() {
    return "Branches[" + options.spread() + ", " + servers.size() + "]";
  }
}
