package dev.weir.datagram.internal;

import dev.weir.spi.DatagramRequest;
import dev.weir.spi.DatagramTransport;
import dev.weir.spi.DatagramTransportProtocol;
import dev.weir.spi.Network.Completion;
import dev.weir.stream.Addresses;
import dev.weir.task.CancelledError;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** From addresses as users write them to an open datagram socket. */
public final class DatagramOpening {
  private DatagramOpening() {}

  /** Makes the request for a pair of addresses. */
  @FunctionalInterface
  public interface Requests {
    /** {@return the request for a socket of these, not both of which are null} */
    DatagramRequest of(@Nullable InetSocketAddress local, @Nullable InetSocketAddress remote);
  }

  /**
   * Suspends until a socket is open: of the first of the addresses, looked up if they are names,
   * that can be used.
   *
   * @param call what was called, for the message
   * @param protocol is told of the one that is open only
   */
  public static DatagramTransport open(
      String call,
      @Nullable InetSocketAddress local,
      @Nullable InetSocketAddress remote,
      Requests requests,
      DatagramTransportProtocol protocol)
      throws IOException {
    Loop loop = Loop.running();
    loop.ensureInTask(call);
    if (local == null && remote == null) {
      throw new IllegalArgumentException(
          call
              + " without an address: say where to receive, or whom to send to; port 0 of 0.0.0.0"
              + " is any free one");
    }
    IOException failure = null;
    List<@Nullable InetSocketAddress> remotes = lookUp(loop, remote);
    List<@Nullable InetSocketAddress> locals = lookUp(loop, local);
    for (InetSocketAddress to : remotes) {
      for (InetSocketAddress from : locals) {
        if (areOfOneFamily(from, to)) {
          try {
            return open(loop, requests.of(from, to), protocol);
          } catch (IOException e) {
            failure = first(failure, e);
          }
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
    throw new SocketException(
        "One of these is of IPv4 and the other of IPv6: " + format(local) + ", " + format(remote));
  }

  private static String format(@Nullable InetSocketAddress address) {
    return address == null ? "any" : Addresses.format(address);
  }

  private static IOException first(@Nullable IOException before, IOException failure) {
    if (before == null) {
      return failure;
    }
    before.addSuppressed(failure);
    return before;
  }

  /** {@return the addresses, or null alone for null} */
  private static List<@Nullable InetSocketAddress> lookUp(
      Loop loop, @Nullable InetSocketAddress address) throws IOException {
    if (address == null || !address.isUnresolved()) {
      return Collections.singletonList(address);
    }
    return List.copyOf(Addresses.resolve(loop, address.getHostString(), address.getPort()));
  }

  private static boolean areOfOneFamily(
      @Nullable InetSocketAddress local, @Nullable InetSocketAddress remote) {
    return local == null
        || remote == null
        || isIpv6(local.getAddress()) == isIpv6(remote.getAddress());
  }

  static boolean isIpv6(InetAddress address) {
    return address.getAddress().length == 16;
  }

  private static DatagramTransport open(
      Loop loop, DatagramRequest request, DatagramTransportProtocol protocol) throws IOException {
    Future<DatagramTransport> opened = loop.createFuture();
    loop.network().openDatagram(request, protocol, new Opened(opened));
    try {
      return opened.await(IOException.class);
    } catch (CancelledError e) {
      // It may have been opened, or have failed, in the round in which the task was cancelled.
      if (opened.done() && !opened.cancelled() && opened.exception() == null) {
        opened.result().abort();
      }
      throw e;
    }
  }

  private record Opened(Future<DatagramTransport> future) implements Completion<DatagramTransport> {
    @Override
    public void succeeded(DatagramTransport transport) {
      if (future.done()) {
        transport.abort(); // Nobody waits for it any more.
      } else {
        future.setResult(transport);
      }
    }

    @Override
    public void failed(IOException cause) {
      if (!future.done()) {
        future.setException(cause);
      }
    }
  }
}
