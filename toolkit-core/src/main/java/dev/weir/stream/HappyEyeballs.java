package dev.weir.stream;

import dev.weir.spi.ConnectRequest;
import dev.weir.spi.Network.Attempt;
import dev.weir.spi.Network.Completion;
import dev.weir.spi.Transport;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.TimerHandle;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Connects to the first of several addresses that answers (RFC 8305): each is given a head start
 * before the next is tried beside it, and none if one has failed. Whoever connects first wins; the
 * others are given up, as all are when the task that waits is cancelled.
 *
 * <p>Used once, by one task.
 */
final class HappyEyeballs {
  /** One timer, the caller's, is for everything together; an attempt needs none of its own. */
  private static final Duration NO_TIMEOUT = Duration.ofSeconds(Long.MAX_VALUE);

  private final Loop loop;
  private final ConnectOptions options;
  private final List<InetSocketAddress> remotes;
  private final List<InetSocketAddress> locals;

  /** One for each address that had its turn, in that order. */
  private final List<Try> tries = new ArrayList<>();

  /** What the task waits for: that one has ended, or that the delay is over. */
  private @Nullable Future<@Nullable Void> news;

  /**
   * @param remotes where to, as the lookup returned them, at least one
   * @param locals from where; none if the system is to choose
   */
  HappyEyeballs(
      Loop loop,
      ConnectOptions options,
      List<InetSocketAddress> remotes,
      List<InetSocketAddress> locals) {
    this.loop = loop;
    this.options = options;
    this.remotes = isStaggered(options) ? interleaved(remotes) : remotes;
    this.locals = locals;
  }

  private static boolean isStaggered(ConnectOptions options) {
    return !options.happyEyeballsDelay().isZero();
  }

  /** {@return the families taking turns, beginning with that of the first address} */
  static List<InetSocketAddress> interleaved(List<InetSocketAddress> addresses) {
    ArrayDeque<InetSocketAddress> family = new ArrayDeque<>();
    ArrayDeque<InetSocketAddress> other = new ArrayDeque<>();
    for (InetSocketAddress address : addresses) {
      (sameFamily(address, addresses.getFirst()) ? family : other).add(address);
    }
    List<InetSocketAddress> turns = new ArrayList<>(addresses.size());
    while (!family.isEmpty() || !other.isEmpty()) {
      if (!family.isEmpty()) {
        turns.add(family.remove());
      }
      if (!other.isEmpty()) {
        turns.add(other.remove());
      }
    }
    return turns;
  }

  private static boolean sameFamily(InetSocketAddress one, InetSocketAddress other) {
    return one.getAddress().getAddress().length == other.getAddress().getAddress().length;
  }

  /**
   * Suspends until one has connected.
   *
   * @return its protocol
   * @throws IOException the failure of the first address, with those of the others as suppressed
   */
  StreamProtocol connect() throws IOException {
    Try winner = null;
    try {
      Iterator<InetSocketAddress> next = remotes.iterator();
      while (winner == null && next.hasNext()) {
        tries.add(new Try(next.next()));
        winner = awaitTurn(isStaggered(options) && next.hasNext());
      }
    } finally {
      for (Try other : tries) {
        if (other != winner) {
          other.abandon();
        }
      }
    }
    if (winner == null) {
      throw failure();
    }
    return winner.protocol;
  }

  /**
   * Suspends until one has connected, or it is the next address's turn.
   *
   * @param staggered whether it is, after the delay or a failure; else only when all have failed
   * @return who connected, or null
   */
  private @Nullable Try awaitTurn(boolean staggered) {
    while (tries.stream().anyMatch(Try::isUnderWay)) {
      awaitNews(staggered);
      for (Try ended : tries) {
        if (ended.hasConnected()) {
          return ended;
        }
      }
      if (staggered) {
        return null;
      }
    }
    return null;
  }

  /** Suspends until one has ended, or the delay is over. */
  private void awaitNews(boolean staggered) {
    Future<@Nullable Void> awaited = loop.createFuture(this);
    news = awaited;
    TimerHandle timer = staggered ? loop.callLater(options.happyEyeballsDelay(), this::wake) : null;
    try {
      awaited.await();
    } finally {
      news = null;
      if (timer != null) {
        timer.cancel();
      }
    }
  }

  private void wake() {
    if (news != null && !news.done()) {
      news.setResult(null);
    }
  }

  private IOException failure() {
    IOException first = null;
    for (Try failed : tries) {
      IOException failure = failed.failure;
      if (first == null) {
        first = failure;
      } else if (failure != null) {
        first.addSuppressed(failure);
      }
    }
    return first == null ? new IOException("no address to connect to") : first;
  }

  /** {@return the failures so far, in the order of the addresses} */
  List<IOException> failures() {
    List<IOException> failures = new ArrayList<>();
    for (Try ended : tries) {
      if (ended.failure != null) {
        failures.add(ended.failure);
      }
    }
    return failures;
  }

  /** {@return which addresses had their turn, and how those fared that failed} */
  String describeTries(int triesMax) {
    StringBuilder words = new StringBuilder();
    for (Try tried : tries.subList(0, Math.min(tries.size(), triesMax))) {
      words.append(words.isEmpty() ? "" : ", ").append(Addresses.format(tried.remote));
      if (tried.failure != null) {
        words.append(" (").append(tried.failure.getMessage()).append(')');
      }
    }
    if (tries.size() > triesMax) {
      words.append(" and ").append(tries.size() - triesMax).append(" more");
    }
    return words.toString();
  }

  @Override
  public String toString() {
    return "HappyEyeballs[" + describeTries(tries.size()) + "]";
  }

  /** One address, tried from one local address after the other until one may be used. */
  private final class Try implements Completion<Transport> {
    private final InetSocketAddress remote;
    private final Iterator<InetSocketAddress> sources;
    private StreamProtocol protocol = newProtocol();
    private @Nullable Attempt attempt;
    private boolean connected;
    private boolean abandoned;
    private @Nullable IOException failure;

    Try(InetSocketAddress remote) {
      this.remote = remote;
      this.sources = locals.stream().filter(local -> sameFamily(local, remote)).iterator();
      if (locals.isEmpty()) {
        start(null);
      } else if (sources.hasNext()) {
        start(sources.next());
      } else {
        failure =
            new BindException(
                "No local address of the family of "
                    + Addresses.format(remote)
                    + " among "
                    + locals.stream().map(Addresses::format).toList());
      }
    }

    private StreamProtocol newProtocol() {
      return new StreamProtocol(loop, options.stream());
    }

    private void start(@Nullable InetSocketAddress local) {
      attempt =
          loop.network()
              .connect(
                  new ConnectRequest(remote, local, NO_TIMEOUT, options.socketOptions()),
                  protocol,
                  this);
    }

    boolean isUnderWay() {
      return !connected && failure == null;
    }

    boolean hasConnected() {
      return connected;
    }

    @Override
    public void succeeded(Transport transport) {
      if (abandoned) {
        transport.abort();
      } else {
        connected = true;
        wake();
      }
    }

    @Override
    public void failed(IOException cause) {
      if (cause instanceof BindException && sources.hasNext() && !abandoned) {
        protocol = newProtocol();
        start(sources.next());
      } else {
        failure = cause;
        wake();
      }
    }

    /** Gives it up, also if it has connected in the very round in which another did. */
    void abandon() {
      abandoned = true;
      if (attempt != null) {
        attempt.abandon();
      }
      protocol.abortIfConnected();
    }
  }
}
