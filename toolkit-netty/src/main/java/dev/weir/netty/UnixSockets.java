package dev.weir.netty;

import dev.weir.spi.UnixAddresses;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/**
 * Makes channels of Unix sockets that listen or are connected. Neither takes time, so neither is
 * left to Netty, whose listeners delete what is at their path, and which has no channel on NIO
 * whose directions end independently.
 */
enum UnixSockets {
  EPOLL {
    @Override
    ServerChannel listen(UnixDomainSocketAddress local, int backlog) throws IOException {
      Socket socket = Socket.newSocketDomain();
      try {
        socket.bind(nativeAddress(local));
        socket.listen(backlog);
      } catch (IOException | RuntimeException e) {
        socket.close();
        throw e;
      }
      // It does not know its path, so it does not delete what is there when it closes.
      return new EpollServerDomainSocketChannel(socket.intValue(), true);
    }

    @Override
    DuplexChannel connect(UnixDomainSocketAddress remote) throws IOException {
      Socket socket = Socket.newSocketDomain();
      try {
        socket.connect(nativeAddress(remote));
      } catch (IOException | RuntimeException e) {
        socket.close();
        throw e;
      }
      return new EpollDomainSocketChannel(socket.intValue(), true);
    }
  },

  NIO {
    @Override
    ServerChannel listen(UnixDomainSocketAddress local, int backlog) throws IOException {
      ServerSocketChannel socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      try {
        socket.bind(local, backlog);
      } catch (IOException | RuntimeException e) {
        socket.close();
        throw e;
      }
      return new NioUnixServerChannel(socket);
    }

    @Override
    DuplexChannel connect(UnixDomainSocketAddress remote) throws IOException {
      SocketChannel socket = SocketChannel.open(StandardProtocolFamily.UNIX);
      try {
        socket.configureBlocking(false);
        socket.connect(remote); // At once, or it throws.
      } catch (IOException | RuntimeException e) {
        socket.close();
        throw e;
      }
      return new NioUnixChannel(null, socket);
    }
  };

  /** What the system says to an attempt that finds the server's queue full, in lower case. */
  static final String QUEUE_IS_FULL = "temporarily unavailable";

  /** {@return why there can be no socket of this address, or null} */
  @Nullable String refusal(UnixDomainSocketAddress address) {
    if (this == EPOLL || !UnixAddresses.isAbstract(address.getPath())) {
      return null;
    }
    return "Abstract names need the transport epoll, and this loop runs on nio: "
        + address
        + "; write ./"
        + address
        + " if a file is meant";
  }

  /** Makes a socket that listens. */
  abstract ServerChannel listen(UnixDomainSocketAddress local, int backlog) throws IOException;

  /** Makes a socket that is connected. */
  abstract DuplexChannel connect(UnixDomainSocketAddress remote) throws IOException;

  private static DomainSocketAddress nativeAddress(UnixDomainSocketAddress address) {
    String path = address.getPath().toString();
    return new DomainSocketAddress(
        UnixAddresses.isAbstract(address.getPath())
            ? "\0" + path.substring(1)
            : path + "\0"); // Before it binds, Netty unlinks this as a C string.
  }

  /** {@return the address of a peer, as the JDK and Weir spell it} */
  static UnixDomainSocketAddress ofPeer(@Nullable SocketAddress address) {
    if (address instanceof UnixDomainSocketAddress unix) {
      return unix;
    }
    String path = address instanceof DomainSocketAddress domain ? domain.path() : "";
    return UnixDomainSocketAddress.of(
        path.startsWith("\0") ? "@" + path.substring(1).replace('\0', '@') : path);
  }
}
