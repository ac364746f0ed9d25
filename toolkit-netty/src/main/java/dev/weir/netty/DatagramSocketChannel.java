package dev.weir.netty;

import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A channel of a datagram socket, with what Netty's channels leave out.
 *
 * @param empties null if the channel sends empty datagrams itself. Most of Netty's take one for
 *     nothing to be done
 */
record DatagramSocketChannel(DatagramChannel channel, @Nullable EmptySender empties) {
  /** Sends empty datagrams. */
  interface EmptySender {
    /** Sends one. To null: to where the socket is connected. */
    void send(@Nullable InetSocketAddress to) throws IOException;
  }

  /** {@return a channel on a socket of Netty's own native code} */
  static DatagramSocketChannel ofNative(DatagramChannel channel, Socket socket) {
    ByteBuffer none = ByteBuffer.allocateDirect(1); // One byte, or it might have no address.
    return new DatagramSocketChannel(
        channel,
        to -> {
          if (to == null) {
            socket.write(none, 0, 0);
          } else {
            socket.sendTo(none, 0, 0, to.getAddress(), to.getPort());
          }
        });
  }

  /** {@return a channel on a socket of the JDK's} */
  static DatagramSocketChannel ofJdk(
      DatagramChannel channel, java.nio.channels.DatagramChannel socket) {
    return new DatagramSocketChannel(
        channel,
        to -> {
          if (to == null) {
            // The JDK makes no system call for it, and says that nothing was written.
            throw new SocketException(
                "the transport nio sends no empty datagrams on a connected socket: use epoll, or an"
                    + " endpoint without a remote address");
          }
          socket.send(ByteBuffer.allocate(0), to);
        });
  }
}
