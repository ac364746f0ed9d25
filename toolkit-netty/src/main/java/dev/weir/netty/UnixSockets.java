package dev.weir.netty;

import dev.weir.spi.UnixAddresses;
import io.netty.channel.ChannelOption;
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
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Makes channels of Unix sockets that listen or are connected. Neither takes time, so neither is
 * left to Netty where its channels can be given a socket: its listeners delete what is at their
 * path, and it has no channel on NIO whose directions end independently.
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

  KQUEUE {
    @Override
    ServerChannel listen(UnixDomainSocketAddress local, int backlog) {
      return KQueueChannels.newServerDomainSocketChannel();
    }

    @Override
    void registered(ServerChannel listening, UnixDomainSocketAddress local, int backlog)
        throws IOException {
      // Netty's listener takes no descriptor that listens already. The address ends in a zero byte,
      // as no file's name in Java does, so that it does not delete what is there when it closes.
      listening.config().setOption(ChannelOption.SO_BACKLOG, backlog);
      Throwable failure = listening.bind(nativeAddress(local)).cause(); // Here it is at once.
      if (failure != null) {
        throw failure instanceof IOException e ? e : new IOException(failure);
      }
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
      return KQueueChannels.newDomainSocketChannel(socket.intValue());
    }
  },

  IO_URING {
    @Override
    String refusal(UnixDomainSocketAddress address) {
      return "Unix sockets need the transport epoll or nio: on io_uring, Netty ends both directions"
          + " when the peer ends one, and this loop runs on it: "
          + address;
    }

    @Override
    ServerChannel listen(UnixDomainSocketAddress local, int backlog) throws IOException {
      throw new IOException(refusal(local));
    }

    @Override
    DuplexChannel connect(UnixDomainSocketAddress remote) throws IOException {
      throw new IOException(refusal(remote));
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
    return "Abstract names need the transport epoll, and this loop runs on "
        + name().toLowerCase(Locale.ROOT)
        + ": "
        + address
        + "; write ./"
        + address
        + " if a file is meant";
  }

  /** Makes a socket that listens, or is to once it is {@link #registered}. */
  abstract ServerChannel listen(UnixDomainSocketAddress local, int backlog) throws IOException;

  /** Does what is left to be done for a socket that is to listen, on its event loop. */
  void registered(ServerChannel listening, UnixDomainSocketAddress local, int backlog)
      throws IOException {}

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
